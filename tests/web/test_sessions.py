"""Sessions and one's own password: listed, renewed by use up to a bound, ended on every worker."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.application import Application, running_application
from tests.features.test_people import rows
from tests.seed import PASSWORD
from tests.waiting import eventually
from tests.web.ways import Ways, bearer, cookie

STATS = "/api/dashboard/stats"
NEW = "tall trees in march"
HOME = {"Origin": "http://localhost"}


def signed_in(shop: Application, agent: str = "Firefox", role: str = "manager") -> str:
    body = {"email": shop.alpha.email(role), "password": PASSWORD}
    answer = shop.app.test_client().post("/api/auth/login", json=body, headers={"User-Agent": agent})
    return str(answer.json["access_token"])  # type: ignore[index]


def ask(shop: Application, token: str, path: str = "/api/auth/me", method: str = "GET", **how: Any) -> Any:
    return shop.app.test_client().open(path, method=method, headers=bearer(token), **how)


def devices(shop: Application, token: str) -> list[tuple[str, bool]]:
    items = ask(shop, token, "/api/auth/sessions").json["items"]
    return sorted((item["device"], item["is_current"]) for item in items)


def test_sessions_are_listed_and_ended_one_by_one(own_shop: Application) -> None:
    phone, desk = signed_in(own_shop, "Phone\x01 \u202e"), signed_in(own_shop, "Desk")
    assert devices(own_shop, desk) == [("Desk", True), ("Phone ", False)]
    items = ask(own_shop, desk, "/api/auth/sessions").json["items"]
    (other,) = [item["id"] for item in items if not item["is_current"]]
    for stranger in (own_shop.token("operator"), own_shop.token("manager", own_shop.beta)):
        for method in ("GET", "DELETE"):
            assert ask(own_shop, stranger, f"/api/auth/sessions/{other}", method).status_code == 404
    assert ask(own_shop, desk, f"/api/auth/sessions/{other}", "DELETE").json["device"] == "Phone "
    eventually("it has ended", lambda: ask(own_shop, phone).status_code == 401)
    assert devices(own_shop, desk) == [("Desk", True)]
    assert ask(own_shop, desk, "/api/auth/logout", "POST").status_code == 204
    assert rows(own_shop, "SELECT count(*) FROM sessions WHERE device IN ('Desk', 'Phone ')") == [(0,)]


def end_others(shop: Application, token: str) -> Any:
    return ask(shop, token, "/api/auth/sessions/end-others", "POST")


def change_password(shop: Application, token: str) -> Any:
    body = {"current_password": PASSWORD, "new_password": NEW}
    return ask(shop, token, "/api/auth/password", "POST", json=body)


@pytest.mark.parametrize("end", [end_others, change_password])
def test_other_sign_ins_end_on_every_worker_and_this_one_goes_on(own_shop: Application, end: Any) -> None:
    mine, others = signed_in(own_shop, "Mine"), [signed_in(own_shop, "Other"), own_shop.token("manager")]
    colleague = own_shop.token("operator")
    with running_application(own_shop.database, own_shop.alpha, own_shop.beta) as worker:
        assert [ask(worker, token).status_code for token in (mine, *others)] == [200] * 3
        answer = end(own_shop, mine)
        assert answer.status_code == 200, answer.json
        assert [ask(own_shop, token).status_code for token in (mine, *others)] == [401] * 3
        for token in (mine, *others):
            eventually("it has ended there", lambda token=token: ask(worker, token).status_code == 401)
        new = answer.json["access_token"]
        for shop in (own_shop, worker):
            assert ask(shop, new).status_code == ask(shop, colleague).status_code == 200
        assert devices(worker, new) == [("Mine", True)]


def test_a_password_is_changed_by_who_knows_the_old_one(own_shop: Application) -> None:
    token = signed_in(own_shop)
    for body, field in (
        ({"current_password": "wrong", "new_password": NEW}, "current_password"),
        ({"current_password": PASSWORD, "new_password": "1234567890"}, "new_password"),
        ({"current_password": PASSWORD, "new_password": "short"}, "new_password"),
        ({"current_password": PASSWORD, "new_password": "e\u0301" * 9}, "new_password"),
        ({"current_password": PASSWORD, "new_password": "x" * 201}, "new_password"),
        ({"current_password": PASSWORD, "new_password": "canaryalpha manager"}, "new_password"),
    ):
        refused = ask(own_shop, token, "/api/auth/password", "POST", json=body)
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (400, field)
    assert own_shop.sign_in(own_shop.alpha.email("manager")).status_code == 200
    # Composed and decomposed characters are one password; spaces at its ends belong to it.
    body = {"current_password": PASSWORD, "new_password": " cafe\u0301 in march "}
    assert ask(own_shop, token, "/api/auth/password", "POST", json=body).status_code == 200
    email = own_shop.alpha.email("manager")
    assert own_shop.sign_in(email, " caf\u00e9 in march ").status_code == 200
    assert own_shop.sign_in(email, "caf\u00e9 in march").status_code == 401
    assert own_shop.sign_in(email).status_code == 401


def test_guessing_the_present_password_is_slowed_down(own_shop: Application) -> None:
    token = signed_in(own_shop)
    body = {"current_password": "wrong", "new_password": NEW}
    limit = own_shop.services.config.login_attempts
    answers = [ask(own_shop, token, "/api/auth/password", "POST", json=body) for _ in range(limit + 1)]
    assert [answer.status_code for answer in answers] == [400] * limit + [429]


def test_one_changes_ones_own_name_and_nothing_else(own_shop: Application) -> None:
    client = own_shop.client("operator")
    tag = client.get("/api/auth/me").headers["ETag"]
    changed: Any = client.patch("/api/auth/me", json={"full_name": " Kim Sand "}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json["full_name"]) == (200, "Kim Sand")
    assert client.get("/api/auth/me").json == changed.json
    stale = client.patch("/api/auth/me", json={"full_name": "x"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    for body in ({"role": "admin"}, {"email": "x@y.example"}, {}):
        assert client.patch("/api/auth/me", json=body).status_code == 400


def at(shop: Application, seconds: float) -> None:
    """Tell the tokens that it is so many seconds from now, or before now: none may be issued in the future."""
    shop.services.sign_in.tokens.clock = lambda: time.time() + seconds


def test_a_token_is_renewed_until_the_bound_and_sign_out_ends_all_of_them(own_shop: Application) -> None:
    tokens = own_shop.services.sign_in.tokens
    tokens.ttl, tokens._session_longest = 100, 250
    at(own_shop, -260)
    first = signed_in(own_shop)
    at(own_shop, -170)
    second = ask(own_shop, first, "/api/auth/renew", "POST").json
    assert second["expires_in"] == 100
    at(own_shop, -80)
    assert ask(own_shop, first).status_code == 401
    third = ask(own_shop, second["access_token"], "/api/auth/renew", "POST").json
    assert 68 <= third["expires_in"] <= 70  # what is left of the 250
    assert ask(own_shop, third["access_token"], "/api/auth/renew", "POST").status_code == 403
    at(own_shop, -9)
    assert ask(own_shop, third["access_token"]).status_code == 401
    at(own_shop, -75)
    assert ask(own_shop, third["access_token"], "/api/auth/logout", "POST").status_code == 204
    for token in (second["access_token"], third["access_token"]):
        assert ask(own_shop, token).status_code == 401


def test_the_cookie_is_renewed_by_use_also_where_answers_are_kept(own_shop: Application) -> None:
    half = own_shop.services.sign_in.tokens.ttl / 2
    at(own_shop, -half - 1)
    ways, token = Ways(own_shop), own_shop.token()
    ways.ask(STATS, headers=cookie(token))
    eventually("it is kept", lambda: ways.goes_long(STATS, headers=cookie(token)) is None)
    assert "Set-Cookie" not in ways.ask_fast(STATS, headers=cookie(token)).headers
    at(own_shop, 0)
    own_shop.services.store.bump(own_shop.alpha.id, {"jobs"})
    renewed = ways.goes_long(STATS, headers=cookie(token))
    assert renewed is not None and renewed.status_code == 200
    new = renewed.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    assert new != token and "HttpOnly" in renewed.headers["Set-Cookie"]
    ways.ask(STATS, headers=cookie(new))
    assert "Set-Cookie" not in ways.ask_fast(STATS, headers=cookie(new)).headers
    # A token in the header is the caller's to renew.
    by_header = ways.ask(STATS, headers=bearer(token))
    assert by_header.status_code == 200 and "Set-Cookie" not in by_header.headers
    signed_out = ways.ask("/api/auth/logout", "POST", headers={**cookie(token), **HOME})
    assert new not in str(signed_out.headers.getlist("Set-Cookie"))
    assert ways.ask(STATS, headers=cookie(new)).status_code == 401


def test_the_last_use_is_written_without_a_statement_in_any_request(own_shop: Application) -> None:
    ways, token = Ways(own_shop), signed_in(own_shop)
    rows(own_shop, "UPDATE sessions SET last_used_at = now() - interval '1 hour'")
    ways.ask(STATS, headers=bearer(token))
    eventually("it is kept", lambda: ways.goes_long(STATS, headers=bearer(token)) is None)
    uses = own_shop.services.sign_in.last_uses
    uses.write()
    recent = "SELECT count(*) FROM sessions WHERE last_used_at > now() - interval '1 minute'"
    assert rows(own_shop, recent) == [(1,)]
    rows(own_shop, "UPDATE sessions SET last_used_at = now() - interval '1 hour'")
    uses.write()
    assert rows(own_shop, recent) == [(0,)], "it was not used since"
    # The fast path notes it, too.
    assert ways.ask_fast(STATS, headers=bearer(token)).headers["X-Queries"] == "0"
    uses._written_at = -1e9
    own_shop.services.maintenance.run_once()
    assert rows(own_shop, recent) == [(1,)]

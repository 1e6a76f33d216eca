"""Sessions and one's own password: listed, renewed by use up to a bound, ended on every worker."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.application import Application, run, running_application
from tests.seed import PASSWORD
from tests.waiting import eventually
from tests.web.ways import Ways, bearer, cookie

STATS = "/api/dashboard/stats"
NEW = "tall trees in march"
HOME = {"Origin": "http://localhost"}


def signed_in(app: Application, agent: str = "Firefox", role: str = "manager") -> str:
    body = {"email": app.alpha.email(role), "password": PASSWORD}
    answer = app.flask.test_client().post("/api/auth/login", json=body, headers={"User-Agent": agent})
    return str(answer.json["access_token"])  # type: ignore[index]


def ask(app: Application, token: str, path: str = "/api/auth/me", method: str = "GET", **how: Any) -> Any:
    return app.flask.test_client().open(path, method=method, headers=bearer(token), **how)


def devices(app: Application, token: str) -> list[tuple[str, bool]]:
    items = ask(app, token, "/api/auth/sessions").json["items"]
    return sorted((item["device"], item["is_current"]) for item in items)


def test_sessions_are_listed_and_ended_one_by_one(own_app: Application) -> None:
    phone, desk = signed_in(own_app, "Phone\x01 \u202e"), signed_in(own_app, "Desk")
    assert devices(own_app, desk) == [("Desk", True), ("Phone ", False)]
    items = ask(own_app, desk, "/api/auth/sessions").json["items"]
    (other,) = [item["id"] for item in items if not item["is_current"]]
    for stranger in (own_app.token("operator"), own_app.token("manager", own_app.beta)):
        for method in ("GET", "DELETE"):
            assert ask(own_app, stranger, f"/api/auth/sessions/{other}", method).status_code == 404
    assert ask(own_app, desk, f"/api/auth/sessions/{other}", "DELETE").json["device"] == "Phone "
    eventually("it has ended", lambda: ask(own_app, phone).status_code == 401)
    assert devices(own_app, desk) == [("Desk", True)]
    assert ask(own_app, desk, "/api/auth/logout", "POST").status_code == 204
    assert run(own_app, "SELECT count(*) FROM sessions WHERE device IN ('Desk', 'Phone ')") == [(0,)]


def end_others(app: Application, token: str) -> Any:
    return ask(app, token, "/api/auth/sessions/end-others", "POST")


def change_password(app: Application, token: str) -> Any:
    body = {"current_password": PASSWORD, "new_password": NEW}
    return ask(app, token, "/api/auth/password", "POST", json=body)


@pytest.mark.parametrize("end", [end_others, change_password])
def test_other_sign_ins_end_on_every_worker_and_this_one_goes_on(own_app: Application, end: Any) -> None:
    mine, others = signed_in(own_app, "Mine"), [signed_in(own_app, "Other"), own_app.token("manager")]
    colleague = own_app.token("operator")
    with running_application(own_app.database, own_app.alpha, own_app.beta) as worker:
        assert [ask(worker, token).status_code for token in (mine, *others)] == [200] * 3
        answer = end(own_app, mine)
        assert answer.status_code == 200, answer.json
        assert [ask(own_app, token).status_code for token in (mine, *others)] == [401] * 3
        for token in (mine, *others):
            eventually("it has ended there", lambda token=token: ask(worker, token).status_code == 401)
        new = answer.json["access_token"]
        for app in (own_app, worker):
            assert ask(app, new).status_code == ask(app, colleague).status_code == 200
        assert devices(worker, new) == [("Mine", True)]


def test_a_password_is_changed_by_who_knows_the_old_one(own_app: Application) -> None:
    token = signed_in(own_app)
    for body, field in (
        ({"current_password": "wrong", "new_password": NEW}, "current_password"),
        ({"current_password": PASSWORD, "new_password": "1234567890"}, "new_password"),
        ({"current_password": PASSWORD, "new_password": "short"}, "new_password"),
        ({"current_password": PASSWORD, "new_password": "e\u0301" * 9}, "new_password"),
        ({"current_password": PASSWORD, "new_password": "x" * 201}, "new_password"),
        ({"current_password": PASSWORD, "new_password": "canaryalpha manager"}, "new_password"),
    ):
        refused = ask(own_app, token, "/api/auth/password", "POST", json=body)
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (400, field)
    assert own_app.sign_in(own_app.alpha.email("manager")).status_code == 200
    # Composed and decomposed characters are one password; spaces at its ends belong to it.
    body = {"current_password": PASSWORD, "new_password": " cafe\u0301 in march "}
    assert ask(own_app, token, "/api/auth/password", "POST", json=body).status_code == 200
    email = own_app.alpha.email("manager")
    assert own_app.sign_in(email, " caf\u00e9 in march ").status_code == 200
    assert own_app.sign_in(email, "caf\u00e9 in march").status_code == 401
    assert own_app.sign_in(email).status_code == 401


def test_guessing_the_present_password_is_slowed_down(own_app: Application) -> None:
    token = signed_in(own_app)
    body = {"current_password": "wrong", "new_password": NEW}
    limit = own_app.services.config.login_attempts
    answers = [ask(own_app, token, "/api/auth/password", "POST", json=body) for _ in range(limit + 1)]
    assert [answer.status_code for answer in answers] == [400] * limit + [429]


def test_one_changes_ones_own_name_and_nothing_else(own_app: Application) -> None:
    client = own_app.client("operator")
    tag = client.get("/api/auth/me").headers["ETag"]
    changed: Any = client.patch("/api/auth/me", json={"full_name": " Kim Sand "}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json["full_name"]) == (200, "Kim Sand")
    assert client.get("/api/auth/me").json == changed.json
    stale = client.patch("/api/auth/me", json={"full_name": "x"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    for body in ({"role": "admin"}, {"email": "x@y.example"}, {}):
        assert client.patch("/api/auth/me", json=body).status_code == 400


def at(app: Application, seconds: float) -> None:
    """Tell the tokens that it is so many seconds from now, or before now: none may be issued in the future."""
    app.services.sign_in.tokens.clock = lambda: time.time() + seconds


def test_a_token_is_renewed_until_the_bound_and_sign_out_ends_all_of_them(own_app: Application) -> None:
    tokens = own_app.services.sign_in.tokens
    tokens.ttl, tokens._session_longest = 100, 250
    at(own_app, -260)
    first = signed_in(own_app)
    at(own_app, -170)
    second = ask(own_app, first, "/api/auth/renew", "POST").json
    assert second["expires_in"] == 100
    at(own_app, -80)
    assert ask(own_app, first).status_code == 401
    third = ask(own_app, second["access_token"], "/api/auth/renew", "POST").json
    assert 68 <= third["expires_in"] <= 70  # what is left of the 250
    assert ask(own_app, third["access_token"], "/api/auth/renew", "POST").status_code == 403
    at(own_app, -9)
    assert ask(own_app, third["access_token"]).status_code == 401
    at(own_app, -75)
    assert ask(own_app, third["access_token"], "/api/auth/logout", "POST").status_code == 204
    for token in (second["access_token"], third["access_token"]):
        assert ask(own_app, token).status_code == 401


def test_the_cookie_is_renewed_by_use_also_where_answers_are_kept(own_app: Application) -> None:
    half = own_app.services.sign_in.tokens.ttl / 2
    at(own_app, -half - 1)
    ways, token = Ways(own_app), own_app.token()
    ways.ask(STATS, headers=cookie(token))
    eventually("it is kept", lambda: ways.goes_long(STATS, headers=cookie(token)) is None)
    assert "Set-Cookie" not in ways.ask_fast(STATS, headers=cookie(token)).headers
    at(own_app, 0)
    own_app.services.store.bump(own_app.alpha.id, {"jobs"})
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


def test_the_last_use_is_written_without_a_statement_in_any_request(own_app: Application) -> None:
    ways, token = Ways(own_app), signed_in(own_app)
    run(own_app, "UPDATE sessions SET last_used_at = now() - interval '1 hour'")
    ways.ask(STATS, headers=bearer(token))
    eventually("it is kept", lambda: ways.goes_long(STATS, headers=bearer(token)) is None)
    uses = own_app.services.sign_in.last_uses
    uses.write()
    recent = "SELECT count(*) FROM sessions WHERE last_used_at > now() - interval '1 minute'"
    assert run(own_app, recent) == [(1,)]
    run(own_app, "UPDATE sessions SET last_used_at = now() - interval '1 hour'")
    uses.write()
    assert run(own_app, recent) == [(0,)], "it was not used since"
    # The fast path notes it, too.
    assert ways.ask_fast(STATS, headers=bearer(token)).headers["X-Queries"] == "0"
    uses._written_at = -1e9
    own_app.services.maintenance.run_once()
    assert run(own_app, recent) == [(1,)]

"""API tokens: shown once, hashed, scoped, as fast as a sign-in, and ended on every worker."""

from __future__ import annotations

import re
from typing import Any

import pytest

from opsboard.auth.api_tokens import PREFIX, SHAPE
from tests.application import Application, run, running_application
from tests.features.test_people import invite
from tests.waiting import eventually
from tests.web.ways import Ways, bearer

STATS = "/api/dashboard/stats"


def make(app: Application, *scopes: str, role: str = "admin", **more: Any) -> Any:
    body = {"name": "Weekly report", "scopes": scopes or ["read"], **more}
    made = app.client(role).post("/api/tokens", json=body)
    assert made.status_code == 201, made.json
    return made.json


def ask(app: Application, token: str, path: str = STATS, method: str = "GET", **how: Any) -> Any:
    return app.flask.test_client().open(path, method=method, headers=bearer(token), **how)


def test_a_token_is_shown_once_and_only_its_hash_is_stored(own_app: Application) -> None:
    client, headers = own_app.client(), {"Idempotency-Key": "made"}
    body = {"name": "x", "scopes": ["write", "read", "read"], "expires_in_days": 7}
    made = client.post("/api/tokens", json=body, headers=headers)
    token: str = made.json["token"]  # type: ignore[index]
    assert SHAPE.fullmatch(token) and re.match(r"opsb_\d+_[\w-]{16}\.[\w-]{43}$", token)
    assert made.json["scopes"] == ["read", "write"]  # type: ignore[index]
    assert client.post("/api/tokens", json=body, headers=headers).data == made.data
    assert len(run(own_app, "SELECT 1 FROM api_tokens WHERE name = 'x'")) == 1
    assert ask(own_app, token).status_code == 200
    for path in (made.headers["Location"], "/api/tokens", "/api/tokens/export"):
        assert token.rpartition(".")[2] not in client.get(path).get_data(as_text=True)
    for table in ("api_tokens", "audit_logs", "idempotency_keys", "revocations"):
        (everything,) = run(own_app, f"SELECT coalesce(string_agg(t::text, ''), '') FROM {table} AS t")[0]
        assert token.rpartition(".")[2] not in everything


@pytest.mark.parametrize(
    "change",
    [{"expires_in_days": 366}, {"expires_in_days": 0}, {"scopes": []}, {"scopes": ["all"]}, {"name": ""}],
)
def test_what_is_no_token_is_not_made(own_app: Application, change: dict[str, Any]) -> None:
    body = {"name": "x", "scopes": ["read"], **change}
    assert own_app.client().post("/api/tokens", json=body).status_code == 400


def test_tokens_that_we_did_not_make_are_401_and_take_no_connection(own_app: Application) -> None:
    token = make(own_app)["token"]
    head, _, signature = token.rpartition(".")
    own_app.client().get("/api/auth/me")
    before = own_app.services.database.pool.get_stats()["requests_num"]
    for wrong in (
        PREFIX, f"{PREFIX}1", head, f"{head}.", f"{head}.{'x' * 43}", token[:-1], f"{token}x",
        f"{PREFIX}2_{head[7:]}.{signature}", token.replace(PREFIX, "OPSB_"),
        f"{PREFIX}{'9' * 40}_{'x' * 16}.{'x' * 43}",
    ):  # fmt: skip
        assert ask(own_app, wrong).status_code == 401, wrong
    assert own_app.services.database.pool.get_stats()["requests_num"] == before
    # One that is signed and was never stored is looked up, and refused.
    tokens = own_app.services.sign_in.api_tokens
    assert ask(own_app, tokens.token_of(tokens.new_hint(own_app.alpha.id))).status_code == 401


def test_on_the_cached_path_a_token_is_as_fast_as_a_sign_in(own_app: Application) -> None:
    ways, token = Ways(own_app), make(own_app)["token"]
    ways.ask(STATS, headers=bearer(token))
    eventually("it is kept", lambda: ways.goes_long(STATS, headers=bearer(token)) is None)
    hit = ways.ask_fast(STATS, headers=bearer(token))
    assert (hit.headers["X-Cache"], hit.headers["X-Queries"]) == ("HIT", "0")
    # Also the slow path looks a known token up no more: the one statement is the answer's.
    answer = ways.ask_slow("/api/auth/me", headers=bearer(token))
    assert (answer.status_code, answer.headers["X-Queries"]) == (200, "1")


def test_a_revoked_token_ends_on_every_worker(own_app: Application) -> None:
    made, other = make(own_app), make(own_app)
    with running_application(own_app.database, own_app.alpha, own_app.beta) as worker:
        for app in (own_app, worker):
            assert ask(app, made["token"]).status_code == ask(app, other["token"]).status_code == 200
        gone: Any = own_app.client().delete(f"/api/tokens/{made['id']}").json
        assert gone["revoked_at"] is not None and "token" not in gone
        for app in (own_app, worker):
            eventually("it has ended", lambda app=app: ask(app, made["token"]).status_code == 401)
            assert ask(app, other["token"]).status_code == 200


def test_a_token_has_the_present_role_of_its_user_and_ends_with_them(own_app: Application) -> None:
    robot = invite(own_app, "robot@north.example", "admin", is_service=True)
    token = make(own_app, user_id=robot["id"])["token"]
    path = f"/api/users/{robot['id']}"
    with running_application(own_app.database, own_app.alpha, own_app.beta) as worker:
        apps = (own_app, worker)
        assert [ask(app, token, "/api/audit").status_code for app in apps] == [200, 200]
        own_app.client().patch(path, json={"role": "operator"})
        for app in apps:
            eventually("the role", lambda app=app: ask(app, token, "/api/audit").status_code == 403)
            assert ask(app, token).status_code == 200
        own_app.client().patch(path, json={"is_active": False})
        for app in apps:
            eventually("its end", lambda app=app: ask(app, token).status_code == 401)
        own_app.client().patch(path, json={"is_active": True})
        for app in apps:
            eventually("it is back", lambda app=app: ask(app, token).status_code == 200)


def test_a_remembered_token_expires_and_is_looked_up_again_each_day(own_app: Application) -> None:
    made = make(own_app, expires_in_days=1)
    assert ask(own_app, made["token"]).status_code == 200
    tokens = own_app.services.sign_in.api_tokens
    (identity,) = tokens._known.values()
    assert identity.expires_at - tokens.clock() <= 86_400
    run(own_app, "UPDATE api_tokens SET expires_at = now() WHERE id = %s", made["id"])
    own_app.services.sign_in.tokens.clock = tokens.clock = lambda: identity.expires_at + 1
    assert ask(own_app, made["token"]).status_code == 401


def test_a_worker_that_is_out_of_date_asks_about_the_token(own_app: Application) -> None:
    made = make(own_app)
    assert ask(own_app, made["token"]).status_code == 200
    feed = own_app.services.change_feed
    feed.stop()
    own_app.services.sign_in.revocations.fresh_until = -1e9
    run(own_app, "UPDATE api_tokens SET revoked_at = now() WHERE id = %s", made["id"])
    assert ask(own_app, made["token"]).status_code == 401


def test_tokens_are_for_oneself_and_by_admins_for_service_accounts(own_app: Application) -> None:
    robot = invite(own_app, "robot@north.example", is_service=True)
    person: Any = own_app.client("operator").get("/api/auth/me").json
    body = {"name": "x", "scopes": ["read"]}
    for role, user_id, status in (
        ("admin", robot["id"], 201), ("admin", person["id"], 409), ("manager", robot["id"], 409),
        ("operator", person["id"], 201), ("admin", 2**40, 409),
    ):  # fmt: skip
        answer = own_app.client(role).post("/api/tokens", json={**body, "user_id": user_id})
        assert answer.status_code == status, (role, answer.json)
    mine: Any = own_app.client("operator").get("/api/tokens").json
    assert {item["user"]["id"] for item in mine["items"]} == {person["id"]}
    assert own_app.client("operator").get(f"/api/tokens?user_id={robot['id']}").status_code == 403
    everybody: Any = own_app.client().get("/api/tokens").json
    assert {item["user"]["id"] for item in everybody["items"]} >= {person["id"], robot["id"]}
    theirs: Any = own_app.client().get(f"/api/tokens?user_id={robot['id']}").json
    (of_robot,) = theirs["items"]
    for method in ("GET", "DELETE"):
        refused = own_app.client("operator").open(f"/api/tokens/{of_robot['id']}", method=method)
        assert refused.status_code == 404
    assert own_app.client().delete(f"/api/tokens/{of_robot['id']}").status_code == 200


def test_the_last_use_of_a_token_is_written_by_the_maintenance(own_app: Application) -> None:
    made = make(own_app)
    shown: Any = own_app.client().get(f"/api/tokens/{made['id']}").json
    assert shown["last_used_at"] is None
    ask(own_app, made["token"])
    own_app.services.sign_in.last_uses._written_at = -1e9
    own_app.services.maintenance.run_once()
    shown = own_app.client().get(f"/api/tokens/{made['id']}").json
    assert shown["last_used_at"] is not None


def test_a_token_scrapes_metrics_for_an_admin_of_the_service(own_app: Application) -> None:
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}

    def scrape(token: str) -> int:
        client = own_app.flask.test_client()
        return client.get("/metrics", headers=bearer(token), environ_base=elsewhere).status_code

    assert scrape(make(own_app, "metrics")["token"]) == 200
    assert scrape(make(own_app, "read", "health")["token"]) == 403
    assert scrape(make(own_app, "metrics", role="manager")["token"]) == 403
    assert scrape(f"{PREFIX}1_x.y") == 401

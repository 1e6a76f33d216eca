"""The scopes of API tokens hold on every route: a token may do what its scopes say and nothing else."""

from __future__ import annotations

from typing import Any

from opsboard.web.scopes import OPEN, SCOPES, SIGN_IN, TABLE
from tests.application import Application
from tests.contract.routes import Route, routes
from tests.features.test_api_tokens import make
from tests.web.ways import bearer

# Operations forbidden to API tokens: each concerns ways to sign in.
FOR_PEOPLE = {
    "auth.logout", "auth.update_me", "auth.get_sessions", "auth.get_session", "auth.end_session",
    "auth.end_other_sessions", "auth.change_password", "auth.renew",
    "tokens.create_token", "tokens.revoke_token",
    "users.create_user", "users.update_user", "users.create_password_link", "users.revoke_password_link",
}  # fmt: skip


def expected(route: Route) -> str:
    """Said once more, by other means than the table."""
    if route.open_to_all:
        return OPEN
    if route.endpoint in FOR_PEOPLE:
        return SIGN_IN
    if route.method != "GET":
        return "write"
    if route.rule == "/api/wall":
        return "wall"
    return "health" if route.rule.startswith(("/api/health", "/health")) else "read"


def test_the_table_has_every_route_with_the_scope_it_needs(app: Application) -> None:
    table = app.flask.extensions[TABLE]
    every = {
        (rule.endpoint, method) for rule in app.flask.url_map.iter_rules() for method in rule.methods or ()
    }
    assert table.keys() == every
    assert set(table.values()) == {OPEN, SIGN_IN, *SCOPES}
    assert table["metrics.metrics", "GET"] == "metrics"
    for route in routes(app):
        assert table[route.endpoint, route.method] == expected(route), route
    assert {endpoint for (endpoint, _), scope in table.items() if scope == SIGN_IN} == FOR_PEOPLE


def test_each_scope_is_enough_for_its_routes_and_for_no_other(own_app: Application) -> None:
    """A token for each scope on each route; unknown arguments end those that are let in before anything is done."""
    tokens = {scope: make(own_app, scope)["token"] for scope in SCOPES}
    tokens["all but read"] = make(own_app, *(scope for scope in SCOPES if scope != "read"))["token"]
    tried = 0
    for route in routes(own_app):
        needed = expected(route)
        for name, token in tokens.items():
            answer: Any = own_app.flask.test_client().open(
                f"{route.path}?surprise=1", method=route.method, json=route.body, headers=bearer(token)
            )
            has = (
                needed == OPEN
                or name == needed
                or (name == "read" and needed == "wall")
                or (name == "all but read" and needed not in ("read", SIGN_IN))
            )
            refused = answer.status_code == 403 and (
                "API token" in answer.json["detail"] or "no API token" in answer.json["detail"]
            )
            assert refused != has, (route, name, answer.status_code)
            assert answer.status_code == (400 if has else 403), (route, name, answer.json)
            tried += 1
    assert tried > 500


def test_a_route_that_is_not_in_the_table_is_closed_to_tokens(own_app: Application) -> None:
    token = make(own_app, *SCOPES)["token"]
    client = own_app.flask.test_client()
    assert client.get("/api/jobs", headers=bearer(token)).status_code == 200
    del own_app.flask.extensions[TABLE]["jobs.list_jobs", "GET"]
    assert client.get("/api/jobs?page_size=1", headers=bearer(token)).status_code == 403
    assert own_app.client().get("/api/jobs").status_code == 200

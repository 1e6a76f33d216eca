"""Rules for every route, including routes added later."""

from __future__ import annotations

import json
from contextlib import closing

import psycopg2
import pytest
from werkzeug.test import TestResponse

from opsboard.web.arguments import Patch
from tests.application import Application
from tests.contract.routes import Route, ids_of, routes
from tests.contract.samples import areas, body_model
from tests.contract.tables import NOT_WRITTEN, TABLES
from tests.seed import ROLES

HUGE = "9" * 19  # above bigint
# Ids that are sent by another name than they have in addresses.
FOREIGN = {
    "user_id": "wanted_id",
    "assigned_user_id": "wanted_id",
    "worker_id": "wanted_id",
    "entity_id": "job_id",
    "kept_id": "customer_id",
    "merged_id": "customer_id",
    "reject_reason_id": "reason_id",
}
FOREIGN_OF_JOURNEYS = {"contact_id": "journey_contact_id"}
# Ids that are in no address: a list of them is never looked at by its own.
NO_ROUTE_FOR = {"workflow_id"}
# The service's own books, which any request may lead to entries in.
KEPT_UP = {*NOT_WRITTEN, "idempotency_keys", "revocations"}


def takes_no_body(app: Application, route: Route) -> bool:
    """Return True if the body of that route may be left out."""
    return getattr(app.flask.view_functions[route.endpoint], "has_optional_body", False)


def call(
    application: Application, route: Route, role: str | None = "admin", path: str | None = None
) -> TestResponse:
    return application.client(role).open(path or route.path, method=route.method, json=route.body)


def assert_problem(answer: TestResponse, status: int, code: str | None = None) -> None:
    """The one shape of errors."""
    text = answer.get_data(as_text=True)
    assert answer.status_code == status, f"{answer.request.path}: {answer.status_code} {text}"
    assert answer.mimetype == "application/problem+json"
    problem = json.loads(text)
    assert problem.keys() - {"errors"} == {"type", "title", "status", "code", "detail", "request_id"}
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert code is None or problem["code"] == code
    for error in problem.get("errors", []):
        assert error.keys() >= {"field", "message"}


def test_without_a_token_every_closed_route_is_401(app: Application) -> None:
    closed = [route for route in routes(app) if not route.open_to_all]
    assert len(closed) > 25
    for route in closed:
        answer = call(app, route, role=None)
        assert_problem(answer, 401, "not_signed_in")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_only_these_routes_are_open(app: Application) -> None:
    assert {route.rule for route in routes(app) if route.open_to_all} == {
        "/api/auth/login", "/api/health", "/api/health/ready", "/health", "/health/ready", "/api/openapi.json",
        "/api/job-status/<token>", "/api/auth/password-link", "/api/auth/password-link/accept",
    }  # fmt: skip


def test_each_get_answers_an_admin_with_one_statement_at_most(app: Application) -> None:
    client = app.client()
    for route in routes(app):
        if route.method != "GET":
            continue
        app.services.store.clear()
        answer = client.get(route.path)
        assert answer.status_code == 200, f"{route}: {answer.get_data(as_text=True)}"
        assert int(answer.headers["X-Queries"]) <= 1, (
            f"{route} needs {answer.headers['X-Queries']} statements"
        )
        assert answer.headers["Server-Timing"].startswith("cache;desc=")


def test_each_get_with_the_etag_it_gave_is_304_without_a_body(app: Application) -> None:
    client = app.client()
    with_etag = 0
    for route in routes(app):
        if route.method != "GET" or not (etag := client.get(route.path).headers.get("ETag")):
            continue
        with_etag += 1
        answer = client.get(route.path, headers={"If-None-Match": etag})
        assert (answer.status_code, answer.data) == (304, b""), route
        assert answer.headers["ETag"] == etag
        assert "private" in answer.headers["Cache-Control"]
        assert "Authorization" in answer.headers["Vary"]
    assert with_etag > 15


def test_roles_that_may_not_are_403_and_those_that_may_are_not(own_app: Application) -> None:
    for route in routes(own_app):
        for role in ROLES:
            answer = call(own_app, route, role)
            if route.roles is not None and role not in route.roles:
                assert_problem(answer, 403, "forbidden")
            elif route.roles is not None:
                assert answer.status_code != 403, f"{role} {route}"


def test_ids_of_another_tenant_are_not_found(own_app: Application) -> None:
    # Open ones are for every holder of the token, of any business.
    foreign = [
        route for route in routes(own_app, own_app.beta) if route.path != route.rule and not route.open_to_all
    ]
    assert len(foreign) > 8
    before = fingerprint(own_app)
    for route in foreign:
        for role in ROLES:
            if route.roles is None or role in route.roles:
                assert_problem(call(own_app, route, role), 404, "not_found")
    assert fingerprint(own_app) == before, "a write reached the other tenant"


def test_another_tenants_ids_in_filters_find_nothing(app: Application) -> None:
    client, foreign, asked = app.client(), ids_of(app, app.beta), 0
    for name_of_area, area in areas().items():
        renamed = FOREIGN | (FOREIGN_OF_JOURNEYS if name_of_area == "journeys" else {})
        for declared in area.lists.values():
            if "<" in declared.path:
                continue
            for name, info in declared.arguments.model_fields.items():
                sent = info.alias or name
                if sent.endswith("_id") and sent not in NO_ROUTE_FOR:
                    path = f"{declared.path}?{sent}={foreign[renamed.get(sent, sent)]}"
                    assert client.get(path).json["total"] == 0, path  # type: ignore[index]
                    asked += 1
    assert asked > 25


def test_another_tenants_ids_in_a_change_are_a_conflict(own_app: Application) -> None:
    client, foreign, asked = own_app.client(), ids_of(own_app, own_app.beta), 0
    for route in routes(own_app):
        model = body_model(own_app.flask.view_functions[route.endpoint])
        if model is None or not issubclass(model, Patch):
            continue
        for name in model.model_fields:
            if name.endswith("_id"):
                answer = client.patch(route.path, json={name: foreign[FOREIGN.get(name, name)]})
                assert_problem(answer, 409, "conflict")
                asked += 1
    assert asked >= 6


def test_no_answer_has_a_byte_of_the_other_tenant(app: Application) -> None:
    for business, other in ((app.alpha, app.beta), (app.beta, app.alpha)):
        for role in ROLES:
            client = app.client(role, business)
            seen = 0
            for route in routes(app, business):
                if route.method != "GET" or (route.roles is not None and role not in route.roles):
                    continue
                text = client.get(route.path).get_data(as_text=True)
                assert other.canary not in text.lower() and other.slug + ".example" not in text, route
                seen += business.canary in text.lower()
            assert seen > 8, "the seed's own word must be in the answers, or this test sees nothing"


def test_unknown_and_repeated_arguments_are_400(app: Application) -> None:
    client = app.client()
    for route in routes(app):
        answer = client.open(f"{route.path}?surprise=1", method=route.method, json=route.body)
        assert_problem(answer, 400, "invalid_input")
        assert answer.json["errors"][0]["field"] == "surprise"  # type: ignore[index]
    assert_problem(client.get("/api/jobs?page=1&page=2"), 400, "invalid_input")


def test_unknown_members_of_a_body_are_400(app: Application) -> None:
    client = app.client()
    writes = [route for route in routes(app) if route.body is not None]
    assert len(writes) > 35
    for route in writes:
        for member in ("tenant_id", "id", "created_by", "token_version"):
            answer = client.open(route.path, method=route.method, json={**(route.body or {}), member: 1})
            assert_problem(answer, 400, "invalid_input")


def test_wrong_methods_are_405_and_unknown_addresses_404(app: Application) -> None:
    client = app.client()
    with_put = {route.rule for route in routes(app) if route.method == "PUT"}
    for route in routes(app):
        if route.rule in with_put:
            continue
        answer = client.open(route.path, method="PUT")
        assert_problem(answer, 405, "method_not_allowed")
        assert route.method in answer.headers["Allow"]
    for path in (
        "/api",
        "/api/nothing",
        "/api/jobs/0",
        "/api/jobs/-1",
        "/api/jobs/x",
        f"/api/jobs/{HUGE}",
        "/x",
    ):
        assert_problem(client.get(path), 404, "not_found")


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b'{"title": "\\u0000"}', b'{"title": "\\ud800"}',
     b'{"title": NaN}', b'{"title": "x", "quantity": 1e999}', b'{"title": "x", "quantity": 9223372036854775808}',
     b'{"title": "x", "due_date": "10000-01-01"}', b'{"title": "x", "due_date": "2026-02-30"}',
     b'{"title": "x", "due_date": 5}', b'{"title": "' + b"x" * 201 + b'"}', b"[" * 100_000],
)  # fmt: skip
def test_a_broken_body_is_400_on_every_write(app: Application, raw: bytes) -> None:
    client = app.client()
    for route in routes(app):
        may_be_none = takes_no_body(app, route)
        if route.body is None or (may_be_none and raw in (b"", b"null")):
            continue
        answer = client.open(route.path, method=route.method, data=raw, content_type="application/json")
        assert_problem(answer, 400)


def test_a_body_above_the_limit_is_413(app: Application) -> None:
    answer = app.client().post("/api/jobs", data=b"x" * (2 << 20), content_type="application/json")
    assert_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=x", "page_size=0", "page_size=101", f"page={HUGE}", "sort=title", "sort=--created_at",
     "sort=created_at;", "cursor=x", "cursor=%00", "page=1e3", "page=NaN", "sort=%F0"],
)  # fmt: skip
def test_bad_paging_is_400_on_every_list(app: Application, query: str) -> None:
    client = app.client()
    lists = [
        route
        for route in routes(app)
        if route.method == "GET" and route.endpoint.split(".")[1].startswith("list_")
    ]
    assert len(lists) >= 8
    for route in lists:
        assert_problem(client.get(f"{route.path}?{query}"), 400, "invalid_input")


@pytest.mark.parametrize(
    "value", ["%00", "%F0%9F", "0", "-1", HUGE, "NaN", "infinity", "10000-01-01", "", "x" * 5000]
)
def test_hostile_values_of_every_argument_are_never_5xx(app: Application, value: str) -> None:
    client, spec = app.client(), app.spec
    assert isinstance(spec, dict)
    tried = 0
    for path, item in spec["paths"].items():
        for parameter in item.get("get", {}).get("parameters", []):
            if parameter["in"] == "query":
                answer = client.get(f"{path}?{parameter['name']}={value}")
                assert answer.status_code < 500, f"{path} {parameter['name']}={value}"
                if answer.status_code >= 400 and "{" not in path:
                    assert_problem(answer, answer.status_code)
                tried += 1
    assert tried > 50


def fingerprint(application: Application) -> list[object]:
    """Return the rows of the other tenant, so that any change of them is noticed."""
    with (
        closing(psycopg2.connect(application.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        found: list[object] = []
        for table in TABLES:
            if table in KEPT_UP:
                continue
            key = "id" if table == "tenants" else "tenant_id"
            cursor.execute(
                f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} AS t WHERE {key} = %s",
                (application.beta.id,),
            )
            found.append((table, cursor.fetchone()))
        assert sum(row is not None and row[0] > 0 for _, row in found) > 35, "or this watches nothing"  # type: ignore[misc]
        return found

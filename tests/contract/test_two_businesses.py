"""Nothing anybody is answered depends on another business: every answer is the same with it and without it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from tests.application import Application, running_application
from tests.clusters import FreshDatabase, fresh_database
from tests.contract.routes import Route, ids_of, routes
from tests.seed import ROLES, Business

# Neither business runs the service: what is told of it to those who do is no business' own.
RUN_BY_NEITHER = (1_000_000,)
# Members that differ between two moments: times, ages, durations, and links with their expiry.
MOMENTS = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)?|\d{8}T\d{6}Z"
    r'|"\w*(?:age|seconds|ms|cursor)\w*"\s*:\s*(?:[\d.-]+|"[^"]*"|null)|/status/[\w-]+\.[\w-]+'
    r'|evt_[0-9a-f-]{36}|whsec_[\w+/=]+|[0-9a-f]{8}_[\w-]{16}|opsb_[\w-]+(?:\.[\w-]+)?|#[\w-]+\.[\w-]+|"\w*token"\s*:\s*"[^"]*"'
)
# Where an id may be sent, and which of the other business's is.
FOREIGN_MEMBERS = {
    "assigned_user_id": "wanted_id", "user_id": "wanted_id", "by_user_id": "wanted_id", "to_user_id": "wanted_id",
    "active_document_id": "document_id", "entity_id": "job_id", "worker_id": "wanted_id",
    "copy_of_id": "job_id", "kept_id": "customer_id", "merged_id": "customer_id", "reject_reason_id": "reason_id",
}  # fmt: skip


# These end or replace sign-ins, or count wrong passwords: they are sent at the end, each by a client of its own.
OF_SIGN_IN = (
    "auth.login", "auth.logout", "auth.renew", "auth.change_password", "auth.end_other_sessions", "auth.end_session",
)  # fmt: skip


class Sent(NamedTuple):
    """A request that is sent to both; `key`: with an Idempotency-Key that the other business used too."""

    route: Route
    role: str
    path: str
    body: dict[str, Any] | None = None
    key: str | None = None
    # As it is meant to be sent, on what is one's own.
    plain: bool = False


@pytest.fixture(scope="module")
def beside(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Application]:
    """Both businesses, and the second has used the keys of idempotency that the first will use."""
    name, alpha, beta = seeded
    with fresh_database(cluster, name) as database:
        do(database, "SELECT fold_rollups(1000000)")
        with running_application(database, alpha, beta, operator_tenants=RUN_BY_NEITHER) as application:
            yield application


@pytest.fixture(scope="module")
def alone(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Application]:
    """The same first business, without the second."""
    name, alpha, beta = seeded
    with fresh_database(cluster, name) as database:
        do(database, f"DELETE FROM tenants WHERE id = {beta.id}", "SELECT fold_rollups(1000000)")
        with running_application(database, alpha, beta, operator_tenants=RUN_BY_NEITHER) as application:
            yield application


@pytest.mark.parametrize("thorough", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_no_byte_of_any_answer_to_any_role_depends_on_the_other_business(
    beside: Application, alone: Application, thorough: bool
) -> None:
    """Thorough: with each filter, each member and each role; else each route and verb with its ids and the other's."""
    foreign = foreign_ids(beside)
    other = re.compile(f"{beside.beta.canary}|{beside.beta.slug}\\b", re.IGNORECASE)
    for client in (beside.client("admin", beside.beta), beside.client("manager", beside.beta)):
        assert (
            client.post("/api/jobs", json={"title": "x"}, headers={"Idempotency-Key": "shared"}).status_code
            == 201
        )
    take_back_numbers(beside, alone)
    compared, seen = 0, set()
    asked = [*reads(beside, foreign), *writes(beside, foreign)]
    if thorough:
        asked += reads(beside, foreign)
    else:
        asked = [
            sent for sent in asked if sent.plain or (sent.role == "admin" and sent.route.method == "GET")
        ]
    for sent in asked:
        pair = [answer_to(app, sent) for app in (beside, alone)]
        echoed = any(word in sent.path for word in (beside.beta.canary, beside.beta.slug))
        assert echoed or not other.search(pair[0]), f"{sent}: {pair[0][:2000]}"
        assert pair[0] == pair[1], sent
        compared += 1
        seen.add((sent.route.method, sent.route.rule))
    assert seen == {(route.method, route.rule) for route in routes(beside)}
    assert compared > (2000 if thorough else 500)


def test_a_byte_of_the_other_business_would_be_seen(beside: Application, alone: Application) -> None:
    """A count of all rows, which no predicate and no policy holds, differs between the two."""
    counted = []
    for app in (beside, alone):
        with (
            closing(psycopg2.connect(app.database.superuser_url)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT count(*) FROM customers")
            counted.append(cursor.fetchone())
    assert counted[0] != counted[1]
    assert MOMENTS.sub("", '{"total": 12, "age_seconds": 3.5}') == '{"total": 12, }'


def do(database: FreshDatabase, *statements: str) -> None:
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in statements:
            cursor.execute(statement)


def foreign_ids(app: Application) -> dict[str, int]:
    more = {
        "recipient_id": "SELECT min(id) FROM campaign_recipients WHERE tenant_id = %s",
        "workflow_id": "SELECT min(id) FROM workflows WHERE tenant_id = %s",
    }
    return ids_of(app, app.beta) | ids_of(app, app.beta, more)


def take_back_numbers(beside: Application, alone: Application) -> None:
    """Ids are given over all businesses; that a number was used is all they tell, and here it is told to both. The
    numbers of jobs are each business's own and stay."""
    with (
        closing(psycopg2.connect(beside.database.superuser_url)) as one,
        closing(psycopg2.connect(alone.database.superuser_url)) as two,
        one.cursor() as source,
        two.cursor() as target,
    ):
        source.execute(
            r"SELECT c.relname FROM pg_class AS c WHERE c.relkind = 'S' AND c.relname NOT LIKE 'job\_numbers\_of\_%'"
        )
        for (name,) in source.fetchall():
            source.execute(f'SELECT last_value, is_called FROM "{name}"')
            target.execute("SELECT setval(%s::regclass, %s, %s)", (f'"{name}"', *(source.fetchone() or ())))
        two.commit()


def reads(app: Application, foreign: dict[str, int]) -> Iterator[Sent]:
    """Every GET with own ids and with ids of the other, with each filter set to something of the other, and wrongly."""
    paths: dict[str, Any] = app.spec["paths"]  # type: ignore[index]
    elsewhere = {(route.method, route.rule): route.path for route in routes(app, app.beta)}
    for route in routes(app):
        if route.method != "GET":
            continue
        described = paths.get(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule), {}).get("get", {})
        names = [given["name"] for given in described.get("parameters", []) if given["in"] == "query"]
        for role in ROLES:
            yield Sent(route, role, route.path, plain=True)
            yield Sent(route, role, f"{route.path}?surprise=1")
            # An open one is for every holder of the link, of any business.
            if route.path != route.rule and not route.open_to_all:
                yield Sent(route, role, elsewhere[route.method, route.rule])
        for name in names:
            if name == "q" and route.rule.endswith("/export"):
                continue  # who exports what is noted, in the caller's own words
            if name == "q":
                yield Sent(route, "admin", f"{route.path}?q={app.beta.canary}")
                yield Sent(route, "admin", f"{route.path}?q=c")
            elif name.endswith("_id") and name != "after_id":  # only where a walk goes on
                yield Sent(route, "admin", f"{route.path}?{name}={foreign[FOREIGN_MEMBERS.get(name, name)]}")
            elif name == "format":
                yield Sent(route, "operator", f"{route.path}?format=jsonl")
            elif name == "page":
                yield Sent(route, "manager", f"{route.path}?page=2&page_size=3")


def writes(app: Application, foreign: dict[str, int]) -> Iterator[Sent]:
    """Every write: on what is the other's, with ids of the other in it, as it should be, and again with its key."""
    spec: dict[str, Any] = app.spec  # type: ignore[assignment]
    elsewhere = {(route.method, route.rule): route.path for route in routes(app, app.beta)}
    for route in routes(app):
        if route.method == "GET" or route.endpoint in OF_SIGN_IN:
            continue
        for role in ROLES:
            if route.path != route.rule:
                yield Sent(route, role, elsewhere[route.method, route.rule], route.body)
            for name in members_for_ids(spec, route):
                given: Any = foreign[FOREIGN_MEMBERS.get(name, name)] if name.endswith("_id") else None
                if given is None:
                    given = [foreign[f"{name.removesuffix('s')}" if name != "ids" else id_of(app, route)]]
                yield Sent(route, role, route.path, {**(route.body or {}), name: given})
            yield Sent(route, role, route.path, route.body, plain=True)
            yield Sent(route, role, route.path, {**(route.body or {}), "surprise": 1})
            for _ in range(2):
                yield Sent(route, role, route.path, route.body, "shared", plain=role == "admin")
    for route in routes(app):
        if route.endpoint in OF_SIGN_IN:
            yield Sent(route, "admin", route.path, route.body, plain=True)


def id_of(app: Application, route: Route) -> str:
    """The kind of the ids that a bulk change names: what the area shows one of."""
    base = route.rule.rpartition("/")[0]
    rules = [rule.rule for rule in app.flask.url_map.iter_rules()]
    return next(rule for rule in rules if re.fullmatch(rf"{base}/<id:\w+>", rule)).rpartition(":")[2][:-1]


def members_for_ids(spec: dict[str, Any], route: Route) -> list[str]:
    """The members of a write's body that are ids."""
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule)
    body = spec["paths"].get(path, {}).get(route.method.lower(), {}).get("requestBody", {})
    schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    schema = spec["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    return [name for name in schema.get("properties", {}) if name == "ids" or name.endswith(("_id", "_ids"))]


def answer_to(app: Application, sent: Sent) -> str:
    """Everything of an answer that is not the moment it was made in."""
    headers = {"X-Request-Id": "the-same-for-both"} | ({"Idempotency-Key": sent.key} if sent.key else {})
    client = app.client("operator") if sent.route.endpoint in OF_SIGN_IN else clients(app)[sent.role]
    answer = client.open(sent.path, method=sent.route.method, json=sent.body, headers=headers)
    kept = [f"{name}: {value}" for name, value in sorted(answer.headers.items()) if name in SHOWN]
    return MOMENTS.sub("", "\n".join([answer.status, *kept, answer.get_data(as_text=True)]))


SHOWN = {"Location", "Content-Type", "Content-Disposition", "Idempotency-Replayed", "Allow", "X-Queries"}
_clients: dict[str, dict[str, Any]] = {}


def clients(app: Application) -> dict[str, Any]:
    """One signed-in client for each role."""
    if app.database.name not in _clients:
        _clients[app.database.name] = {role: app.client(role) for role in ROLES}
    return _clients[app.database.name]

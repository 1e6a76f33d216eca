"""Journeys for the tests: made by the API, run by runners, looked at behind the service's back."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2

from opsboard.db.database import Database
from opsboard.db.pool import Pool
from opsboard.features.journeys.runner import Runner
from tests.application import Application

# Welcomed, then once a day until they come round the third time.
NODES: list[dict[str, Any]] = [
    {"name": "start", "type": "start"},
    {"name": "hello", "type": "message", "config": {"channel": "email", "body": "Hello"}},
    {"name": "rest", "type": "wait", "config": {"seconds": 3600}},
    {"name": "enough", "type": "condition", "config": {"field": "round", "value": 3}},
    {"name": "tell", "type": "action", "config": {"role": "manager", "title": "Went through"}},
    {"name": "exit", "type": "exit"},
]
EDGES: list[dict[str, Any]] = [
    {"from": "start", "to": "hello"},
    {"from": "hello", "to": "rest"},
    {"from": "rest", "to": "enough"},
    {"from": "enough", "to": "tell", "branch": "yes"},
    {"from": "enough", "to": "hello", "branch": "no"},
    {"from": "tell", "to": "exit"},
]


def rows(application: Application, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Return rows without row security."""
    with (
        closing(psycopg2.connect(application.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def one(application: Application, sql: str, **parameters: Any) -> Any:
    ((value,),) = rows(application, sql, **parameters)
    return value


def empty(application: Application) -> None:
    """Without the seed's own journeys."""
    rows(application, "DELETE FROM journeys")


def make_journey(application: Application, **members: Any) -> dict[str, Any]:
    """An active journey, by the API, as a manager."""
    body = {"name": "Welcome", "status": "active", "nodes": NODES, "edges": EDGES, **members}
    answer = application.client("manager").post("/api/journeys", json=body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made: dict[str, Any] = answer.json  # type: ignore[assignment]
    return made


def node_of(journey: dict[str, Any], name: str) -> int:
    return next(int(node["id"]) for node in journey["nodes"] if node["name"] == name)


def add_customers(application: Application, count: int) -> list[int]:
    """Customers with an e-mail address each."""
    made = rows(
        application,
        "INSERT INTO customers (tenant_id, name, email) "
        "SELECT %(tenant)s, 'c ' || n, 'c' || n || '@crowd.example' "
        "FROM generate_series(1, %(count)s) AS n RETURNING id",
        tenant=application.alpha.id,
        count=count,
    )
    return [id_ for (id_,) in made]


def enter(application: Application, journey: dict[str, Any], customers: list[int]) -> list[int]:
    """Let customers enter by the API; their ids as contacts."""
    answer = application.client("manager").post(
        f"/api/journeys/{journey['id']}/contacts", json={"customer_ids": customers}
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [item["contact_id"] for item in answer.json["items"]]  # type: ignore[index]


def run_once(application: Application, most: int = 50) -> dict[str, int]:
    """Everything that is due now, as the runner of the service."""
    pool = Pool(0, 1, application.database.app_url, timeout=10.0)
    config = application.services.config
    try:
        database = Database(pool, 30.0)
        return Runner(database, config.journey_messages_per_hour, config.journey_loop_window, most).run_once()
    finally:
        pool.closeall()


def later(application: Application, seconds: int) -> None:
    """Time goes by: all that happened in journeys, and all that is due, lies so much further back."""
    shift = f"- interval '{seconds} seconds'"
    for statement in (
        f"UPDATE journey_contacts SET due_at = due_at {shift}",
        f"UPDATE journey_messages SET created_at = created_at {shift}",
        f"UPDATE journey_node_executions SET created_at = created_at {shift}, executed_at = executed_at {shift}",
    ):
        rows(application, statement)


def lose_the_proof(application: Application, ways: str, most_rounds: int = 1000) -> int:
    """A journey no proof would let through, as another program could write it: `start>hello hello>hello`."""
    tenant = application.alpha.id
    journey = one(
        application,
        "INSERT INTO journeys (tenant_id, name, status, max_rounds) "
        "VALUES (%(tenant)s, 'runaway', 'active', %(rounds)s) RETURNING id",
        tenant=tenant,
        rounds=most_rounds,
    )
    pairs = [way.split(">") for way in ways.split()]
    for name in dict.fromkeys(name for pair in pairs for name in pair):
        rows(
            application,
            "INSERT INTO journey_nodes (tenant_id, journey_id, name, type, config) VALUES (%(tenant)s, %(journey)s, "
            '%(name)s, %(type)s, \'{"channel": "email", "body": "Hello"}\')',
            tenant=tenant,
            journey=journey,
            name=name,
            type="start" if name == "start" else "message",
        )
    for source, target in pairs:
        rows(
            application,
            "INSERT INTO journey_edges (tenant_id, journey_id, from_node_id, to_node_id) "
            "SELECT f.tenant_id, f.journey_id, f.id, t.id FROM journey_nodes AS f JOIN journey_nodes AS t "
            "USING (journey_id) WHERE f.journey_id = %(journey)s AND f.name = %(source)s AND t.name = %(target)s",
            journey=journey,
            source=source,
            target=target,
        )
    return int(journey)

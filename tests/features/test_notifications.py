"""Notifications: how many are unread is a kept count, exact at once, and costs the same however many there are."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
from flask.testing import FlaskClient

from opsboard.db.queries import load_queries
from tests.application import Application
from tests.contract.catalogue import VALUES
from tests.contract.test_every_query import explain, nodes

sql = load_queries("opsboard.features.notifications")
MORE = """
INSERT INTO notifications (tenant_id, user_id, kind, title)
SELECT tenant_id, id, 'job', 'more' FROM users, generate_series(1, %s) WHERE id = %s
"""


def run(app: Application, *statements: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in statements:
            cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def admin(app: Application) -> int:
    ((user,),) = run(app, "SELECT min(id) FROM users WHERE tenant_id = 1 AND role = 'admin'")
    return int(user)


def unread(client: FlaskClient) -> int:
    answer: Any = client.get("/api/notifications/unread").json
    listed: Any = client.get(f"{answer['link']}&page_size=1").json
    assert listed["total"] == answer["unread"]
    return int(answer["unread"])


def test_what_is_unread_follows_every_write_at_once_for_its_reader_alone(own_app: Application) -> None:
    client, other = own_app.client(), own_app.client("operator")
    assert (unread(client), unread(other)) == (4, 4)
    first: Any = client.get("/api/notifications?unread=true").json["items"][0]  # type: ignore[index]
    for _ in range(2):  # read once more, it is not read twice
        assert client.post(f"/api/notifications/{first['id']}/read").status_code == 200
        assert (unread(client), unread(other)) == (3, 4)
    run(own_app, MORE, parameters=(2, admin(own_app)))
    own_app.services.change_feed.poll()  # the list is kept until the worker hears of somebody else's write
    assert (unread(client), unread(other)) == (5, 4)
    marked: Any = client.post("/api/notifications/read").json
    assert marked["marked"] == 5
    assert (unread(client), unread(other)) == (0, 4)
    assert client.get("/api/notifications").json["total"] == 7  # type: ignore[index]


def test_marking_read_is_undone_for_what_it_marked_and_for_its_reader_alone(own_app: Application) -> None:
    client, other = own_app.client(), own_app.client("operator")
    items: Any = client.get("/api/notifications?unread=true").json["items"]  # type: ignore[index]
    one: Any = client.post(f"/api/notifications/{items[0]['id']}/read").json
    rest: Any = client.post("/api/notifications/read").json
    assert (rest["marked"], unread(client)) == (3, 0)
    path = "/api/notifications/unread"
    assert other.post(path, json={"read_at": rest["read_at"]}).json == {"marked": 0}
    assert client.post(path, json={"read_at": rest["read_at"]}).json == {"marked": 3}
    assert (unread(client), unread(other)) == (3, 4)
    assert client.post(path, json={"read_at": one["read_at"]}).json == {"marked": 1}
    assert unread(client) == 4
    nothing: Any = other.post("/api/notifications/read").json
    assert nothing["marked"] == 4
    assert other.post("/api/notifications/read").json == {"marked": 0, "read_at": None}


def test_undoing_needs_the_moment(app: Application) -> None:
    client = app.client()
    for wanted in ({}, {"read_at": "yesterday"}, {"read_at": "2026-01-01T00:00:00"}):
        assert client.post("/api/notifications/unread", json=wanted).status_code == 400


def test_the_number_of_unread_reads_as_few_rows_for_10000_as_for_10(own_app: Application) -> None:
    user = admin(own_app)
    # Enough others, or a look through all counts is rightly the cheapest.
    run(
        own_app,
        "INSERT INTO users (tenant_id, email, full_name, role) "
        "SELECT 1, n || '@many.example', 'm', 'operator' FROM generate_series(1, 3000) AS n",
        "INSERT INTO notifications (tenant_id, user_id, kind, title) "
        "SELECT 1, id, 'job', 'n' FROM users WHERE tenant_id = 1",
    )
    asked = VALUES | {"tenant_id": 1, "user_id": user}
    read = []
    for many in (10, 10_000):
        run(own_app, "DELETE FROM notifications WHERE user_id = %s", parameters=(user,))
        run(own_app, MORE, parameters=(many, user))
        run(own_app, "SELECT fold_rollups(1000000)", "VACUUM ANALYZE rollups, rollup_deltas, notifications")
        assert unread(own_app.client()) == many
        plan = explain(own_app, sql.unread.sql, asked, ", ANALYZE, TIMING OFF")
        found = [node for node in nodes(plan) if "Relation Name" in node]
        assert not any(node["Relation Name"] == "notifications" for node in found)
        read.append(sum(node["Actual Rows"] * node["Actual Loops"] for node in found))
    assert read[0] == read[1] < 5

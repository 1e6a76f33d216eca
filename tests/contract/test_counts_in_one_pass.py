"""However many rows an answer has: what is not folded yet is read once for each count that it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from tests.application import Application, running_application
from tests.clusters import fresh_database
from tests.contract.catalogue import all_queries, shapes
from tests.contract.test_every_query import COUNTS, explain, nodes
from tests.seed import Business

COUNTING = [query for query in all_queries() if any(COUNTS.search(sql) for _, sql, _ in shapes(query))]
# Statement by statement, as the service writes: each leaves a delta.
MANY = """
INSERT INTO contacts (tenant_id, name) SELECT %(t)s, 'one of many' FROM generate_series(1, 60);
INSERT INTO conversations (tenant_id, contact_id)
SELECT k.tenant_id, k.id FROM contacts AS k WHERE k.tenant_id = %(t)s AND k.name = 'one of many';
DO $$
DECLARE
    mine constant bigint [] := ARRAY(
        SELECT v.id FROM conversations AS v JOIN contacts AS k ON k.id = v.contact_id WHERE k.name = 'one of many'
    );
BEGIN
    FOR n IN 1..3000 LOOP
        INSERT INTO messages (tenant_id, conversation_id, direction, body)
        VALUES (%(t)s, mine[1 + n %% 60], CASE n %% 3 WHEN 0 THEN 'out' ELSE 'in' END, 'x');
        IF n %% 10 = 0 THEN
            INSERT INTO documents (tenant_id, title, file_name) VALUES (%(t)s, 'd', 'f');
            INSERT INTO jobs (tenant_id, job_number, title) VALUES (%(t)s, 'D' || n, 'd');
        END IF;
    END LOOP;
END
$$;
"""


@pytest.fixture(scope="module")
def unfolded(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[tuple[Application, int]]:
    """A business with thousands of deltas that nobody has folded, and how many those are."""
    name, alpha, beta = seeded
    with fresh_database(cluster, name) as database:
        with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute("SELECT fold_rollups(1000000)")
            cursor.execute(MANY, {"t": alpha.id})
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("SELECT count(*) FROM rollup_deltas")
            ((deltas,),) = cursor.fetchall()
        with running_application(database, alpha, beta) as application:
            yield application, deltas


@pytest.mark.parametrize("query", COUNTING, ids=lambda query: query.name)
def test_deltas_are_read_once_for_each_count(unfolded: tuple[Application, int], query: Any) -> None:
    app, deltas = unfolded
    assert deltas >= 3600
    for label, sql, params in shapes(query):
        plan = explain(
            app, sql, params | {"tenant_id": app.alpha.id, "page_size": 50}, ", ANALYZE, TIMING OFF"
        )
        read = sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in nodes(plan)
            if node.get("Relation Name") == "rollup_deltas"
        )
        # Once for images and once for lists of moments.
        assert read <= 2 * deltas * len(COUNTS.findall(sql)), label


def test_a_page_of_conversations_has_the_unread_of_each(unfolded: tuple[Application, int]) -> None:
    app, _ = unfolded
    client = app.client()
    items: Any = client.get("/api/conversations?page_size=100").json["items"]  # type: ignore[index]
    for item in items:
        one: Any = client.get(f"/api/conversations/{item['id']}").json
        assert one["unread"] == item["unread"]
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT v.id, greatest(count(m.id) - coalesce(max(r.read_count), 0), 0)
            FROM conversations AS v
            LEFT JOIN messages AS m ON m.conversation_id = v.id AND m.direction = 'in'
            LEFT JOIN conversation_reads AS r ON r.conversation_id = v.id
            WHERE v.tenant_id = %s
            GROUP BY v.id
            """,
            (app.alpha.id,),
        )
        counted = dict(cursor.fetchall())
    assert {item["id"]: item["unread"] for item in items} == counted
    assert sum(counted.values()) >= 2000


def test_who_does_not_ask_for_unread_messages_has_them_not_counted(unfolded: tuple[Application, int]) -> None:
    app, _ = unfolded
    (listed,) = [query for query in COUNTING if query.name == "conversations.list_conversations"]
    _, sql, params = next(shapes(listed))
    shown = sql.replace(listed.sql, listed.showing(["id", "channel"]))
    assert shown != sql
    counts = len(COUNTS.findall(sql)) - 1  # the list's total is asked for all the same
    plan = explain(app, shown, params | {"tenant_id": app.alpha.id})
    read = [node for node in nodes(plan) if node.get("Relation Name") == "rollup_deltas"]
    # Counts, moments of events, and work.
    assert len(read) == 3 * counts

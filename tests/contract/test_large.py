"""On a large seed no query reads rows in vain, and each index is of use to the query its migration names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from opsboard.db.listing import Page, compose
from tests.application import Application, running_application
from tests.clusters import fresh_database
from tests.contract.catalogue import VALUES, all_queries, shapes
from tests.contract.large_sales import LARGE_SALES
from tests.contract.test_every_query import explain, nodes
from tests.seed import Business

JOBS = 10_000
# Rows a query may read and throw away. A scan of the tenant's jobs for a few of them is far above it.
IN_VAIN = 1_500
MIGRATIONS = Path(__file__).parents[2] / "migrations"

# The second business has as many jobs: they must not be read for the first. Its small tables are smaller, for of two
# equal halves of a small table Postgres rightly reads both.
LARGE = """
INSERT INTO customers (tenant_id, name, email, phone)
SELECT t, 'customer ' || md5(n::text), md5(n::text) || '@example.com', '555' || n
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO jobs (
    tenant_id, job_number, title, customer_id, status, priority, due_date, created_at, started_at, completed_at
)
SELECT
    t, 'L-' || n, 'large ' || n,
    c.ids[1 + n %% 500],
    s.status, (ARRAY['low', 'normal', 'normal', 'normal', 'normal', 'normal', 'high', 'urgent'])[1 + n %% 8],
    CASE WHEN n %% 10 > 0 THEN (now() AT TIME ZONE 'UTC')::date - 700 + (n %% 730) END,
    now() - n * interval '30 minutes',
    CASE WHEN s.status <> 'draft' THEN now() - n * interval '29 minutes' END,
    CASE WHEN s.status = 'completed' THEN now() - n * interval '20 minutes' END
FROM generate_series(1, %(jobs)s) AS n
CROSS JOIN (SELECT tenant_id AS t, array_agg(id ORDER BY id) AS ids FROM customers GROUP BY tenant_id) AS c
CROSS JOIN LATERAL (SELECT CASE n %% 50
    WHEN 0 THEN 'draft' WHEN 1 THEN 'active' WHEN 2 THEN 'active' WHEN 3 THEN 'on_hold' WHEN 4 THEN 'cancelled'
    ELSE 'completed' END AS status) AS s;

INSERT INTO job_steps (
    tenant_id, job_id, step_order, process_id, machine_id, assigned_user_id, status, started_at, completed_at,
    created_at
)
SELECT
    j.tenant_id, j.id, k,
    (SELECT min(id) FROM processes WHERE tenant_id = j.tenant_id) + (j.id + k) %% 4,
    (SELECT min(id) FROM machines WHERE tenant_id = j.tenant_id) + (j.id + k) %% 11,
    (SELECT min(id) FROM users WHERE tenant_id = j.tenant_id) + (j.id + k) %% 11,
    CASE
        WHEN j.status = 'completed' THEN 'completed' WHEN j.status = 'active' AND k = 1 THEN 'in_progress'
        ELSE 'pending'
    END,
    j.started_at, j.completed_at, j.created_at
FROM jobs AS j CROSS JOIN generate_series(1, 2) AS k
WHERE j.title LIKE 'large %%';

INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, created_at)
SELECT j.tenant_id, (SELECT min(id) FROM users WHERE tenant_id = j.tenant_id) + j.id %% 11, 'update',
    (ARRAY['job', 'customer', 'machine'])[1 + j.id %% 3], j.id, j.created_at
FROM jobs AS j WHERE j.title LIKE 'large %%';

INSERT INTO notifications (tenant_id, user_id, kind, title, read_at, created_at)
SELECT j.tenant_id, (SELECT min(id) FROM users WHERE tenant_id = j.tenant_id) + j.id %% 11, 'job', 'n',
    CASE WHEN j.id %% 20 > 0 THEN now() END, j.created_at
FROM jobs AS j WHERE j.title LIKE 'large %%';

INSERT INTO users (tenant_id, email, full_name, role, is_active)
SELECT
    t, md5(n::text) || '@large.example', md5(n::text),
    (ARRAY['operator', 'operator', 'operator', 'manager', 'admin'])[1 + n %% 5], n %% 9 > 0
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO contacts (tenant_id, customer_id, name, phone, created_at)
SELECT c.tenant_id, c.id, md5(c.id::text), '557' || c.id, now() - c.id * interval '1 minute'
FROM customers AS c CROSS JOIN generate_series(1, 2) AS n
WHERE c.name LIKE 'customer %%';

INSERT INTO conversations (tenant_id, contact_id, status, last_message_at)
SELECT k.tenant_id, k.id, CASE WHEN k.id %% 20 = 0 THEN 'closed' ELSE 'open' END, k.created_at
FROM contacts AS k WHERE k.phone LIKE '557%%';

INSERT INTO messages (tenant_id, conversation_id, direction, body, to_number, sent_by, created_at)
SELECT v.tenant_id, v.id, CASE n %% 3 WHEN 0 THEN 'out' ELSE 'in' END, 'm', '558 ' || v.id %% 500,
    (SELECT min(id) FROM users WHERE tenant_id = v.tenant_id) + v.id %% 11, now() - v.id * n * interval '3 minutes'
FROM conversations AS v CROSS JOIN generate_series(1, 3) AS n;

INSERT INTO call_log (tenant_id, customer_id, lead_id, contact_id, user_id, status, created_at)
SELECT
    j.tenant_id, j.customer_id, (SELECT min(id) FROM leads WHERE tenant_id = j.tenant_id) + j.id %% 29,
    k.ids[1 + j.id %% 900],
    (SELECT min(id) FROM users WHERE tenant_id = j.tenant_id) + j.id %% 11,
    CASE j.id %% 20 WHEN 0 THEN 'missed' WHEN 1 THEN 'busy' WHEN 2 THEN 'failed' ELSE 'completed' END, j.created_at
FROM jobs AS j
JOIN (SELECT tenant_id, array_agg(id) AS ids FROM contacts GROUP BY tenant_id) AS k ON k.tenant_id = j.tenant_id
WHERE j.title LIKE 'large %%';

INSERT INTO documents (tenant_id, user_id, document_type, title, file_name, uploaded_at)
SELECT j.tenant_id, (SELECT min(id) FROM users WHERE tenant_id = j.tenant_id) + j.id %% 11,
    (ARRAY['drawing', 'drawing', 'photo', 'photo', 'report', 'quote', 'contract', 'other', 'invoice'])[1 + j.id %% 9],
    'd', 'f', j.created_at
FROM jobs AS j WHERE j.title LIKE 'large %%';

INSERT INTO machines (tenant_id, name, status)
SELECT t, md5(n::text), CASE n %% 20 WHEN 0 THEN 'maintenance' WHEN 1 THEN 'inactive' ELSE 'active' END
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO processes (tenant_id, name, is_active)
SELECT t, md5(n::text), n %% 10 > 0
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO journeys (tenant_id, name, status, created_at)
SELECT
    t, md5(n::text), (ARRAY['archived', 'archived', 'paused', 'draft', 'active'])[1 + n %% 5],
    now() - n * interval '1 hour'
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO journey_nodes (tenant_id, journey_id, name, type, config)
SELECT j.tenant_id, j.id, v.name, v.type, '{"body": "b", "channel": "email"}'
FROM journeys AS j CROSS JOIN (VALUES ('start', 'start'), ('hello', 'message'), ('exit', 'exit')) AS v (name, type)
WHERE length(j.name) = 32;

INSERT INTO journey_edges (tenant_id, journey_id, from_node_id, to_node_id)
SELECT f.tenant_id, f.journey_id, f.id, t.id
FROM journey_nodes AS f
JOIN journey_nodes AS t
    ON t.journey_id = f.journey_id AND (f.name, t.name) IN (('start', 'hello'), ('hello', 'exit'));

-- In the seeded journeys, and three in each of the others; few are due, most have been through.
INSERT INTO journey_contacts (tenant_id, journey_id, customer_id, node_id, status, due_at, created_at)
SELECT n.tenant_id, n.journey_id, k.id, n.id,
    (ARRAY['active', 'completed', 'completed', 'completed', 'failed', 'paused'])[1 + k.id %% 6],
    now() + (k.id %% 90 - 1) * interval '1 hour', now() - (k.id %% 9000) * interval '10 minutes'
FROM journey_nodes AS n
JOIN customers AS k
    ON k.tenant_id = n.tenant_id AND (n.name = 'rest' OR n.name = 'hello' AND k.id %% 600 = n.journey_id %% 600)
-- Totals of these lists are counted, and of a table that is mostly its own Postgres rightly reads all.
WHERE n.tenant_id = %(alpha)s OR k.id %% 16 = 0
ON CONFLICT DO NOTHING;

INSERT INTO journey_step_keys (tenant_id, journey_contact_id, node_id, round, created_at)
SELECT c.tenant_id, c.id, c.node_id, r, c.created_at + r * interval '1 minute'
FROM journey_contacts AS c CROSS JOIN generate_series(2, 4) AS r;

INSERT INTO journey_node_executions (
    tenant_id, journey_id, journey_contact_id, node_id, round, outcome, branch, executed_at, created_at
)
SELECT k.tenant_id, n.journey_id, k.journey_contact_id, k.node_id, k.round, 'executed', 'next',
    CASE WHEN k.journey_contact_id %% 50 > 0 THEN k.created_at END, k.created_at
FROM journey_step_keys AS k JOIN journey_nodes AS n ON n.id = k.node_id
WHERE k.round > 1;

INSERT INTO journey_messages (
    tenant_id, journey_contact_id, node_id, round, channel, recipient, body, sent_at, created_at
)
SELECT k.tenant_id, k.journey_contact_id, k.node_id, k.round, 'email', 'r', 'b',
    CASE WHEN k.journey_contact_id %% 50 > 0 THEN now() END, k.created_at
FROM journey_step_keys AS k
WHERE k.round > 1;
"""


@pytest.fixture(scope="module")
def large(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Application]:
    """Two businesses with many rows of everything, analysed and vacuumed."""
    name, alpha, beta = seeded
    with fresh_database(cluster, name) as database:
        with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cur:
            connection.autocommit = True
            cur.execute(LARGE + LARGE_SALES, {"alpha": alpha.id, "beta": beta.id, "jobs": JOBS})
            cur.execute("SELECT fold_rollups(1000000)")
            cur.execute("VACUUM ANALYZE")
        with running_application(database, alpha, beta) as application:
            yield application


@pytest.fixture(scope="module")
def plans(large: Application) -> dict[str, dict[str, Any]]:
    """The executed plan of every shape of every query; writes run and are rolled back."""
    found = {}
    for query in all_queries():
        if query.name.startswith("health"):
            continue
        for label, sql, params in shapes(query):
            params = {**params, "tenant_id": large.alpha.id}
            found[label] = explain(large, sql, params, options=", ANALYZE, TIMING OFF, SUMMARY OFF")
    return found


def in_vain(plan: dict[str, Any]) -> int:
    """Rows that were read and then removed, over the whole plan, where fewer were kept than removed.

    To count nine tenths of a table Postgres rightly reads all of it.
    """
    removed = [
        (
            int(node.get(kind, 0)) * int(node.get("Actual Loops", 1)),
            node["Actual Rows"] * node["Actual Loops"],
        )
        for node in nodes(plan)
        for kind in ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    ]
    return sum(gone for gone, kept in removed if gone > kept)


def test_no_query_reads_rows_in_vain(plans: dict[str, dict[str, Any]]) -> None:
    wasteful = {label: in_vain(plan) for label, plan in plans.items() if in_vain(plan) > IN_VAIN}
    assert wasteful == {}


def test_without_an_index_this_would_be_seen(large: Application) -> None:
    with closing(psycopg2.connect(large.database.superuser_url)) as connection, connection.cursor() as cur:
        cur.execute("DROP INDEX idx_jobs_customer")
        cur.execute(f"SET LOCAL ROLE opsboard_app; SET LOCAL app.tenant_id = {large.alpha.id}")
        cur.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) "
            "SELECT count(*) FROM jobs AS j WHERE j.tenant_id = %s AND j.customer_id = %s",
            (large.alpha.id, 1),
        )
        row = cur.fetchone()
        assert row is not None
        assert in_vain(row[0][0]["Plan"]) > IN_VAIN
        connection.rollback()


@pytest.mark.parametrize("status", ["draft", "on_hold", "completed"])
def test_a_page_of_one_status_reads_no_other_jobs(large: Application, status: str) -> None:
    (query,) = [query for query in all_queries() if query.name == "jobs.list_jobs"]
    sql, params = compose(query, {"status": [status]}, Page("created_at", True, 10))
    params = {**VALUES, **params, "tenant_id": large.alpha.id}
    assert in_vain(explain(large, sql, params, options=", ANALYZE, TIMING OFF, SUMMARY OFF")) <= 20


def test_each_page_is_cut_before_it_is_decorated(plans: dict[str, dict[str, Any]]) -> None:
    """No list joins or sorts more rows than its page because of what an item shows."""
    for label, plan in plans.items():
        if "list_" not in label:
            continue
        for node in nodes(plan):
            if node["Node Type"] == "Sort":
                assert node["Actual Rows"] <= 150, f"{label} sorts {node['Actual Rows']} rows"


def declared_indexes() -> dict[str, str]:
    """Index -> the `-- Serves:` line above it, over all migrations."""
    found = {}
    for file in sorted(MIGRATIONS.glob("*.sql")):
        if not file.name.endswith(".rollback.sql"):
            text = file.read_text(encoding="utf-8")
            pattern = r"-- Serves: (.+)\nCREATE (?:UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?(\w+)"
            found.update({name: serves for serves, name in re.findall(pattern, text)})
            assert len(re.findall(r"(?m)^CREATE (?:UNIQUE )?INDEX", text)) == len(
                re.findall(pattern, text)
            ), file.name
    return found


def test_each_index_says_which_query_it_serves_and_that_query_exists() -> None:
    names = {query.name for query in all_queries()}
    for index, serves in declared_indexes().items():
        mentioned = re.findall(r"\b[a-z_]+\.[a-z_]+\b", serves)
        # Imports make their statements from a mapping; tests/imports holds that they find rows by these keys.
        assert mentioned or "foreign key" in serves or "imports" in serves, index
        assert set(mentioned) <= names, f"{index} serves {set(mentioned) - names}, which does not exist"


def test_the_31_indexes_of_the_job_shop_are_there(large: Application) -> None:
    text = (MIGRATIONS / "0004_indexes.sql").read_text(encoding="utf-8")
    declared = re.findall(r"(?m)^CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+)", text)
    assert len(declared) == len(set(declared)) == 31
    per_table = Counter(name.split("_")[1] for name in declared)
    assert {name: per_table[name] for name in ("customers", "jobs", "job", "machines", "users")} == {
        "customers": 5, "jobs": 5, "job": 7, "machines": 3, "users": 3,
    }  # fmt: skip
    with closing(psycopg2.connect(large.database.superuser_url)) as connection, connection.cursor() as cur:
        cur.execute("SELECT i.indexrelid::regclass::text FROM pg_index AS i WHERE i.indisvalid")
        assert {name for (name,) in cur.fetchall()} >= set(declared) | set(declared_indexes())

"""Health reports of indexes, queries and tables agree with the database and the workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.db.index_catalogue import read_catalogue
from opsboard.features.health.database_routes import totals
from tests.application import Application, running_application
from tests.clusters import (
    SETTINGS,
    FreshDatabase,
    cluster_folder,
    migrate_template,
    postgres15_bindir,
    running_cluster,
)
from tests.seed import seed


def ask(app: Application, about: str, role: str = "admin") -> dict[str, Any]:
    answer = app.client(role).get(f"/api/health/{about}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.headers["X-Queries"] == "1"
    found: dict[str, Any] = json.loads(answer.data)
    return found


def change(app: Application, statement: str) -> None:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(statement)


def test_every_index_of_the_migrations_is_there_with_what_it_serves(app: Application) -> None:
    told = ask(app, "indexes")
    assert (told["missing"], told["invalid"], told["foreign_keys_without_index"]) == ([], [], [])
    assert told["status"] == "ok"
    by_name = {index["name"]: index for index in told["indexes"]}
    assert by_name.keys() >= read_catalogue().keys()
    customers = by_name["idx_customers_email"]
    assert (customers["table"], customers["unique"], customers["valid"]) == ("customers", False, True)
    assert "e-mail" in customers["serves"] and customers["endpoints"] == ["GET /api/customers"]
    assert by_name["customers_pkey"]["serves"] is None
    assert "customers_pkey" not in told["unused"], "it guards something"


def test_missing_invalid_and_twin_indexes_and_bare_foreign_keys_are_named(own_app: Application) -> None:
    change(own_app, "DROP INDEX idx_jobs_created_by")
    change(own_app, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_jobs_priority'::regclass")
    change(own_app, "CREATE INDEX twin ON customers (tenant_id, phone_search)")
    change(own_app, "CREATE INDEX stub ON customers (tenant_id)")
    change(own_app, "CREATE INDEX other ON customers (tenant_id, phone_search) WHERE phone IS NULL")
    told = ask(own_app, "indexes")
    assert told["status"] == "warning"
    assert (told["missing"], told["invalid"]) == (["idx_jobs_created_by"], ["idx_jobs_priority"])
    assert sorted(told["duplicate"]) == ["idx_customers_phone", "twin"]
    by_name = {index["name"]: index for index in told["indexes"]}
    assert by_name["twin"]["duplicates"] == ["idx_customers_phone"]
    assert "idx_customers_phone" in by_name["stub"]["covered_by"] and by_name["other"]["duplicates"] == []
    (bare,) = told["foreign_keys_without_index"]
    assert bare["table"] == "jobs" and "(tenant_id, created_by)" in bare["definition"]
    change(own_app, "CREATE INDEX urgent ON jobs (tenant_id, created_by) WHERE priority = 'high'")
    assert ask(own_app, "indexes")["foreign_keys_without_index"] == [bare]
    change(own_app, "CREATE INDEX enough ON jobs (tenant_id, created_by) WHERE created_by IS NOT NULL")
    assert ask(own_app, "indexes")["foreign_keys_without_index"] == []


def test_an_index_that_is_used_is_not_called_unused(own_app: Application) -> None:
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        cursor.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        cursor.execute("SELECT email_search FROM users WHERE email_search = 'x'")
        cursor.execute("SELECT pg_stat_force_next_flush(); SELECT 1")
    told = ask(own_app, "indexes")
    used = {index["name"]: index["scans"] for index in told["indexes"]}
    assert used["idx_users_email"] >= 1 and "idx_users_email" not in told["unused"]
    assert used["idx_audit_logs_entity"] == 0 and "idx_audit_logs_entity" in told["unused"]


def test_each_named_query_is_counted_with_mean_and_longest(own_app: Application) -> None:
    client = own_app.client()
    for page in (1, 2, 3):
        client.get(f"/api/jobs?page={page}")
    told = ask(own_app, "queries")
    assert told["statements"] is None and "CREATE EXTENSION pg_stat_statements" in told["pg_stat_statements"]
    by_name = {query["query"]: query for query in told["queries"]}
    jobs = by_name["jobs.list_jobs"]
    assert jobs["count"] == 3 and 0 < jobs["mean_ms"] <= jobs["max_ms"] <= jobs["total_ms"]
    means = [query["mean_ms"] for query in told["queries"]]
    assert means == sorted(means, reverse=True)
    assert told["workers"] == 1


def test_workers_are_added_up() -> None:
    one = {"name": "a", "kind": "", "counts": [1, 1], "seconds": 0.2, "longest": 0.15}
    other = {"name": "a", "kind": "", "counts": [0, 0, 2], "seconds": 0.6, "longest": 0.5}
    assert totals([[one], [other], []]) == [
        {"query": "a", "count": 4, "mean_ms": 200.0, "max_ms": 500.0, "total_ms": 800.0}
    ]


@pytest.fixture(scope="module")
def with_statements() -> Iterator[Application]:
    """A server that has loaded pg_stat_statements."""
    bindir = postgres15_bindir()
    if not (bindir.parent / "lib" / "pg_stat_statements.so").exists():
        pytest.skip("pg_stat_statements is not installed (Debian: postgresql-contrib)")
    with cluster_folder() as folder:
        SETTINGS["shared_preload_libraries"] = "pg_stat_statements"
        try:
            with running_cluster(folder / "15", bindir) as cluster:
                database = FreshDatabase(cluster, migrate_template(cluster))
                alpha, beta = seed(database.superuser_url)
                with running_application(database, alpha, beta) as application:
                    yield application
        finally:
            del SETTINGS["shared_preload_libraries"]


def test_with_pg_stat_statements_its_slowest_are_told_without_values(with_statements: Application) -> None:
    assert ask(with_statements, "queries")["statements"] is None, "loaded, but not made in this database"
    change(with_statements, "CREATE EXTENSION pg_stat_statements")
    with_statements.client().get("/api/customers?q=canary%26%3Cword%3E")
    told = ask(with_statements, "queries")
    assert told["pg_stat_statements"] == "installed"
    texts = [statement["statement"] for statement in told["statements"]]
    assert any("customers AS c" in text for text in texts), texts
    assert not any("canary" in text for text in texts) and len(texts) <= 20
    means = [statement["mean_ms"] for statement in told["statements"]]
    assert means == sorted(means, reverse=True)


def test_tables_tell_their_dead_rows_and_when_vacuum_is_due(own_app: Application) -> None:
    change(own_app, "VACUUM ANALYZE jobs")
    change(own_app, "UPDATE jobs SET title = title || '.'; UPDATE jobs SET title = title || '.'")
    change(own_app, "SELECT pg_stat_force_next_flush(); SELECT 1")
    told = ask(own_app, "tables")
    jobs = next(table for table in told["tables"] if table["name"] == "jobs")
    assert jobs["last_vacuum"] and jobs["last_analyze"] and jobs["bytes"] > 0 and jobs["index_bytes"] > 0
    assert jobs["dead_rows"] > 50 and jobs["vacuum_due"] and "jobs" in told["due"]
    change(own_app, "VACUUM ANALYZE jobs")
    change(own_app, "SELECT pg_stat_force_next_flush(); SELECT 1")
    after = next(table for table in ask(own_app, "tables")["tables"] if table["name"] == "jobs")
    assert after["dead_rows"] == 0 and not after["vacuum_due"]


def test_a_table_tells_how_often_all_of_it_was_read(own_app: Application) -> None:
    def jobs() -> dict[str, Any]:
        return next(table for table in ask(own_app, "tables")["tables"] if table["name"] == "jobs")

    before = jobs()
    change(own_app, "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; "
                    "SELECT max(title) FROM jobs; SELECT pg_stat_force_next_flush(); SELECT 1")  # fmt: skip
    after = jobs()
    assert after["sequential_scans"] > before["sequential_scans"]
    assert after["sequential_rows"] > before["sequential_rows"]


def test_a_table_cut_by_month_tells_the_sum_of_its_partitions(own_app: Application) -> None:
    change(own_app, "VACUUM ANALYZE")
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT c.relname FROM pg_class AS c WHERE relkind = 'p'")
        partitioned = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT (SELECT count(*) FROM audit_logs), (SELECT count(*) FROM messages)")
        counted = dict(zip(("audit_logs", "messages"), cursor.fetchone() or (), strict=True))
    tables = {table["name"]: table for table in ask(own_app, "tables")["tables"]}
    assert partitioned <= tables.keys() and len(partitioned) >= 7
    assert {name for name, table in tables.items() if table["partitions"]} == partitioned
    assert {name: tables[name]["live_rows"] for name in counted} == counted and counted["audit_logs"] > 0
    for name in partitioned:
        table = tables[name]
        assert table["bytes"] > 0 and table["index_bytes"] > 0 and table["last_vacuum"], name
        # Autovacuum is off here: it is told apart from what somebody ran.
        assert table["vacuum_count"] >= table["partitions"] and not table["locked"], name
        assert (table["last_autovacuum"], table["autovacuum_count"]) == (None, 0), name


@pytest.mark.parametrize("about", ["indexes", "queries", "tables"])
def test_only_an_admin_may_look_into_the_database(app: Application, about: str) -> None:
    for role in ("manager", "operator"):
        assert app.client(role).get(f"/api/health/{about}").status_code == 403
    assert app.client().get(f"/health/{about}").status_code == 200

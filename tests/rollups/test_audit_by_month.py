"""The audit log becomes a table cut by month, and one table again, with every row, and its counts as they were."""

from __future__ import annotations

from typing import Any

import pytest

from opsboard.db.list_statement import Page, compose
from opsboard.db.migrations import Migrator
from tests.contract.catalogue import VALUES, all_queries
from tests.contract.test_every_query import nodes, own_table
from tests.db.migrating import dump
from tests.rollups.conftest import Books

ROWS = "SELECT a::text FROM audit_logs AS a ORDER BY id"
COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attnotnull, attidentity
FROM pg_attribute
WHERE attrelid = 'audit_logs'::regclass AND attnum > 0
ORDER BY attnum
"""
CHECKS = """
SELECT conname, pg_get_constraintdef(oid)
FROM pg_constraint
WHERE conrelid = 'audit_logs'::regclass AND contype IN ('c', 'f')
ORDER BY conname
"""
INDEXES = """
SELECT indexname, replace(indexdef, ' ON ONLY ', ' ON ')
FROM pg_indexes
WHERE tablename = 'audit_logs' AND schemaname = 'public' AND indexname <> 'audit_logs_pkey'
ORDER BY indexname
"""
RIGHTS = """
SELECT
    relacl::text, relrowsecurity, relforcerowsecurity,
    pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
FROM pg_class AS c
JOIN pg_policy AS p ON p.polrelid = c.oid
WHERE c.oid = 'audit_logs'::regclass
"""
TOLD = "SELECT (SELECT array_agg(d::text) FROM rollup_deltas AS d), (SELECT array_agg(c::text) FROM changes AS c)"


@pytest.fixture
def migrator(books: Books) -> Migrator:
    """Of a database whose audit log has rows of long ago, of this month and of far ahead, and is not cut yet."""
    migrator = Migrator(books.database.owner_url, report=lambda _: None)
    migrator.down("0025")
    books.run(
        "INSERT INTO audit_logs (tenant_id, action, entity, changes, external_id, created_at) "
        "SELECT t.id, 'a', 'e', '{\"x\": [null, 1]}', 'k' || g, now() + (g - 2) * interval '1000 days' "
        "FROM tenants AS t CROSS JOIN generate_series(1, 3) AS g"
    )
    return migrator


def everything(books: Books) -> list[Any]:
    return [books.run(question) for question in (ROWS, COLUMNS, CHECKS, INDEXES, RIGHTS, TOLD)]


def kind(books: Books) -> str:
    return str(books.run("SELECT relkind FROM pg_class WHERE oid = 'audit_logs'::regclass")[0][0])


def test_every_row_is_there_before_and_after_and_nothing_is_counted_or_told(
    books: Books, migrator: Migrator
) -> None:
    before, schema = everything(books), dump(books.database)
    assert (kind(books), books.differences()) == ("r", [])
    migrator.up("0026")
    assert kind(books) == "p"
    assert everything(books) == before
    assert books.differences() == []
    places = books.run(
        "SELECT DISTINCT tableoid::regclass::text FROM audit_logs WHERE external_id IS NOT NULL"
    )
    assert len(places) == 3 and {"partitions.audit_logs_before", "partitions.audit_logs_rest"} < {
        place for (place,) in places
    }
    migrator.down("0025")
    assert (kind(books), dump(books.database)) == ("r", schema)
    assert everything(books) == before
    assert books.differences() == []


def test_what_is_written_afterwards_is_counted_once_and_has_the_next_id(
    books: Books, migrator: Migrator
) -> None:
    for way in (lambda: migrator.up("0026"), lambda: migrator.down("0025")):
        way()
        ((last,),) = books.run("SELECT last_value FROM audit_logs_id_seq")
        counted = books.count("audit_logs")
        added = books.run(
            "INSERT INTO audit_logs (tenant_id, action, entity) VALUES (%s, 'a', 'e') RETURNING id",
            books.alpha.id,
        )
        assert added == [(last + 1,)]
        assert books.count("audit_logs") == counted + 1
        books.run("DELETE FROM audit_logs WHERE id = %s", last + 1)
        assert books.count("audit_logs") == counted
        assert books.differences() == []


def test_a_row_that_moves_to_another_month_or_business_is_counted_there_and_told(books: Books) -> None:
    ((row,),) = books.run(
        "INSERT INTO audit_logs (tenant_id, action, entity) VALUES (%s, 'a', 'e') RETURNING id",
        books.alpha.id,
    )
    for change, told in (
        ("action = 'b'", {books.alpha}),
        ("created_at = created_at - interval '2 years'", {books.alpha}),
        (f"created_at = now(), tenant_id = {books.beta.id}", {books.alpha, books.beta}),
        (f"tenant_id = {books.alpha.id}", {books.alpha, books.beta}),
    ):
        books.fold()
        books.run("DELETE FROM changes")
        books.run(f"UPDATE audit_logs SET {change} WHERE id = %s", row)
        assert books.differences() == []
        books.fold()
        assert set(books.run("SELECT tenant_id, table_name FROM changes")) == {
            (business.id, "audit_logs") for business in told
        }, change


def test_a_page_is_decorated_from_the_months_its_rows_are_of(books: Books) -> None:
    books.run(
        "INSERT INTO audit_logs (tenant_id, action, entity, created_at) "
        "SELECT %s, 'a', 'e', now() + (g - 2) * interval '1000 days' FROM generate_series(1, 3) AS g",
        books.alpha.id,
    )
    (query,) = [query for query in all_queries() if query.name == "audit.list_audit_logs"]
    sql, params = compose(query, {}, Page("created_at", True, 1))
    with books.connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN (FORMAT JSON, ANALYZE) {sql}", {**VALUES, **params, "tenant_id": books.alpha.id}
        )
        ((explained,),) = cursor.fetchall()
    looked_up = [
        node["Relation Name"]
        for node in nodes(explained[0]["Plan"])
        if own_table(node) == "audit_logs" and "sort_key" in str(node) and node["Actual Loops"]
    ]
    assert looked_up == ["audit_logs_rest"]

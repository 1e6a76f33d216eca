"""The list of tables that can be filled agrees with the migrated schema."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.imports.target import LARGEST_INTEGER, Target
from opsboard.imports.targets import TARGETS
from tests.clusters import FreshDatabase

KINDS = {
    "text": "text",
    "integer": "integer",
    "bigint": "integer",
    "jsonb": "changes",
    "boolean": "boolean",
    "date": "date",
    "time without time zone": "time",
    "timestamp with time zone": "timestamp",
}
# Not for an import to say.
OWN = {"is_duplicate",
    "id", "tenant_id", "external_id", "updated_at", "password_hash", "token_version", "created_by",
    "active_document_id", "claimed_by", "claimable_at", "request_id",
    # Kept by triggers.
    "job_ended", "kinds",
    # Nobody becomes nameless by an import.
    "anonymised_at",
}  # fmt: skip
# Found by a trigger from what is imported, or marked when somebody ends it too late.
FOUND = {"work_records": {"process_id", "reject_reason_id", "is_forgotten"}, "machine_stops": {"reason_id"}}


def ask(database: FreshDatabase, query: str, *params: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_columns_are_those_of_the_table(database: FreshDatabase, target: Target) -> None:
    columns = """
        SELECT column_name, data_type, is_nullable = 'YES', column_default IS NULL
        FROM information_schema.columns
        WHERE table_name = %s AND is_generated = 'NEVER'
    """
    found = {name: (KINDS.get(kind), nullable, no_default) for name, kind, nullable, no_default in
             ask(database, columns, target.table) if name not in OWN | FOUND.get(target.table, set())}  # fmt: skip
    parents = {parent.column for parent in target.parents}
    assert found.keys() == {column.name for column in target.columns} | parents
    for column in target.columns:
        kind, nullable, no_default = found[column.name]
        stored = {"seconds": "integer", "members": "changes"}.get(column.kind, column.kind)
        assert (stored, column.nullable, column.required) == (
            kind,
            nullable,
            not nullable and no_default,
        ), column
    for parent in target.parents:
        assert parent.required == (not found[parent.column][1])


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_rules_are_those_of_the_table(database: FreshDatabase, target: Target) -> None:
    query = (
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass"
    )
    checks = " ".join(text for (text,) in ask(database, query, target.table))
    lengths = {name: int(most) for name, most in re.findall(r"length\((\w+)\) <= (\d+)", checks)}
    words = {
        name: re.findall(r"'(\w+)'", listed)
        for name, listed in re.findall(r"\((\w+) = ANY \(ARRAY\[(.*?)\]", checks)
    }
    least = {
        name: int(number) + (sign == ">")
        for name, sign, number in re.findall(r"\((\w+) (>=?) (\d+)\)", checks)
    }
    for column in target.columns:
        if column.one_of:
            assert list(column.one_of) == words.pop(column.name)
        elif column.kind == "text":
            assert column.longest == lengths.pop(column.name)
        elif column.kind in ("integer", "seconds") and column.least >= 0:
            assert column.least == least.pop(column.name)
            if column.most < LARGEST_INTEGER:
                assert f"({column.name} < {column.most + 1})" in checks
    assert (lengths, words, least) == ({}, {}, {})


# Of what no import gives.
NOT_GIVEN = {"users_service_password"}


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_what_a_table_refuses_together_is_checked_line_by_line(
    database: FreshDatabase, target: Target
) -> None:
    query = (
        "SELECT conname FROM pg_constraint "
        "WHERE contype = 'c' AND cardinality(conkey) > 1 AND conrelid = %s::regclass"
    )
    found = {name for (name,) in ask(database, query, target.table)} - NOT_GIVEN
    assert found == {one.name for one in target.contradictions}
    open_keys = (
        "SELECT count(*) FROM pg_index WHERE indisunique AND indrelid = %s::regclass "
        "AND pg_get_expr(indpred, indrelid) = '(ended_at IS NULL)'"
    )
    [(count,)] = ask(database, open_keys, target.table)
    assert count == sum(unique.while_open for unique in target.uniques)


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_parents_and_unique_keys_are_those_of_the_table(database: FreshDatabase, target: Target) -> None:
    references = """
        SELECT a.attname, c.confrelid::regclass::text
        FROM pg_constraint AS c
        JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[2]
        WHERE c.contype = 'f' AND c.conrelid = %s::regclass AND cardinality(c.conkey) = 2
    """
    own = OWN | FOUND.get(target.table, set())
    found = {column: table for column, table in ask(database, references, target.table) if column not in own}
    assert found == {parent.column: parent.table for parent in target.parents}
    order = list(TARGETS)
    assert all(order.index(table) < order.index(target.table) for table in found.values())
    keys = """
        SELECT array_agg(a.attname::text ORDER BY k.position)
        FROM pg_index AS i
        CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, position)
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
        WHERE i.indrelid = %s::regclass AND i.indisunique
        GROUP BY i.indexrelid
    """
    found_by = ("external_id", target.cut_by) if target.cut_by else target.key
    indexes = {tuple(columns[1:]) for (columns,) in ask(database, keys, target.table)}
    assert found_by in indexes
    stored = {columns for columns in indexes if columns[0] not in ("id", "external_id")}
    parents = {parent.name: parent.column for parent in target.parents}
    assert stored == {
        tuple(unique.folded.get(name, (parents.get(name, name), ""))[0] for name in unique.names)
        for unique in target.uniques
    }

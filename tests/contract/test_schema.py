"""The shape of the tables: ids that do not run out, and no table with more columns than one thing has."""

from __future__ import annotations

from contextlib import closing

import psycopg2

from tests.application import Application

MOST_COLUMNS = 40
# The one row that this table can have.
ONE_ROW = {("write_pauses", "id")}
COLUMNS = """
SELECT c.relname, a.attname, a.atttypid::regtype::text
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""


def columns(app: Application) -> list[tuple[str, str, str]]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        return cursor.fetchall()


def test_ids_are_bigint(app: Application) -> None:
    integers = {
        (table, name): kind
        for table, name, kind in columns(app)
        if (name == "id" or name.endswith("_id")) and kind in ("smallint", "integer", "bigint")
    }
    assert len(integers) > 100
    assert {column: kind for column, kind in integers.items() if kind != "bigint"}.keys() == ONE_ROW


def test_no_table_is_wide(app: Application) -> None:
    widths: dict[str, int] = {}
    for table, _, _ in columns(app):
        widths[table] = widths.get(table, 0) + 1
    assert len(widths) > 40
    assert {table: width for table, width in widths.items() if width > MOST_COLUMNS} == {}

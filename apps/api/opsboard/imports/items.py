"""Faults of columns whose items become rows: texts that are no array of JSON."""

from __future__ import annotations

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports.plan import TablePlan
from opsboard.imports.reading import READ_ARRAY

NO_ARRAY = sql.SQL("""
INSERT INTO import_faults (file, line, position, column_name, value, reason)
SELECT {file}, source.line, {position}, {name}, left({column}, 200), 'is not an array of JSON'
FROM {rows} AS source
WHERE NOT source.damaged
    AND {column} IS NOT NULL
    AND {read}({column}) IS NULL
""")


def insert_no_arrays(cursor: Cursor, table: TablePlan) -> None:
    """Lines whose items are no array of JSON."""
    column = table.source.column(table.mapping.items, "source")
    cursor.execute(
        NO_ARRAY.format(
            file=sql.Literal(table.source.number),
            position=sql.Literal((table.source.records.columns or []).index(table.mapping.items)),
            name=sql.Literal(table.mapping.items),
            column=column,
            read=READ_ARRAY,
            rows=table.source.table,
        )
    )

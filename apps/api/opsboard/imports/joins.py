"""Joins of a line: lines of other files, neighbouring lines, and its own columns."""

from __future__ import annotations

from psycopg2 import sql

from opsboard.imports import expressions, templates
from opsboard.imports.mapping import LookUp
from opsboard.imports.plan import EACH_ALIAS, ITEM_ALIAS, TablePlan, lookup_alias
from opsboard.imports.reading import READ_ARRAY

LOOK_UP = sql.SQL("""
    LEFT JOIN (
        SELECT DISTINCT ON (source.{key}) source.*
        FROM {table} AS source
        WHERE {where}
        ORDER BY source.{key}, source.line {order}
    ) AS {alias} ON {alias}.{key} = {equals}
""")

# The nearest line with the same: each frame begins where the window does, so that a step costs the same everywhere.
NEIGHBOUR = sql.SQL("""
    LEFT JOIN (
        SELECT
            near.of_line,
            other.*
        FROM (
            SELECT
                source.line AS of_line,
                {nearest}(source.line) FILTER (WHERE {where}) OVER (
                    PARTITION BY {equals}
                    ORDER BY source.line {order}
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS line
            FROM {table} AS source
            WHERE {equals} IS NOT NULL
        ) AS near
        JOIN {table} AS other ON other.line = near.line
    ) AS {alias} ON {alias}.of_line = source.line
""")

EACH = sql.SQL("""
    JOIN LATERAL (VALUES {columns}) AS {alias} ({column}, {value}) ON {alias}.{value} IS NOT NULL
""")


ITEMS = sql.SQL("""
    JOIN LATERAL jsonb_array_elements({read}({column})) WITH ORDINALITY AS {alias} (value, place) ON true
""")


def join_each(table: TablePlan) -> sql.Composable:
    """A row for each of several columns of a line that is not empty, or for each item of an array."""
    if table.mapping.items:
        return ITEMS.format(
            read=READ_ARRAY,
            column=table.source.column(table.mapping.items, "source"),
            alias=sql.Identifier(ITEM_ALIAS),
        )
    if not table.mapping.each:
        return sql.SQL("")
    columns = sql.SQL(", ").join(
        sql.SQL("({}, {})").format(sql.Literal(column), table.source.column(column, "source"))
        for column in table.mapping.each
    )
    return EACH.format(
        columns=columns,
        alias=sql.Identifier(EACH_ALIAS),
        column=sql.Identifier(templates.COLUMN),
        value=sql.Identifier(templates.EACH),
    )


def join_lookup(table: TablePlan, name: str, lookup: LookUp) -> sql.Composable:
    """The line of a look-up, or none."""
    source = table.sources[lookup.file]
    conditions = expressions.where(
        lookup.where, lambda column: source.column(column, "source"), lookup.where_not
    )
    if lookup.is_neighbour:
        return NEIGHBOUR.format(
            nearest=sql.SQL("max" if lookup.pick == "previous" else "min"),
            order=sql.SQL("ASC" if lookup.pick == "previous" else "DESC"),
            where=sql.SQL(" AND ").join(conditions or [sql.SQL("true")]),
            equals=expressions.template(lookup.equals, table.resolve),
            table=source.table,
            alias=sql.Identifier(lookup_alias(name)),
        )
    return LOOK_UP.format(
        key=sql.Identifier(f"c{source.used.index(lookup.key) + 1}"),
        table=source.table,
        where=sql.SQL(" AND ").join(conditions or [sql.SQL("true")]),
        order=sql.SQL("DESC" if lookup.pick == "last" else "ASC"),
        alias=sql.Identifier(lookup_alias(name)),
        equals=expressions.template(lookup.equals, table.resolve),
    )

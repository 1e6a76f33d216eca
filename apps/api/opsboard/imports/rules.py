"""Faults that one row shows by itself, all rules over all rows in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports.plan import Place, TablePlan
from opsboard.imports.rows import lookup_damaged, lookup_line


class Rule(NamedTuple):
    """When a row is wrong, of what value, why, and for which column of which table where the reason does not say it."""

    broken: sql.Composable
    value: sql.Composable
    reason: str | sql.Composable
    target: str | None = None


BY_RULES = sql.SQL("""
INSERT INTO import_faults (file, line, position, column_name, value, reason, target)
SELECT f.file, f.line, f.position, f.column_name, f.value, f.reason, f.target
FROM {rows} AS r
CROSS JOIN LATERAL (VALUES {rules}) AS f (broken, file, line, position, column_name, value, reason, target)
WHERE NOT r.damaged
    AND f.broken
""")


def insert_by_rules(cursor: Cursor, table: TablePlan, rules: Sequence[tuple[Place, Rule]]) -> None:
    """Faults that one row shows by itself. A wrong value of a looked-up line is told of that line."""
    values = sql.SQL(", ").join(_rule(table, place, rule) for place, rule in rules)
    cursor.execute(BY_RULES.format(rows=table.rows, rules=values))


def _rule(table: TablePlan, place: Place, rule: Rule) -> sql.Composable:
    broken, value, reason, target = rule
    line: sql.Composable = sql.SQL("r.line")
    file: sql.Composable = sql.Literal(place.file)
    if not place.is_own:
        found = lookup_line(place.lookups[0])
        line = sql.SQL("coalesce({}, r.line)").format(found)
        file = sql.SQL("CASE WHEN {} IS NULL THEN {} ELSE {} END").format(
            found, sql.Literal(table.source.number), file
        )
    return sql.SQL("({}{}, {}, {}, {}, {}, {}::text, {}, {}::text)").format(
        broken,
        sql.SQL("").join(_sound(table, lookup) for lookup in place.lookups),
        file,
        line,
        sql.Literal(place.position),
        sql.Literal(place.column),
        value,
        # Made only for rows that are wrong.
        sql.SQL("CASE WHEN {} THEN {} END").format(broken, reason)
        if isinstance(reason, sql.Composable)
        else sql.Literal(reason),
        sql.Literal(target),
    )


def _sound(table: TablePlan, lookup: str) -> sql.Composable:
    """Exclude values looked up in a damaged line or not found: those are reported elsewhere."""
    if table.mapping.lookups[lookup].is_optional:
        return sql.SQL(" AND {} IS NOT TRUE").format(lookup_damaged(lookup))
    return sql.SQL(" AND NOT {}").format(lookup_damaged(lookup))

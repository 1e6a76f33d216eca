"""Why a text cannot be read, and which setting of the mapping would read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from psycopg2 import sql

from opsboard.imports import date_formats
from opsboard.imports.mapping import Value
from opsboard.imports.plan import Plan, TablePlan
from opsboard.imports.rows import bad
from opsboard.imports.target import Column
from opsboard.imports.time_parts import EXCEL, SERIAL

# When a setting would read the text, and what to say then.
Hint = tuple[sql.Composable, str]


def unreadable(plan: Plan, table: TablePlan, column: Column, value: Value) -> str | sql.Composable:
    """The reason for a text that is none of the column's values."""
    if value.values:
        return f"is not among the values of the mapping for {column.name}"
    if column.kind in ("date", "timestamp"):
        reason = date_formats.in_words(table.times(column, value).formats)
        return _with_hints(reason, list(_time_hints(plan, table, column, value)))
    if column.one_of:
        return f"is not one of {', '.join(column.one_of)}"
    if column.kind == "integer":
        return _with_hints("is not a whole number", list(_number_hints(table, column, value)))
    return {
        "seconds": "is neither a number of seconds nor hh:mm:ss",
        "time": "is not a time of day as 06:00",
        "boolean": "is neither true nor false",
        "changes": "is not an object of JSON",
        "members": "is not an object of JSON with texts as its members",
    }.get(column.kind, "cannot be read")


def _number_hints(table: TablePlan, column: Column, value: Value) -> Iterator[Hint]:
    for pattern, words in table.numbers(value).hints():
        yield sql.SQL("{} ~ {}").format(bad(column.name), sql.Literal(pattern)), words


def _time_hints(plan: Plan, table: TablePlan, column: Column, value: Value) -> Iterator[Hint]:
    text, zone, times = bad(column.name), table.zone(value, plan.business), table.times(column, value)
    if times.missing_hour == "fault" or times.repeated_hour == "fault":
        read = plan.lenient_date_function(times)
        moment = sql.SQL("{}({}, {})").format(read, text, sql.Literal(zone))
        yield (
            sql.SQL("{} IS NOT NULL").format(moment),
            f"is a time that clocks in {zone} skip or show twice that night; "
            "missing_hour, repeated_hour or time_zone in the mapping says what it means",
        )
    if not set(EXCEL) & set(times.formats):
        yield (
            sql.SQL("{} ~ {}").format(text, sql.Literal(SERIAL)),
            'dates = ["excel"] reads the number of a day as Excel counts',
        )


def _with_hints(reason: str, hints: Sequence[Hint]) -> str | sql.Composable:
    """The reason, or of the first hint that fits its own."""
    if not hints:
        return reason
    whens = [
        sql.SQL("WHEN {} THEN {}").format(
            condition, sql.Literal(words if words.startswith("is ") else f"{reason}; {words}")
        )
        for condition, words in hints
    ]
    return sql.SQL("CASE {} ELSE {} END").format(sql.SQL(" ").join(whens), sql.Literal(reason))

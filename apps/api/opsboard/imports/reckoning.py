"""SQL for what is reckoned: the largest, smallest, sum and number over the lines of a key, and time added to a date."""

from __future__ import annotations

from psycopg2 import sql

from opsboard.imports.target import Column

# One value that cannot be read is shown instead of the result, so that it is told as any other.
OVER_LINES = {
    "max": "first_value({text}) OVER (PARTITION BY {key} ORDER BY {unreadable} DESC, {value} DESC NULLS LAST)",
    "min": "first_value({text}) OVER (PARTITION BY {key} ORDER BY {unreadable} DESC, {value} ASC NULLS LAST)",
    "sum": "coalesce(min({text}) FILTER (WHERE {unreadable}) OVER (PARTITION BY {key}), "
    "(sum({value}) OVER (PARTITION BY {key}))::text)",
    "count": "(count({text}) OVER (PARTITION BY {key}))::text",
}
DURATION = r"^[+-]?[0-9]{1,6}([.,][0-9]{1,6})? ?(seconds?|minutes?|hours?|days?|weeks?|months?|years?)$"


def over_lines(way: str, text: sql.Composable, value: sql.Composable, key: sql.Composable) -> sql.Composable:
    """The text that stands for all lines of a key."""
    unreadable = sql.SQL("({0} IS NOT NULL AND {1} IS NULL)").format(text, value)
    return sql.SQL(OVER_LINES[way]).format(text=text, value=value, key=key, unreadable=unreadable)


def plus(
    column: Column, value: sql.Composable, duration: sql.Composable, zone: sql.Composable
) -> sql.Composable:
    """A date or a time and what is added to it; NULL when that is no duration.

    Days, weeks and months are those of the calendar, so that 8:00 stays 8:00 when clocks change in between.
    """
    added = sql.SQL("CASE WHEN {0} ~ {1} THEN replace({0}, ',', '.')::interval END").format(
        duration, sql.Literal(DURATION)
    )
    if column.kind == "date":
        return sql.SQL("({} + {})::date").format(value, added)
    return sql.SQL(
        "CASE WHEN {duration} ~ '(second|minute|hour)' THEN {value} + {added} "
        "ELSE ({value} AT TIME ZONE {zone} + {added}) AT TIME ZONE {zone} END"
    ).format(duration=duration, value=value, added=added, zone=zone)

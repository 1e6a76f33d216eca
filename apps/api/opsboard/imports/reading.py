"""SQL that reads the text of a value as the type of its column, one function for each type.

None of it can fail on a bad value: what cannot be read is NULL, and the checks report it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from psycopg2 import sql

from opsboard.imports.number_formats import NumberFormat, whole_number
from opsboard.imports.target import Column

READ_OBJECT = sql.Identifier("pg_temp", "import_object")
READ_ARRAY = sql.Identifier("pg_temp", "import_array")
# A cast ends the statement at the first text that is none, and older servers cannot ask before.
CREATE_READ_JSON = sql.SQL("""
CREATE FUNCTION {name}(value text) RETURNS jsonb
LANGUAGE plpgsql STABLE STRICT
AS $body$
BEGIN
    RETURN CASE WHEN jsonb_typeof(value::jsonb) = {kind} THEN value::jsonb END;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END
$body$
""")
JSON_READERS = ((READ_OBJECT, "object"), (READ_ARRAY, "array"))
TRUE = ("true", "t", "yes", "y", "1", "on")
FALSE = ("false", "f", "no", "n", "0", "off")


@dataclass(frozen=True)
class Formats:
    """The format of a value's texts."""

    numbers: NumberFormat
    # The function that reads times, and the zone of those that do not tell their own.
    read_time: sql.Composable
    zone: sql.Composable

    def without_factor(self) -> Formats:
        return replace(self, numbers=replace(self.numbers, factor=None))


def typed(column: Column, text: sql.Composable, formats: Formats) -> sql.Composable:
    """The value of a text; NULL when it has none."""
    return READERS[column.kind](column, text, formats)


def _integer(column: Column, text: sql.Composable, formats: Formats) -> sql.Composable:
    return whole_number(text, formats.numbers)


def _seconds(column: Column, text: sql.Composable, formats: Formats) -> sql.Composable:
    return sql.SQL(
        "CASE WHEN {0} ~ '^[0-9]{{1,4}}:[0-5][0-9]:[0-5][0-9]$' THEN extract(epoch FROM {0}::interval)::bigint "
        "WHEN {1} BETWEEN 0 AND 999999999 THEN {1} END"
    ).format(text, whole_number(text, formats.numbers))


def _changes(column: Column, text: sql.Composable, formats: Formats) -> sql.Composable:
    return sql.SQL("{}({})").format(READ_OBJECT, text)


def _members(column: Column, text: sql.Composable, formats: Formats) -> sql.Composable:
    # An export shows none to those who may not see them.
    read = sql.SQL("{}(coalesce({}, '{{}}'))").format(READ_OBJECT, text)
    return sql.SQL(
        """CASE WHEN NOT jsonb_path_exists({0}, '$.* ? (@.type() != "string")') THEN {0} END"""
    ).format(read)


def _boolean(column: Column, text: sql.Composable, formats: Formats) -> sql.Composable:
    return sql.SQL(
        "CASE WHEN lower({0}) = ANY ({1}) THEN true WHEN lower({0}) = ANY ({2}) THEN false END"
    ).format(text, sql.Literal(list(TRUE)), sql.Literal(list(FALSE)))


def _timestamp(column: Column, text: sql.Composable, formats: Formats) -> sql.Composable:
    return sql.SQL("{}({}, {})").format(formats.read_time, text, formats.zone)


def _date(column: Column, text: sql.Composable, formats: Formats) -> sql.Composable:
    return sql.SQL("({} AT TIME ZONE {})::date").format(_timestamp(column, text, formats), formats.zone)


def _time(column: Column, text: sql.Composable, formats: Formats) -> sql.Composable:
    return sql.SQL(
        "CASE WHEN {0} ~ '^(([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00)(:00)?$' THEN {0}::time END"
    ).format(text)


def _text(column: Column, text: sql.Composable, formats: Formats) -> sql.Composable:
    if column.one_of:
        return sql.SQL("CASE WHEN {0} = ANY ({1}) THEN {0} END").format(
            text, sql.Literal(list(column.one_of))
        )
    return text


READERS: dict[str, Callable[[Column, sql.Composable, Formats], sql.Composable]] = {
    "integer": _integer,
    "seconds": _seconds,
    "changes": _changes,
    "members": _members,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "date": _date,
    "time": _time,
    "text": _text,
}

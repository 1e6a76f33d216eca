"""Makes the rows of one table from the staged files: each value read or, where it cannot be, kept as text."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports import clocks, date_formats, expressions
from opsboard.imports.joins import join_each, join_lookup
from opsboard.imports.mapping import Value
from opsboard.imports.plan import Plan, TablePlan, lookup_alias
from opsboard.imports.reading import CREATE_READ_JSON, JSON_READERS, Formats, typed
from opsboard.imports.reckoning import over_lines, plus
from opsboard.imports.target import Column

# The CTEs are MATERIALIZED so that each value is read once, not once for each place that names it.
ROWS = sql.SQL("""
CREATE TEMP TABLE {rows} ON COMMIT DROP AS
WITH given AS MATERIALIZED (
    SELECT {first_of_key}
        {line} AS line,
        {texts}
    FROM {source} AS source
    {each}
    {lookups}
    WHERE {where}
    {group_by}
),
typed AS MATERIALIZED (
    SELECT
        line,
        {kept},
        {typed}
    FROM given
)
SELECT
    line,
    {kept},
    {results}
FROM typed
""")

COMMA = sql.SQL(",\n        ")


def create_date_functions(cursor: Cursor, plan: Plan) -> None:
    """Make the functions that read dates, one for each list of formats the mapping has."""
    for table in plan:
        for column, value in table.columns:
            times = table.times(column, value)
            plan.date_function(times)
            # To say of a time that clocks skipped it.
            plan.lenient_date_function(times)
    for formats, name in plan.functions.items():
        cursor.execute(date_formats.function(name, formats))
    cursor.execute(clocks.CREATE_AFTER)
    for function, kind in JSON_READERS:
        cursor.execute(CREATE_READ_JSON.format(name=function, kind=sql.Literal(kind)))


def drop_date_functions(cursor: Cursor, plan: Plan) -> None:
    """Leave nothing behind on a connection that a pooler may hand to others."""
    for name in plan.functions.values():
        cursor.execute(sql.SQL("DROP FUNCTION {}(text, text)").format(name))
    for function in (clocks.AFTER, *(name for name, _ in JSON_READERS)):
        cursor.execute(sql.SQL("DROP FUNCTION {}").format(function))


def create_rows(cursor: Cursor, plan: Plan, table: TablePlan) -> None:
    """Make the temporary table of one target: line, keys and, for each column, its value and its bad text."""
    texts = dict(_texts(plan, table))
    conditions = expressions.where(table.mapping.where, table.resolve, table.mapping.where_not) or [
        sql.SQL("true")
    ]
    distinct = table.mapping.distinct
    cursor.execute(
        ROWS.format(
            rows=table.rows,
            first_of_key=_first_of(texts["external_id"]) if distinct in ("first", "last") else sql.SQL(""),
            line=sql.SQL("min(source.line)" if distinct is True else "source.line"),
            texts=COMMA.join(_named(expression, name) for name, expression in texts.items()),
            source=table.source.table,
            lookups=sql.SQL("").join(
                join_lookup(table, name, one) for name, one in table.mapping.lookups.items()
            ),
            # A damaged line stays, for the rows that point to it.
            where=sql.SQL("source.damaged OR ({})").format(sql.SQL(" AND ").join(conditions)),
            each=join_each(table),
            group_by=_group_by(texts, distinct),
            kept=COMMA.join(sql.Identifier(name) for name in texts if name.partition(".")[0] in KEPT),
            typed=COMMA.join(_typed(plan, table)),
            results=sql.SQL(",\n    ").join(_results(plan, table)),
        )
    )
    cursor.execute(sql.SQL("ANALYZE {}").format(table.rows))


# Faults tell these values as the file has them: 1,250 and 02:15, not 1250 and a time in UTC.
SHOWN_AS_GIVEN = ("integer", "seconds", "date", "time", "timestamp")

# First words of the names of what later statements need as it is. No column of a table has a dot in its name.
KEPT = ("damaged", "external_id", "parent", "missing", "line")


def parent_key(name: str) -> sql.Identifier:
    """The outside key of a row's parent."""
    return sql.Identifier(f"parent.{name}")


def missing(lookup: str) -> sql.Identifier:
    """A key that a look-up did not find."""
    return sql.Identifier(f"missing.{lookup}")


def lookup_line(lookup: str) -> sql.Identifier:
    """The line a look-up found; NULL when it found none."""
    return sql.Identifier(f"line.{lookup}")


def lookup_damaged(lookup: str) -> sql.Identifier:
    """The column that tells if a line is damaged, so that its values mean nothing."""
    return sql.Identifier(f"damaged.{lookup}")


def given(column: str) -> sql.Identifier:
    """The text of a value as the file has it."""
    return sql.Identifier(f"given.{column}")


def bad(column: str) -> sql.Identifier:
    """The text of a value that could not be read; NULL when it could."""
    return sql.Identifier(f"bad.{column}")


def _texts(plan: Plan, table: TablePlan) -> Iterator[tuple[str, sql.Composable]]:
    """Name and expression of every text the rows are made of."""
    text: sql.Composable = sql.SQL("source.damaged")
    yield "damaged", text
    yield "external_id", expressions.template(table.mapping.external_id, table.resolve)
    for parent, key in table.parents:
        yield f"parent.{parent.name}", expressions.template(key, table.resolve)
    for name, lookup in table.mapping.lookups.items():
        found = sql.Identifier(lookup_alias(name), "line")
        yield f"line.{name}", found
        yield f"damaged.{name}", sql.Identifier(lookup_alias(name), "damaged")
        if not lookup.is_optional:
            wanted = expressions.template(lookup.equals, table.resolve)
            yield f"missing.{name}", sql.SQL("CASE WHEN {} IS NULL THEN {} END").format(found, wanted)
    for column, value in table.columns:
        yield f"given.{column.name}", _given_text(plan, table, column, value)
        if value.plus:
            yield f"plus.{column.name}", expressions.template(value.plus, table.resolve)
        if value.values:
            yield f"mapped.{column.name}", expressions.mapped(value, table.resolve)


def _given_text(plan: Plan, table: TablePlan, column: Column, value: Value) -> sql.Composable:
    if not value.over_lines:
        return expressions.given(value, table.resolve)
    way, template = value.over_lines
    text = expressions.template(template, table.resolve)
    found = over_lines(
        way,
        text,
        typed(column, text, _formats(plan, table, column, value)),
        expressions.template(table.mapping.external_id, table.resolve),
    )
    # Of a key without any value.
    return found if value.default is None else expressions.with_default(found, value.default)


def _formats(plan: Plan, table: TablePlan, column: Column, value: Value) -> Formats:
    read_time = plan.date_function(table.times(column, value))
    return Formats(table.numbers(value), read_time, sql.Literal(table.zone(value, plan.business)))


def _first_of(external_id: sql.Composable) -> sql.Composable:
    return sql.SQL("DISTINCT ON ({})").format(external_id)


def _group_by(texts: dict[str, sql.Composable], distinct: bool | str) -> sql.Composable:
    if distinct in ("first", "last"):
        order = sql.SQL("DESC" if distinct == "last" else "ASC")
        return sql.SQL("ORDER BY {}, source.line {}").format(texts["external_id"], order)
    if not distinct:
        return sql.SQL("")
    places = sql.SQL(", ").join(sql.Literal(place) for place in range(2, len(texts) + 2))
    return sql.SQL("GROUP BY {}").format(places)


def _typed(plan: Plan, table: TablePlan) -> Iterator[sql.Composable]:
    for column, value in table.columns:
        text = sql.Identifier(f"mapped.{column.name}" if value.values else f"given.{column.name}")
        formats = _formats(plan, table, column, value)
        # A sum is of numbers that were multiplied already.
        is_sum = bool(value.over_lines and value.over_lines[0] == "sum")
        read = typed(column, text, formats.without_factor() if is_sum else formats)
        if value.plus:
            read = plus(column, read, sql.Identifier(f"plus.{column.name}"), formats.zone)
        yield _named(read, column.name)
        yield sql.Identifier(f"given.{column.name}")


def _results(plan: Plan, table: TablePlan) -> Iterator[sql.Composable]:
    moments = dict(_moments_in_order(plan, table))
    for column, _ in table.columns:
        value, text = sql.Identifier(column.name), given(column.name)
        yield _named(moments[column.name], column.name) if column.name in moments else value
        yield sql.SQL("CASE WHEN {} IS NULL THEN {} END AS {}").format(value, text, bad(column.name))
        if column.kind in SHOWN_AS_GIVEN:
            yield text


def _moments_in_order(plan: Plan, table: TablePlan) -> Iterator[tuple[str, sql.Composable]]:
    """Times that cannot be before others, so that the second 02:15 is after 02:45 in the night clocks are put back."""
    values = dict(table.mapping.columns)
    for names in table.target.in_order:
        earlier: sql.Composable | None = None
        for name in (name for name in names if name in values):
            moment: sql.Composable = sql.Identifier(name)
            if earlier and table.times(table.target.column(name), values[name]).repeated_hour == "order":
                zone = sql.Literal(table.zone(values[name], plan.business))
                moment = sql.SQL("{}({}, {}, {}, {})").format(
                    clocks.AFTER, moment, earlier, zone, given(name)
                )
                yield name, moment
            earlier = moment


def _named(expression: sql.Composable, name: str) -> sql.Composable:
    return sql.SQL("{} AS {}").format(expression, sql.Identifier(name))

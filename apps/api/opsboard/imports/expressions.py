"""SQL for what the mapping says: templates, value maps and conditions on lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from psycopg2 import sql

from opsboard.imports import templates
from opsboard.imports.file_mapping import Where
from opsboard.imports.mapping import Value

# A placeholder's name -> the column of the staged files.
Resolve = Callable[[str], sql.Composable]


def template(text: str, resolve: Resolve) -> sql.Composable:
    """A template as SQL; NULL when one of its columns is."""
    parts = [
        resolve(part.name) if isinstance(part, templates.Placeholder) else sql.Literal(part)
        for part in templates.parse(text)
    ]
    if not parts:
        return sql.SQL("NULL::text")
    return sql.SQL("({})").format(sql.SQL(" || ").join([*parts, sql.SQL("''::text")]))


def given(value: Value, resolve: Resolve) -> sql.Composable:
    """The text the file gives for a column, or the default, before value maps."""
    if value.differences is not None:
        return _differences(value.differences, resolve)
    if value.members is not None:
        return _members(value.members, resolve)
    text = _from_file(value, resolve)
    return text if value.default is None else with_default(text, value.default)


def with_default(text: sql.Composable, default: str) -> sql.Composable:
    return sql.SQL("coalesce({}, {})").format(text, sql.Literal(default))


def mapped(value: Value, resolve: Resolve) -> sql.Composable:
    """The text after the value map; NULL when the map has no entry for it."""
    text = _from_file(value, resolve)
    whens = [
        sql.SQL("WHEN {} LIKE {} THEN {}").format(text, sql.Literal(_like(theirs)), sql.Literal(ours))
        for theirs, ours in value.values.items()
    ]
    return sql.SQL("CASE WHEN {} IS NULL THEN {} {} ELSE {} END").format(
        text, sql.Literal(value.default), sql.SQL(" ").join(whens), sql.Literal(value.otherwise)
    )


def _from_file(value: Value, resolve: Resolve) -> sql.Composable:
    sources = sql.SQL(", ").join(template(text, resolve) for text in value.sources)
    if value.parts:
        return sql.SQL("nullif(concat_ws({}, {}), '')").format(sql.Literal(value.join), sources)
    return sql.SQL("coalesce({})").format(sources)


def _differences(members: Mapping[str, Sequence[str]], resolve: Resolve) -> sql.Composable:
    """An object of the members that differ, each with what it was and what it is."""
    rows = sql.SQL(", ").join(
        sql.SQL("({}, {}, {})").format(sql.Literal(name), template(was, resolve), template(now, resolve))
        for name, (was, now) in members.items()
    )
    return sql.SQL(
        "(SELECT coalesce(jsonb_object_agg(d.name, jsonb_build_array(d.was, d.now)), '{{}}')::text "
        "FROM (VALUES {}) AS d (name, was, now) WHERE d.was IS DISTINCT FROM d.now)"
    ).format(rows)


def _members(members: Mapping[str, str], resolve: Resolve) -> sql.Composable:
    """An object of the members that are not empty."""
    pairs = sql.SQL(", ").join(
        sql.SQL("{}::text, {}").format(sql.Literal(name), template(text, resolve))
        for name, text in members.items()
    )
    return sql.SQL("jsonb_strip_nulls(jsonb_build_object({}))::text").format(pairs)


def where(conditions: Where, resolve: Resolve, without: Where | None = None) -> list[sql.Composable]:
    """One condition for each column; "" stands for an empty value, and * for anything but that.

    Lines that fit a condition of `without` are left out.
    """
    excluded = where(without, resolve) if without else []
    return [*_fitting(conditions, resolve), *(sql.SQL("NOT {}").format(one) for one in excluded)]


def _fitting(conditions: Where, resolve: Resolve) -> list[sql.Composable]:
    found: list[sql.Composable] = []
    for column, texts in conditions.items():
        exact = [text for text in texts if "*" not in text]
        ways = [sql.SQL("coalesce({}, '') = ANY ({}::text[])").format(resolve(column), sql.Literal(exact))]
        ways += [
            # NULL is neither like nor unlike anything; here it must be told.
            sql.SQL("coalesce({} LIKE {}, false)").format(resolve(column), sql.Literal(_like(text)))
            for text in texts
            if "*" in text
        ]
        found.append(sql.SQL("({})").format(sql.SQL(" OR ").join(ways)))
    return found


def _like(pattern: str) -> str:
    """The pattern of LIKE for a text in which * stands for anything."""
    for character in "\\%_":
        pattern = pattern.replace(character, "\\" + character)
    return pattern.replace("*", "%")

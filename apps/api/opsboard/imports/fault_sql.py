"""Faults that only several rows show together: repeated and taken keys, missing parents."""

from __future__ import annotations

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports.expressions import where
from opsboard.imports.later import is_later
from opsboard.imports.mapping import LookUp
from opsboard.imports.plan import Plan, TablePlan
from opsboard.imports.rows import parent_key
from opsboard.imports.staging import Source
from opsboard.imports.target import Parent, Unique
from opsboard.imports.values import is_open

# A line that is wrong already is not told again: its keys may be what is wrong.
REPEATED = sql.SQL("""
INSERT INTO import_faults (file, line, position, column_name, value, reason)
SELECT {file}, n.line, {position}, {column}, n.value, {reason} || n.first_line
FROM (
    SELECT
        r.line,
        {value} AS value,
        min(r.line) OVER (PARTITION BY {keys}) AS first_line
    FROM {rows} AS r
    WHERE NOT r.damaged
        AND ({keys}) IS NOT NULL
        AND {counts}
) AS n
WHERE n.line > n.first_line
    AND NOT EXISTS (SELECT FROM import_faults AS f WHERE f.file = {file} AND f.line = n.line)
""")

TAKEN = sql.SQL("""
INSERT INTO import_faults (file, line, position, column_name, value, reason)
SELECT {file}, r.line, {position}, {column}, {value}, {reason}
FROM {rows} AS r
{parents}
JOIN {table} AS t ON t.tenant_id = {tenant_id} AND {same}
WHERE NOT r.damaged
    AND t.external_id IS DISTINCT FROM r.external_id
    {open}
""")

# A stored row that is open may end by this import.
OPEN = sql.SQL("""
    AND t.{ended} IS NULL
    AND {counts}
    AND NOT EXISTS (SELECT FROM {rows} AS r WHERE r.external_id = t.external_id AND NOT {is_open})
""")

ORPHANS = sql.SQL("""
INSERT INTO import_faults (file, line, position, column_name, value, reason)
SELECT {file}, r.line, {position}, {column}, r.{key}, {reason}
FROM {rows} AS r
WHERE NOT r.damaged
    AND r.{key} IS NOT NULL
    AND NOT EXISTS (SELECT FROM {table} AS t WHERE t.tenant_id = {tenant_id} AND t.external_id = r.{key})
    {nor_imported}
""")

NOR_IMPORTED = sql.SQL("AND NOT EXISTS (SELECT FROM {rows} AS p WHERE p.external_id = r.{key})")

HINT = sql.SQL("{} || CASE WHEN EXISTS (SELECT FROM {} AS p WHERE p.damaged) THEN {} ELSE '' END")

AMBIGUOUS = sql.SQL("""
INSERT INTO import_faults (file, line, position, column_name, value, reason)
SELECT {file}, n.line, {position}, {column}, n.value, 'is looked up, and on line ' || n.first_line || ' too'
FROM (
    SELECT
        source.line,
        {value} AS value,
        min(source.line) OVER (PARTITION BY {value}) AS first_line
    FROM {rows} AS source
    WHERE {where}
) AS n
WHERE n.line > n.first_line
    AND n.value IS NOT NULL
    AND NOT EXISTS (SELECT FROM import_faults AS f WHERE f.file = {file} AND f.line = n.line)
""")


def insert_repeated_keys(cursor: Cursor, table: TablePlan) -> None:
    """Rows with the outside key of an earlier one."""
    place = table.place(table.mapping.external_id)
    other = "has other values on line " if table.mapping.distinct is True else "is the key of line "
    cursor.execute(
        REPEATED.format(
            file=_file(table),
            position=sql.Literal(place.position),
            column=sql.Literal(place.column),
            reason=sql.Literal(other),
            value=sql.SQL("r.external_id"),
            keys=sql.SQL("r.external_id"),
            counts=sql.SQL("true"),
            rows=table.rows,
        )
    )


def insert_repeated(cursor: Cursor, plan: Plan, table: TablePlan, unique: Unique, texts: list[str]) -> None:
    """Rows with the same unique key as an earlier one."""
    place = table.place(*texts)
    keys = sql.SQL(", ").join(_given(table, unique, name) for name in unique.names)
    cursor.execute(
        REPEATED.format(
            file=_file(table),
            position=sql.Literal(place.position),
            column=sql.Literal(place.column),
            reason=sql.Literal(f"{words_of(unique)} must differ; it is the same on line "),
            value=_shown(table, unique),
            keys=keys,
            counts=_counts_as_open(plan, table) if unique.while_open else sql.SQL("true"),
            rows=table.rows,
        )
    )


def insert_taken(cursor: Cursor, plan: Plan, table: TablePlan, unique: Unique) -> None:
    """Rows whose unique key a stored row with another outside key has."""
    tenant_id = sql.Literal(plan.business.tenant_id)
    parents: list[sql.Composable] = []
    same: list[sql.Composable] = []
    texts: list[str] = []
    for name in unique.names:
        if name in table.mapping.parents:
            parent, alias = table.target.parent(name), sql.Identifier(f"p_{name}")
            texts.append(table.mapping.parents[name])
            parents.append(
                sql.SQL("JOIN {} AS {alias} ON {alias}.tenant_id = {} AND {alias}.external_id = r.{}").format(
                    sql.Identifier(parent.table), tenant_id, parent_key(name), alias=alias
                )
            )
            same.append(sql.SQL("t.{} = {}.id").format(sql.Identifier(parent.column), alias))
        else:
            texts += table.mapping.columns[name].sources
            stored = sql.Identifier("t", unique.folded.get(name, (name, ""))[0])
            same.append(sql.SQL("{} = {}").format(stored, _given(table, unique, name)))
    place = table.place(*texts)
    cursor.execute(
        TAKEN.format(
            file=_file(table),
            position=sql.Literal(place.position),
            column=sql.Literal(place.column),
            value=_shown(table, unique),
            reason=sql.Literal(
                f"{words_of(unique)} is taken by a {table.target.singular} that is stored already"
            ),
            rows=table.rows,
            parents=sql.SQL("\n").join(parents),
            table=sql.Identifier(table.target.table),
            tenant_id=tenant_id,
            same=sql.SQL(" AND ").join(same),
            open=_among_open(plan, table) if unique.while_open else sql.SQL(""),
        )
    )


def _among_open(plan: Plan, table: TablePlan) -> sql.Composable:
    assert table.target.ends is not None
    return OPEN.format(
        ended=sql.Identifier(table.target.ends.column),
        counts=_counts_as_open(plan, table),
        is_open=is_open(plan, table),
        rows=table.rows,
    )


def _counts_as_open(plan: Plan, table: TablePlan) -> sql.Composable:
    if plan.business.as_of is None:
        return is_open(plan, table)
    # One that has not begun on the day is left out.
    return sql.SQL("{} AND NOT {}").format(is_open(plan, table), is_later(plan, table))


def insert_orphans(cursor: Cursor, plan: Plan, table: TablePlan, parent: Parent, text: str) -> None:
    """Rows whose parent is neither imported nor stored. One on a damaged line counts as imported."""
    place = table.place(text)
    imported = plan.filling(parent.table)
    reason: sql.Composable = sql.Literal(f"there is no {parent.name.replace('_', ' ')} with this key")
    for part in imported:
        hint = f"; it may be on a damaged line of {part.source.file.path}"
        reason = HINT.format(reason, part.rows, sql.Literal(hint))
    key = parent_key(parent.name)
    cursor.execute(
        ORPHANS.format(
            file=_file(table),
            position=sql.Literal(place.position),
            column=sql.Literal(place.column),
            key=key,
            reason=reason,
            rows=table.rows,
            table=sql.Identifier(parent.table),
            tenant_id=sql.Literal(plan.business.tenant_id),
            nor_imported=sql.SQL(" ").join(NOR_IMPORTED.format(rows=part.rows, key=key) for part in imported),
        )
    )


def insert_ambiguous(cursor: Cursor, source: Source, lookup: LookUp) -> None:
    """Lines of a look-up's file with the key of an earlier one."""
    conditions = where(lookup.where, lambda column: source.column(column, "source"), lookup.where_not)
    cursor.execute(
        AMBIGUOUS.format(
            file=sql.Literal(source.number),
            position=sql.Literal((source.records.columns or []).index(lookup.key)),
            column=sql.Literal(lookup.key),
            value=source.column(lookup.key, "source"),
            rows=source.table,
            where=sql.SQL(" AND ").join([sql.SQL("NOT source.damaged"), *conditions]),
        )
    )


def _file(table: TablePlan) -> sql.Literal:
    return sql.Literal(table.source.number)


def _given(table: TablePlan, unique: Unique, name: str) -> sql.Composable:
    """A part of a row's unique key as the database compares it."""
    column = parent_key(name) if name in table.mapping.parents else sql.Identifier(name)
    if name in unique.folded:
        return sql.SQL("{}(r.{})").format(sql.Identifier(unique.folded[name][1]), column)
    return sql.SQL("r.{}").format(column)


def _shown(table: TablePlan, unique: Unique) -> sql.Composable:
    parts = [
        sql.SQL("r.{}").format(parent_key(name) if name in table.mapping.parents else sql.Identifier(name))
        for name in unique.names
    ]
    return sql.SQL("concat_ws(', ', {})").format(sql.SQL(", ").join(parts))


def words_of(unique: Unique) -> str:
    """The columns of a unique key as a message names them."""
    return " and ".join(unique.names) + " of what has not ended" * unique.while_open

"""Finds everything that is wrong with the rows of an import, by statements over all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports import fault_sql
from opsboard.imports.addresses import address_rules
from opsboard.imports.contradictions import insert_contradicted
from opsboard.imports.items import insert_no_arrays
from opsboard.imports.overlaps import insert_overlapping
from opsboard.imports.plan import Place, Plan, TablePlan
from opsboard.imports.progress import Progress
from opsboard.imports.reasons import unreadable
from opsboard.imports.rows import bad, given, missing, parent_key
from opsboard.imports.rules import Rule, insert_by_rules
from opsboard.imports.target import LONGEST_EXTERNAL_ID, LONGEST_MEMBERS, Column, Unique


class Check(NamedTuple):
    """One statement that notes faults, and what it looks for in words."""

    words: str
    note: Callable[[], None]


def check(cursor: Cursor, plan: Plan, table: TablePlan, progress: Progress) -> None:
    """Note every fault of one table's rows; the rows of its parents are there already."""
    checks = list(_checks(cursor, plan, table))
    for number, (words, note) in enumerate(checks, 1):
        progress.say(f"checking {table.target.table}, {number} of {len(checks)}: {words}")
        note()


def _checks(cursor: Cursor, plan: Plan, table: TablePlan) -> Iterator[Check]:
    for name, lookup in table.mapping.lookups.items():
        if lookup.pick == "only":
            source = table.sources[lookup.file]
            yield Check(
                f"lines that the look-up {name} finds twice",
                partial(fault_sql.insert_ambiguous, cursor, source, lookup),
            )
    if table.mapping.items:
        yield Check("items that are no array", partial(insert_no_arrays, cursor, table))
    yield Check("values", partial(_note_values, cursor, plan, table))
    for contradiction in table.target.contradictions:
        yield Check(
            f"{contradiction.column} that {contradiction.reason}",
            partial(insert_contradicted, cursor, plan, table, contradiction),
        )
    yield Check("keys that occur twice", partial(fault_sql.insert_repeated_keys, cursor, table))
    for unique in table.target.uniques:
        if names := _columns_of(table, unique):
            words = fault_sql.words_of(unique)
            yield Check(
                f"{words} that occur twice",
                partial(fault_sql.insert_repeated, cursor, plan, table, unique, names),
            )
            if table.target.has_own_key:
                yield Check(
                    f"{words} that are taken", partial(fault_sql.insert_taken, cursor, plan, table, unique)
                )
    if overlap := table.target.overlap:
        yield Check("times that overlap", partial(insert_overlapping, cursor, plan, table, overlap))
    for parent, text in table.parents:
        yield Check(
            f"{parent.name} that is not there",
            partial(fault_sql.insert_orphans, cursor, plan, table, parent, text),
        )


def _note_values(cursor: Cursor, plan: Plan, table: TablePlan) -> None:
    insert_by_rules(cursor, table, [*_rules(plan, table), *address_rules(cursor, table)])


def _rules(plan: Plan, table: TablePlan) -> Iterator[tuple[Place, Rule]]:
    """Checks of a single row's values, and the source of each value."""
    mapping = table.mapping
    for rule in _key_rules():
        yield table.place(mapping.external_id), rule
    for column, value in table.columns:
        # If times give the status too, a row needs no word for it.
        if mapping.stages and column.name == "status":
            column = replace(column, nullable=True)
        # A value map's reason names the column already.
        target = None if value.values else f"{table.target.table}.{column.name}"
        for rule in _column_rules(column, unreadable(plan, table, column, value), target):
            yield table.place(*value.sources), rule
    for parent, text in table.parents:
        if parent.required:
            key = parent_key(parent.name)
            reason = f"is empty; a {table.target.singular} belongs to a {parent.name}"
            yield table.place(text), Rule(sql.SQL("{} IS NULL").format(key), key, reason)
    for name, lookup in mapping.lookups.items():
        if not lookup.is_optional:
            reason = f"no line of {table.sources[lookup.file].file.path} has this {lookup.key}"
            wanted = missing(name)
            yield table.place(lookup.equals), Rule(sql.SQL("{} IS NOT NULL").format(wanted), wanted, reason)
    yield from _order_rules(table)


def _key_rules() -> Iterator[Rule]:
    key = sql.Identifier("external_id")
    yield Rule(sql.SQL("{} IS NULL").format(key), key, "is empty; it is the key of the row")
    yield Rule(
        sql.SQL("length({}) > {}").format(key, sql.Literal(LONGEST_EXTERNAL_ID)),
        key,
        f"is longer than {LONGEST_EXTERNAL_ID} characters",
    )


def _column_rules(column: Column, unreadable: str | sql.Composable, target: str | None) -> Iterator[Rule]:
    name, text = sql.Identifier(column.name), bad(column.name)
    yield Rule(sql.SQL("{} IS NOT NULL").format(text), text, unreadable, target)
    if not column.nullable:
        empty = sql.SQL("{} IS NULL AND {} IS NULL").format(name, text)
        yield Rule(empty, name, f"is empty; {column.name} cannot be")
    if column.longest is not None and not column.one_of:
        longer = sql.SQL("length({}) > {}").format(name, sql.Literal(column.longest))
        yield Rule(longer, name, f"is longer than {column.longest} characters, the most of {column.name}")
    if column.kind == "members":
        longer = sql.SQL("length({}::text) > {}").format(name, sql.Literal(LONGEST_MEMBERS))
        yield Rule(longer, text, f"is longer than {LONGEST_MEMBERS:,} characters, the most of {column.name}")
    if column.kind in ("integer", "seconds"):
        outside = sql.SQL("{} NOT BETWEEN {} AND {}").format(
            name, sql.Literal(column.least), sql.Literal(column.most)
        )
        yield Rule(
            outside,
            given(column.name),
            f"is not from {column.least} to {column.most}, the range of {column.name}",
        )


def _order_rules(table: TablePlan) -> Iterator[tuple[Place, Rule]]:
    """Stages follow each other in time."""
    times = [stage.since for stage in table.mapping.stages if stage.since]
    for earlier, later in pairwise(times):
        before = sql.SQL("{} < {}").format(sql.Identifier(later), sql.Identifier(earlier))
        reason = f"{later} is before {earlier}"
        place = table.place(*table.mapping.columns[later].sources)
        yield place, Rule(before, given(later), reason)


def _columns_of(table: TablePlan, unique: Unique) -> list[str]:
    """The templates a unique key is made from; none when the mapping does not give all of it."""
    found: list[str] = []
    for name in unique.names:
        if name in table.mapping.columns:
            found += table.mapping.columns[name].sources
        elif name in table.mapping.parents:
            found.append(table.mapping.parents[name])
        else:
            return []
    return found

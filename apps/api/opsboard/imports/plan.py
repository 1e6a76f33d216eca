"""The state of a running import, and the names inside one table's SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from psycopg2 import sql

from opsboard.imports import expressions, templates
from opsboard.imports.date_formats import TimeFormat
from opsboard.imports.file_mapping import File
from opsboard.imports.mapping import ImportMapping, Table, Value
from opsboard.imports.number_formats import NumberFormat
from opsboard.imports.staging import Source
from opsboard.imports.target import Column, Parent, Target
from opsboard.imports.targets import TARGETS

EACH_ALIAS = "each_column"
ITEM_ALIAS = "each_item"


@dataclass(frozen=True)
class Business:
    """Whose rows these are, and the moment up to which things have happened."""

    tenant_id: int
    time_zone: str
    cut: datetime
    # The day that is looked at; None: now.
    as_of: date | None = None
    # The beginning of the day before the one that is looked at.
    day_before: datetime | None = None


@dataclass(frozen=True)
class Place:
    """Return the name that a fault gives to the columns of a value."""

    file: int
    column: str
    position: int
    # The look-ups that have a part in it. Only where one gives all of it, the fault is told of its line.
    lookups: tuple[str, ...]
    is_own: bool


@dataclass(frozen=True)
class TablePlan:
    """One table of the database, the mapping of it and the temporary table its rows are made in."""

    # As the mapping calls it.
    name: str
    target: Target
    mapping: Table
    sources: dict[str, Source]

    @property
    def rows(self) -> sql.Identifier:
        return sql.Identifier(f"import_{self.name}")

    @property
    def source(self) -> Source:
        return self.sources[self.mapping.file]

    @property
    def columns(self) -> list[tuple[Column, Value]]:
        """The columns that are filled, in the order of the table."""
        given = self.mapping.columns
        return [(column, given[column.name]) for column in self.target.columns if column.name in given]

    @property
    def parents(self) -> list[tuple[Parent, str]]:
        """The parents that are looked for, each with the template of its outside key."""
        given = self.mapping.parents
        return [(parent, given[parent.name]) for parent in self.target.parents if parent.name in given]

    def is_once(self, column: str) -> bool:
        """Return True if only new rows get this column."""
        given = self.mapping.columns.get(column)
        return given.once if given else any(column == one.name for one in self.undated)

    @property
    def undated(self) -> list[Column]:
        """The times that every row has and that the mapping does not name."""
        return [
            column
            for column in self.target.columns
            if column.kind == "timestamp" and not column.nullable and column.name not in self.mapping.columns
        ]

    def resolve(self, placeholder: str) -> sql.Composable:
        """A placeholder of a template as a column of the staged files."""
        lookup, column = self.mapping.resolve(placeholder)
        if lookup is None and column == templates.PLACE:
            key = expressions.template(self.mapping.numbered_by or self.mapping.external_id, self.resolve)
            order = sql.SQL("source.line, {}" if self.mapping.items else "source.line").format(
                sql.Identifier(ITEM_ALIAS, "place")
            )
            return sql.SQL("(row_number() OVER (PARTITION BY {} ORDER BY {}))::text").format(key, order)
        if self.mapping.items and templates.is_of_item(placeholder):
            path = [part for part in placeholder.split(".")[1:] if part]
            return sql.SQL("({} #>> {}::text[])").format(
                sql.Identifier(ITEM_ALIAS, "value"), sql.Literal(path)
            )
        if lookup is None and self.mapping.each and column in (templates.EACH, templates.COLUMN):
            return sql.Identifier(EACH_ALIAS, column)
        if lookup is None:
            return self.source.column(column, "source")
        return self.sources[self.mapping.lookups[lookup].file].column(column, lookup_alias(lookup))

    def files(self, value: Value) -> list[File]:
        """The files a value comes from; that of the table when it is a constant."""
        names: dict[str, None] = {}
        for text in value.sources:
            for name in templates.placeholders(text):
                lookup, _ = self.mapping.resolve(name)
                names[self.mapping.lookups[lookup].file if lookup else self.mapping.file] = None
        return [self.sources[name].file for name in names or (self.mapping.file,)]

    def times(self, column: Column, value: Value) -> TimeFormat:
        """The format of a value's times: its own formats, or those of its files."""
        files = self.files(value)
        formats = value.dates or dict.fromkeys(one for file in files for one in file.times.formats)
        times = replace(files[0].times, formats=tuple(formats))
        # A day is the same whether or not clocks showed the time.
        return times if column.kind == "timestamp" else TimeFormat(times.formats, "first", "later")

    def zone(self, value: Value, business: Business) -> str:
        """The zone of times that do not tell their own."""
        return self.files(value)[0].time_zone or business.time_zone

    def numbers(self, value: Value) -> NumberFormat:
        """The format of a value's numbers."""
        own = {name: getattr(value, name) for name in ("decimal", "thousands", "units")}
        numbers = replace(
            self.files(value)[0].numbers, **{name: mark for name, mark in own.items() if mark is not None}
        )
        return replace(numbers, units=tuple(numbers.units), factor=value.times)

    def place(self, *texts: str) -> Place:
        """Where the columns of some templates are: in the file of the row or, all of them, in a look-up's."""
        names = list(dict.fromkeys(name for text in texts for name in templates.placeholders(text)))
        places = [self.mapping.resolve(name) for name in names]
        lookups = tuple(dict.fromkeys(lookup for lookup, _ in places if lookup))
        # A fault in a member of an item is reported for the column with the array.
        names = [
            self.mapping.items if self.mapping.items and templates.is_of_item(name) else name
            for name in names
        ]
        own = [column for lookup, column in places if lookup is None]
        is_own = bool(own) or len(lookups) != 1
        if not is_own:
            source, names = (
                self.sources[self.mapping.lookups[lookups[0]].file],
                [column for _, column in places],
            )
        else:
            source = self.source
        columns = source.records.columns or []
        position = min((columns.index(name) for name in names if name in columns), default=0)
        return Place(source.number, ", ".join(names), position, lookups, is_own)


@dataclass
class Plan:
    """All tables of an import, parents before children, and the functions that read its dates."""

    business: Business
    tables: list[TablePlan]
    functions: dict[TimeFormat, sql.Identifier] = field(default_factory=dict)
    # Tables that no import filled before this one.
    first_filled: set[str] = field(default_factory=set)

    def date_function(self, formats: TimeFormat) -> sql.Identifier:
        """The temporary function that reads times in these formats."""
        name = sql.Identifier("pg_temp", f"import_time_{len(self.functions) + 1}")
        return self.functions.setdefault(formats, name)

    def lenient_date_function(self, times: TimeFormat) -> sql.Identifier:
        """The function that also reads times which clocks skipped or showed twice."""
        return self.date_function(replace(times, missing_hour="later", repeated_hour="first"))

    def filling(self, name: str) -> list[TablePlan]:
        """The plans that fill a table."""
        return [table for table in self.tables if table.target.table == name]

    def __iter__(self) -> Iterator[TablePlan]:
        return iter(self.tables)


def plan_tables(mapping: ImportMapping, sources: dict[str, Source]) -> list[TablePlan]:
    """The tables the mapping fills, in the order they are stored."""
    return [
        TablePlan(name, target, table, sources)
        for target in TARGETS.values()
        for name, table in mapping.tables.items()
        if (table.table or name) == target.table
    ]


def lookup_alias(name: str) -> str:
    """Return the name of a look-up inside a statement; the prefix avoids collisions."""
    return f"look_up_{name}"

"""The notes of the mapping on its files, each with the number of lines it applies to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports.expressions import where
from opsboard.imports.file_mapping import Where
from opsboard.imports.plan import TablePlan
from opsboard.imports.staging import Source

COUNT = sql.SQL("SELECT count(*) FROM {table} AS source WHERE {where}")
REPEATED = sql.SQL("""
SELECT count(*) - count(DISTINCT ({columns}))
FROM {table} AS source
WHERE {where}
""")


@dataclass(frozen=True)
class Counted:
    """One remark and how many of the lines of its file it is about."""

    file: str
    lines: int
    of: int
    says: str

    def __str__(self) -> str:
        share = f"all {self.of:,}" if self.lines == self.of else f"{self.lines:,} of {self.of:,}"
        return f"{self.file}: {share} lines: {self.says}"


@dataclass(frozen=True)
class Unmatched:
    """Conditions of the mapping that no line of its file fits, or that leave none."""

    place: str
    file: str
    of: int
    leaves_none: bool = False

    def __str__(self) -> str:
        if self.leaves_none:
            return f"{self.place} leaves none of the {self.of:,} lines of {self.file}"
        return f"{self.place} fits none of the {self.of:,} lines of {self.file}"


def unmatched_conditions(cursor: Cursor, table: TablePlan) -> Iterator[Unmatched]:
    """Conditions of one table and of its look-ups that fit no line: perhaps a word is spelled otherwise."""
    mapping = table.mapping
    conditions = [("", table.source, mapping.where, mapping.where_not)]
    conditions += [
        (f"lookups.{name}.", table.sources[lookup.file], lookup.where, lookup.where_not)
        for name, lookup in mapping.lookups.items()
    ]
    for before, source, fitting, excluded in conditions:
        place = f"tables.{table.name}.{before}where"
        if not source.rows or not (fitting or excluded):
            continue
        if fitting and not _lines(cursor, source, fitting):
            yield Unmatched(place, source.file.path, source.rows)
        elif excluded and not _lines(cursor, source, fitting, excluded):
            both = f"{place} with where_not" if fitting else f"{place}_not"
            yield Unmatched(both, source.file.path, source.rows, leaves_none=True)


def count_remarks(cursor: Cursor, sources: Mapping[str, Source]) -> list[Counted]:
    """Every remark that is true of any line, in the order of the files."""
    counted = [
        Counted(
            source.file.path,
            _lines(cursor, source, remark.where, repeated=remark.repeated),
            source.rows,
            remark.says,
        )
        for source in sources.values()
        for remark in source.file.remarks
    ]
    return [one for one in counted if one.lines]


def _lines(
    cursor: Cursor,
    source: Source,
    fitting: Where,
    excluded: Where | None = None,
    repeated: Sequence[str] = (),
) -> int:
    conditions = where(fitting, lambda column: source.column(column, "source"), excluded)
    # A row is counted also where all of it is NULL, which count(DISTINCT column) would leave out.
    columns = sql.SQL(", ").join(source.column(column, "source") for column in repeated)
    cursor.execute(
        (REPEATED if repeated else COUNT).format(
            table=source.table,
            where=sql.SQL(" AND ").join(conditions or [sql.SQL("true")]),
            columns=sql.SQL("ROW({})").format(columns),
        )
    )
    row = cursor.fetchone()
    assert row is not None  # an aggregate always has its row
    return int(row[0])

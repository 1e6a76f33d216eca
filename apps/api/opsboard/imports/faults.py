"""Faults of the files: stored in a temporary table, reported in the order of files and lines."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from opsboard.errors import CommandError
from opsboard.web.spreadsheet import guard

CREATE = """
CREATE TEMP TABLE import_faults (
    file integer NOT NULL,
    line bigint NOT NULL,
    position integer NOT NULL,
    column_name text NOT NULL,
    value text,
    reason text NOT NULL,
    -- The column of a table that the value was for.
    target text
) ON COMMIT DROP
"""
# A fault found by two tables in the same place is reported once.
LIST = """
SELECT
    f.file,
    f.line,
    f.column_name,
    left(f.value, 200) AS value,
    f.reason || coalesce(' (for ' || string_agg(DISTINCT f.target, ', ') || ')', '') AS reason
FROM import_faults AS f
GROUP BY
    f.file,
    f.line,
    f.column_name,
    f.value,
    f.reason
ORDER BY
    f.file,
    f.line,
    min(f.position),
    f.column_name,
    f.reason
"""
COUNT = """
SELECT count(DISTINCT (f.file, f.line))
FROM import_faults AS f
"""

TOLD_IN_FULL = 100
# Kept for a program that shows them at their cells.
KEPT = 1000
LONGEST_SHOWN = 60


class Fault(NamedTuple):
    """One place that is wrong. `column` is empty when the whole line is; `value` may be."""

    file: str
    line: int
    column: str
    value: str | None
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" + (f", {self.column}" if self.column else "")
        value = f" {printable(self.value)}" if self.value is not None else ""
        return f"{place}:{value} {self.reason}"


@dataclass(frozen=True)
class Rejection:
    """All that is wrong, in short."""

    faults: int
    lines: int
    first: list[Fault]
    report: Path | None
    # Faults of whole files.
    of_files: tuple[str, ...] = ()


class ImportRejected(CommandError):
    """The files have faults; nothing was stored."""

    def __init__(self, rejection: Rejection) -> None:
        self.rejection = rejection
        super().__init__("\n".join(_told(rejection)))


def create_fault_table(cursor: Cursor) -> None:
    """Make the table that every check writes to."""
    cursor.execute(CREATE)


def refuse_faults(
    connection: Connection, files: Mapping[int, str], report: Path | None, of_files: Iterable[str] = ()
) -> None:
    """Raise ImportRejected when anything was found to be wrong; `files` names the files by number."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT)
        row = cursor.fetchone()
    if row is not None and row[0] > 0:
        rejection = collect(_listed(connection, files), row[0], report)
        raise ImportRejected(replace(rejection, of_files=tuple(of_files)))


def _listed(connection: Connection, files: Mapping[int, str]) -> Iterator[Fault]:
    # A named cursor: a million faults are not brought into memory.
    with connection.cursor("import_faults_of_all_files") as listing:
        listing.execute(LIST)
        for file, *rest in listing:
            yield Fault(files[file], *rest)


def collect(faults: Iterable[Fault], lines: int, report: Path | None) -> Rejection:
    """Go through all faults once: each into the report file, the first thousand kept.

    Raises CommandError when the report cannot be written.
    """
    first: list[Fault] = []
    count = 0
    with ExitStack() as stack:
        try:
            file = stack.enter_context(report.open("w", newline="", encoding="utf-8")) if report else None
        except OSError as error:
            raise CommandError(f"{report}: the report cannot be written: {error.strerror}") from error
        writer = csv.writer(file) if file else None
        if writer:
            writer.writerow(Fault._fields)
        for fault in faults:
            count += 1
            if count <= KEPT:
                first.append(fault)
            if writer:
                writer.writerow([guard(str(cell)) for cell in fault._replace(value=fault.value or "")])
    return Rejection(count, lines, first, report)


def printable(value: str) -> str:
    """A value in quotes, short and without terminal control characters."""
    short = value if len(value) <= LONGEST_SHOWN else value[:LONGEST_SHOWN] + "..."
    return '"' + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in short) + '"'


def _told(rejection: Rejection) -> Iterator[str]:
    yield from rejection.of_files
    told = rejection.first[:TOLD_IN_FULL]
    yield from map(str, told)
    if rejection.faults > len(told):
        yield f"... and {rejection.faults - len(told):,} more"
    places = "1 fault" if rejection.faults == 1 else f"{rejection.faults:,} faults"
    lines = "1 line" if rejection.lines == 1 else f"{rejection.lines:,} lines"
    yield f"{places} on {lines}; nothing was stored"
    if rejection.report:
        yield f"all of them are in {rejection.report}"

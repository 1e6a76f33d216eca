"""Brings the files into temporary tables as they are: all text, each row with its line; damage is noted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports import templates
from opsboard.imports.copying import Copying, copy_line
from opsboard.imports.file_mapping import File
from opsboard.imports.mapping import ImportMapping
from opsboard.imports.mapping_checks import column_faults, named_columns, remarked_columns
from opsboard.imports.mapping_file import MappingError
from opsboard.imports.opening import CannotOpen, open_file
from opsboard.imports.progress import Progress
from opsboard.imports.readers import RecordReader, open_records
from opsboard.text import normal_form
from opsboard.web.spreadsheet import unguard

LONGEST_VALUE_TOLD = 200

SOURCE = sql.SQL("""
CREATE TEMP TABLE {table} (
    line bigint NOT NULL,
    damaged boolean NOT NULL{columns}
) ON COMMIT DROP
""")


@dataclass
class Source:
    """One file of the mapping and the temporary table its used columns go to."""

    number: int
    file: File
    records: RecordReader
    # The columns the mapping uses; the table calls them c1, c2, ...
    used: list[str]
    rows: int = 0

    @property
    def table(self) -> sql.Identifier:
        return sql.Identifier(f"import_source_{self.number}")

    def column(self, name: str, alias: str) -> sql.Composable:
        """A column of the file as the temporary table calls it."""
        if name == templates.LINE:
            return sql.SQL("{}::text").format(sql.Identifier(alias, "line"))
        return sql.Identifier(alias, f"c{self.used.index(name) + 1}")


def open_sources(
    folder: Path, mapping: ImportMapping, progress: Progress, until: ExitStack
) -> dict[str, Source]:
    """Open every file the mapping uses and read its header.

    Raises MappingError naming every file that is missing or empty and every column that is not there.
    """
    used = _used_columns(mapping)
    faults: list[str] = []
    sources: dict[str, Source] = {}
    total = 0
    for name, columns in used.items():
        file = mapping.files[name]
        try:
            stream, size = open_file(folder / file.path, until)
        except CannotOpen as error:
            faults.append(f"files.{name}.path: {folder / file.path}: {error}")
            continue
        total += size
        try:
            records = open_records(stream, file, progress.advance)
        except CannotOpen as error:
            faults.append(f"files.{name}.path: {folder / file.path}: {error}")
            continue
        sources[name] = Source(len(sources) + 1, file, records, columns)
        if fault := _header_fault(records):
            faults.append(f"files.{name}: {file.path}: {fault}")
    names = {name: source.records.columns for name, source in sources.items() if source.records.columns}
    faults += column_faults(mapping, names)
    if faults:
        raise MappingError(str(folder), faults)
    progress.expect(total)
    return sources


def stage(cursor: Cursor, source: Source) -> None:
    """Bring one file into its temporary table, and what is damaged in it into import_faults."""
    columns = sql.SQL("").join(
        sql.SQL(", c{} text").format(sql.Literal(i + 1)) for i in range(len(source.used))
    )
    cursor.execute(SOURCE.format(table=source.table, columns=columns))
    with TemporaryFile() as damage:
        cursor.copy_expert(sql.SQL("COPY {} FROM STDIN").format(source.table), Copying(_rows(source, damage)))
        if source.records.misreading.is_found:
            first = source.records.misreading
            reason = f"can be read, but is in another encoding than {source.file.encoding}"
            damage.write(_fault(source, [], None, first.line, [first.text], reason))
        damage.seek(0)
        cursor.copy_expert(
            "COPY import_faults (file, line, position, column_name, value, reason) FROM STDIN", damage
        )
    # The planner would otherwise take a temporary table for a small one.
    cursor.execute(sql.SQL("ANALYZE {}").format(source.table))


def _rows(source: Source, damage: IO[bytes]) -> Iterator[bytes]:
    """The lines of COPY for the records of a file."""
    names = source.records.columns or []
    places = [names.index(column) for column in source.used]
    null = frozenset({"", *source.file.null})
    read = _unguarded if source.file.guards and source.file.kind == "csv" else normal_form
    for record in source.records:
        source.rows += 1
        if record.damage:
            damage.write(_fault(source, names, record.field, record.line, record.fields, record.damage))
        # A damaged line may have too few.
        fields = record.fields + [""] * (len(names) - len(record.fields))
        values = [read(fields[place]) for place in places]
        yield copy_line(
            [str(record.line), "t" if record.damage else "f", *(None if v in null else v for v in values)]
        )


def _unguarded(text: str) -> str:
    # Before the text is in its form, which has no invisible characters that a guard is put before.
    text = text.strip()
    return normal_form(unguard(text) if text.startswith("'") else text)


def _fault(
    source: Source, names: list[str], field: int | None, line: int, fields: list[str], reason: str
) -> bytes:
    if field is None or field >= len(names):
        name, position, value = "", -1, source.file.delimiter.join(fields)
    else:
        name, position, value = names[field], field, fields[field]
    return copy_line([str(source.number), str(line), str(position), name, value[:LONGEST_VALUE_TOLD], reason])


def _header_fault(records: RecordReader) -> str:
    if records.columns is None:
        return f"line {records.header.line} {records.header.damage}" if records.header else "is empty"
    twice = sorted({name for name in records.columns if name and records.columns.count(name) > 1})
    return f"has the column {', '.join(twice)} twice" if twice else ""


def _used_columns(mapping: ImportMapping) -> dict[str, list[str]]:
    """The files in the order of the mapping and, of each, the columns that are used."""
    used: dict[str, dict[str, None]] = {name: {} for name in mapping.files}
    for table in mapping.tables.values():
        for _, file, column in named_columns(table):
            used[file][column] = None
    for name, file_ in mapping.files.items():
        for _, column in remarked_columns(file_):
            used[name][column] = None
    # One that only the numbers of its lines are taken from has no column that is used.
    files = {table.file for table in mapping.tables.values()}
    return {name: list(columns) for name, columns in used.items() if columns or name in files}

"""The record reader of each kind of file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from opsboard.imports.file_mapping import File
from opsboard.imports.jsonl import JsonLines
from opsboard.imports.leftovers import Record
from opsboard.imports.misreading import Misreading
from opsboard.imports.records import Records


class RecordReader(Protocol):
    """The records of one file; `columns` is None when there are none, `header` then says why."""

    header: Record | None
    columns: list[str] | None

    @property
    def undecodable(self) -> bytes:
        """Some of the lines that are not in the file's encoding."""

    @property
    def misreading(self) -> Misreading:
        """The lines that may be in another encoding although they could be read."""

    def __iter__(self) -> Iterator[Record]: ...


def open_records(stream: BinaryIO, file: File, advance: Callable[[int], None]) -> RecordReader:
    """The reader for the kind of file its name tells. Raises CannotOpen."""
    if file.kind == "workbook":
        # Loaded only when there is one: it takes a quarter of a second.
        from opsboard.imports.workbook import Sheet

        return Sheet(stream, file, advance)
    if file.kind == "jsonl":
        return JsonLines(stream, file, advance)
    return Records(stream, file, advance)

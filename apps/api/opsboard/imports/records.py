"""The records of a CSV file: read with bounded memory, each with its line, damaged ones included.

COPY ends at the first line it cannot take and names only that one. Here a damaged line becomes a record that
says what is wrong with it, and reading goes on with the next line.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from opsboard.imports.file_mapping import File
from opsboard.imports.lines import LONGEST_LINE, Line, Lines
from opsboard.text import normal_form

# What the csv module says, in words for the person who made the file.
REASONS = {
    "unexpected end of data": "a quote is opened and never closed",
    "field larger than field limit": "a quote is opened and not closed for more than 131,072 characters",
    "new-line character seen": "has a carriage return in the middle",
}


class Record(NamedTuple):
    """One record and the line it begins on. A damaged one has its fields as far as they could be told."""

    line: int
    fields: list[str]
    damage: str = ""
    # Which field is damaged; None: the line as a whole.
    field: int | None = None


class Records:
    """Goes through the records of one file; the names of its columns are known from the beginning."""

    def __init__(
        self, stream: BinaryIO, file: File, advance: Callable[[int], None] = lambda read: None
    ) -> None:
        self._lines = Lines(stream, file.encoding, advance)
        self._delimiter = file.delimiter
        self._quote = file.quote
        for _ in range(file.skip):
            next(self._lines, None)
        # None for columns: the file is empty, or its first line is damaged, which `header` then is.
        self.header: Record | None = None
        self.columns = file.columns or self._read_header()

    def __iter__(self) -> Iterator[Record]:
        """Every record after the header; empty lines are none."""
        if self.columns is None:
            return
        width = len(self.columns)
        for line in self._lines:
            if not line.text and not line.damage:
                continue
            record = self._record(line)
            if not record.damage and len(record.fields) != width:
                record = record._replace(damage=f"has {_columns(len(record.fields))} instead of {width}")
            yield record

    def _read_header(self) -> list[str] | None:
        line = next(self._lines, None)
        if line is None:
            return None
        self.header = self._record(line)
        return None if self.header.damage else [normal_form(name) for name in self.header.fields]

    def _record(self, line: Line) -> Record:
        if line.damage:
            field = line.before.count(self._delimiter) if line.text else None
            return Record(line.number, self._split(line.text), line.damage, field)
        if self._quote and self._quote in line.text:
            return self._quoted(line)
        if "\r" in line.text:
            return Record(line.number, self._split(line.text), REASONS["new-line character seen"])
        return Record(line.number, line.text.split(self._delimiter))

    def _quoted(self, first: Line) -> Record:
        """A record with quotes: it may go on over the next lines, which are given back if it does not end."""
        following: list[Line] = []

        def physical() -> Iterator[str]:
            yield first.text + "\n"
            size = 0
            for line in self._lines:
                following.append(line)
                size += len(line.text) + 1
                if line.damage or size > LONGEST_LINE:
                    raise csv.Error("unexpected end of data")
                yield line.text + "\n"

        reader = csv.reader(physical(), delimiter=self._delimiter, quotechar=self._quote, strict=True)
        try:
            return Record(first.number, next(reader))
        except csv.Error as error:
            # The quote is what is wrong, so the lines after this one are judged on their own.
            self._lines.give_back(following)
            damage = next((words for start, words in REASONS.items() if str(error).startswith(start)), "")
            damage = damage or "has text after a closing quote"
            return Record(first.number, self._split(first.text), damage)

    def _split(self, text: str) -> list[str]:
        """The fields as far as they can be told: a step may belong to the job on a damaged line."""
        return [field.strip(self._quote or None) for field in text.split(self._delimiter)]


def _columns(number: int) -> str:
    return "1 column" if number == 1 else f"{number} columns"

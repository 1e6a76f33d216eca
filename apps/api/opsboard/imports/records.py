"""The records of a CSV file: read with bounded memory, each with its line, damaged ones included.

COPY ends at the first line it cannot take and names only that one. Here a damaged line becomes a record that
says what is wrong with it, and reading goes on with the next line.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import BinaryIO

from opsboard.imports.file_mapping import File
from opsboard.imports.leftovers import SEPARATOR, Record, is_blank, without_leftovers
from opsboard.imports.lines import LONGEST_LINE, Line, Lines
from opsboard.imports.misreading import Misreading
from opsboard.imports.transcoding import by_mark
from opsboard.text import normal_form

# Messages of the csv module, rewritten for the author of the file.
REASONS = {
    "unexpected end of data": "a quote is opened and never closed",
    "field larger than field limit": "a quote is opened and not closed for more than 131,072 characters",
    "new-line character seen": "has a carriage return in the middle",
}


class Records:
    """Goes through the records of one file; the names of its columns are known from the beginning."""

    def __init__(
        self, stream: BinaryIO, file: File, advance: Callable[[int], None] = lambda read: None
    ) -> None:
        self._lines = Lines(*by_mark(stream, file.encoding), advance)
        self._delimiter = file.delimiter
        self._quote = file.quote
        self._totals = file.totals
        # None for columns: the file is empty, or its first line is damaged, which `header` then is.
        self.header: Record | None = None
        for _ in range(file.skip):
            next(self._lines, None)
        if not file.skip:
            self._skip_separator(file)
        self.columns = None if self.header else file.columns or self._read_header()

    @property
    def undecodable(self) -> bytes:
        return self._lines.undecodable

    @property
    def misreading(self) -> Misreading:
        return self._lines.misreading

    def __iter__(self) -> Iterator[Record]:
        """Every record after the header; blank lines are none."""
        if self.columns is not None:
            yield from without_leftovers(self._read(), self.columns, self._totals)

    def _read(self) -> Iterator[Record]:
        for line in self._lines:
            if line.text or line.damage:
                yield self._record(line)

    def _skip_separator(self, file: File) -> None:
        """Pass over Excel's `sep=;`, which says the delimiter where the mapping does not."""
        line = next(self._lines, None)
        if line is None:
            return
        told = SEPARATOR.fullmatch(line.text)
        if not told:
            self._lines.give_back([line])
        elif "delimiter" not in file.model_fields_set:
            self._delimiter = told[1]
        elif told[1] != file.delimiter:
            damage = f"says that the delimiter is {told[1]}, and the mapping that it is {file.delimiter}"
            self.header = Record(line.number, [], damage)

    def _read_header(self) -> list[str] | None:
        for record in self._read():
            if record.damage or not is_blank(record.fields):
                self.header = record
                return None if record.damage else [normal_form(name) for name in record.fields]
        return None

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

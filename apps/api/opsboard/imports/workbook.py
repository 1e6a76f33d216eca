"""The records of a sheet of an Excel workbook, read row by row with openpyxl."""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO

from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from opsboard.imports.file_mapping import File
from opsboard.imports.leftovers import Record, is_blank, without_leftovers
from opsboard.imports.misreading import Misreading
from opsboard.imports.opening import CannotOpen
from opsboard.text import normal_form

# The first bytes of old workbooks and of new ones with a password.
COMPOUND_FILE = b"\xd0\xcf\x11\xe0"


class Sheet:
    """Goes through the rows of one sheet. Its dates are in the ISO form, its numbers with the mark of the mapping."""

    undecodable = b""
    misreading = Misreading("utf-8")

    def __init__(
        self, stream: BinaryIO, file: File, advance: Callable[[int], None] = lambda read: None
    ) -> None:
        self._decimal = file.decimal or "."
        self._totals = file.totals
        # The size of its rows in the archive is not known: all of them count as the first does.
        advance(1)
        self._rows = enumerate(self._open(stream, file), 1)
        for _ in range(file.skip):
            next(self._rows, None)
        self.header: Record | None = None
        self.columns = file.columns or self._read_header()

    def __iter__(self) -> Iterator[Record]:
        if self.columns is None:
            return
        yield from without_leftovers(self._records(len(self.columns)), self.columns, self._totals)

    def _open(self, stream: BinaryIO, file: File) -> Iterator[tuple[Any, ...]]:
        workbook = _workbook(stream)
        if file.sheet and file.sheet not in workbook.sheetnames:
            raise CannotOpen(f"has no sheet {file.sheet}; it has {', '.join(workbook.sheetnames)}")
        sheet = workbook[file.sheet] if file.sheet else workbook.worksheets[0]
        # The size a program noted may be wrong.
        sheet.reset_dimensions()
        return iter(sheet.iter_rows(values_only=True))

    def _read_header(self) -> list[str] | None:
        for number, cells in self._rows:
            fields = [normal_form(self._text(cell)) for cell in cells]
            if not is_blank(fields):
                while not fields[-1]:
                    fields.pop()
                self.header = Record(number, fields)
                return fields
        return None

    def _records(self, width: int) -> Iterator[Record]:
        for number, cells in self._rows:
            fields = [self._text(cell) for cell in cells]
            # A row has as many cells as were ever touched.
            while len(fields) > width and not fields[-1]:
                fields.pop()
            yield Record(number, fields + [""] * (width - len(fields)))

    def _text(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return _number(value).replace(".", self._decimal)
        if isinstance(value, dt.datetime):
            value = (value + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
            return value.isoformat(" ").removesuffix(" 00:00:00")
        if isinstance(value, dt.timedelta):
            seconds = round(value.total_seconds())
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return str(value)


def _number(value: float) -> str:
    """Without an exponent; a spreadsheet has no whole numbers of another kind."""
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def _workbook(stream: BinaryIO) -> Workbook:
    if stream.read(4) == COMPOUND_FILE:
        raise CannotOpen("is an old workbook or locked with a password; save it as .xlsx without one")
    stream.seek(0)
    try:
        with warnings.catch_warnings():
            # Of styles and extensions that mean nothing here.
            warnings.simplefilter("ignore")
            return load_workbook(stream, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise CannotOpen(f"is no workbook that can be read: {error}") from error


def sheet_names(stream: BinaryIO) -> list[str]:
    """The names of the visible sheets. Raises CannotOpen."""
    return [sheet.title for sheet in _workbook(stream).worksheets if sheet.sheet_state == "visible"]

"""How one file of the mapping is read, and what is to be said of its lines."""

from __future__ import annotations

import codecs
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from opsboard.imports import date_formats
from opsboard.imports.date_formats import TimeFormat
from opsboard.imports.number_formats import NumberFormat
from opsboard.imports.transcoding import WIDE


def _encoding(value: str) -> str:
    # Lines are split before they are decoded, so the bytes of ASCII must mean themselves.
    ascii_text = bytes(range(128)) + b"\\ud800"
    try:
        if ascii_text.decode(value) == ascii_text.decode("ascii"):
            return codecs.lookup(value).name
    except LookupError:
        raise ValueError("is not the name of an encoding; for example utf-8 or cp1252") from None
    except UnicodeError:
        pass
    if codecs.lookup(value).name.startswith(WIDE):
        return codecs.lookup(value).name
    raise ValueError("cannot be read line by line; save the file as utf-8")


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("is not the name of a time zone; for example Europe/Berlin or Etc/GMT-1")
    return value


def _inside_folder(value: str) -> str:
    path = PurePosixPath(value)
    if not path.name or path.is_absolute() or ".." in path.parts:
        raise ValueError("must be the name of a file inside the folder")
    return value


def _lists(where: Any) -> Any:
    """`{ Type = "Main" }` is short for `{ Type = ["Main"] }`."""
    if not isinstance(where, dict):
        return where
    return {column: [texts] if isinstance(texts, str) else texts for column, texts in where.items()}


DateFormat = Annotated[str, AfterValidator(date_formats.check)]
Character = Annotated[str, Field(min_length=1, max_length=1, pattern=r"^[\x01-\x09\x0b\x0c\x0e-\x7f]$")]
# Column -> the texts a row must have there; "" is an empty value, and * stands for anything.
Where = Annotated[dict[str, list[str]], BeforeValidator(_lists)]


# A key that is not known is a fault.
STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)


class Strict(BaseModel):
    """A table of the TOML file."""

    model_config = STRICT


class Remark(Strict):
    """A remark on a file for the user, with the number of lines it applies to."""

    says: Annotated[str, Field(min_length=1, max_length=300)]
    # Absent: all lines.
    where: Where = {}
    # Only lines that have the same in these columns as an earlier one.
    repeated: list[str] = []


class File(Strict):
    """Options for reading one file."""

    path: Annotated[str, AfterValidator(_inside_folder)]
    delimiter: Character = ","
    # Of a workbook; absent: the first.
    sheet: str = ""
    # Empty: no value is ever quoted.
    quote: Character | Literal[""] = '"'
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    # Lines at the beginning that are passed over: a title, or a header that `columns` replaces.
    skip: Annotated[int, Field(ge=0, le=1000)] = 0
    # Absent: the first line has the names.
    columns: Annotated[list[str], Field(min_length=1)] | None = None
    null: list[str] = [""]
    dates: Annotated[list[DateFormat], Field(min_length=1)] = ["iso"]
    # Of times that do not tell their own; absent: that of the business.
    time_zone: Annotated[str, AfterValidator(_time_zone)] | None = None
    # The meaning of a local time that occurs twice in autumn or is skipped in spring.
    repeated_hour: Literal["order", "first", "second", "fault"] = "order"
    missing_hour: Literal["fault", "later"] = "fault"
    # Absent: a point, but 1.250 is a fault then, because it may be a thousand.
    decimal: Literal[".", ","] | None = None
    thousands: Literal["", ",", ".", " ", "'"] = ""
    # Units allowed after a number.
    units: list[Annotated[str, Field(min_length=1)]] = []
    # An apostrophe that a CSV export put before what a spreadsheet would take for a formula is taken off again.
    guards: bool = True
    # Lines of totals that a spreadsheet adds up.
    totals: Literal["fault", "skip", "keep"] = "fault"
    remarks: list[Remark] = []

    @property
    def kind(self) -> Literal["csv", "jsonl", "workbook"]:
        """As the name says it."""
        name = self.path.lower().removesuffix(".gz")
        if name.endswith((".xlsx", ".xlsm")):
            return "workbook"
        return "jsonl" if name.endswith((".jsonl", ".ndjson")) else "csv"

    @property
    def numbers(self) -> NumberFormat:
        return NumberFormat(self.decimal, self.thousands, tuple(self.units))

    @property
    def times(self) -> TimeFormat:
        # Dates of a workbook are no texts, and are handed on in this form.
        formats = dict.fromkeys([*self.dates, *(["iso"] if self.kind == "workbook" else [])])
        return TimeFormat(tuple(formats), self.repeated_hour, self.missing_hour)

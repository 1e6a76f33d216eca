"""The mapping: which file and column each table of the database is filled from."""

from __future__ import annotations

import codecs
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from opsboard.imports import date_formats, templates


def _template(value: str) -> str:
    templates.parse(value)
    return value


def _constant(value: str) -> str:
    if templates.placeholders(value):
        raise ValueError("must be a constant, without a column in braces")
    return value


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
    raise ValueError("cannot be read line by line; save the file as utf-8")


def _inside_folder(value: str) -> str:
    path = PurePosixPath(value)
    if not path.name or path.is_absolute() or ".." in path.parts:
        raise ValueError("must be the name of a file inside the folder")
    return value


Template = Annotated[str, AfterValidator(_template)]
Constant = Annotated[str, AfterValidator(_constant)]
DateFormat = Annotated[str, AfterValidator(date_formats.check)]
Character = Annotated[str, Field(min_length=1, max_length=1, pattern=r"^[\x01-\x09\x0b\x0c\x0e-\x7f]$")]
# Column -> the texts a row must have there; "" is an empty value.
Where = dict[str, list[str]]


class Strict(BaseModel):
    """A table of the TOML file; a key it does not know is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _lists(where: Any) -> Any:
    """`{ Type = "Main" }` is short for `{ Type = ["Main"] }`."""
    if not isinstance(where, dict):
        return where
    return {column: [texts] if isinstance(texts, str) else texts for column, texts in where.items()}


class File(Strict):
    """How one file is to be read."""

    path: Annotated[str, AfterValidator(_inside_folder)]
    delimiter: Character = ","
    # Empty: no value is ever quoted.
    quote: Character | Literal[""] = '"'
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    # Absent: the first line has the names.
    columns: Annotated[list[str], Field(min_length=1)] | None = None
    null: list[str] = [""]
    dates: Annotated[list[DateFormat], Field(min_length=1)] = [
        "%Y-%m-%d",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M:%S.%f",
        "%Y-%m-%dT%H:%M:%S%z",
        "%Y-%m-%dT%H:%M:%S.%f%z",
    ]


class LookUp(Strict):
    """The row of another file whose `key` column equals a text made from this row."""

    file: str
    key: str
    equals: Template
    where: Where = {}
    # A row that is not there: a fault, or empty values.
    optional: bool = False
    # Several rows with the key: a fault, or the first of them.
    pick: Literal["only", "first"] = "only"

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        return (
            {**value, "where": _lists(value["where"])}
            if isinstance(value, dict) and "where" in value
            else value
        )


class Value(Strict):
    """What a column becomes. A bare text in the TOML file is short for `{ value = "..." }`."""

    value: Template | None = None
    # Instead of value: the first of several that is not empty, or all of them with `join` between.
    first_of: Annotated[list[Template], Field(min_length=1)] | None = None
    parts: Annotated[list[Template], Field(min_length=1)] | None = None
    join: str = " "
    # The texts of the file -> ours, first match wins; * stands for anything.
    values: dict[str, Constant] = {}
    # What a text becomes that `values` does not have. Absent: it is a fault.
    otherwise: Constant | None = None
    # What an empty value becomes.
    default: Constant | None = None
    dates: Annotated[list[DateFormat], Field(min_length=1)] | None = None
    # The value holds only in these statuses; in others it is `until_then`.
    when_status: list[str] = []
    until_then: Constant | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"value": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_source(self) -> Value:
        given = [name for name in ("value", "first_of", "parts") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("needs one of value, first_of and parts")
        for name, partner in (("join", "parts"), ("otherwise", "values"), ("until_then", "when_status")):
            if name in self.model_fields_set and not getattr(self, partner):
                raise ValueError(f"has {name} without {partner}")
        return self

    @property
    def sources(self) -> list[str]:
        """The templates it is made from."""
        return [self.value] if self.value is not None else (self.first_of or self.parts or [])


class Stage(Strict):
    """A status, and the column with the time since which it holds."""

    status: str
    since: str | None = None


class Table(Strict):
    """One table of the database and where its rows come from."""

    file: str
    # The key the rows have outside: a second run finds them by it.
    external_id: Template
    where: Where = {}
    # One row for each different outcome, instead of one for each line.
    distinct: bool = False
    lookups: dict[str, LookUp] = {}
    columns: dict[str, Value]
    # Parent -> its outside key.
    parents: dict[str, Template] = {}
    # Status by dates: the last one whose time has come.
    stages: list[Stage] = []

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        return (
            {**value, "where": _lists(value["where"])}
            if isinstance(value, dict) and "where" in value
            else value
        )

    def resolve(self, name: str) -> tuple[str | None, str]:
        """The look-up (None: the table's own file) and the column a placeholder means."""
        lookup, dot, column = name.partition(".")
        return (lookup, column) if dot and lookup in self.lookups else (None, name)

    @property
    def templates(self) -> dict[str, str]:
        """Every template with its path inside the table."""
        found = {"external_id": self.external_id}
        found |= {f"lookups.{name}.equals": lookup.equals for name, lookup in self.lookups.items()}
        for name, value in self.columns.items():
            found |= {f"columns.{name}" + f"[{i}]" * (i > 0): text for i, text in enumerate(value.sources)}
        found |= {f"parents.{name}": text for name, text in self.parents.items()}
        return found


class Mapping(Strict):
    """A whole mapping file."""

    files: Annotated[dict[str, File], Field(min_length=1)]
    tables: Annotated[dict[str, Table], Field(min_length=1)]

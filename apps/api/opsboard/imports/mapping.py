"""The mapping: which file and column each table of the database is filled from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from opsboard.imports import templates
from opsboard.imports.file_mapping import STRICT, DateFormat, File, Where


def _template(value: str) -> str:
    templates.parse(value)
    return value


def _constant(value: str) -> str:
    if templates.placeholders(value):
        raise ValueError("must be a constant, without a column in braces")
    return value


Template = Annotated[str, AfterValidator(_template)]
Constant = Annotated[str, AfterValidator(_constant)]
# Old text -> new text.
Difference = Annotated[list[Template], Field(min_length=2, max_length=2)]


# jsonb_build_object takes a hundred arguments.
MOST_MEMBERS = 50
MemberName = Annotated[str, Field(min_length=1, max_length=100)]


class Strict(BaseModel):
    """A table of the TOML file."""

    model_config = STRICT


class LookUp(Strict):
    """The line of another file whose `key` column equals a text made from this row.

    Or a neighbour in the same file: the nearest line before or after this one for which `equals` is the same.
    """

    file: str
    key: str = ""
    equals: Template
    where: Where = {}
    where_not: Where = {}
    # A row that is not there: a fault, or empty values.
    optional: bool = False
    # Several rows with the key: a fault, or the first of them.
    pick: Literal["only", "first", "last", "previous", "next"] = "only"

    @model_validator(mode="after")
    def _has_key(self) -> LookUp:
        if self.is_neighbour == bool(self.key):
            raise ValueError("needs a key, unless it picks the previous or the next line, which has none")
        return self

    @property
    def is_neighbour(self) -> bool:
        return self.pick in ("previous", "next")

    @property
    def is_optional(self) -> bool:
        """The first line has none before it."""
        return self.optional or self.is_neighbour


OVER_LINES = ("max", "min", "sum", "count")


class Value(Strict):
    """The value of a column. A bare text in the TOML file is short for `{ value = "..." }`."""

    value: Template | None = None
    # Instead of value: the first of several that is not empty, or all of them with `join` between.
    first_of: Annotated[list[Template], Field(min_length=1)] | None = None
    parts: Annotated[list[Template], Field(min_length=1)] | None = None
    join: str = " "
    # Instead of value, of a column of changes: member -> what it was and what it is; equal ones are left out.
    differences: Annotated[dict[str, Difference], Field(min_length=1)] | None = None
    # Instead of value, of own fields: the name of each and its text; empty ones are left out.
    members: Annotated[dict[MemberName, Template], Field(min_length=1, max_length=MOST_MEMBERS)] | None = None
    # Instead of value, over all lines of the row's key: the largest, the smallest, the sum, the number of values.
    max: Template | None = None
    min: Template | None = None
    sum: Template | None = None
    count: Template | None = None
    # Added to a time: "14 days", "{Minutes} minutes".
    plus: Template | None = None
    # The texts of the file -> ours, first match wins; * stands for anything.
    values: dict[str, Constant] = {}
    # The value for texts that `values` does not list. Absent: such a text is a fault.
    otherwise: Constant | None = None
    # The value for an empty text.
    default: Constant | None = None
    # A number is multiplied by this and rounded: hours become minutes with 60.
    times: Annotated[float, Field(gt=0, le=1e6, strict=False)] | None = None
    # Other formats than those of the file.
    dates: Annotated[list[DateFormat], Field(min_length=1)] | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Literal["", ",", ".", " ", "'"] | None = None
    units: list[Annotated[str, Field(min_length=1)]] | None = None
    # Only new rows get the value; what a stored row has is left to those who work with it.
    once: bool = False
    # The value holds only in these statuses; in others it is `until_then`.
    when_status: list[str] = []
    until_then: Constant | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"value": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_source(self) -> Value:
        ways = ("value", "first_of", "parts", "differences", "members", *OVER_LINES)
        if [getattr(self, name) is not None for name in ways].count(True) != 1:
            raise ValueError(f"needs one of {', '.join(ways[:-1])} and {ways[-1]}")
        for name, partner in (("join", "parts"), ("otherwise", "values"), ("until_then", "when_status")):
            if name in self.model_fields_set and not getattr(self, partner):
                raise ValueError(f"has {name} without {partner}")
        return self

    @property
    def sources(self) -> list[str]:
        """The templates it is made from."""
        if self.differences is not None:
            return [text for both in self.differences.values() for text in both]
        if self.members is not None:
            return list(self.members.values())
        own = self.over_lines[1] if self.over_lines else self.value
        return ([own] if own is not None else self.first_of or self.parts or []) + (
            [self.plus] if self.plus else []
        )

    @property
    def over_lines(self) -> tuple[str, str] | None:
        """The aggregate over all lines of a key, and its text."""
        return next(((way, text) for way in OVER_LINES if (text := getattr(self, way)) is not None), None)


class Stage(Strict):
    """A status, and the column with the time since which it holds."""

    status: str
    since: str | None = None


class Table(Strict):
    """One table of the database and where its rows come from."""

    # The table of the database, where it has another name here: one that is filled from several files.
    table: str = ""
    file: str
    # The key the rows have outside: a second run finds them by it.
    external_id: Template
    where: Where = {}
    # And not with these.
    where_not: Where = {}
    # Lines are numbered among those that have the same here: {#n}. Absent: the same external_id.
    numbered_by: Template | None = None
    # A row for each of these columns that is not empty: {#each} is its value, {#column} its name.
    each: list[str] = []
    # A row for each item of the array of JSON in this column: {#item.name} is a member of it.
    items: str = ""
    # One row for each different outcome, or of each key the first, instead of one for each line.
    distinct: bool | Literal["first", "last"] = False
    lookups: dict[str, LookUp] = {}
    columns: dict[str, Value]
    # Parent -> its outside key.
    parents: dict[str, Template] = {}
    # With --as-of, rows that were created after the day: not there yet, or kept as they are.
    later: Literal["leave_out", "keep"] = "leave_out"
    # Status by dates: the last one whose time has come.
    stages: list[Stage] = []

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
        if self.numbered_by:
            found["numbered_by"] = self.numbered_by
        return found


class ImportMapping(Strict):
    """A whole mapping file."""

    files: Annotated[dict[str, File], Field(min_length=1)]
    tables: Annotated[dict[str, Table], Field(min_length=1)]

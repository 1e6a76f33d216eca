"""A table that an import may fill: its columns, rules for values, parents and keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from opsboard.text import LONGEST_EMAIL

# seconds: an integer that a file may write as hh:mm:ss. changes: members with what they were and what they are.
# members: names with a text each.
Kind = Literal["text", "integer", "seconds", "boolean", "date", "timestamp", "changes", "members"]

LARGEST_INTEGER = 2**31 - 1
# An outside key is part of an index entry, which Postgres limits to about 2,700 bytes.
LONGEST_EXTERNAL_ID = 200
# Of all own fields of a record, with their names.
LONGEST_MEMBERS = 20_000


@dataclass(frozen=True)
class Column:
    """One column and the values it takes."""

    name: str
    kind: Kind = "text"
    # Must the mapping give it? May a row leave it empty?
    required: bool = False
    nullable: bool = True
    longest: int | None = None
    least: int = -LARGEST_INTEGER - 1
    most: int = LARGEST_INTEGER
    one_of: tuple[str, ...] = ()
    # Of text: a check of opsboard/text.py that every value must pass.
    address: Literal["email", "recipient"] | None = None


@dataclass(frozen=True)
class Parent:
    """A column that points to a row of another table, found by that row's outside key."""

    name: str
    table: str
    required: bool = False
    # The column, if it is not <name>_id.
    stored_in: str = ""

    @property
    def column(self) -> str:
        """The column that holds the parent's id."""
        return self.stored_in or f"{self.name}_id"


@dataclass(frozen=True)
class Unique:
    """Columns and parents that no two rows of a tenant share."""

    names: tuple[str, ...]
    # If the table compares another column than the given one: given column -> (stored column, how it is made).
    folded: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """One table of the database that rows are imported into."""

    table: str
    singular: str
    columns: tuple[Column, ...]
    parents: tuple[Parent, ...] = ()
    uniques: tuple[Unique, ...] = ()
    # The column by which a stored row is found again: the outside key, or the parent of which it is the only row.
    key: str = "external_id"
    # Of a table without a unique outside key: the column that is part of every unique key it has.
    cut_by: str = ""
    # Times that never come before one another.
    in_order: tuple[tuple[str, ...], ...] = ()
    # Rows are added and never changed.
    is_history: bool = False

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def parent(self, name: str) -> Parent:
        return next(parent for parent in self.parents if parent.name == name)


def text(
    name: str, longest: int, *, required: bool = False, nullable: bool = True, one_of: tuple[str, ...] = ()
) -> Column:
    return Column(name, "text", required, nullable and not required, longest, one_of=one_of)


def email(*, required: bool = False) -> Column:
    return Column("email", required=required, nullable=not required, longest=LONGEST_EMAIL, address="email")


def timestamp(name: str, *, nullable: bool = True) -> Column:
    return Column(name, "timestamp", nullable=nullable)


CREATED_AT = timestamp("created_at", nullable=False)
# Further facts of a business about a record that no other column holds.
OWN_FIELDS = Column("own_fields", "members", nullable=False)

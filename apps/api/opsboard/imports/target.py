"""A table that an import may fill: its columns, rules for values, parents and keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from opsboard.text import LONGEST_EMAIL

# seconds: an integer that a file may write as hh:mm:ss. changes: members with what they were and what they are.
# members: names with a text each. time: of a day, 24:00 too.
Kind = Literal["text", "integer", "seconds", "boolean", "date", "time", "timestamp", "changes", "members"]

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
    # Only among rows that have not ended.
    while_open: bool = False


@dataclass(frozen=True)
class Contradiction:
    """Values of one row that the table refuses together."""

    # The constraint of the table.
    name: str
    # When it is broken, with columns in braces.
    broken: str
    # The column that is named, and what is wrong with it.
    column: str
    reason: str


@dataclass(frozen=True)
class Overlap:
    """A time that at most one row of an owner has."""

    # The parent whose rows are compared; rows without it are compared with each other.
    owner: str
    # The time as a multirange, with columns in braces; null where a column has a fault.
    span: str
    # The column that is named.
    column: str


@dataclass(frozen=True)
class Ending:
    """The time a row ends, and what is known of it only from then on."""

    column: str
    # Pieces, which are none until then.
    numbers: tuple[str, ...] = ()
    # Texts, which are empty until then.
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """One table of the database that rows are imported into."""

    table: str
    singular: str
    columns: tuple[Column, ...]
    parents: tuple[Parent, ...] = ()
    uniques: tuple[Unique, ...] = ()
    # The columns by which a stored row is found again: the outside key, or what no two rows share.
    key: tuple[str, ...] = ("external_id",)
    # Of a table without a unique outside key: the column that is part of every unique key it has.
    cut_by: str = ""
    # Times that never come before one another.
    in_order: tuple[tuple[str, ...], ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    overlap: Overlap | None = None
    # Of a row that is open until it ends, and the column with its begin.
    ends: Ending | None = None
    begins: str = ""
    # Rows are added and never changed.
    is_history: bool = False

    @property
    def has_own_key(self) -> bool:
        """Return True if its rows keep their outside key."""
        return self.key == ("external_id",)

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


def never_before(constraint: str, earlier: str, later: str) -> Contradiction:
    """A time that the table refuses before another one."""
    return Contradiction(constraint, f"{{{later}}} < {{{earlier}}}", later, f"is before {earlier}")


def timestamp(name: str, *, nullable: bool = True) -> Column:
    return Column(name, "timestamp", nullable=nullable)


CREATED_AT = timestamp("created_at", nullable=False)
# Further facts of a business about a record that no other column holds.
OWN_FIELDS = Column("own_fields", "members", nullable=False)

"""docs/features.md made of docs/features.toml: `python -m tests.capabilities docs/features.md` after a change."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.reference import ROOT

SOURCE = ROOT / "docs" / "features.toml"
ANSWERED = ("yes", "in part", "no")
# Number of the first and the last of each part.
PARTS = {
    "Lists": (57, 66),
    "The business": (67, 101),
    "Indexes": (102, 105),
    "Access": (106, 108),
    "Search and history": (109, 111),
    "Production": (120, 124),
    "Webhooks and mail": (130, 131),
    "Records": (140, 142),
    "The shift": (150, 154),
    "Operation": (160, 160),
}
INTRODUCTION = """# What it can do, and where

One row for each capability: the endpoints that answer it, the queries in `queries.sql`, the indexes that these queries
use, and the tests that show it. Where something is answered in part or not at all, the row says so. Tests look
everything up: endpoints in the route map, queries by their names, indexes in a migrated database (and that the
migration names one of the row's queries), tests in their files.

Made of `docs/features.toml` by `python -m tests.capabilities docs/features.md`.
"""
HEAD = "| | capability | answered | endpoints | queries | indexes | tests |\n|---|---|---|---|---|---|---|\n"


@dataclass(frozen=True)
class Capability:
    """One row; `note` says what is missing or otherwise worth knowing."""

    number: int
    what: str
    answered: str
    endpoints: Sequence[str]
    queries: Sequence[str]
    indexes: Sequence[str]
    tests: Sequence[str]
    note: str = ""

    def __str__(self) -> str:
        answered = f"{self.answered}. {self.note}" if self.note else self.answered
        cells = [code(part) for part in (self.endpoints, self.queries, self.indexes, self.tests)]
        return f"| {self.number} | {self.what} | {answered} | {' | '.join(cells)} |\n"


def code(names: Sequence[str]) -> str:
    return " ".join(f"`{name}`" for name in names)


def capabilities() -> list[Capability]:
    with SOURCE.open("rb") as file:
        return [Capability(**entry) for entry in tomllib.load(file)["capability"]]


def document() -> str:
    rows = capabilities()
    parts = [INTRODUCTION]
    for title, (first, last) in PARTS.items():
        shown = [str(row) for row in rows if first <= row.number <= last]
        parts.append(f"\n## {title}\n\n{HEAD}{''.join(shown)}")
    return "".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")

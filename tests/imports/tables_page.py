"""docs/import-tables.md: `python -m tests.imports.tables_page docs/import-tables.md` after a change of the tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from opsboard.imports.target import LARGEST_INTEGER, Column, Target
from opsboard.imports.targets import TARGETS

INTRODUCTION = """# Tables an import may fill

The columns of each table with their types, limits and words. A column in bold must be in the mapping; one that may be
empty says so. `external_id` is the key that a row has outside, at most 200 characters.
[docs/import.md](import.md) says how a mapping fills them.

Made of `apps/api/opsboard/imports/targets*.py` by `python -m tests.imports.tables_page docs/import-tables.md`.
"""
KINDS = {
    "integer": "whole number",
    "seconds": "seconds, or hh:mm:ss",
    "boolean": "true/false, yes/no, t/f, y/n, on/off or 1/0",
    "date": "date",
    "timestamp": "time",
    "changes": "members with what they were and what they are: `differences`, or an object of JSON",
}


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "".join("".join(_table(target)) for target in TARGETS.values())


def _table(target: Target) -> Iterator[str]:
    yield f"\n## {target.table}\n\n"
    if target.is_history:
        yield "History: a second import adds lines and changes none.\n\n"
    yield "| column | type and limits | empty |\n|---|---|---|\n"
    for column in target.columns:
        name = f"**{column.name}**" if column.required else column.name
        yield f"| {name} | {_values(column)} | {'may be' if column.nullable else 'no'} |\n"
    if target.parents:
        yield "\n| parent | row of | required |\n|---|---|---|\n"
    for parent in target.parents:
        name = f"**{parent.name}**" if parent.required else parent.name
        yield f"| {name} | [{parent.table}](#{parent.table}) | {'yes' if parent.required else 'no'} |\n"
    for unique in target.uniques:
        yield f"\nNo two rows have the same {' and '.join(unique.names)}.\n"


def _values(column: Column) -> str:
    if column.one_of:
        return "one of " + ", ".join(f"`{word}`" for word in column.one_of)
    if column.kind == "text":
        kind = "e-mail address" if column.address == "email" else "address" if column.address else "text"
        return f"{kind}, at most {column.longest:,} characters" if column.longest else kind
    if column.kind in ("integer", "seconds"):
        most = "" if column.most == LARGEST_INTEGER else f" to {column.most:,}"
        least = f", from {column.least:,}" if column.least > -LARGEST_INTEGER else ""
        return f"{KINDS[column.kind]}{least}{most}"
    return KINDS[column.kind]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")

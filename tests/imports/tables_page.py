"""A page for each table an import may fill: `python -m tests.imports.tables_page docs` after a change of the tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from opsboard.imports.guess import words
from opsboard.imports.target import LARGEST_INTEGER, Column, Target
from opsboard.imports.targets import TARGETS

INDEX = """# Tables an import may fill

A page for each table has its columns with their types, limits and words, and a mapping that fills what must be filled.
[import.md](import.md) says how a mapping fills them, [import-cookbook.md](import-cookbook.md) has examples.

Tables are stored in this order, so that a row finds those it belongs to.

| table | must have | belongs to |
|---|---|---|
"""
PAGE = """# {table}

{history}A column in bold must be in the mapping. `external_id` is the key that a row has outside, of at most 200
characters.
[All tables](../import-tables.md)

"""
HISTORY = "History: a second import adds lines and changes none. "
MADE = "\nMade of `apps/api/opsboard/imports/targets*.py` by `python -m tests.imports.tables_page docs`.\n"
KINDS = {
    "integer": "whole number",
    "seconds": "seconds, or hh:mm:ss",
    "time": "time of a day, as 06:00; 24:00 too",
    "boolean": "true/false, yes/no, t/f, y/n, on/off or 1/0",
    "date": "date",
    "timestamp": "time",
    "members": "up to 50 names with a text each: `members`, or an object of JSON; at most 20,000 characters",
    "changes": "members with what they were and what they are: `differences`, or an object of JSON",
}
MOST_PHRASES = 12


def pages() -> dict[str, str]:
    """Each page with its path inside docs."""
    index = INDEX + "".join(map(_entry, TARGETS.values())) + MADE
    return {"import-tables.md": index} | {
        f"import-tables/{target.table}.md": page(target) for target in TARGETS.values()
    }


def page(target: Target) -> str:
    """The page of one table."""
    return (
        PAGE.format(table=target.table, history=HISTORY * target.is_history) + "".join(_table(target)) + MADE
    )


def smallest_mapping(target: Target) -> str:
    """A mapping with what must be in it."""
    lines = [
        "[files.f]",
        'path = "file.csv"',
        "",
        f"[tables.{target.table}]",
        'file = "f"',
        'external_id = "{Key}"',
    ]
    parents = [parent for parent in target.parents if parent.required]
    if parents:
        lines += [f"[tables.{target.table}.parents]"]
        lines += [f'{parent.name} = "{{Key of {parent.name}}}"' for parent in parents]
    lines += [f"[tables.{target.table}.columns]"]
    for column in target.columns:
        if column.required and column.kind == "changes":
            lines.append(f'{column.name}.differences = {{ name = ["{{Before}}", "{{After}}"] }}')
        elif column.required:
            lines.append(f'{column.name} = "{{{column.name.replace("_", " ").capitalize()}}}"')
    return "\n".join(lines) + "\n"


def _entry(target: Target) -> str:
    must = [column.name for column in target.columns if column.required]
    belongs = [f"**{parent.name}**" if parent.required else parent.name for parent in target.parents]
    link = f"[{target.table}](import-tables/{target.table}.md)"
    return f"| {link} | {', '.join(must) or 'nothing'} | {', '.join(belongs) or ''} |\n"


def _table(target: Target) -> Iterator[str]:
    phrases = words.COLUMNS.get(target.table, {})
    yield "| column | type and limits | empty | names that `--guess` knows |\n|---|---|---|---|\n"
    for column in target.columns:
        name = f"**{column.name}**" if column.required else column.name
        known = _phrases(phrases.get(column.name, ""))
        yield f"| {name} | {_values(column)} | {'may be' if column.nullable else 'no'} | {known} |\n"
    if target.parents:
        yield "\n| parent | row of | required |\n|---|---|---|\n"
    for parent in target.parents:
        name = f"**{parent.name}**" if parent.required else parent.name
        yield f"| {name} | [{parent.table}]({parent.table}.md) | {'yes' if parent.required else 'no'} |\n"
    for unique in target.uniques:
        yield f"\nNo two rows have the same {' and '.join(unique.names)}.\n"
    yield f"\nThe least that a mapping must say:\n\n```toml\n{smallest_mapping(target)}```\n"


def _phrases(phrases: str) -> str:
    names = list(dict.fromkeys(phrase.replace("-", " ") for phrase in phrases.split()))
    return ", ".join(names[:MOST_PHRASES]) + ", ..." * (len(names) > MOST_PHRASES)


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
    for name, text in pages().items():
        path = Path(sys.argv[1], name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

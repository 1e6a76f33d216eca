"""The mapping as a TOML text, with comments where it is not sure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opsboard.imports.guess.columns import Given
from opsboard.imports.guess.files import SeenFile
from opsboard.imports.guess.tables import Part

WIDTH = 110
BARE = re.compile(r"[A-Za-z0-9_-]+")
MOST_NAMED = 40


def written(parts: Iterable[Part], unused: Mapping[str, str], notes: Iterable[str]) -> str:
    """The whole text; `unused` says why each file that fills nothing does not."""
    parts = list(parts)
    used = {part.seen.name for part in parts} | {name for part in parts for name in part.lookups}
    lines = [
        "# A guess of `opsboard import --guess`: read what is said to be unsure, then try it without storing anything:",
        "#   opsboard import FOLDER --mapping this-file.toml --tenant SLUG --dry-run",
        "# Columns that are not used can be kept as own fields of a record: own_fields.members in docs/import.md.",
        *(f"# {note}" for note in notes),
        *(f"# {path}: {why}" for path, why in unused.items()),
    ]
    files = {part.seen.name: part.seen for part in parts}
    for part in parts:
        for name in part.lookups:
            files.setdefault(name, part.lookup_files[name])
    for name, seen in files.items():
        if name in used:
            lines += ["", *_file(seen, parts)]
    for part in parts:
        lines += ["", *_part(part)]
    return "\n".join(lines) + "\n"


def _file(seen: SeenFile, parts: list[Part]) -> Iterator[str]:
    yield from (f"# {note}" for note in seen.notes)
    yield f"[files.{_key(seen.name)}]"
    for name, value in seen.settings.items():
        yield from _setting(name, value)
    named = set(re.findall(r"\{([^{}]+)\}", " ".join(line for part in parts for line in _part(part))))
    others = [
        one.name
        for one in seen.columns
        if one.name and one.name not in named and f"{seen.name}.{one.name}" not in named and one.filled
    ]
    if others:
        shown = ", ".join(others[:MOST_NAMED]) + ", ..." * (len(others) > MOST_NAMED)
        yield from _wrapped(f"not used: {shown}")


def _part(part: Part) -> Iterator[str]:
    yield from (f"# {note}" for note in part.notes)
    name = _key(part.name)
    yield f"[tables.{name}]"
    if part.name != part.table:
        yield f"table = {_toml(part.table)}"
    yield f"file = {_toml(part.seen.name)}"
    yield f"external_id = {_toml(part.external_id)}"
    if part.each:
        yield f"each = {_toml(part.each)}"
    if part.items:
        yield f"items = {_toml(part.items)}"
    if part.where:
        yield f"where = {_toml(part.where)}"
    if part.numbered_by:
        yield f"numbered_by = {_toml(part.numbered_by)}"
    if part.distinct:
        yield f"distinct = {_toml(part.distinct)}"
    if part.stages:
        yield "stages = ["
        yield from (f"    {_toml(stage)}," for stage in part.stages)
        yield "]"
    for lookup, settings in part.lookups.items():
        yield f"[tables.{name}.lookups.{_key(lookup)}]"
        for setting, value in settings.items():
            yield from _setting(setting, value)
    if part.parents:
        yield f"[tables.{name}.parents]"
        for parent, given in part.parents.items():
            yield from _given(parent, given)
    yield f"[tables.{name}.columns]"
    for column, given in part.columns.items():
        if not _is_long(column, given):
            yield from _given(column, given)
    for column, given in part.columns.items():
        if _is_long(column, given):
            yield from _long(f"tables.{name}.columns.{_key(column)}", given)


def _is_long(name: str, given: Given) -> bool:
    return isinstance(given.value, dict) and not given.is_off and len(_toml(given.value)) + len(name) > WIDTH


def _long(path: str, given: Given) -> Iterator[str]:
    """A column as a table of its own, with a line for each word."""
    yield from _wrapped(given.note) if given.note else ()
    yield f"[{path}]"
    for name, value in given.value.items():
        if not isinstance(value, dict):
            yield from _setting(name, value)
    for name, value in given.value.items():
        if isinstance(value, dict):
            yield f"[{path}.{name}]"
            for word, meaning in value.items():
                yield f"{_key(word)} = {_toml(meaning)}"


def _given(name: str, given: Given) -> Iterator[str]:
    line = f"{_key(name)} = {_toml(given.value)}"
    if given.is_off:
        line = f"# {line}"
    if not given.note:
        yield line
    elif len(line) + len(given.note) + 5 <= WIDTH:
        yield f"{line}  # {_plain(given.note)}"
    else:
        yield f"# {_plain(given.note)}:"
        yield line


def _setting(name: str, value: Any) -> Iterator[str]:
    line = f"{name} = {_toml(value)}"
    if len(line) <= WIDTH or not isinstance(value, list):
        yield line
        return
    yield f"{name} = ["
    row = "   "
    for item in value:
        text = f" {_toml(item)},"
        if len(row) + len(text) > WIDTH:
            yield row
            row = "   "
        row += text
    yield row
    yield "]"


def _toml(value: Any) -> str:
    """A value on one line. Texts of JSON are those of TOML but for the last character of ASCII."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(name)} = {_toml(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _toml(name)


def _plain(note: str) -> str:
    return "".join(character if character.isprintable() else " " for character in note)


def _wrapped(text: str) -> Iterator[str]:
    row = "#"
    for word in _plain(text).split(" "):
        if len(row) + len(word) + 1 > WIDTH:
            yield row
            row = "#  "
        row += f" {word}"
    yield row

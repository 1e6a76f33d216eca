"""Finds out how a file is read: its encoding, delimiter, quotes, title lines and header."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from opsboard.imports.encodings import encoding_of
from opsboard.imports.file_mapping import File
from opsboard.imports.guess.dates import ISO, SMALL_FIRST
from opsboard.imports.guess.facts import EMAIL, PLAIN
from opsboard.imports.leftovers import SEPARATOR, is_blank
from opsboard.imports.lines import Line, Lines
from opsboard.imports.opening import open_file
from opsboard.imports.readers import open_records
from opsboard.imports.transcoding import by_mark

DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 300  # lines, to tell delimiter and header
MOST_COLUMNS = 999
LATER_LINES = 200_000  # in which one that is not in the encoding may be
CODE = re.compile(r"[0-9a-fA-F-]{16,}|[A-Za-z]{0,4}[-_]?[0-9]{3,}")


def settings_of(path: Path, name: str, sheet: str = "") -> tuple[dict[str, Any], list[str]]:
    """The keys of `[files.*]` for one file, or for a sheet of a workbook, and what is not sure of them.

    Raises CannotOpen.
    """
    settings: dict[str, Any] = {"path": name}
    notes: list[str] = []
    kind = File.model_validate(settings).kind
    if kind == "workbook":
        settings |= {"sheet": sheet} if sheet else {}
        return settings | _header(_rows(path, settings), notes), notes
    settings |= _encoding(path, notes)
    if kind == "jsonl":
        return settings, notes
    lines = _first_lines(path, settings.get("encoding", "utf-8"))
    settings |= _delimiter([line.text for line in lines])
    return settings | _header(_rows(path, settings), notes), notes


def _first_lines(path: Path, encoding: str) -> list[Line]:
    with ExitStack() as stack:
        stream, _ = open_file(path, stack)
        return list(islice(Lines(*by_mark(stream, encoding), lambda read: None), LOOKED_AT))


def _encoding(path: Path, notes: list[str]) -> dict[str, Any]:
    with ExitStack() as stack:
        stream, _ = open_file(path, stack)
        lines = Lines(*by_mark(stream, "utf-8"), lambda read: None)
        for _ in islice(lines, LATER_LINES):
            if len(lines.undecodable) > 1 << 13:
                break
        sample = lines.undecodable
    if not sample:
        return {}
    found = encoding_of(sample)
    notes.append(
        f"encoding: {found}, from letters that are not ASCII"
        if found
        else "encoding: none is known that fits"
    )
    return {"encoding": found or "cp1252"}


def _delimiter(texts: list[str]) -> dict[str, Any]:
    """The delimiter that cuts most lines into the same number of columns, and whether values are quoted."""
    texts = [text for text in texts if text.strip()]
    if texts and (told := SEPARATOR.fullmatch(texts[0])):
        return {"delimiter": told[1]}
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(texts, delimiter=delimiter) if not is_blank(row))
        width, lines = max(
            ((w, n) for w, n in widths.items() if w > 1), key=lambda one: one[1], default=(0, 0)
        )
        score = lines / max(1, sum(widths.values())) + min(width, 50) / 1000
        if width and score > best_score:
            best, best_score = delimiter, score
    found: dict[str, Any] = {} if best == "," else {"delimiter": best}
    inside = f'(^|{re.escape(best)})"'
    if not any(re.search(inside, text) for text in texts):
        # A mark of inches at the beginning of a value further on would else open one that never ends.
        found |= {"quote": ""} if best == "\t" or any('"' in text for text in texts) else {}
    return found


def _rows(path: Path, settings: dict[str, Any]) -> list[tuple[int, list[str]]]:
    """The first records, also those of a title, with their lines."""
    with ExitStack() as stack:
        stream, _ = open_file(path, stack)
        # As many columns as there may be, so that neither titles nor records are damaged for their width.
        file = File.model_validate(
            settings | {"columns": [f"c{n}" for n in range(MOST_COLUMNS)], "totals": "keep"}
        )
        records = open_records(stream, file, lambda read: None)
        return [(one.line, one.fields) for one in islice(records, LOOKED_AT)]


def _without_tail(fields: list[str]) -> list[str]:
    end = len(fields)
    while end and not fields[end - 1].strip():
        end -= 1
    return fields[:end]


def _header(rows: Sequence[tuple[int, list[str]]], notes: list[str]) -> dict[str, Any]:
    """`skip` and `columns`, where the header is not simply the first line."""
    if not rows:
        return {}
    # A sheet is as wide as its values, and a CSV file as its delimiters say.
    is_sheet = all(len(fields) == MOST_COLUMNS for _, fields in rows)
    rows = [(line, _without_tail(fields)) for line, fields in rows] if is_sheet else rows
    widest = max(len(fields) for _, fields in rows)
    rows = [(line, _without_tail(fields)) for line, fields in rows]
    width = Counter(len(fields) for _, fields in rows).most_common(1)[0][0]
    first = next(
        (at for at, (_, fields) in enumerate(rows) if sum(map(bool, fields)) > max(1, width // 2)), 0
    )
    line, names = rows[first]
    following = rows[first + 1 :]
    if joined := _two_lines(names, following):
        notes.append("the header is on two lines, which are joined here")
        return {"skip": following[0][0], "columns": _different(joined + [""] * (widest - len(joined)))}
    if not _is_header(names, [fields for _, fields in following]):
        notes.append("no header: the first line has values; give the columns their names")
        named = [f"c{number}" for number in range(1, widest + 1)]
        return {"skip": line - 1, "columns": named} if line > 1 else {"columns": named}
    names = [name.strip() for name in names]
    if len(set(names)) == len(names) and all(names):
        if line > 1:
            notes.append(f"the header is on line {line}")
        return {"skip": line - 1} if line > 1 and any(fields for _, fields in rows[:first]) else {}
    notes.append("the header has a name twice, or none: the columns are named here")
    end = following[0][0] - 1 if following else line
    return {"skip": end, "columns": _different(names + [""] * (widest - len(names)))}


def _two_lines(upper: list[str], following: list[tuple[int, list[str]]]) -> list[str]:
    """The names of a header on two lines, whose upper one spans columns; none when it is on one."""
    if len(following) < 2:
        return []
    lower = following[0][1]
    gaps = [at for at, name in enumerate(lower) if name and (at >= len(upper) or not upper[at])]
    values = [fields for _, fields in following[1:]]
    if not gaps or sum(map(bool, lower)) <= len(lower) // 2 or not _is_header(lower, values):
        return []
    if not any(_is_value(text) for fields in values for text in fields):
        return []
    names, group = [], ""
    for at in range(max(len(upper), len(lower))):
        above = upper[at] if at < len(upper) else ""
        below = lower[at] if at < len(lower) else ""
        group = above or group
        names.append(f"{group} {below}".strip() if below else above)
    return names


def _is_header(names: list[str], following: list[list[str]]) -> bool:
    """Return True if the first row names columns: no value is a number, a date, an address or a code."""
    texts = [name.strip() for name in names if name.strip()]
    if not texts:
        return False
    if any(_is_value(text) for text in texts):
        return False
    # A row of words only, as a file of words without a header has: some of them come again.
    again = sum(
        any(text in fields[at : at + 1] for fields in following) for at, text in enumerate(names) if text
    )
    return again <= len(texts) // 3


def _is_value(text: str) -> bool:
    return any(pattern.fullmatch(text) for pattern in (PLAIN, ISO, SMALL_FIRST, EMAIL, CODE))


def _different(names: list[str]) -> list[str]:
    """The names, made different from each other."""
    found: list[str] = []
    for number, name in enumerate(names, 1):
        new = name or f"c{number}"
        count = 2
        while new in found:
            new = f"{name or f'c{number}'}_{count}"
            count += 1
        found.append(new)
    return found

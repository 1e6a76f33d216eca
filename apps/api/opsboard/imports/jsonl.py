"""The records of a file of JSON lines: one object in each line, its members the columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, BinaryIO

from opsboard.imports.file_mapping import File
from opsboard.imports.leftovers import Record
from opsboard.imports.lines import Line, Lines
from opsboard.imports.misreading import Misreading
from opsboard.imports.transcoding import by_mark
from opsboard.text import normal_form
from opsboard.web.spreadsheet import Exact

# Columns are the members of so many lines; `columns` of the mapping names others.
LOOKED_AT = 1_000


class JsonLines:
    """Goes through the objects of one file. Members of members are columns with a dot: customer.name."""

    def __init__(
        self, stream: BinaryIO, file: File, advance: Callable[[int], None] = lambda read: None
    ) -> None:
        self._lines = Lines(*by_mark(stream, file.encoding), advance)
        for _ in range(file.skip):
            next(self._lines, None)
        first = list(islice(self._lines, LOOKED_AT))
        names = dict.fromkeys(file.columns or [])
        for line in first:
            members = _members(line)
            names |= dict.fromkeys(members if isinstance(members, dict) else {})
        self._lines.give_back(first)
        self.header: Record | None = None
        self.columns: list[str] | None = list(names) or None
        if first and not names:
            self.header = Record(1, [], "has no object of JSON in its first lines")

    @property
    def undecodable(self) -> bytes:
        return self._lines.undecodable

    @property
    def misreading(self) -> Misreading:
        return self._lines.misreading

    def __iter__(self) -> Iterator[Record]:
        columns = self.columns or []
        for line in self._lines:
            if not line.text.strip() and not line.damage:
                continue
            members = _members(line)
            if isinstance(members, str):
                yield Record(line.number, [line.text], members)
            else:
                yield Record(line.number, [members.get(name, "") for name in columns])


def _members(line: Line) -> dict[str, str] | str:
    """The members of a line as texts, or why there are none."""
    if line.damage:
        return line.damage
    try:
        value = json.loads(line.text, parse_float=Exact) if line.text.strip() else {}
    except (ValueError, RecursionError) as error:
        return f"is not JSON: {getattr(error, 'msg', error)}"
    return dict(_flat(value, "")) if isinstance(value, dict) else "is not an object of JSON"


def _flat(members: dict[str, Any], before: str) -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{before}{name}.")
        yield normal_form(f"{before}{name}"), _text(value).replace("\0", "")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Exact):
        return value.text
    return "" if value is None else json.dumps(value, ensure_ascii=False)

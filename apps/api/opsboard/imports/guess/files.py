"""The files of a folder, each read once: how it is read, and what its columns are like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from opsboard.imports.file_mapping import File
from opsboard.imports.guess.facts import Facts, facts_of
from opsboard.imports.guess.sniffing import settings_of
from opsboard.imports.leftovers import Record
from opsboard.imports.opening import CannotOpen, open_file
from opsboard.imports.readers import open_records
from opsboard.text import normal_form
from opsboard.web.spreadsheet import unguard

KINDS = (".csv", ".tsv", ".txt", ".tab", ".xlsx", ".xlsm", ".jsonl", ".ndjson", ".dat", ".asc")
OTHER_KINDS = (".xls", ".ods", ".numbers", ".xlsb")
MEMBER = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
# In JSON lines the members of own fields are columns too, with whatever names a business gave them.
OWN_FIELDS = "own_fields."
PACKED = (".gz", ".zip")
ENDINGS = re.compile(r"(\.(csv|tsv|txt|tab|dat|asc|xlsx|xlsm|jsonl|ndjson|gz|zip))+$", re.IGNORECASE)
MOST_ROWS = 300_000


@dataclass
class SeenFile:
    """One file, or one sheet of a workbook, and what was seen in it."""

    name: str
    folder: Path
    settings: dict[str, Any]
    notes: list[str]
    rows: int = 0
    columns: list[Facts] = field(default_factory=list)
    is_whole: bool = True
    damage: str = ""
    # Together with the other files: a folder of exports of ours.
    is_export: bool = False

    @property
    def stem(self) -> str:
        """The path without its endings."""
        return ENDINGS.sub("", str(self.settings["path"]))

    @property
    def file(self) -> File:
        return File.model_validate(self.settings)

    @property
    def is_own(self) -> bool:
        """Return True if it is an export of ours, or of a program that names members as ours does."""
        names = {one.name for one in self.columns if not one.name.startswith(OWN_FIELDS)}
        return (
            "id" in names
            and ("updated_at" in names or any(name.endswith(".id") for name in names))
            and all(MEMBER.fullmatch(name) for name in names)
        )

    @property
    def has_header(self) -> bool:
        return "columns" not in self.settings or not self.columns or self.columns[0].name != "c1"

    def column(self, name: str) -> Facts:
        return next(column for column in self.columns if column.name == name)

    def records(self) -> Iterator[list[str]]:
        """The values of each sound record, as an import reads them."""
        null = {"", *self.settings.get("null", [])}
        for record in islice(self._read(), MOST_ROWS):
            if not record.damage:
                texts = [unguard(text.strip()) if text.startswith("'") else text for text in record.fields]
                values = [normal_form(text) for text in texts]
                yield [("" if value in null else value) for value in values] + [""] * (
                    len(self.columns) - len(values)
                )

    def _read(self) -> Iterator[Record]:
        with ExitStack() as stack:
            stream, _ = open_file(self.folder / self.settings["path"], stack)
            reader = open_records(stream, self.file, lambda read: None)
            if not self.columns:
                self.columns = facts_of(reader.columns or [])
            yield from reader


def look_at(folder: Path) -> tuple[list[SeenFile], list[str]]:
    """All files of a folder that may have records, and why others could not be read."""
    seen: list[SeenFile] = []
    problems: list[str] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() in OTHER_KINDS:
            problems.append(f"{name}: is of a kind that is not read; save it as .xlsx or CSV")
        if (
            not path.is_file()
            or not is_of_records(path)
            or any(part.startswith((".", "~")) for part in path.parts)
        ):
            continue
        try:
            for sheet in sheets_of(path):
                settings, notes = settings_of(path, name, sheet)
                seen.append(_seen(folder, settings, notes, [one.name for one in seen], sheet))
        except CannotOpen as error:
            problems.append(f"{name}: {error}")
    return [one for one in seen if one.rows], problems + [
        f"{one.settings['path']}: no records" for one in seen if not one.rows
    ]


def is_of_records(path: Path) -> bool:
    return path.suffix.lower() in (*KINDS, *PACKED)


def sheets_of(path: Path) -> list[str]:
    """The sheets of a workbook, each by its name; one without a name for any other file."""
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        return [""]
    # Loaded only when there is one, as the reader of workbooks is.
    from opsboard.imports.workbook import sheet_names

    with ExitStack() as stack:
        stream, _ = open_file(path, stack)
        return sheet_names(stream)


def _seen(folder: Path, settings: dict[str, Any], notes: list[str], taken: list[str], sheet: str) -> SeenFile:
    seen = SeenFile(name_of(settings["path"], sheet, taken), folder, settings, notes)
    nulls: dict[str, None] = {}
    damaged, first_damage = 0, ""
    for record in islice(seen._read(), MOST_ROWS + 1):
        if seen.rows == MOST_ROWS:
            seen.is_whole = False
            notes.append(f"looked at the first {MOST_ROWS:,} lines only")
            break
        seen.rows += 1
        if record.damage:
            seen.rows -= 1
            damaged += 1
            first_damage = first_damage or f"line {record.line} {record.damage}"
            continue
        for facts, value in zip(seen.columns, record.fields, strict=False):
            facts.add(normal_form(unguard(value.strip()) if value.startswith("'") else value))
    if damaged:
        notes.append(f"{damaged:,} lines are damaged and must be mended first: {first_damage}")
        seen.damage = first_damage
        if "row of totals" in first_damage:
            settings["totals"] = "skip"
            notes[-1] = "rows of totals are passed over"
    for facts in seen.columns:
        # A word that stands among others may be one of them; where all else are numbers or dates, it is none.
        nulls |= dict.fromkeys(facts.nulls)
    if seen.is_own:
        # Its texts are what people wrote, also a name that is a question mark.
        nulls = {text: None for text in nulls if text in ("NULL", "\\N")}
    if nulls:
        settings["null"] = list(nulls)
    return seen


def name_of(path: str, sheet: str, taken: list[str]) -> str:
    """Return the mapping's name for a file: letters, digits and _."""
    stem = ENDINGS.sub("", path)
    name = (
        re.sub(r"\W+", "_", f"{stem}_{sheet}" if sheet else stem, flags=re.ASCII).strip("_").lower() or "file"
    )
    while name in taken:
        name += "_2"
    return name

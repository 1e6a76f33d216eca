"""The first rows of files, the mapping that is guessed for them, and the tables that could be filled."""

from __future__ import annotations

import tomllib
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from opsboard.errors import CommandError
from opsboard.imports.file_mapping import File
from opsboard.imports.guess.files import is_of_records, name_of, sheets_of
from opsboard.imports.guess.folder import guess_mapping
from opsboard.imports.guess.sniffing import settings_of
from opsboard.imports.opening import CannotOpen, open_file
from opsboard.imports.readers import open_records
from opsboard.imports.target import Target
from opsboard.imports.targets import TARGETS

ROWS = 20
LONGEST = 200  # characters of a value


def preview(folder: Path) -> dict[str, Any]:
    """The facts a person needs in order to say what each column is."""
    text, problem = "", ""
    try:
        text = guess_mapping(folder)
    except CommandError as error:
        problem = str(error).replace(f"{folder}/", "").replace(str(folder), "the upload")
    mapping = tomllib.loads(text) if text else {"files": {}, "tables": {}}
    return {
        "outcome": "preview",
        "files": list(_files(folder, mapping["files"])),
        "mapping": mapping,
        "toml": text,
        "detail": problem,
        "targets": [_target(target) for target in TARGETS.values()],
    }


def _files(folder: Path, mapped: dict[str, Any]) -> Any:
    taken = list(mapped)
    for path in sorted(folder.iterdir()):
        if not is_of_records(path):
            yield _shown(path.name, "", {}, "", "is of a kind that is not read; save it as .xlsx or CSV")
            continue
        try:
            sheets = sheets_of(path)
        except CannotOpen as error:
            yield _shown(path.name, "", {}, "", str(error))
            continue
        for sheet in sheets:
            known = [
                name
                for name, file in mapped.items()
                if (file["path"], file.get("sheet", "")) == (path.name, sheet)
            ]
            name = known[0] if known else name_of(path.name, sheet, taken)
            taken.append(name)
            try:
                settings = mapped[name] if known else settings_of(path, path.name, sheet)[0]
                yield _shown(path.name, sheet, settings, name, "") | _first_rows(path, settings)
            except CannotOpen as error:
                yield _shown(path.name, sheet, {}, name, str(error))


def _shown(path: str, sheet: str, settings: dict[str, Any], name: str, problem: str) -> dict[str, Any]:
    """A file or a sheet without its rows."""
    return {"name": name, "path": path, "sheet": sheet, "settings": settings, "columns": [], "rows": [],
            "problem": problem}  # fmt: skip


def _first_rows(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    with ExitStack() as stack:
        stream, _ = open_file(path, stack)
        reader = open_records(stream, File.model_validate(settings), lambda read: None)
        rows = [
            {
                "line": record.line,
                "fields": [field[:LONGEST] for field in record.fields],
                "damage": record.damage or "",
            }
            for record in islice(reader, ROWS)
        ]
        return {"columns": reader.columns or [], "rows": rows}


def _target(target: Target) -> dict[str, Any]:
    """A table as far as a person chooses of it."""
    return {
        "table": target.table,
        "columns": [
            {
                "name": one.name,
                "kind": one.kind,
                "is_required": one.required,
                "is_nullable": one.nullable,
                "one_of": list(one.one_of),
            }
            for one in target.columns
        ],
        "parents": [
            {"name": one.name, "table": one.table, "is_required": one.required} for one in target.parents
        ],
    }

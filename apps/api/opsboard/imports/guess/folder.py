"""A mapping for the files of a folder: which tables they fill, from which columns, and how they belong together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opsboard.errors import CommandError
from opsboard.imports.guess.dates import formats_of
from opsboard.imports.guess.files import SeenFile, look_at
from opsboard.imports.guess.filling import fill
from opsboard.imports.guess.merging import merge
from opsboard.imports.guess.nested import nested_parts
from opsboard.imports.guess.numbers import number_settings
from opsboard.imports.guess.relations import add_parents, campaign_of
from opsboard.imports.guess.steps import event_steps, number_steps
from opsboard.imports.guess.tables import LEAST_OF_ONE, Part, best_table, coverage, part_for
from opsboard.imports.guess.work import is_work, work_parts
from opsboard.imports.guess.writing import written
from opsboard.imports.targets import TARGETS

# So many files that are like exports of ours make a folder of them.
FEW, MOST = 3, 0.8
NOTHING = (
    "no file of {folder} is like a table that can be filled; looked for were CSV, TSV, Excel and JSON lines. "
    "opsboard import --example prints a mapping to start from"
)


def guess_mapping(folder: Path) -> str:
    """The text of a mapping for the files of a folder. Raises CommandError when none of them is like a table."""
    seen, problems = look_at(folder)
    unused: dict[str, str] = {}
    beside = _beside(folder, seen)
    exports = sum(one.is_own for one in seen)
    for one in seen:
        one.settings |= {} if one.file.kind == "jsonl" else number_settings(one)
        one.is_export = one.is_own and exports >= max(FEW, MOST * len(seen))
    without = {one.name: () if is_work(one) else ("work_records",) for one in seen}
    tables = {one.name: best_table(one, beside, without[one.name]) for one in seen}
    if not any(tables.values()):
        tables = {one.name: best_table(one, beside, without[one.name], LEAST_OF_ONE) for one in seen}
        for one in seen:
            one.notes.append("unsure: what this file is about")
    parts: list[Part] = []
    for one in seen:
        if table := tables[one.name]:
            parts.append(_part(one, table, parts))
        else:
            unused[_label(one)] = "is like no table; not used"
    if not parts:
        raise CommandError("\n".join([NOTHING.format(folder=folder), *problems]))
    parts, others = _most_like(parts)
    unused |= others
    parts, notes = merge(parts)
    parts += [steps for part in parts for steps in event_steps(part)]
    for part in list(parts):
        parts += work_parts(part, parts)
    parts += add_parents(parts)
    parts += [campaign for part in parts if (campaign := campaign_of(part))]
    parts += [items for part in parts for items in nested_parts(part)]
    parts, lacking = _with_parents(parts)
    for part in parts:
        number_steps(part)
    unused |= lacking
    order = list(TARGETS)
    parts.sort(key=lambda part: order.index(part.table))
    return written(parts, unused, [*problems, *notes])


def _part(seen: SeenFile, table: str, parts: list[Part]) -> Part:
    part = part_for(seen, table, [other.name for other in parts])
    _set_dates(seen)
    fill(part)
    return part


def _beside(folder: Path, seen: list[SeenFile]) -> str:
    """The name of the folder, where only one file could be meant by it."""
    return folder.resolve().name if len(seen) == 1 else ""


def _with_parents(parts: list[Part]) -> tuple[list[Part], dict[str, str]]:
    """The parts whose rows belong to something, and why the others were left out."""
    kept: list[Part] = []
    lacking: dict[str, str] = {}
    for part in parts:
        required = [
            parent.name
            for parent in part.target.parents
            if parent.required and (parent.name not in part.parents or part.parents[parent.name].is_off)
        ]
        if required:
            lacking[_label(part.seen)] = (
                f"is like {part.table}, but no column says the {', '.join(required)}; not used"
            )
        else:
            kept.append(part)
    if not kept:
        raise CommandError("\n".join(f"{path}: {why}" for path, why in lacking.items()))
    return kept, lacking


def _most_like(parts: list[Part]) -> tuple[list[Part], dict[str, str]]:
    """Of exports of ours, those of the list of each table; other lists have the same columns in part."""
    shares = {part.name: coverage(part.seen, part.target) for part in parts}
    best: dict[str, float] = {}
    for part in parts:
        best[part.table] = max(best.get(part.table, 0.0), shares[part.name] or 0.0)
    kept = [
        part for part in parts if (share := shares[part.name]) is None or share >= best[part.table] - 0.05
    ]
    return kept, {
        _label(part.seen): f"is like {part.table} only in part; not used"
        for part in parts
        if part not in kept
    }


def _set_dates(seen: SeenFile) -> None:
    """The formats of all columns of a file, where they do not contradict each other."""
    found: dict[str, None] = {}
    for facts in seen.columns:
        found |= dict.fromkeys(formats_of(facts)[0])
    if list(found) not in ([], ["iso"]):
        seen.settings["dates"] = list(found)


def _label(seen: SeenFile) -> str:
    sheet: Any = seen.settings.get("sheet")
    return f"{seen.settings['path']}, sheet {sheet}" if sheet else str(seen.settings["path"])

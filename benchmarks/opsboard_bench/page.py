"""Puts the figures into the document they are for: what stands between the markers is replaced, the rest kept.

A measure that can be written by itself has a block of its own with its name in the markers. A document without that
block has its tables among the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from opsboard.errors import CommandError
from opsboard_bench.chart import svg
from opsboard_bench.results import Run, Table
from opsboard_bench.tables import by_itself, markdown

# Measures whose tables have no plot and stand in no summary of others.
ALONE = ("planning", "lists", "incidents", "idle", "endpoints")


def markers(block: str = "") -> tuple[str, str]:
    """The lines a block stands between; without a name: that of all tables."""
    name = f"bench:{block}:" if block else "bench:"
    return f"<!-- {name}begin -->", f"<!-- {name}end -->"


BEGIN, END = markers()


def require_markers(path: Path, names: Sequence[str] | None = None) -> None:
    """Raise CommandError now rather than after minutes of measuring. `names`: only these measures are written."""
    text = read(path)
    for block in names or ("",):
        replaced(text, "", path, block)


def write_document(path: Path, run: Run, names: Sequence[str] | None = None) -> None:
    """The tables into the document, the plots into the folder of its name beside it; only these measures, if named."""
    text = read(path)
    tables = list(run.tables)
    for block in ALONE:
        own = [table for table in tables if is_of(table, block)]
        if names and block in names and not own:
            raise CommandError(f"There are no figures of {block}.")
        if own and (block in (names or ()) or (not names and markers(block)[0] in text)):
            text = replaced(text, by_itself(replace(run, tables=own)), path, block)
            tables = [table for table in tables if table not in own]
    if not names:
        text = with_plots(path, text, replace(run, tables=tables))
    path.write_text(text, encoding="utf-8")


def is_of(table: Table, measure: str) -> bool:
    """Return True if the measure has made it, or failed to."""
    return table.name.split("-")[0] == measure


def with_plots(path: Path, text: str, run: Run) -> str:
    """The text with all tables; the plots replace those of an earlier run."""
    folder = path.with_suffix("")
    plots = [plot for table in run.tables for plot in table.plots]
    pictures = {plot.name: f"{folder.name}/{plot.name}.svg" for plot in plots}
    text = replaced(text, markdown(run, pictures), path)
    drawn = {plot.name: svg(plot) for plot in plots}
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, picture in drawn.items():
        (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
    return text


def replaced(text: str, figures: str, path: Path, block: str = "") -> str:
    """The text with these figures between the markers of the block."""
    begin, end = markers(block)
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise CommandError(
            f"{path} needs one line {begin} and after it one line {end}; the figures go between."
        )
    before, after = text.partition(begin)[0], text.partition(end)[2]
    return f"{before}{begin}\n\n{figures}\n\n{end}{after}"


def read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error

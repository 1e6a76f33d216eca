"""Puts the figures into the document they are for: what stands between the markers is replaced, the rest kept."""

from __future__ import annotations

from pathlib import Path

from opsboard.bench.chart import svg
from opsboard.bench.results import Run
from opsboard.bench.tables import markdown
from opsboard.errors import CommandError

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def require_markers(path: Path) -> None:
    """Raise CommandError now rather than after minutes of measuring."""
    replaced(read(path), "", path)


def write_document(path: Path, run: Run) -> None:
    """The tables into the document, the plots into the folder of its name beside it."""
    folder = path.with_suffix("")
    plots = [plot for table in run.tables for plot in table.plots]
    pictures = {plot.name: f"{folder.name}/{plot.name}.svg" for plot in plots}
    text = replaced(read(path), markdown(run, pictures), path)
    drawn = {plot.name: svg(plot) for plot in plots}
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, picture in drawn.items():
        (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
    path.write_text(text, encoding="utf-8")


def replaced(text: str, figures: str, path: Path) -> str:
    """The text with these figures between its markers."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise CommandError(
            f"{path} needs one line {BEGIN} and after it one line {END}; the figures go between."
        )
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    return f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}"


def read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error

"""Puts the figures into the document they are for: what stands between the markers is replaced, the rest kept."""

from __future__ import annotations

from pathlib import Path

from opsboard.bench.chart import svg
from opsboard.bench.run import Outcome
from opsboard.bench.tables import markdown
from opsboard.errors import CommandError

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
CHART = "images/performance-ratios.svg"


def require_markers(path: Path) -> None:
    """Raise CommandError now rather than after minutes of measuring."""
    replaced(read(path), "", path)


def write_document(path: Path, outcome: Outcome) -> None:
    text = replaced(read(path), markdown(outcome, CHART), path)
    picture = path.parent / CHART
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(svg(outcome.sections[0]), encoding="utf-8")
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

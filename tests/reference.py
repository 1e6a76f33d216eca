"""docs/reference.md put in order: `python -m tests.reference docs/reference.md` after places came or went.

`python -m tests.reference --run [S2]` runs the tests that it names.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click

from opsboard.application import make_app
from opsboard.cli import opsboard
from opsboard.config import load_config
from opsboard.db.index_catalogue import read_catalogue
from opsboard.features.metrics.exposition import Workers
from opsboard.features.metrics.surroundings import Surroundings
from opsboard.settings import SETTINGS
from tests.marked import with_part

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- items:begin -->\n", "<!-- items:end -->\n"
ROW = re.compile(r"^\| (S\d-\d+) \| (.+?) \| (.+) \|$", re.MULTILINE)
HEAD = "| item | what is asked for | where it is |\n|---|---|---|\n"
REASON = "No: "
FOUND = {"server": {"connections": 0, "max_connections": 0}}


@dataclass(frozen=True)
class Item:
    """One row; `where` has its places in code type, or the reason why there is none."""

    id: str
    what: str
    where: str

    @property
    def places(self) -> list[str]:
        return re.findall(r"`([^`]+)`", self.where)

    @property
    def tests(self) -> list[str]:
        """The node ids of the tests it names."""
        return [place for place in self.places if "::" in place]

    @property
    def commands(self) -> list[str]:
        return [place for place in self.places if place.startswith("opsboard ")]

    def __str__(self) -> str:
        return f"| {self.id} | {self.what} | {self.where} |\n"


class Project:
    """The named objects of the database."""

    def has(self, place: str) -> bool:
        """Return True if a place exists; what kind it is of shows in its form."""
        if re.match(r"[A-Z]+ /", place):
            return place in self.routes
        if place.startswith("opsboard "):
            return is_command(place)
        if "::" in place:
            file, _, test = place.partition("::")
            return (ROOT / file).is_file() and f"\ndef {test}(" in (ROOT / file).read_text(encoding="utf-8")
        if place.startswith("idx_"):
            return place in self.indexes
        return place in self.settings or place in self.metrics or (ROOT / place).is_file()

    @cached_property
    def routes(self) -> set[str]:
        config = load_config(
            {"SECRET_KEY": "x" * 40, "DATABASE_URL": "postgresql://nobody@localhost/x"}, None
        )
        rules = make_app(config).url_map.iter_rules()
        return {f"{method} {rule.rule}" for rule in rules for method in rule.methods or ()}

    @cached_property
    def indexes(self) -> set[str]:
        return set(read_catalogue(ROOT / "migrations"))

    @cached_property
    def settings(self) -> set[str]:
        names = (name for setting in SETTINGS for name in (setting.name, *setting.aliases))
        return {part for name in names for part in name.split("+")}

    @cached_property
    def metrics(self) -> set[str]:
        families = [*Workers([]).collect(), *Surroundings(0, 0, FOUND).collect()]
        return {family.name + "_total" * (family.type == "counter") for family in families}


def is_command(line: str) -> bool:
    """Return True if there is a command of these words with these options."""
    words = [word for word in line.split()[1:] if not word.startswith("-")]
    options = {word for word in line.split() if word.startswith("-")}
    command: click.Command | None = opsboard
    for word in words:
        if not isinstance(command, click.Group):
            return False
        command = command.get_command(click.Context(command), word)
    known = {option for parameter in command.params for option in parameter.opts} if command else set()
    return command is not None and options <= known


def items_of(document: str) -> list[Item]:
    return [Item(*row) for row in ROW.findall(document)]


def arranged(document: str, project: Project) -> str:
    """The document with its items by report, and under "Not yet" those that name what does not exist."""
    items = sorted(items_of(document), key=lambda item: tuple(map(int, item.id[1:].split("-"))))
    there = [item for item in items if all(map(project.has, item.places))]
    parts = []
    for report in sorted({item.id[:2] for item in items}):
        parts += [f"\n## {report}\n\n", table(item for item in there if item.id.startswith(report))]
    missing = [item for item in items if item not in there]
    if missing:
        parts += ["\n## Not yet\n\n", table(missing)]
    return with_part(document, BEGIN, END, "".join(parts) + "\n")


def table(items: Iterable[Item]) -> str:
    return HEAD + "".join(map(str, items))


def collected(node_ids: Iterable[str]) -> set[str]:
    """Those of the node ids that pytest collects, asked of a process of its own."""
    files = sorted({node_id.partition("::")[0] for node_id in node_ids})
    there = [file for file in files if (ROOT / file).is_file()]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        "0",
        "-q",
        "--collect-only",
        "-p",
        "no:cacheprovider",
        *there,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = {line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line}
    return found & set(node_ids)


def run_tests(document: str, report: str) -> int:
    """Run what the items of a report (all: of every one) name; the exit code of pytest."""
    tests = {test for item in items_of(document) if item.id.startswith(report) for test in item.tests}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "not slow", *sorted(tests)], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    if sys.argv[1] == "--run":
        named = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
        sys.exit(run_tests(named, "".join(sys.argv[2:])))
    file = Path(sys.argv[1])
    file.write_text(arranged(file.read_text(encoding="utf-8"), Project()), encoding="utf-8")

"""Every example of docs/import-cookbook.md imports its file, and gives the rows that it says."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from openpyxl import Workbook

from opsboard.imports.guess.folder import guess_mapping
from opsboard.imports.mapping_file import parse_mapping
from opsboard.imports.run import run_import
from tests.imports.workshop import Workshop
from tests.reference import ROOT

PAGE = (ROOT / "docs" / "import-cookbook.md").read_text(encoding="utf-8")
FILE = re.compile(r"^`([\w.]+)`\n```(?:csv|tsv|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MAPPING = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GIVES = re.compile(r"^Gives: (.*)\.$", re.MULTILINE)


class Example(NamedTuple):
    """One shape of files."""

    title: str
    files: list[tuple[str, str]]
    mapping: str
    gives: dict[str, int]


def examples() -> Iterator[Example]:
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        [mapping], [gives] = MAPPING.findall(section), GIVES.findall(section)
        counts = {table: int(count) for count, table in (part.split() for part in gives.split(", "))}
        yield Example(section.partition("\n")[0], FILE.findall(section), mapping, counts)


EXAMPLES = list(examples())


def write(folder: Path, example: Example) -> None:
    for old in folder.iterdir():
        old.unlink()
    encoding = "cp1252" if "cp1252" in example.mapping else "utf-8"
    for name, text in example.files:
        if not name.endswith(".xlsx"):
            (folder / name).write_text(text, encoding=encoding)
            continue
        book = Workbook()
        for row in csv.reader(text.splitlines(), delimiter=";"):
            book.active.append([cell or None for cell in row])
        book.save(folder / name)


def test_there_are_ten_shapes_and_more() -> None:
    assert len(EXAMPLES) == 11
    assert all(example.files for example in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.title for example in EXAMPLES])
def test_an_example_gives_what_it_says_and_a_guess_of_it_is_accepted(
    workshop: Workshop, example: Example
) -> None:
    write(workshop.folder, example)
    for is_first in (True, False):
        mapping = parse_mapping(example.mapping)
        inserted: Counter[str] = Counter()
        for one in run_import(workshop.database.app_url, workshop.folder, mapping, "mill").tables:
            inserted[one.table] += one.inserted
            assert one.updated == 0
        assert +inserted == (example.gives if is_first else {})
    workshop.add_tenant("guessed")
    guess = parse_mapping(guess_mapping(workshop.folder))
    assert run_import(workshop.database.app_url, workshop.folder, guess, "guessed", dry_run=True).tables

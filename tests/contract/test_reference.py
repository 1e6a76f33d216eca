"""docs/reference.md has every item once, and every place it names exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

from tests.application import Application
from tests.reference import REASON, ROOT, Item, Project, arranged, collected, items_of

DOCUMENT = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
# How many items each report has.
REPORTS = {"S0": 66, "S1": 67, "S2": 95, "S3": 50, "S4": 103}
HOW = "python -m tests.reference docs/reference.md"


@pytest.fixture(scope="module")
def project() -> Project:
    return Project()


def test_each_item_of_the_reports_is_there_exactly_once() -> None:
    wanted = [f"{report}-{number:02}" for report, count in REPORTS.items() for number in range(1, count + 1)]
    assert Counter(item.id for item in items_of(DOCUMENT)) == Counter(wanted)


def test_each_item_names_its_places_or_says_why_it_has_none() -> None:
    for item in items_of(DOCUMENT):
        assert item.places or item.where.startswith(REASON), item


def test_each_item_names_a_test_or_a_command_or_says_no() -> None:
    bare = [
        item.id
        for item in items_of(DOCUMENT)
        if not (item.tests or item.commands or item.where.startswith(REASON))
    ]
    assert bare == [], "a place alone shows nothing: name the test that does what the item asks"


def test_a_reason_says_why() -> None:
    for item in items_of(DOCUMENT):
        if item.where.startswith(REASON):
            assert len(item.where) > 40 or re.fullmatch(r"No: as S\d-\d\d\.", item.where), item


def test_every_named_test_is_collected() -> None:
    named = {test for item in items_of(DOCUMENT) for test in item.tests}
    assert len(named) > 100
    assert named - collected(named) == set()


def test_a_named_test_that_is_not_collected_is_seen() -> None:
    there = "tests/contract/test_reference.py::test_a_reason_says_why"
    # A helper and a test of a file that pytest does not look into are not collected, though both exist.
    others = {"tests/reference.py::collected", "tests/contract/test_reference.py::test_no_such"}
    assert collected({there, *others}) == {there}


READS = ("--status", "verify", "doctor", "--example")


def test_every_named_command_runs(own_app: Application, tmp_path: Path) -> None:
    """Those that only look are run on a database that is in order; of the others the options are looked up."""
    program = str(Path(sys.executable).with_name("opsboard"))
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": own_app.database.app_url,
        "DATABASE_OWNER_URL": own_app.database.owner_url,
        "SECRET_KEY": "x" * 40,
        "OPSBOARD_DATA": str(tmp_path),
    }
    for line in sorted({line for item in items_of(DOCUMENT) for line in item.commands}):
        words = line.split()[1:]
        runs = line.endswith(READS)
        names = [word for word in words if not word.startswith("-")]
        done = subprocess.run(
            [program, *(words if runs else [*names, "--help"])],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        # doctor ends with 1 where it only warns, as of a machine with little memory.
        assert done.returncode in ((0, 1) if words == ["doctor"] else (0,)), (line, done.stdout, done.stderr)
        if not runs:
            assert all(word in done.stdout for word in words if word.startswith("--")), line


def test_everything_an_item_names_exists(project: Project) -> None:
    there, _, not_yet = DOCUMENT.partition("\n## Not yet\n")
    dangling = {place for item in items_of(there) for place in item.places if not project.has(place)}
    assert dangling == set(), HOW
    landed = [item.id for item in items_of(not_yet) if all(map(project.has, item.places))]
    assert landed == [], HOW


def test_the_document_is_in_order(project: Project) -> None:
    assert arranged(DOCUMENT, project) == DOCUMENT, HOW


@pytest.mark.parametrize(
    ("place", "broken"),
    [
        ("GET /api/jobs", "GET /api/jobz"),
        ("GET /api/jobs/<id:job_id>", "DELETE /api/jobs/<id:job_id>"),
        ("opsboard rollups verify", "opsboard rollups verifi"),
        ("opsboard explain --analyze", "opsboard explain --analyse"),
        ("idx_customers_name", "idx_customers_names"),
        ("CACHE_TTL_STATS", "CACHE_TTL_STATE"),
        ("http_requests_total", "http_requests"),
        ("docs/decisions.md", "docs/decision.md"),
        ("tests/reference.py", "tests"),
        (
            "tests/contract/test_reference.py::test_the_document_is_in_order",
            "tests/contract/test_reference.py::test_the_document",
        ),
    ],
)
def test_a_reference_of_each_kind_that_dangles_is_seen(project: Project, place: str, broken: str) -> None:
    assert project.has(place) and not project.has(broken)
    assert "## Not yet" in arranged(
        DOCUMENT.partition("\n## Not yet")[0] + str(Item("S9-1", "x", f"`{broken}`")), project
    )


def test_arranging_loses_no_item(project: Project) -> None:
    moved = arranged(DOCUMENT, project)
    assert sorted(map(str, items_of(moved))) == sorted(map(str, items_of(DOCUMENT)))
    assert set(chain(*(item.places for item in items_of(moved))))

"""opsboard bench from end to end, in small: a valid document, no process and no file left over."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from opsboard_bench.costs import ASKED
from opsboard_bench.endpoint_rows import CAMPAIGNS
from opsboard_bench.endpoints import ENDPOINTS, RECIPIENTS
from opsboard_bench.options import QUICK
from opsboard_bench.page import BEGIN, END, markers
from opsboard_bench.scenarios import HIT, MISS, NOT_MODIFIED, SCENARIOS

SHORT = ["--quick"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the benchmark puts its own; a short path, for there will be sockets in it."""
    path = Path(mkdtemp(prefix="ob-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def start(folder: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.Popen(
        [sys.executable, "-m", "opsboard.cli", "bench", *SHORT, *arguments],
        env={**environment, "TMPDIR": str(folder), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def left_over(folder: Path) -> list[str]:
    """Command lines of processes that work in the folder: gunicorn's stand in it, Postgres' in its data."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(process / "cwd")).is_relative_to(folder):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


def rows_of(figures: Path) -> dict[str, list[dict[str, Any]]]:
    return {table["name"]: table["rows"] for table in json.loads(figures.read_text())["tables"]}


def assert_sane(rows: dict[str, list[dict[str, Any]]]) -> None:
    """Each row has a value in each round, or a reason why not."""
    for name, found in rows.items():
        assert found, name
        for row in found:
            assert bool(row["values"]) != bool(row["missing"]), row
            assert all(values for values in row["values"].values()), row


@pytest.mark.slow
def test_a_quick_run_writes_a_whole_document_and_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    document, figures = tmp_path / "performance.md", tmp_path / "figures.json"
    document.write_text(f"Mine.\n{BEGIN}\n{END}\nMine too.\n")
    process = start(folder, "--write", str(document), "--json", str(figures))
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    text = document.read_text()
    assert text.startswith("Mine.\n")
    assert text.endswith("\nMine too.\n")
    rows = rows_of(figures)
    assert list(rows) == [
        "answers-1", "costs", "misses", "statements", "planning", "writes", "bulk", "freshness", "dashboards", "lists",
        "clears", f"endpoints-{QUICK.rows[0]}",
    ]  # fmt: skip
    assert_sane(rows)
    for table in rows.values():
        for row in table:
            assert f"| {row['label']} |" in text
    for picture in re.findall(r"\]\((.+\.svg)\)", text):
        assert (tmp_path / picture).exists()
    assert_soon_gone(folder)
    assert list(folder.iterdir()) == []


def test_answers_from_the_cache_take_no_statement_and_no_connection_and_a_miss_takes_one(
    folder: Path, tmp_path: Path
) -> None:
    figures = tmp_path / "figures.json"
    process = start(folder, "--only", "hits", "--json", str(figures))
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    rows = rows_of(figures)
    assert_sane(rows)
    assert {row["label"] for row in rows["answers-1"]} == {scenario.label for scenario in SCENARIOS}
    counted = {row["label"]: row["values"] for row in rows["costs"]}
    for scenario in (HIT, NOT_MODIFIED):
        assert counted[scenario.label] == {"answers": [ASKED], "statements": [0], "connections": [0]}
    assert counted[MISS.label]["statements"] == [ASKED]
    assert counted[MISS.label]["connections"][0] >= ASKED
    assert_soon_gone(folder)
    assert list(folder.iterdir()) == []


def test_each_endpoint_takes_one_statement_where_the_way_before_took_many(
    folder: Path, tmp_path: Path
) -> None:
    """Written by itself into a document, whose other figures stay."""
    document, figures = tmp_path / "performance.md", tmp_path / "figures.json"
    begin, end = markers("endpoints")
    document.write_text(f"Mine.\n{BEGIN}\nothers\n{END}\n{begin}\nold\n{end}\nMine too.\n")
    process = start(
        folder, "--only", "endpoints", "--write", str(document), "--json", str(figures), "--rounds", "1"
    )
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    (rows,) = rows_of(figures).values()
    assert_sane({"endpoints": rows})
    counted = {row["label"]: row["values"] for row in rows}
    assert list(counted) == [endpoint.label for endpoint in ENDPOINTS]
    assert {label for label, values in counted.items() if values["statements"] != [1]} == set()
    before = {label: values["statements_before"][0] for label, values in counted.items()}
    recipients = min(RECIPIENTS, QUICK.rows[0] // CAMPAIGNS)
    assert {label: number for label, number in before.items() if number > 1} == {
        "Approval, detail": 3,
        "Campaign, recipients with campaign and events": 1 + 2 * recipients,
        "Customers with their leads and calls": 1 + 4 * 50,
        "Documents, analytics": 2,
        "Journey, execution of a node": 9,
    }
    for label, values in counted.items():
        assert values.get("fields", [0]) <= values["bytes"], label
        assert values.get("gzip", [0]) <= values["bytes"], label
    page = counted["Documents, a page instead of all"]
    assert page["memory"][0] < page["memory_before"][0]
    text = document.read_text()
    assert text.startswith(f"Mine.\n{BEGIN}\nothers\n{END}\n{begin}\n")
    assert text.endswith(f"{end}\nMine too.\n")
    assert "\nold\n" not in text
    for endpoint in ENDPOINTS:
        for claim in endpoint.claims:
            assert f"| {endpoint.label} | {endpoint.before.words} | {claim.item} |" in text
    assert_soon_gone(folder)
    assert list(folder.iterdir()) == []


def test_a_run_that_is_ended_leaves_nothing_behind(folder: Path) -> None:
    process = start(folder, "--only", "sizes", "--rounds", "1000")
    assert process.stderr is not None
    for line in process.stderr:
        if "round 1 of" in line:
            break
    assert len(left_over(folder)) >= 3  # two servers and Postgres
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert_soon_gone(folder)
    assert list(folder.iterdir()) == []


def assert_soon_gone(folder: Path) -> None:
    """A worker may take a moment longer than the process that leads it."""
    deadline = time.monotonic() + 10
    while left_over(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left_over(folder) == []


def test_figures_that_were_kept_are_written_without_measuring(folder: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    figures.write_text(json.dumps({"facts": {"Date": "2030-01-01"}, "tables": []}))
    process = start(folder, "--from", str(figures))
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "| Date | 2030-01-01 |" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "hits", "--write", "performance.md"], "leave out --only"),
        (["--only", "hits,nothing"], "there is no table nothing"),
        (["--sizes", "ten"], "must be whole numbers"),
        (["--from", "none.json"], "No such file"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(folder: Path, arguments: list[str], words: str) -> None:
    process = start(folder, *arguments)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert words in " ".join(said.split())
    assert "Traceback" not in said

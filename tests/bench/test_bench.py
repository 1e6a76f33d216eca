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

import pytest

from opsboard.bench.document import BEGIN, END
from opsboard.bench.scenarios import SCENARIOS
from tests.clusters import FreshDatabase

SHORT = ["--rounds", "1", "--seconds", "0.2", "--workers", "1", "--jobs", "100"]


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


def test_a_short_run_writes_a_whole_document_and_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    document, figures = tmp_path / "performance.md", tmp_path / "figures.json"
    document.write_text(f"Mine.\n{BEGIN}\n{END}\nMine too.\n")
    process = start(folder, "--write", str(document), "--json", str(figures))
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    text = document.read_text()
    assert text.startswith("Mine.\n")
    assert text.endswith("\nMine too.\n")
    for scenario in SCENARIOS:
        cells = re.findall(rf"^\| {re.escape(scenario.label)} \| (.+) \|$", text, re.M)
        assert len(cells) == 2, f"{scenario.label}: a row of ratios and a row of latencies"
        assert float(cells[0].split("**")[1]) > 0
    rows = json.loads(figures.read_text())["sections"][0]["rows"]
    assert [row["scenario"]["name"] for row in rows] == [scenario.name for scenario in SCENARIOS]
    assert all(len(row["rates"]) == 1 and row["rates"][0] > 0 for row in rows)
    assert all(row["latencies"] for row in rows)
    assert left_over(folder) == []
    assert list(folder.iterdir()) == []


def test_a_run_that_is_ended_leaves_nothing_behind(folder: Path) -> None:
    process = start(folder, "--only", "health", "--rounds", "1000")
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


def test_a_database_without_the_demos_businesses_is_refused_in_words(
    folder: Path, database: FreshDatabase
) -> None:
    process = start(folder, "--only", "health", DATABASE_URL=database.app_url)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "opsboard demo" in said.splitlines()[-1]
    assert "Traceback" not in said


def test_a_part_of_the_rows_is_not_written_to_the_document(folder: Path, tmp_path: Path) -> None:
    process = start(folder, "--only", "hit", "--write", str(tmp_path / "performance.md"))
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "leave out --only" in said

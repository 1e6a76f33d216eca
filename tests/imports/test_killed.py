"""An import that is killed at any moment leaves none of its rows or all of them."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.imports.workshop import Workshop

PROGRAM = """
import sys
from datetime import date
from pathlib import Path
from opsboard.imports.mapping_file import load_mapping
from opsboard.imports.progress import PlainLines
from opsboard.imports.run import run_import
dsn, folder, mapping, day = sys.argv[1:]
print("begins", flush=True)
day = date.fromisoformat(day)
run_import(dsn, Path(folder), load_mapping(Path(mapping)), "mill", day, progress=PlainLines(sys.stdout))
print("done", flush=True)
"""
JOBS = 400
DAYS = ("2024-03-05", "2024-03-25")
EMPTY = "TRUNCATE job_steps, jobs, customers, processes, audit_logs CASCADE; UPDATE tenants SET as_of = NULL"


class Killing:
    """Imports of one business, each as a process of its own that may be killed."""

    def __init__(self, workshop: Workshop, mapping: Path) -> None:
        self.workshop = workshop
        self.mapping = mapping
        mapping.write_text(workshop.mapping)

    def start(self, day: str) -> subprocess.Popen[str]:
        arguments = [self.workshop.database.app_url, str(self.workshop.folder), str(self.mapping), day]
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        return process

    def kill_after(self, steps: int, seconds: float, day: str) -> bool:
        """Kill it that long after that many steps; whether it had not ended by itself."""
        process = self.start(day)
        assert process.stdout is not None
        for _ in range(steps):
            process.stdout.readline()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        self.wait_for_server()
        return process.returncode == -signal.SIGKILL

    def wait_for_server(self) -> None:
        """Until the server has seen that its client is gone."""
        deadline = time.monotonic() + 30
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'opsboard import'"
        while self.workshop.rows(query) != [(0,)]:
            assert time.monotonic() < deadline, "the server still works for a client that was killed"
            time.sleep(0.01)

    def state(self) -> tuple[Any, ...]:
        """Everything an import writes, as one thing to compare."""
        query = """
            SELECT
                (SELECT as_of::text FROM tenants),
                (SELECT count(*) FROM audit_logs),
                (SELECT count(*) FROM customers),
                (SELECT count(*) FROM jobs),
                (SELECT count(*) FROM jobs WHERE status = 'completed'),
                (SELECT count(*) FROM job_steps),
                (SELECT count(*) FROM job_steps WHERE status = 'completed')
        """
        return self.workshop.rows(query)[0]


@pytest.fixture
def killing(workshop: Workshop, tmp_path: Path) -> Killing:
    """Files that are large enough for an import to take a moment."""
    orders = "".join(
        f"{n}\t{'AB'[n % 2]}\t{n}\tC{n % 2 + 1}\t2024-03-{n % 20 + 1:02}\t2024-03-{n % 20 + 5:02}\t\n"
        for n in range(1, JOBS + 1)
    )
    steps = "".join(
        f"{n};{step};saw;2024-03-{n % 20 + 1 + step:02}\n" for n in range(1, JOBS + 1) for step in (1, 2)
    )
    workshop.write(orders=orders, operations="Order;Step;Centre;Done\n" + steps)
    return Killing(workshop, tmp_path / "mapping.toml")


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_a_killed_import_leaves_none_or_all(killing: Killing, kills: int) -> None:
    empty = killing.state()
    told = killing.start(DAYS[0]).communicate()[0].splitlines()
    assert told[-1] == "done"
    assert killing.state() == whole(DAYS[0], 1)
    chance = random.Random(kills)
    killed = 0
    for number in range(kills):
        before = killing.state()
        day = DAYS[(number + 1) % 2]
        killed += killing.kill_after(chance.randrange(len(told)), chance.uniform(0, 0.05), day)
        assert killing.state() in (before, whole(day, int(before[1]) + 1))
        if number % 2:
            # From nothing again, so that inserts are killed too.
            killing.workshop.rows(EMPTY)
            assert killing.state() == empty
    assert killed > kills // 2


def whole(day: str, imports: int) -> tuple[Any, ...]:
    """Return the expected rows after an import as of a day, computed independently."""
    last = int(day[-2:])
    jobs = sum(n % 20 + 5 <= last for n in range(1, JOBS + 1))
    steps = sum(n % 20 + 1 + step <= last for n in range(1, JOBS + 1) for step in (1, 2))
    return (day, imports, 2, JOBS, jobs, JOBS * 2, steps)

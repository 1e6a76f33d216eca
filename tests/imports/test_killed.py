"""An import that is killed at any moment leaves none of its rows or all of them."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.imports.workshop import Workshop

PROGRAM = """
import sys
from pathlib import Path
from opsboard.imports.mapping_file import load_mapping
from opsboard.imports.progress import PlainLines
from opsboard.imports.run import run_import
dsn, folder, mapping, day = sys.argv[1:]
from datetime import date
print("begins", flush=True)
run_import(dsn, Path(folder), load_mapping(Path(mapping)), "mill", date.fromisoformat(day), progress=PlainLines(sys.stdout))
print("done", flush=True)
"""
JOBS = 400
DAYS = ("2024-03-05", "2024-03-25")


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

    def kill_after(self, seconds: float, day: str) -> bool:
        """Whether the process was killed before it had ended by itself."""
        process = self.start(day)
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

    def state(self) -> tuple[object, ...]:
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
    began = time.monotonic()
    assert killing.start(DAYS[0]).wait(60) == 0
    duration = time.monotonic() - began
    chance = random.Random(kills)
    seen = [killing.state()]
    assert seen[0][3:6] == (JOBS, 80, JOBS * 2) and seen[0] != empty
    killed = 0
    for number in range(kills):
        before = killing.state()
        day = DAYS[(number + 1) % 2]
        if killing.kill_after(chance.uniform(0.1, 1) * duration, day):
            killed += 1
        after = killing.state()
        if after != before:
            # All of it: the day, the audit row, and every job and step as of that day.
            assert after[:2] == (day, before[1] + 1)  # type: ignore[operator]
            assert (after[4], after[6]) == expected(day)
        if number % 2:
            # From nothing again, so that inserts are killed too.
            killing.workshop.rows(
                "TRUNCATE job_steps, jobs, customers, processes, audit_logs; UPDATE tenants SET as_of = NULL"
            )
            assert killing.state() == empty
    assert killed >= kills // 3


def expected(day: str) -> tuple[int, int]:
    """Completed jobs and steps as of a day."""
    last = int(day[-2:])
    jobs = sum(n % 20 + 5 <= last for n in range(1, JOBS + 1))
    steps = sum(n % 20 + 1 + step <= last for n in range(1, JOBS + 1) for step in (1, 2))
    return jobs, steps

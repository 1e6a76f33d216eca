"""A long file is imported, or refused line by line, in memory that does not grow with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.imports.test_made_up import MAPPING
from tests.imports.workshop import Workshop

PROGRAM = """
import re, sys
from pathlib import Path
from opsboard.imports.faults import ImportRejected
from opsboard.imports.mapping_file import parse_mapping
from opsboard.imports.run import run_import

dsn, folder, mapping, report = sys.argv[1:]
try:
    run_import(dsn, Path(folder), parse_mapping(mapping), "mill", report=Path(report))
except ImportRejected as error:
    print(error.rejection.faults)
else:
    print(0)
# Not ru_maxrss: that is never below what the process which started this one had.
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""
MEBIBYTES = 100  # the interpreter with its libraries takes 40


def write(workshop: Workshop, lines: int, pieces: str) -> None:
    with (workshop.folder / "orders.csv").open("w") as file:
        file.write("No,Title,Pieces,Due,Status\n")
        file.writelines(f"{n},Job number {n},{pieces},2024-01-{n % 28 + 1:02},active\n" for n in range(lines))


@pytest.mark.parametrize("lines", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("pieces", "bad"), [("5", 0), ("five", 1), ("5,6\0", 2)], ids=["good", "bad", "damaged"]
)
def test_memory_does_not_grow_with_the_file(workshop: Workshop, lines: int, pieces: str, bad: int) -> None:
    write(workshop, lines, pieces)
    arguments = [workshop.database.app_url, str(workshop.folder), MAPPING, str(workshop.report)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    faults, peak = map(int, done.stdout.split())
    assert faults == (lines if bad else 0)
    assert workshop.counts()["jobs"] == (0 if bad else lines)
    if bad:
        with workshop.report.open() as report:
            assert sum(1 for _ in report) == lines + 1
    assert peak < MEBIBYTES

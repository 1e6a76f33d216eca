"""opsboard import as it is typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.imports.workshop import ORDERS, Workshop


class Terminal:
    """The folder a person is in, with mill.toml beside the folder of files."""

    def __init__(self, workshop: Workshop, folder: Path) -> None:
        self.workshop = workshop
        self.folder = folder
        (folder / "mill.toml").write_text(workshop.mapping)

    def type(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "DATABASE_URL": self.workshop.database.app_url,
            "PATH": "/usr/bin:/bin",
            "COLUMNS": "200",
        }
        command = [sys.executable, "-m", "opsboard.cli", "import", *words]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def terminal(workshop: Workshop, tmp_path: Path) -> Terminal:
    """Where the command is typed."""
    return Terminal(workshop, tmp_path)


def test_import_tells_what_it_did_and_how_far_it_is(terminal: Terminal) -> None:
    done = terminal.type("files", "--mapping", "mill.toml", "--tenant", "mill", "--as-of", "2024-03-05")
    assert (done.returncode, terminal.workshop.counts()["jobs"]) == (0, 3)
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["inserted", "updated", "unchanged"],
        ["customers", "2", "0", "0"],
        ["processes", "2", "0", "0"],
        ["jobs", "3", "0", "0"],
        ["job_steps", "3", "0", "0"],
    ]
    # Not a terminal: plain lines, no bar.
    assert "reading orders.txt\n" in done.stderr
    assert "\r" not in done.stderr


def test_a_dry_run_says_that_nothing_was_stored(terminal: Terminal) -> None:
    done = terminal.type("files", "--mapping", "mill.toml", "--tenant", "mill", "--dry-run")
    assert done.stdout.endswith("dry run: nothing was stored\n")
    assert (done.returncode, terminal.workshop.counts()["jobs"]) == (0, 0)


def test_bad_files_end_with_code_2_and_a_report(terminal: Terminal) -> None:
    terminal.workshop.write(orders=ORDERS.replace("\t20\t", "\ttwenty\t"))
    done = terminal.type("files", "--mapping", "mill.toml", "--tenant", "mill")
    assert (done.returncode, terminal.workshop.counts()["jobs"]) == (2, 0)
    assert done.stderr.splitlines()[-3:] == [
        'opsboard: orders.txt, line 2, Pieces: "twenty" is not a whole number '
        "(for job_steps.quantity_done, jobs.quantity)",
        "opsboard: 1 fault on 1 line; nothing was stored",
        "opsboard: all of them are in opsboard-import-errors.csv",
    ]
    assert (terminal.folder / "opsboard-import-errors.csv").read_text().splitlines() == [
        "file,line,column,value,reason",
        'orders.txt,2,Pieces,twenty,"is not a whole number (for job_steps.quantity_done, jobs.quantity)"',
    ]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["files", "--mapping", "none.toml", "--tenant", "mill"], "none.toml: there is no such file"),
        (["files", "--mapping", "mill.toml", "--tenant", "nobody"], "there is no business 'nobody'"),
        (["nowhere", "--mapping", "mill.toml", "--tenant", "mill"], "'nowhere' does not exist"),
        (
            ["files", "--mapping", "mill.toml", "--tenant", "mill", "--as-of", "2011-02-30"],
            "does not match the format",
        ),
        (["files", "--tenant", "mill"], "Missing option '--mapping'"),
    ],
)
def test_what_cannot_be_done_ends_with_code_2_and_no_traceback(
    terminal: Terminal, words: list[str], reason: str
) -> None:
    done = terminal.type(*words)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_the_example_is_printed_and_can_be_begun_with(terminal: Terminal) -> None:
    done = terminal.type("--example")
    assert (done.returncode, done.stderr) == (0, "")
    (terminal.folder / "mill.toml").write_text(done.stdout)
    done = terminal.type("files", "--mapping", "mill.toml", "--tenant", "mill")
    assert done.returncode == 2
    # It is valid; only its files are others.
    assert "files.staff.path: files/staff.csv: No such file or directory" in done.stderr


def test_help_has_examples(terminal: Terminal) -> None:
    done = terminal.type("--help")
    assert done.returncode == 0
    assert "opsboard import --example > shop.toml" in done.stdout

"""Ctrl-C during an import: exit code 130 and the truth about what was stored."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from opsboard.imports.progress import Progress
from opsboard.imports.stopping import Stoppable, Stopped, run_stoppable
from tests.imports.workshop import Workshop


def start(workshop: Workshop, folder: Path) -> subprocess.Popen[str]:
    (folder / "mill.toml").write_text(workshop.mapping)
    environment = {"DATABASE_URL": workshop.database.app_url, "PATH": "/usr/bin:/bin"}
    command = [
        sys.executable,
        "-m",
        "opsboard.cli",
        "import",
        "files",
        "--mapping",
        "mill.toml",
        "--tenant",
        "mill",
    ]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    "words", ["reading", "making rows of jobs", "checking job_steps", "storing customers"]
)
def test_ctrl_c_ends_an_import_that_waits_for_the_database(
    workshop: Workshop, tmp_path: Path, words: str
) -> None:
    with workshop.connect() as other:
        other.autocommit = False
        # Held until the import has been stopped: its next statement that touches customers would wait for it.
        other.cursor().execute("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE")
        importing = start(workshop, tmp_path)
        assert importing.stderr is not None
        for line in importing.stderr:
            if line.startswith(("checking jobs", words)):
                break
        importing.send_signal(signal.SIGINT)
        out, err = importing.communicate(timeout=60)
        other.rollback()
    assert (importing.returncode, out) == (130, ""), err
    assert err.splitlines()[-1] == "opsboard: stopped; nothing was stored"
    assert "Traceback" not in err
    assert workshop.counts() == dict.fromkeys(workshop.counts(), 0)


def test_a_stop_that_comes_too_late_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Stoppable(Progress())
    asked = Event()
    monkeypatch.setattr(progress, "stop", asked.set)

    def store() -> str:
        # Ctrl-C reaches the main thread, and what is under way there cannot be stopped any more.
        signal.raise_signal(signal.SIGINT)
        asked.wait()
        return "stored"

    assert run_stoppable(progress, store) == ("stored", True)


def test_no_step_follows_a_stop() -> None:
    progress = Stoppable(Progress())
    progress.say("first")
    progress.stop()
    for step in (lambda: progress.say("second"), lambda: progress.advance(1), progress.check):
        with pytest.raises(Stopped):
            step()

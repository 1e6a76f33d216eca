"""`opsboard demo` as a user starts it: a process with a folder and a port of its own."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_PATIENCE = 120


class Demo:
    """One run of the command, started and ready."""

    def __init__(self, process: subprocess.Popen[str], errors: Path, said: str) -> None:
        self.process = process
        self.said = said
        self._errors = errors

    @property
    def errors(self) -> str:
        return self._errors.read_text()

    @property
    def address(self) -> str:
        found = re.search(r"Opsboard runs at (\S+)", self.said)
        assert found, self.said
        return found[1]

    @property
    def curl(self) -> list[str]:
        """The words of the command line that is shown."""
        (line,) = [line for line in self.said.splitlines() if line.startswith("curl ")]
        return shlex.split(line)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def running_demo(folder: Path, *words: str, **settings: str) -> Iterator[Demo]:
    """The command from when it says that all runs; killed at the end if the test did not end it."""
    errors = folder.with_name(f"{folder.name}.stderr")
    with open(errors, "w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "opsboard.cli", "demo", *words],
            env=environment(folder, **settings),
            cwd=folder.parent,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert process.stdout
    try:
        said = ""
        while "Ctrl-C stops it" not in said:
            line = process.stdout.readline()
            assert line, f"it ended: {errors.read_text()}"
            said += line
        yield Demo(process, errors, said)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def environment(folder: Path, **settings: str) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "OPSBOARD_"))
    }
    return {
        **inherited,
        "OPSBOARD_DATA": str(folder),
        "PORT": "0",
        "WEB_CONCURRENCY": "1",
        "PYTHONUNBUFFERED": "1",
        **settings,
    }


def get(words: list[str]) -> bytes:
    """Return the output of the shown curl line, also on machines without curl."""
    curl, option, header, url = words
    assert (curl, option) == ("curl", "-H")
    name, _, value = header.partition(": ")
    with urllib.request.urlopen(urllib.request.Request(url, headers={name: value}), timeout=10) as answer:
        return bytes(answer.read())


def family(pid: int) -> set[int]:
    """The numbers of a process and all that came from it."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that run; one that only waits to be collected does not."""
    found = set()
    for pid in pids:
        try:
            if (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.add(pid)
        except OSError:
            continue
    return found


def is_free(address: str) -> bool:
    host, _, port = address.removeprefix("http://").rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0

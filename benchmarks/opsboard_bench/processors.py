"""Which processor cores who runs on, and how much time a server has spent on them."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cores:
    """Cores of the server under test, and of the load generator and Postgres. Empty: not pinned."""

    server: list[int]
    others: list[int]

    def __str__(self) -> str:
        if not self.server:
            return "Not pinned: too few cores for that"
        return f"Server on core {listed(self.server)}; load generator and Postgres on {listed(self.others)}"


def share_out(workers: int) -> Cores:
    """A core for each worker if at least one is left for the others."""
    cores = usable()
    if len(cores) <= workers:
        return Cores([], [])
    return Cores(cores[:workers], cores[workers:])


def usable() -> list[int]:
    """The cores this process may run on; none where the system does not tell."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0))


def pin(pid: int, cores: list[int]) -> None:
    """Move a process and its children to these cores, or to all when there are none; forks follow."""
    options = cores or usable()
    if not options:
        return
    for task in tasks([pid, *children(pid)]):
        # Another user's server runs where its owner said.
        with suppress(PermissionError):
            os.sched_setaffinity(int(task.name), options)


def cpu_seconds(master: int) -> float | None:
    """Processor time of a server's workers so far; None where the system does not tell."""
    try:
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks(children(master))) / 1e9
    except (OSError, IndexError):
        return None


def tree_seconds(master: int) -> float:
    """Processor time of a server, its children and those that have ended, as finely as the system tells: 10 ms."""
    ticks = 0
    for pid in [master, *children(master)]:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            # Of itself; of the master also what its ended children used.
            ticks += sum(int(field) for field in fields[11 : 15 if pid == master else 13])
    return ticks / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def tasks(pids: list[int]) -> list[Path]:
    """The threads of these processes."""
    return [task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()]


def listed(cores: list[int]) -> str:
    return ", ".join(map(str, cores))

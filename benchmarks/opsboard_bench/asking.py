"""Clients in threads and in processes that keep a service busy while something else is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import pairwise

from opsboard.errors import CommandError
from opsboard_bench.fleet import Fleet
from opsboard_bench.load.answers import WrongAnswer
from opsboard_bench.load.connections import HttpConnection
from opsboard_bench.load.jobs import Job
from opsboard_bench.servers import HERE


@dataclass
class Answered:
    """When each answer came (monotonic seconds), and how many were errors or did not come."""

    at: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    broken: int = 0

    @property
    def failed(self) -> int:
        return self.broken + sum(status >= 500 for status in self.statuses)

    def longest_gap(self, begin: float, end: float) -> float:
        """Milliseconds between two answers next to each other, at most, while this went on."""
        times = [begin, *sorted(at for at in self.at if begin <= at <= end), end]
        return max(later - earlier for earlier, later in pairwise(times)) * 1000


@contextmanager
def asking(fleet: Fleet, clients: int, make_request: Callable[[], bytes]) -> Iterator[Answered]:
    """Each client asks again as soon as it has its answer; one whose connection breaks connects again."""
    answered, over = Answered(), threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                with HttpConnection(fleet.server.address) as connection:
                    while not over.is_set():
                        answer = connection.ask(make_request())
                        answered.at.append(time.monotonic())
                        answered.statuses.append(answer.status)
            except (OSError, WrongAnswer):
                answered.broken += 1

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield answered
    finally:
        over.set()
        for thread in threads:
            thread.join()


@contextmanager
def kept_busy(fleet: Fleet, request: bytes, connections: int) -> Iterator[None]:
    """So many connections of another process send this request, again as soon as they are answered."""
    job = Job(
        address=fleet.server.address,
        request=request.decode("latin-1"),
        status=200,
        expected=[],
        connections=connections,
        seconds=86_400,  # until it is ended
        warm_up=1,
        cores=[],
    )
    process = subprocess.Popen(
        [sys.executable, "-S", "-m", "load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE)},
        start_new_session=True,
    )
    try:
        assert process.stdin  # a pipe
        process.stdin.write(json.dumps(asdict(job)))
        process.stdin.close()
        yield
        if process.poll() is not None:
            raise CommandError("The load beside the measurement ended before it.")
    finally:
        process.kill()
        process.wait()

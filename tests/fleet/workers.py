"""Clients of each worker of a fleet, and readers that ask one worker all the time."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import pairwise

from tests.deploy.http_client import Answer, Client
from tests.deploy.servers import Gunicorn
from tests.waiting import eventually

STATS = "/api/dashboard/stats"
LIST = "/api/jobs?page_size=2&fields=id"


@contextmanager
def one_client_each(fleet: Gunicorn, token: str, workers: int) -> Iterator[dict[str, Client]]:
    """A kept connection to every worker, by the worker's name."""
    clients: dict[str, Client] = {}
    with ExitStack() as stack:

        def all_found() -> bool:
            client = fleet.client(token)
            stack.callback(client.close)
            told = client.get("/api/health/db")
            # On a busy machine a new worker's first connections may take longer than a request may.
            if told.status == 200:
                clients.setdefault(told.json["answered_by"], client)
            return len(clients) == workers

        eventually(f"{workers} workers answer", all_found, 30)
        yield clients


@dataclass(frozen=True)
class Seen:
    """One answer: when its request began, when it was there, how it was marked, and its number of jobs."""

    began: float
    ended: float
    status: int
    outcome: str
    jobs: int


@dataclass
class Reader:
    """Asks one worker again and again until it is told to stop."""

    client: Client
    stop: threading.Event
    path: str = STATS
    seen: list[Seen] = field(default_factory=list)
    broken: int = 0

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        return thread

    def misses(self) -> int:
        return sum(seen.outcome == "MISS" for seen in self.seen)

    def _run(self) -> None:
        while not self.stop.is_set():
            began = time.monotonic()
            try:
                answer = self.client.get(self.path)
            except (OSError, HTTPException):
                self.broken += 1
                continue
            ended = time.monotonic()
            jobs = jobs_in(answer) if answer.status == 200 else -1
            self.seen.append(Seen(began, ended, answer.status, answer.headers.get("X-Cache", ""), jobs))


def jobs_in(answer: Answer) -> int:
    """The number of jobs in the dashboard's counts, or the total of their list."""
    told = answer.json
    jobs: int = told["jobs"]["total"] if "jobs" in told else told["total"]
    return jobs


@contextmanager
def reading(clients: list[Client], path: str = STATS) -> Iterator[list[Reader]]:
    """A reader for each client, for the length of a block."""
    stop = threading.Event()
    readers = [Reader(client, stop, path) for client in clients]
    threads = [reader.start() for reader in readers]
    try:
        yield readers
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)


@dataclass
class Commits:
    """When each commit was begun and acknowledged; each adds one job to `base`. Written one at a time."""

    base: int
    begun: list[float] = field(default_factory=list)
    acknowledged: list[float] = field(default_factory=list)

    def jobs_at(self, moment: float) -> int:
        """Return the number of jobs that an answer from before that moment must contain."""
        return self.base + bisect_left(self.acknowledged, moment)

    def seconds_old(self, seen: Seen) -> float:
        """How long before the request began the first commit was known that the answer lacks; 0: it lacks none."""
        missing = seen.jobs - self.base
        if missing >= len(self.acknowledged):
            return 0.0
        return max(0.0, seen.began - self.acknowledged[missing])

    def from_nowhere(self, seen: Seen) -> bool:
        """Return True if the answer has commits that had not begun when it came."""
        return seen.jobs > self.base + bisect_left(self.begun, seen.ended)

    def lags(self, reader: Reader) -> list[float]:
        """For each commit, seconds from its end to the reader's first answer that has it."""
        good = [seen for seen in reader.seen if seen.status == 200]
        found, at = [], 0
        for number, done in enumerate(self.acknowledged, 1):
            while at < len(good) and good[at].jobs < self.base + number:
                at += 1
            found.append(max(0.0, good[at].ended - done) if at < len(good) else float("inf"))
        return found


def steps_back(reader: Reader) -> int:
    """How often an answer was older than one that had come before."""
    good = [seen.jobs for seen in reader.seen if seen.status == 200]
    return sum(later < sooner for sooner, later in pairwise(good))

"""Many dashboards, each polling on its own clock and naming the answer it has; latency counts from when it was due.

PYTHONPATH=<the folder above> python -S -m load.polls < polls.json > figures.json
"""

from __future__ import annotations

import gc
import heapq
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass, field

from .answers import Answer, WrongAnswer
from .connections import Address, Connection, Watched
from .jobs import naming_etag


@dataclass(frozen=True)
class Polls:
    """The load of dashboards: one request each per interval, measured after a warm-up."""

    address: Address
    requests: list[str]
    every: float
    seconds: float


@dataclass
class Seen:
    """Counts of answers: latencies in nanoseconds, answers by status and X-Cache, statements, and errors."""

    latencies: list[int] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    statements: int = 0
    errors: int = 0
    faults: list[str] = field(default_factory=list)

    def note(self, answer: Answer, latency: int) -> None:
        head = answer.head.lower()
        if answer.status not in (200, 304):
            self.fail(f"status {answer.status}")
            return
        self.latencies.append(latency)
        state = f"{answer.status} {value_of(head, b'x-cache').upper()}"
        self.states[state] = self.states.get(state, 0) + 1
        self.statements += int(value_of(head, b"x-queries") or 0)

    def fail(self, words: str) -> None:
        self.errors += 1
        if len(self.faults) < 5:
            self.faults.append(words)


def value_of(head: bytes, name: bytes) -> str:
    at = head.find(b"\r\n" + name + b":")
    return "" if at < 0 else head[at + len(name) + 3 : head.index(b"\r\n", at + 2)].decode("latin-1").strip()


def run(polls: Polls) -> Seen:
    """The first poll of each is the warm-up: it fetches what later ones have already."""
    watched, seen = Watched(), Seen()
    requests = [request.encode("latin-1") for request in polls.requests]
    dashboards = [Connection(polls.address, request, watched) for request in requests]
    numbers = {connection: number for number, connection in enumerate(dashboards)}
    began = time.perf_counter_ns()
    every = int(polls.every * 1e9)
    # (when it is due, which)
    due = [(began + every * number // len(dashboards), number) for number in range(len(dashboards))]
    asked: dict[int, int] = {}
    ends = began + every + int(polls.seconds * 1e9)
    while (due and due[0][0] < ends) or asked:
        now = time.perf_counter_ns()
        while due and due[0][0] <= min(now, ends):
            at, number = heapq.heappop(due)
            asked[number] = at
            dashboards[number].send()
        wait = max(0, (due[0][0] - now) // 1_000_000) if due and due[0][0] < ends else 1000
        for connection in watched.ready(wait):
            number = numbers[connection]
            try:
                answer = connection.receive()
            except (WrongAnswer, OSError) as error:
                seen.fail(str(error))
                connection.close()
                connection.open()
                heapq.heappush(due, (asked.pop(number) + every, number))
                continue
            if answer is None:
                continue
            at = asked.pop(number)
            if answer.status == 200:
                connection.request = naming_etag(requests[number], answer)
            if at >= began + every:
                seen.note(answer, time.perf_counter_ns() - at)
            heapq.heappush(due, (at + every, number))
    for connection in dashboards:
        connection.close()
    return seen


def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    polls = Polls(**json.load(sys.stdin))
    if soft < len(polls.requests) + 64:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, len(polls.requests) + 64), hard))
    gc.disable()
    json.dump(asdict(run(polls)), sys.stdout)


if __name__ == "__main__":
    main()

"""One measurement: a closed loop over a number of connections."""

from __future__ import annotations

import time
from dataclasses import dataclass

from .answers import Answer, WrongAnswer, check
from .connections import Address, Connection, Watched


@dataclass(frozen=True)
class Job:
    """One measurement. `expected` are pieces that every counted answer has in its head.

    `warm_up` is how many answers each connection gets before the count begins. `conditional`: like a browser,
    each connection names the ETag it was last given, which another worker's answer need not share.
    """

    address: Address
    request: str
    status: int
    expected: list[str]
    connections: int
    seconds: float
    warm_up: int
    cores: list[int]
    conditional: bool = False


@dataclass(frozen=True)
class Figures:
    """A result: `answers` counted within `seconds`, and all `exchanges` made."""

    answers: int
    exchanges: int
    reconnects: int
    seconds: float
    busy: float  # of the client's own core, 0 to 1: near 1, it measured itself
    latencies: list[int]  # nanoseconds, in the order of the answers; only of a single connection


def run(job: Job) -> Figures:
    """Keep every connection busy; count from when all are warm until the time is over."""
    watched = Watched()
    request = job.request.encode("latin-1")
    connections = [Connection(job.address, request, watched) for _ in range(job.connections)]
    expected = [piece.encode("latin-1") for piece in job.expected]
    for connection in connections:
        connection.send()
    cold, answers = job.connections, 0
    latencies: list[int] = []
    began = ends = used = last = 0
    while watched:
        for connection in watched.ready():
            answer = connection.receive()
            if answer is None:
                continue
            now = time.perf_counter_ns()
            if not cold:
                check(answer, job.status, expected)
                # Those under way at the end are awaited, not counted: the next measurement finds an idle server.
                # Only the very first counts whenever it comes: no measurement is without an answer.
                if now > ends and answers:
                    connection.close()
                    continue
                last = now
                answers += 1
                latencies.append(now - connection.sent_at)
            else:
                if job.conditional and answer.status == 200:
                    connection.request = naming_etag(request, answer)
                cold -= connection.answered == job.warm_up
                if not cold:
                    began, used = time.perf_counter_ns(), time.process_time_ns()
                    ends = began + int(job.seconds * 1e9)
            connection.send()
    took = time.perf_counter_ns() - began
    return Figures(
        answers=answers,
        exchanges=sum(connection.answered for connection in connections),
        reconnects=sum(connection.opened - 1 for connection in connections),
        seconds=max(job.seconds, (last - began) / 1e9),
        busy=(time.process_time_ns() - used) / took,
        latencies=latencies if job.connections == 1 else [],
    )


def naming_etag(request: bytes, answer: Answer) -> bytes:
    """The same request for one who has this answer already."""
    for line in answer.head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"etag":
            return request.removesuffix(b"\r\n") + b"If-None-Match: " + value.strip() + b"\r\n\r\n"
    raise WrongAnswer("there is no ETag in the answer")

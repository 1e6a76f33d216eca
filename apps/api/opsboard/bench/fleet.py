"""Several workers of the service on demo data, and a way to talk to each of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass

from opsboard.bench.ground import Bench, Ground, with_demo_data
from opsboard.bench.load.connections import Talk
from opsboard.bench.load.jobs import Job
from opsboard.bench.measures.hits import service_settings
from opsboard.bench.scenarios import STATS, Contender
from opsboard.bench.servers import HERE, Grounds, Server, await_answer, started
from opsboard.bench.subject import sign_in
from opsboard.errors import CommandError

PATIENCE = 60.0
SURPLUS = 50
SERVICE = Contender("opsboard")


@dataclass(frozen=True)
class Fleet:
    """A running service of several workers, and the token of an admin."""

    ground: Ground
    server: Server
    token: str
    workers: int

    def request(self, path: str, method: str = "GET", body: object = None) -> bytes:
        sent = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} {path} HTTP/1.1", "Host: opsboard", f"Authorization: Bearer {self.token}"]
        if body is not None:
            head += ["Content-Type: application/json", f"Content-Length: {len(sent)}"]
        return "\r\n".join([*head, "", ""]).encode("latin-1") + sent


@contextmanager
def fleet(bench: Bench, name: str) -> Iterator[Fleet]:
    """A fleet on a database of its own."""
    with with_demo_data(bench, name) as ground, fleet_on(bench, name, ground) as service:
        yield service


@contextmanager
def fleet_on(bench: Bench, name: str, ground: Ground, **settings: str) -> Iterator[Fleet]:
    """A fleet with these settings on a database that there is."""
    workers = bench.wanted.fleet
    grounds = Grounds(ground.folder, service_settings(bench, ground.url) | settings, workers, [])
    bench.report(f"{name}: starting {workers} workers")
    with started(grounds, SERVICE) as server:
        await_answer(grounds, SERVICE, server)
        yield Fleet(ground, server, sign_in(server.address), workers)


@contextmanager
def one_talk_each(fleet: Fleet) -> Iterator[list[Talk]]:
    """A kept connection to every worker."""
    with ExitStack() as stack:
        talks: dict[str, Talk] = {}
        surplus = []
        # On a busy machine a worker may begin much later than the others.
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            talk = Talk(fleet.server.address)
            name = json.loads(talk.ask(fleet.request("/api/health/db")).body)["answered_by"]
            if name in talks:
                surplus.append(talk)  # kept for now: the next one shall go to somebody else
                if len(surplus) > SURPLUS:
                    surplus.pop(0).connection.close()
            else:
                talks[name] = stack.enter_context(talk)
            if len(talks) == fleet.workers:
                break
        for talk in surplus:
            talk.connection.close()
        if len(talks) < fleet.workers:
            raise CommandError(f"Only {len(talks)} of {fleet.workers} workers answer.")
        yield list(talks.values())


@contextmanager
def kept_busy(fleet: Fleet) -> Iterator[None]:
    """Two connections for each worker ask for the statistics, again as soon as they are answered."""
    job = Job(
        address=fleet.server.address,
        request=fleet.request(STATS).decode("latin-1"),
        status=200,
        expected=[],
        connections=2 * fleet.workers,
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

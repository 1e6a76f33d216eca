"""Several workers of the service on demo data, and a way to talk to each of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from opsboard.errors import CommandError
from opsboard_bench.environment import Bench, Environment, with_demo_data
from opsboard_bench.load.connections import HttpConnection
from opsboard_bench.measures.hits import service_settings
from opsboard_bench.scenarios import Contender
from opsboard_bench.servers import Grounds, Server, await_answer, started
from opsboard_bench.session import request_token

PATIENCE = 60.0
SURPLUS = 50
SERVICE = Contender("opsboard")


@dataclass(frozen=True)
class Fleet:
    """A running service of several workers, and the token of an admin."""

    environment: Environment
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
    with with_demo_data(bench, name) as environment, fleet_on(bench, name, environment) as service:
        yield service


@contextmanager
def fleet_on(bench: Bench, name: str, environment: Environment, **settings: str) -> Iterator[Fleet]:
    """A fleet with these settings on a database that there is."""
    workers = bench.options.fleet
    grounds = Grounds(environment.folder, service_settings(bench, environment.url) | settings, workers, [])
    bench.report(f"{name}: starting {workers} workers")
    with started(grounds, SERVICE) as server:
        await_answer(grounds, SERVICE, server)
        yield Fleet(environment, server, request_token(server.address), workers)


@contextmanager
def one_client_each(fleet: Fleet) -> Iterator[list[HttpConnection]]:
    """A kept connection to every worker."""
    with ExitStack() as stack:
        clients: dict[str, HttpConnection] = {}
        surplus = []
        # On a busy machine a worker may begin much later than the others.
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            client = HttpConnection(fleet.server.address)
            name = json.loads(client.ask(fleet.request("/api/health/db")).body)["answered_by"]
            if name in clients:
                surplus.append(client)  # kept for now: the next one shall go to somebody else
                if len(surplus) > SURPLUS:
                    surplus.pop(0).connection.close()
            else:
                clients[name] = stack.enter_context(client)
            if len(clients) == fleet.workers:
                break
        for client in surplus:
            client.connection.close()
        if len(clients) < fleet.workers:
            raise CommandError(f"Only {len(clients)} of {fleet.workers} workers answer.")
        yield list(clients.values())

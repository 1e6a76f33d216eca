"""Half requests and answers that nobody takes, on gunicorn itself."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from opsboard_bench.environment import Bench, Environment
from opsboard_bench.fleet import Fleet, fleet_on
from opsboard_bench.incidents.finding import Finding
from opsboard_bench.load.connections import exchange

EACH = 64
ASKED = 40
HEALTH = b"GET /api/health HTTP/1.1\r\nHost: opsboard\r\n\r\n"


def measure(bench: Bench, environment: Environment) -> list[Finding]:
    with fleet_on(bench, "incidents", environment) as service:
        bench.report("incidents: half requests")
        kinds = {
            "half heads": b"GET /api/jobs HTTP/1.1\r\nHost: x\r\n",
            "half bodies": b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{",
            "unread answers": service.request("/api/jobs/export"),
        }
        found = []
        for words, sent in kinds.items():
            with held_open(service, sent):
                times = [health_ms(service) for _ in range(ASKED)]
            found.append(Finding(f"{EACH} {words}: longest `/api/health`", 200, max(times), "ms"))
    return found


@contextmanager
def held_open(service: Fleet, sent: bytes) -> Iterator[None]:
    """So many connections on which this was sent, and nothing is read."""
    with ExitStack() as stack:
        for _ in range(EACH):
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(service.server.address)
            connection.sendall(sent)
        time.sleep(0.5)
        yield


def health_ms(service: Fleet) -> float:
    began = time.perf_counter()
    exchange(service.server.address, HEALTH)
    return (time.perf_counter() - began) * 1000

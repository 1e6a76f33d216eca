"""A flood of wrong passwords: what the others wait, what it takes of memory, and whom the limit lets in."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from opsboard.demo.catalogue import BUSINESSES, PASSWORD
from opsboard.errors import CommandError
from opsboard_bench.asking import asking
from opsboard_bench.environment import Bench, Environment
from opsboard_bench.figures import percentile
from opsboard_bench.fleet import Fleet, fleet_on
from opsboard_bench.incidents.finding import LIST, UNCACHED, Finding
from opsboard_bench.load.connections import exchange
from opsboard_bench.one_url import ask_all
from opsboard_bench.processors import children

CLIENTS, READERS, AT_ONCE = 20, 4, 40
VICTIM = BUSINESSES[0].email("manager")
LIMITED = BUSINESSES[1].email("manager")


def measure(bench: Bench, environment: Environment) -> list[Finding]:
    seconds = bench.options.watched / 3
    with fleet_on(bench, "incidents", environment, **UNCACHED) as service:
        request = service.request(LIST)
        alone = percentile(ask_all(service.server.address, request, READERS, seconds).latencies, 0.99)
        before = memory(service)
        bench.report("incidents: a flood of sign-ins")
        with asking(service, CLIENTS, wrong_sign_in) as flood:
            time.sleep(min(1.0, seconds))
            beside = percentile(ask_all(service.server.address, request, READERS, seconds).latencies, 0.99)
            waited = signed_in_after(service)
        grown = max(after - before.get(pid, after) for pid, after in memory(service).items())
        tried = sign_in_at_once(service)
    attempts = bench.config.login_attempts
    return [
        Finding("Flood of sign-ins: p99 of a list, as times that without", 3, beside / alone),
        Finding("Flood of sign-ins: growth of a worker", 40, grown, "MB"),
        Finding("Flood of sign-ins: the true user signs in from a new address", 5, waited, "s"),
        Finding(f"{AT_ONCE} attempts at once on one account: tried beyond the limit", 0, tried[401] - attempts),
        Finding("Flood of sign-ins: answers 500", 0, sum(status == 500 for status in flood.statuses)),
    ]  # fmt: skip


def sign_in(email: str, password: str, address: str) -> bytes:
    body = json.dumps({"email": email, "password": password}).encode()
    head = (
        "POST /api/auth/login HTTP/1.1\r\nHost: opsboard\r\nContent-Type: application/json\r\n"
        f"X-Forwarded-For: {address}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def wrong_sign_in() -> bytes:
    """From anywhere, half of them for the one account that somebody wants to get into."""
    email = VICTIM if random.random() < 0.5 else f"{random.randrange(10**9)}@nowhere.example"
    return sign_in(email, "wrong password", somewhere())


def somewhere() -> str:
    return ".".join(str(random.randrange(1, 255)) for _ in range(4))


def signed_in_after(service: Fleet) -> float:
    """Seconds until the true user is in, who tries again when told to wait."""
    began, address = time.monotonic(), somewhere()
    while True:
        answer = exchange(service.server.address, sign_in(VICTIM, PASSWORD, address))
        if answer.status == 200:
            return time.monotonic() - began
        if time.monotonic() - began > 30:
            raise CommandError(f"The true user is not let in: {answer.status}.")
        time.sleep(0.2)


def sign_in_at_once(service: Fleet) -> Counter[int]:
    """The answers to wrong passwords for one account from one address, by status."""
    request = sign_in(LIMITED, "wrong password", "192.0.2.1")
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(
            threads.map(lambda _: exchange(service.server.address, request).status, range(AT_ONCE))
        )
    return Counter(answers)


def memory(service: Fleet) -> dict[int, float]:
    """MB that each worker holds."""
    found = {}
    for pid in children(service.server.process.pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            found[pid] = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS:"))
    return found

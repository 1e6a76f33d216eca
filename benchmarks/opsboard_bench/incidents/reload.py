"""HUP under load: for how long nobody answers."""

from __future__ import annotations

import os
import signal
import time

from opsboard.errors import CommandError
from opsboard_bench.asking import asking
from opsboard_bench.environment import Bench, Environment
from opsboard_bench.fleet import fleet_on
from opsboard_bench.incidents.finding import UNCACHED, Finding
from opsboard_bench.processors import children
from opsboard_bench.scenarios import STATS

CLIENTS = 4
SECOND = 0.3  # seconds after the first HUP, every other time
PATIENCE = 60.0


def measure(bench: Bench, environment: Environment) -> list[Finding]:
    times = max(1, bench.options.clears // 10)
    with fleet_on(bench, "incidents", environment, **UNCACHED) as service:
        master = service.server.process.pid
        request = service.request(STATS)
        gaps = []
        with asking(service, CLIENTS, lambda: request) as answered:
            time.sleep(1)
            for number in range(1, times + 1):
                bench.report(f"incidents: reload {number} of {times}")
                began = time.monotonic()
                reload(master, service.workers, twice=number % 2 == 0)
                gaps.append(answered.longest_gap(began, time.monotonic()))
    return [
        Finding(f"{times} reloads, every other with a second HUP: longest gap between answers", 250, max(gaps), "ms"),
        Finding(f"{times} reloads: failed requests", 0, answered.failed),
    ]  # fmt: skip


def reload(master: int, workers: int, twice: bool) -> None:
    """Until all workers are new ones."""
    old = set(children(master))
    os.kill(master, signal.SIGHUP)
    if twice:
        time.sleep(SECOND)
        os.kill(master, signal.SIGHUP)
    deadline = time.monotonic() + PATIENCE
    while True:
        now = set(children(master))
        if len(now) == workers and not now & old:
            return
        if time.monotonic() > deadline:
            raise CommandError(f"After {PATIENCE:.0f} s not all workers are new.")
        time.sleep(0.05)

"""The database stopped, and frozen: how fast the answers are that are still given, and the errors."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from opsboard.db.embedded import Cluster
from opsboard_bench.environment import Bench, Environment
from opsboard_bench.figures import percentile
from opsboard_bench.fleet import Fleet, fleet_on, one_client_each
from opsboard_bench.incidents.finding import Finding
from opsboard_bench.one_url import Load, ask_all
from opsboard_bench.processors import children
from opsboard_bench.scenarios import STATS

CLIENTS = 32
# Not requested before: nothing is cached.
NEVER_ASKED = "/api/jobs?q=never-asked&page_size=7"


def measure(bench: Bench, environment: Environment) -> list[Finding]:
    found = []
    for words, away in (("frozen", frozen), ("stopped", stopped)):
        with fleet_on(bench, "incidents", environment) as service:
            found += of(bench, service, words, lambda away=away: away(environment.cluster))  # type: ignore[misc]
    return found


def of(bench: Bench, service: Fleet, words: str, away: Callable[[], object]) -> list[Finding]:
    bench.report(f"incidents: the database is {words}")
    seconds = bench.options.watched
    # A worker that was never asked has nothing to keep: chance must not decide which ones the clients reach.
    with one_client_each(service) as clients:
        for client in clients:
            client.ask(service.request(STATS))
    ask(service, STATS, seconds / 6)
    normal = ask(service, STATS, seconds / 6)
    with away():  # type: ignore[attr-defined]
        time.sleep(1)
        kept = ask(service, STATS, seconds)
        errors = ask(service, NEVER_ASKED, seconds / 3)
    return figures(f"Database {words}", rate(kept) / rate(normal), kept, errors)


def figures(words: str, of_normal: float, kept: Load, errors: Load) -> list[Finding]:
    """`kept`: of answers that were in the cache; `errors`: of those that were not."""
    return [
        Finding(f"{words}: rate of cached answers, of the normal rate", 0.5, of_normal, at_least=True),
        Finding(f"{words}: cached answers that are not 200", 0, kept.statuses.total() - kept.statuses[200]),
        Finding(f"{words}: cached answers, p50", 20, percentile(kept.latencies, 0.5), "ms"),
        Finding(f"{words}: cached answers, p99", 100, percentile(kept.latencies, 0.99), "ms"),
        Finding(f"{words}: other answers than 503", 0, errors.statuses.total() - errors.statuses[503]),
        Finding(f"{words}: 503, p50", 20, percentile(errors.latencies, 0.5), "ms"),
        Finding(f"{words}: 503, p99", 100, percentile(errors.latencies, 0.99), "ms"),
    ]


def ask(service: Fleet, path: str, seconds: float) -> Load:
    return ask_all(service.server.address, service.request(path), CLIENTS, seconds)


def rate(load: Load) -> float:
    return len(load.latencies) / load.seconds


@contextmanager
def frozen(cluster: Cluster) -> Iterator[None]:
    """All processes of the server stand still; they take connections and never answer."""
    assert cluster.pid is not None
    stood = [cluster.pid, *children(cluster.pid)]
    for pid in stood:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stood:
            if Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGCONT)


@contextmanager
def stopped(cluster: Cluster) -> Iterator[None]:
    cluster.stop("immediate")
    try:
        yield
    finally:
        cluster.start()

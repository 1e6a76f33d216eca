"""Health while threads, connections, tables or the database cannot be had: how soon each of its addresses answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opsboard.db.session import connected
from opsboard_bench.asking import kept_busy
from opsboard_bench.environment import Bench, Environment
from opsboard_bench.figures import percentile
from opsboard_bench.fleet import Fleet, fleet_on
from opsboard_bench.incidents.away import frozen
from opsboard_bench.incidents.finding import LIST, UNCACHED, Finding
from opsboard_bench.load.connections import HttpConnection

PATHS = (
    "/api/health", "/api/health/ready", "/api/health/db", "/api/health/db/test", "/api/health/cache",
    "/api/health/indexes", "/api/health/queries", "/api/health/tables", "/api/health/journeys", "/api/health/rollups",
    "/api/health/activity", "/api/health/workers", "/api/health/usage", "/api/health/alerts", "/health", "/metrics",
)  # fmt: skip
BOUND = 200.0  # ms
TABLES = """
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname
"""
# More clients than there are threads, or connections, whichever workers they reach.
CROWD = 24
FEW_CONNECTIONS = {"DB_POOL_MIN_CONNECTIONS": "1", "DB_POOL_MAX_CONNECTIONS": "2"}

Times = dict[str, list[float]]


def measure(bench: Bench, environment: Environment) -> list[Finding]:
    asked = 40 if bench.options.watched > 5 else 3
    found = []
    for words, settings, state in states(environment, CROWD * bench.options.fleet):
        with fleet_on(bench, "incidents", environment, **UNCACHED, **settings) as service:
            bench.report(f"incidents: health, {words}")
            with state(service):
                time.sleep(1)
                found += figures(words, ask(service, asked))
    with fleet_on(bench, "incidents", environment, **UNCACHED) as service:
        found += figures(
            "each table locked in turn", while_locked(bench, service, environment, asked // 10 or 1)
        )
    return found


def states(
    environment: Environment, crowd: int
) -> list[tuple[str, dict[str, str], Callable[[Fleet], AbstractContextManager[None]]]]:
    """Words, settings of the service, and the state as a context manager."""
    locked = crowd_before_a_lock(environment, crowd)
    return [
        ("nothing wrong", {}, lambda _: nullcontext()),
        ("all threads busy", {}, locked),
        ("no connection left", FEW_CONNECTIONS, locked),
        ("database frozen", {}, lambda _: frozen(environment.cluster)),
    ]


def crowd_before_a_lock(
    environment: Environment, crowd: int
) -> Callable[[Fleet], AbstractContextManager[None]]:
    @contextmanager
    def state(service: Fleet) -> Iterator[None]:
        with locked(environment, "customers"), kept_busy(service, service.request(LIST), crowd):
            yield

    return state


@contextmanager
def locked(environment: Environment, table: str) -> Iterator[None]:
    with connected(environment.superuser_url, "bench") as connection, connection.cursor() as cursor:
        cursor.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        cursor.execute("ROLLBACK")


def while_locked(bench: Bench, service: Fleet, environment: Environment, asked: int) -> Times:
    with connected(environment.superuser_url, "bench") as connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = [name for (name,) in cursor.fetchall()]
    times: Times = {path: [] for path in PATHS}
    for table in tables:
        bench.report(f"incidents: health, {table} locked")
        with locked(environment, table):
            for path, taken in ask(service, asked).items():
                times[path] += taken
    return times


def ask(service: Fleet, asked: int) -> Times:
    """Milliseconds of each answer, each on a connection of its own, so that every worker is asked."""
    times: Times = {path: [] for path in PATHS}
    for _ in range(asked):
        for path in PATHS:
            began = time.perf_counter()
            with HttpConnection(service.server.address) as connection:
                connection.ask(service.request(path))
            times[path].append((time.perf_counter() - began) * 1000)
    return times


def figures(words: str, times: Times) -> list[Finding]:
    """The slowest address of all by its median, and the tail of all answers."""
    slowest = max(times, key=lambda path: percentile(times[path], 0.5))
    everything = [one for taken in times.values() for one in taken]
    return [
        Finding(
            f"Health, {words}: median of the slowest (`{slowest}`)",
            BOUND,
            percentile(times[slowest], 0.5),
            "ms",
        ),
        Finding(f"Health, {words}: p99 of all", BOUND, percentile(everything, 0.99), "ms"),
    ]

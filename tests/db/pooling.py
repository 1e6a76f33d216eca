"""Helpers of the pool's tests: an observer on the server, waiting without sleep, and threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg2

from opsboard.db.embedded import SUPERUSER, Cluster
from opsboard.db.pool import Pool

_numbers = count(1)


def in_threads(tasks: list[Callable[[], Any]], seconds: float = 60.0) -> list[Any]:
    """Run all at once; each one's result or exception, in the order of the tasks."""
    results: list[Any] = [TimeoutError("still running")] * len(tasks)

    def run(number: int, task: Callable[[], Any]) -> None:
        try:
            results[number] = task()
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(tasks)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return results


class FakeClock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Server:
    """A cluster as seen beside a pool: it knows the pool's sessions by their application_name."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.application = f"pool_{next(_numbers)}"
        self.url = f"{cluster.url(SUPERUSER, 'postgres')}&application_name={self.application}"

    @contextmanager
    def pool(self, minconn: int = 2, maxconn: int = 10, **options: Any) -> Iterator[Pool]:
        """A pool to this server, closed at the end."""
        pool = Pool(minconn, maxconn, self.url, **options)
        try:
            yield pool
        finally:
            pool.closeall()

    def rows(self, query: str, *params: Any) -> list[tuple[Any, ...]]:
        """Ask on a connection of our own."""
        connection = psycopg2.connect(self.cluster.url(SUPERUSER, "postgres"))
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(query, params)
            return cursor.fetchall()
        finally:
            connection.close()

    def pids(self) -> set[int]:
        """The server processes of the pool."""
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"
        return {row[0] for row in self.rows(query, self.application)}

    def kill(self) -> int:
        """Terminate all sessions of the pool and wait until they are gone; how many there were."""
        query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s"
        return len(self.rows(query, self.application))


def fill(pool: Pool, connections: int) -> None:
    """Make the pool hold that many idle connections."""
    for connection in [pool.getconn() for _ in range(connections)]:
        pool.putconn(connection)


def pid_of(pool: Pool) -> int:
    """The server process that answers on a checkout."""
    with pool.connection() as connection:
        row = connection.run_clean("SELECT pg_backend_pid()")
        assert row is not None
        return int(row[0])

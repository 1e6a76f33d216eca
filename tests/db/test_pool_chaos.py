"""Sessions are killed and the server restarts under load: no wrong answer, no slot lost, true numbers."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from opsboard.db.pool import Pool, is_disconnect
from opsboard.errors import DeadlineExceeded
from tests.clusters import running_cluster
from tests.db.pooling import Server, in_threads
from tests.waiting import comes_true

THREADS = 32
CONNECTIONS = 8


@pytest.fixture(scope="module")
def own_cluster(folder_of_clusters: Path) -> Iterator[Cluster]:
    """A server that may be restarted without disturbing other tests."""
    with running_cluster(folder_of_clusters / "pool-chaos") as cluster:
        yield cluster


def read(pool: Pool, number: int) -> None:
    """As the service reads: in one message, repeated when the connection dies."""
    for _ in range(20):
        try:
            with pool.connection(deadline=time.monotonic() + 20) as connection:
                assert connection.run_clean("SELECT %s", (number,)) == (number,)
                return
        except psycopg2.Error as error:
            if not is_disconnect(error):
                raise
    raise AssertionError("20 connections died under one read")


def leave_open(pool: Pool, number: int) -> None:
    """Leaves the transaction to the pool."""
    connection = pool.getconn()
    try:
        connection.autocommit = False
        cursor = connection.cursor()
        cursor.execute("SELECT %s", (number,))
        assert cursor.fetchone() == (number,)
    finally:
        pool.putconn(connection)


def commit(pool: Pool, number: int) -> None:
    connection = pool.getconn()
    try:
        connection.autocommit = False
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT %s", (number,))
            assert cursor.fetchone() == (number,)
    finally:
        pool.putconn(connection)


def fail(pool: Pool, number: int) -> None:
    with pool.connection() as connection:
        connection.cursor().execute("BEGIN; SELECT %s / 0", (number,))


def forget(pool: Pool, number: int) -> None:
    connection = pool.getconn()
    connection.cursor().execute("BEGIN; SELECT %s", (number,))


def forget_until_the_end_of_the_request(pool: Pool, number: int) -> None:
    connections = [pool.getconn()]
    assert connections[0].run_clean("SELECT %s", (number,)) == (number,)
    pool.reclaim()


HANDLERS = [read, read, read, leave_open, commit, fail, forget, forget_until_the_end_of_the_request]


def handle(pool: Pool, counts: Counter[str]) -> None:
    """One request; what a request may see of the chaos is the loss of its connection."""
    handler, number = random.choice(HANDLERS), random.randrange(10**9)
    try:
        handler(pool, number)
    except psycopg2.errors.DivisionByZero:
        if handler is not fail:
            raise
    except psycopg2.Error as error:
        if handler is read or not is_disconnect(error):
            raise
        counts["lost"] += 1
    counts[handler.__name__] += 1


def run_chaos(server: Server, seconds: float, restarts: int) -> None:
    counts: Counter[str] = Counter()
    end = time.monotonic() + seconds
    over = threading.Event()

    def requests() -> None:
        while time.monotonic() < end:
            handle(pool, counts)

    def kill() -> None:
        while not over.wait(0.05):
            try:
                # Waits until it is gone, so that the last one does not die after the end.
                rows = server.rows(
                    "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
                    " WHERE application_name = %s ORDER BY random() LIMIT 1",
                    server.application,
                )
            except psycopg2.OperationalError:
                continue  # the server restarts
            counts["kills"] += len(rows)

    def restart() -> None:
        for number in range(restarts):
            over.wait(seconds / (restarts + 1) if number else 0.5)
            server.cluster.restart()

    with server.pool(2, CONNECTIONS, timeout=20) as pool:
        killer = threading.Thread(target=kill, daemon=True)
        restarter = threading.Thread(target=restart, daemon=True)
        killer.start()
        restarter.start()
        results = in_threads([requests] * THREADS, seconds + 40)
        restarter.join(60)
        over.set()
        killer.join(20)
        assert results == [None] * THREADS
        assert counts["kills"] > seconds
        assert all(counts[handler.__name__] for handler in HANDLERS)
        check_at_rest(server, pool)


def check_at_rest(server: Server, pool: Pool) -> None:
    """All slots are there, and the pool's numbers are the server's."""
    assert comes_true(lambda: pool.reference_stats()["in_use"] == 0)
    # The death of an idle connection shows at checkout.
    held = [pool.getconn(timeout=5) for _ in range(CONNECTIONS)]
    ours = {connection.get_backend_pid() for connection in held}
    assert len(ours) == CONNECTIONS
    # A session whose connection was cut ends when the server notices.
    assert comes_true(lambda: server.pids() == ours)
    for connection in held:
        pool.putconn(connection)
    stats = pool.get_stats()
    assert (stats["pool_size"], stats["pool_available"], stats["requests_waiting"]) == (8, 8, 0)


def test_kills_and_restarts_under_load_lose_no_slot_and_fail_no_read(own_cluster: Cluster) -> None:
    run_chaos(Server(own_cluster), 5.0, restarts=3)


@pytest.mark.slow
def test_kills_and_restarts_under_load_for_a_minute(own_cluster: Cluster) -> None:
    run_chaos(Server(own_cluster), 60.0, restarts=3)


def test_deadlines_under_load_lose_no_slot(own_cluster: Cluster) -> None:
    server = Server(own_cluster)

    def request() -> None:
        for _ in range(4):
            limit = random.uniform(0.0, 0.1)
            try:
                with pool.connection(deadline=time.monotonic() + limit) as connection:
                    connection.run_clean("SELECT pg_sleep(%s)", (random.choice([0.0, 0.01, 0.5]),))
            except DeadlineExceeded:
                counts["late"] += 1
            else:
                counts["answered"] += 1

    counts: Counter[str] = Counter()
    with server.pool(2, CONNECTIONS) as pool:
        assert in_threads([request] * THREADS) == [None] * THREADS
        assert counts["late"]
        assert counts["answered"]
        check_at_rest(server, pool)

"""Old, idle and forgotten connections go, and the numbers say so."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest

from opsboard.db.connector import LIFETIME_JITTER
from opsboard.db.embedded import Cluster
from opsboard.db.pool import Pool
from tests.db.pooling import FakeClock, Server, fill, in_threads, pid_of
from tests.waiting import comes_true


@pytest.fixture
def server(cluster: Cluster) -> Server:
    return Server(cluster)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pool(server: Server, clock: FakeClock) -> Iterator[Pool]:
    with server.pool(2, 6, max_idle=600, max_lifetime=3600, leak_seconds=60, clock=clock) as pool:
        yield pool


def sizes(server: Server, pool: Pool) -> tuple[int, int]:
    stats = pool.get_stats()
    assert stats["pool_size"] == stats["pool_available"] + stats["pool_lent"]
    comes_true(lambda: len(server.pids()) == stats["pool_size"], 2.0)
    return stats["pool_size"], len(server.pids())


def test_connections_are_kept_up_to_the_maximum(server: Server, pool: Pool) -> None:
    fill(pool, 6)
    before = server.pids()
    for _ in range(5):
        fill(pool, 6)
    assert server.pids() == before
    assert pool.get_stats()["connections_num"] == 6


def test_idle_connections_go_down_to_the_minimum(server: Server, pool: Pool, clock: FakeClock) -> None:
    fill(pool, 6)
    clock.now += 599
    kept = pid_of(pool)
    pool.maintain()
    assert sizes(server, pool) == (6, 6)
    clock.now += 2
    pool.maintain()
    assert sizes(server, pool) == (2, 2)
    assert kept in server.pids(), "the one used last stays"
    clock.now += 601
    pool.maintain()
    assert sizes(server, pool) == (2, 2)


def test_watchdog_shrinks_a_pool_nobody_uses(server: Server) -> None:
    with server.pool(1, 5, max_idle=0.2) as pool:
        fill(pool, 5)
        assert comes_true(lambda: sizes(server, pool) == (1, 1))


def test_old_connections_are_replaced_idle_or_in_use(server: Server, pool: Pool, clock: FakeClock) -> None:
    fill(pool, 3)
    in_use = pool.getconn()
    first = server.pids()
    clock.now += 3601
    pool.maintain()
    assert sizes(server, pool) == (1, 1)
    assert in_use.run_clean("SELECT 1") == (1,), "nobody's connection is closed under him"
    pool.putconn(in_use)
    assert sizes(server, pool) == (0, 0)
    assert pid_of(pool) not in first
    assert pool.get_stats()["connections_lost"] == 0
    assert pool.get_stats()["returns_bad"] == 0


def test_connections_opened_together_do_not_end_together(pool: Pool, clock: FakeClock) -> None:
    fill(pool, 6)
    ends = {connection.expires - clock.now for connection in pool._checkout.slots.idle}
    assert len(ends) == 6
    assert all(3600 * (1 - LIFETIME_JITTER) <= end <= 3600 for end in ends)


def hold_on(pool: Pool) -> object:
    return pool.getconn()


def test_leak_is_logged_once_with_the_caller(
    pool: Pool, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    held = hold_on(pool)
    clock.now += 59
    pool.maintain()
    assert caplog.records == []
    clock.now += 2
    pool.maintain()
    clock.now += 300
    pool.maintain()
    # The watchdog may have been the first to see it, and is still writing then.
    assert comes_true(lambda: len(caplog.records) == 1)
    said = caplog.records[0].getMessage()
    assert "held for 61 s" in said
    assert "in hold_on\n    return pool.getconn()" in said
    assert "in test_leak_is_logged_once_with_the_caller\n    held = hold_on(pool)" in said
    assert pool.reference_stats()["in_use"] == 1
    pool.putconn(held)  # type: ignore[arg-type]


def test_watchdog_tells_of_a_leak_by_itself(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with server.pool(leak_seconds=0.1) as pool:
        held = hold_on(pool)
        assert comes_true(lambda: len(caplog.records) == 1)
        pool.putconn(held)  # type: ignore[arg-type]


def test_forgotten_connection_is_reclaimed_when_it_is_garbage(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with server.pool(1, 1, leak_seconds=3600) as pool:
        held = hold_on(pool)
        del held
        assert comes_true(lambda: pool.reference_stats()["in_use"] == 0)
        assert comes_true(lambda: server.pids() == set())
        assert "in hold_on" in caplog.records[0].getMessage()
        assert pid_of(pool)


def test_forgotten_connection_in_a_cycle_serves_who_waits_for_it(server: Server) -> None:
    class Holder:
        def __init__(self, connection: object) -> None:
            self.connection, self.myself = connection, self

    with server.pool(1, 1) as pool:
        Holder(pool.getconn())
        results: list[object] = []
        waiter = threading.Thread(
            target=lambda: results.extend(in_threads([lambda: pid_of(pool)])), daemon=True
        )
        waiter.start()
        assert comes_true(lambda: pool.get_stats()["requests_waiting"] == 1)
        gc.collect()
        waiter.join(10)
        assert isinstance(results[0], int)


def test_reclaim_takes_back_what_a_thread_forgot_and_nothing_else(
    server: Server, pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    ours = pool.getconn()
    theirs: list[object] = []
    idents: list[int] = []

    def forgetful() -> None:
        idents.append(threading.get_ident())
        theirs.extend([pool.getconn(), pool.getconn()])

    in_threads([forgetful])
    assert pool.reference_stats()["in_use"] == 3
    assert pool.reclaim(idents[0]) == 2
    assert pool.reclaim(idents[0]) == 0
    assert pool.reference_stats()["in_use"] == 1
    assert len(caplog.records) == 2
    assert "in forgetful" in caplog.records[0].getMessage()
    assert ours.run_clean("SELECT 1") == (1,)
    pool.putconn(ours)
    assert sizes(server, pool) == (1, 1)


def test_block_whose_connection_was_reclaimed_ends_in_peace(pool: Pool) -> None:
    with pool.connection():
        assert pool.reclaim() == 1
    assert pool.reference_stats()["in_use"] == 0


def test_statistics_count_what_happened(server: Server) -> None:
    with server.pool(1, 2) as pool:
        fill(pool, 2)
        held = [pool.getconn(), pool.getconn()]
        waiter = threading.Thread(target=lambda: pid_of(pool), daemon=True)
        waiter.start()
        assert comes_true(lambda: pool.get_stats()["requests_waiting"] == 1)
        stats = pool.get_stats()
        assert (stats["pool_size"], stats["pool_available"], stats["pool_lent"]) == (2, 0, 2)
        assert len(server.pids()) == 2
        time.sleep(0.02)  # so that there is a wait to be counted
        for connection in held:
            pool.putconn(connection)
        waiter.join(10)
        stats = pool.get_stats()
        assert stats["requests_num"] == 5
        assert stats["requests_queued"] == 3  # two waited for a connect, one for a connection
        assert stats["requests_wait_ms"] >= 20
        assert stats["usage_ms"] >= 20
        assert stats["requests_errors"] == stats["returns_bad"] == stats["connections_lost"] == 0
        assert (stats["connections_num"], stats["connections_errors"]) == (2, 0)
        assert all(isinstance(value, int) for value in stats.values())
        assert pool.reference_stats() == {
            "min_connections": 1,
            "max_connections": 2,
            "available": 2,
            "in_use": 0,
            "total": 2,
        }


def test_checkout_leaves_nothing_for_the_garbage_collector(server: Server) -> None:
    """A cycle in each checkout made it three times as dear, by collections in the middle of others."""
    with server.pool(1, 1) as pool:
        pid_of(pool)
        gc.collect()
        gc.disable()
        try:
            for _ in range(100):
                pid_of(pool)
            assert gc.collect() < 100
        finally:
            gc.enable()


def test_the_minimum_is_opened_before_anybody_asks(server: Server, pool: Pool) -> None:
    assert sizes(server, pool) == (0, 0)
    pool.fill()
    assert comes_true(lambda: pool.get_stats()["pool_available"] == 2)
    assert sizes(server, pool) == (2, 2)
    assert pool.get_stats()["requests_num"] == 0


def test_the_minimum_is_opened_again_when_it_grows_old_or_is_killed(
    server: Server, pool: Pool, clock: FakeClock
) -> None:
    pool.fill()
    assert comes_true(lambda: pool.get_stats()["pool_available"] == 2)
    first = server.pids()
    clock.now += 3600 * (1 + LIFETIME_JITTER)
    pool.maintain()
    assert comes_true(lambda: len(server.pids() - first) == 2 and not server.pids() & first)
    assert comes_true(lambda: pool.get_stats()["pool_available"] == 2)
    second = server.pids()
    for pid in second:
        server.rows("SELECT pg_terminate_backend(%s)", pid)
    assert comes_true(lambda: not server.pids() & second)
    clock.now += 2
    pool.maintain()
    assert comes_true(lambda: len(server.pids() - second) == 2)
    # One that is closed when it comes back leaves a gap as well.
    connection = pool.getconn()
    clock.now += 2
    pool.putconn(connection, close=True)
    assert comes_true(lambda: pool.get_stats()["pool_available"] == 2)


def test_the_minimum_is_opened_once_the_server_is_there(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsboard.db.slots.REFILL_SECONDS", 0.05)
    with server.pool(2, 4) as pool:
        connector = pool._checkout.connector
        attempts: list[int] = []
        there = connector.open

        def away() -> Any:
            attempts.append(1)
            if len(attempts) <= 4:
                raise psycopg2.OperationalError("connection refused")
            return there()

        monkeypatch.setattr(connector, "open", away)
        pool.fill()
        assert comes_true(lambda: pool.get_stats()["pool_available"] == 2)
        assert len(attempts) == 6


def test_a_closed_pool_opens_nothing_more(server: Server) -> None:
    with server.pool(2, 4) as pool:
        pool.fill()
        pool.closeall()
        pool.fill()
        assert comes_true(lambda: not server.pids())
        assert pool.get_stats()["pool_size"] == 0

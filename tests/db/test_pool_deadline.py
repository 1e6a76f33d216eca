"""A deadline ends whatever a request waits for, also when the server cannot be asked to."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest

from opsboard.db import checkout
from opsboard.db.embedded import Cluster
from opsboard.db.pool import Pool, PooledConnection
from opsboard.errors import DeadlineExceeded
from tests.db.pooling import Server, in_threads, pid_of
from tests.waiting import comes_true


@pytest.fixture
def server(cluster: Cluster) -> Server:
    return Server(cluster)


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process that does not run for as long as the block lasts."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def ask(pool: Pool, seconds: float) -> float:
    """How long until a server that does not answer is given up."""
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded), pool.connection(deadline=began + seconds) as connection:
        connection.run_clean("SELECT 1")
    return time.monotonic() - began


def test_frozen_server_process_holds_no_request(server: Server) -> None:
    with server.pool(1, 1) as pool:
        pid = pid_of(pool)
        with frozen(pid):
            took = in_threads([lambda: ask(pool, 0.5)], seconds=10)[0]
            assert isinstance(took, float), took
            assert 0.5 <= took < 1.5
            assert pid_of(pool) != pid  # its slot is free at once, and on another connection
        stats = pool.get_stats()
        assert (stats["connections_lost"], stats["pool_lent"], stats["returns_bad"]) == (1, 0, 1)
        assert comes_true(lambda: pid not in server.pids())


def test_all_threads_are_free_after_a_frozen_server(server: Server) -> None:
    with server.pool(4, 4) as pool:
        connections = [pool.getconn() for _ in range(4)]
        pids = [connection.get_backend_pid() for connection in connections]
        for connection in connections:
            pool.putconn(connection)
        del connections, connection
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            took = in_threads([lambda: ask(pool, 0.5)] * 4, seconds=10)
            assert all(isinstance(one, float) and one < 1.5 for one in took), took
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        assert pool.reference_stats()["in_use"] == 0
        assert pid_of(pool) not in pids


def test_statement_timeout_comes_first_and_keeps_the_connection(server: Server) -> None:
    with server.pool(1, 1) as pool:
        pid = pid_of(pool)
        with (
            pytest.raises(psycopg2.errors.QueryCanceled),
            pool.connection(deadline=time.monotonic() + 0.3) as connection,
        ):
            connection.run_clean("SELECT set_config('statement_timeout', '300ms', true); SELECT pg_sleep(20)")
        assert pid_of(pool) == pid


def test_error_of_the_block_itself_is_not_replaced(server: Server) -> None:
    class Mine(Exception):
        pass

    with server.pool() as pool:
        with pytest.raises(Mine), pool.connection(deadline=time.monotonic() + 5):
            raise Mine
        with (
            pytest.raises(psycopg2.errors.DivisionByZero),
            pool.connection(time.monotonic() + 5) as connection,
        ):
            connection.run_clean("SELECT 1/0")
        assert pool.reference_stats()["in_use"] == 0


def test_restoring_on_a_frozen_server_does_not_hold_the_thread(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "RESTORE_SECONDS", 0.3)
    with server.pool(1, 1) as pool:
        connection = pool.getconn()
        connection.cursor().execute("SET work_mem = '1MB'")
        with frozen(connection.get_backend_pid()):
            assert in_threads([lambda: pool.putconn(connection)], seconds=10) == [None]
        assert connection.closed
        assert pool.reference_stats()["total"] == 0


def test_connection_cut_in_the_moment_of_its_return_is_not_kept(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_and_look(connection: PooledConnection) -> bool:
        assert connection.lease is not None
        connection.lease.shut()
        return True

    with server.pool(1, 1) as pool:
        connection = pool.getconn()
        monkeypatch.setattr(PooledConnection, "pristine", cut_and_look)
        pool.putconn(connection)
        assert connection.closed
        assert pool.reference_stats()["total"] == 0
        assert pool.get_stats()["connections_lost"] == 1


def test_watchdog_is_not_woken_by_deadlines_in_good_order(server: Server) -> None:
    with server.pool(1, 1) as pool:
        woken = 0
        nudge = pool._checkout._watchdog.nudge

        def count() -> None:
            nonlocal woken
            woken += 1
            nudge()

        pid_of(pool)
        with pool.connection(deadline=time.monotonic() + 20):
            pass
        pool._checkout._watchdog.nudge = count  # type: ignore[method-assign]
        for _ in range(1000):
            with pool.connection(deadline=time.monotonic() + 20):
                pass
        assert woken == 0
        assert sum(thread.name == "pool-watchdog" for thread in threading.enumerate()) >= 1


def test_closed_descriptor_of_libpq_is_not_shut_for_its_next_owner(server: Server) -> None:
    """After libpq closed its socket another file may have the number; cutting must not touch it."""
    with server.pool(1, 1) as pool:
        connection = pool.getconn()
        number = connection.fileno()
        lease = connection.lease
        assert lease is not None
        server.kill()
        with pytest.raises(psycopg2.OperationalError):
            connection.run_clean("SELECT 1")
        stranger, other_end = socket.socketpair()
        if stranger.fileno() != number:
            os.dup2(stranger.fileno(), number)
            stranger.close()
            stranger = socket.socket(fileno=number)
        lease.shut()
        stranger.send(b"still open")
        assert other_end.recv(20) == b"still open"
        stranger.close()
        other_end.close()
        pool.putconn(connection)

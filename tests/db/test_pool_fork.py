"""A forked process never speaks on its parent's connections, and the parent's keep working."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from opsboard.db.pool import Pool
from tests.db.pooling import Server, fill, pid_of
from tests.waiting import comes_true


@pytest.fixture
def server(cluster: Cluster) -> Server:
    return Server(cluster)


def forked(work: Callable[[], None]) -> int:
    """Start a child that runs `work` and ends with 0, or 1 if it failed."""
    child = os.fork()
    if child:
        return child
    status = 1
    with suppress(BaseException):
        work()
        status = 0
    os._exit(status)


def ended_well(child: int, seconds: float = 30.0) -> bool:
    """Wait for a child; one that hangs is ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.005)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


def check_own_answers(pool: Pool, tag: str, rounds: int) -> None:
    for number in range(rounds):
        with pool.connection(deadline=time.monotonic() + 20) as connection:
            asked = f"{tag}-{number}"
            assert connection.run_clean("SELECT %s", (asked,)) == (asked,)


def run_pairs(server: Server, pairs: int) -> None:
    """Each time a pool that has worked already is inherited by two children at once."""
    with server.pool(1, 4) as pool:
        for pair in range(pairs):
            fill(pool, 2)
            inherited = server.pids()
            children = [
                forked(partial(check_own_answers, pool, f"{pair}-{name}", 20)) for name in ("one", "other")
            ]
            check_own_answers(pool, f"{pair}-parent", 20)
            assert [ended_well(child) for child in children] == [True, True]
            assert inherited <= server.pids(), "a child ended a session of its parent"
        assert pool.get_stats()["connections_lost"] == 0


def test_forked_pairs_get_their_own_answers_only(server: Server) -> None:
    run_pairs(server, 20)


@pytest.mark.slow
def test_150_forked_pairs_get_their_own_answers_only(server: Server) -> None:
    run_pairs(server, 150)


def test_child_uses_sessions_of_its_own(server: Server) -> None:
    with server.pool(1, 2) as pool:
        parents = pid_of(pool)

        def work() -> None:
            assert pool.get_stats()["pool_size"] == 0
            assert pool.get_stats()["requests_num"] == 0
            assert pid_of(pool) != parents
            pool.closeall()

        assert ended_well(forked(work))
        assert pid_of(pool) == parents


def test_connection_lent_at_the_fork_stays_the_parents(server: Server) -> None:
    with server.pool(1, 1) as pool:
        connection = pool.getconn()
        pid = connection.get_backend_pid()

        def work() -> None:
            with suppress(psycopg2.Error):
                connection.run_clean("SELECT 'stray'")
            pool.putconn(connection)
            with suppress(psycopg2.Error):
                connection.close()
            assert pid_of(pool) != pid

        assert ended_well(forked(work))
        assert connection.run_clean("SELECT pg_backend_pid()") == (pid,)
        pool.putconn(connection)
        assert pid_of(pool) == pid


def test_fork_inside_a_block_leaves_the_block_to_the_parent(server: Server) -> None:
    with server.pool(1, 1) as pool:
        with pool.connection() as connection:
            pid = connection.get_backend_pid()
            child = os.fork()
            if not child:
                break_out = 1
                with suppress(BaseException):
                    assert pid_of(pool) != pid
                    break_out = 0
                os._exit(break_out)
            assert ended_well(child)
            assert connection.run_clean("SELECT 1") == (1,)
        assert pid_of(pool) == pid


def test_server_notices_the_end_of_the_parents_connection_while_a_child_lives(server: Server) -> None:
    """An inherited copy of the socket would keep the session alive on the server."""
    with server.pool(1, 1) as pool:
        pid = pid_of(pool)
        reading, writing = os.pipe()

        def work() -> None:
            os.close(writing)
            os.read(reading, 1)  # until the parent is done

        child = forked(work)
        connection = pool.getconn()
        connection.peer.shut()  # as if the parent died: no farewell is sent
        pool.putconn(connection, close=True)
        assert comes_true(lambda: pid not in server.pids())
        os.close(writing)
        assert ended_well(child)
        os.close(reading)


def test_fork_while_the_lock_is_held_does_not_stop_the_child(server: Server) -> None:
    with server.pool(1, 1) as pool:
        parents = pid_of(pool)
        checkout = pool._checkout
        connection = checkout.slots.idle[0]
        with checkout._lock, connection.peer._lock:

            def work() -> None:
                assert pid_of(pool) != parents

            child = forked(work)
        assert ended_well(child, 10)


def test_a_child_opens_its_own_minimum(server: Server) -> None:
    """As a worker does after its fork: the parent's connections are not counted, and no request is needed."""
    with server.pool(3, 5) as pool:
        pool.fill()
        assert comes_true(lambda: pool.get_stats()["pool_available"] == 3)
        parents = server.pids()

        def fill_own() -> None:
            assert pool.get_stats()["pool_size"] == 0
            pool.fill()
            assert comes_true(lambda: pool.get_stats()["pool_available"] == 3)
            assert len(server.pids() - parents) == 3

        assert ended_well(forked(fill_own))
        assert comes_true(lambda: server.pids() == parents)

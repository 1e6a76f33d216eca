"""Waiting for a connection: everybody in turn, nobody for longer than agreed."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest
from psycopg2.pool import PoolError

from opsboard.db.embedded import Cluster
from opsboard.db.openers import Openers
from opsboard.db.pool import Pool, PoolClosed
from opsboard.errors import DeadlineExceeded, OpsboardError, PoolFull, PoolTimeout
from tests.db.pooling import Server, fill, in_threads
from tests.waiting import comes_true


@pytest.fixture
def server(cluster: Cluster) -> Server:
    return Server(cluster)


def query_for(pool: Pool, seconds: float) -> float:
    """Run a statement of that length; how long the whole took."""
    began = time.monotonic()
    with pool.connection() as connection:
        connection.run_clean("SELECT pg_sleep(%s)", (seconds,))
    return time.monotonic() - began


def waiting(pool: Pool) -> int:
    return pool.get_stats()["requests_waiting"]


def test_fifty_requests_on_ten_connections_are_fifty_answers(server: Server) -> None:
    with server.pool() as pool:
        fill(pool, 10)
        took = in_threads([partial(query_for, pool, 0.05)] * 50)
        assert all(isinstance(one, float) for one in took), took
        assert max(took) < 2.0
        assert len(server.pids()) == 10
        assert pool.get_stats()["requests_errors"] == 0


def test_those_who_wait_too_long_are_told_in_time(server: Server) -> None:
    with server.pool(1, 10, timeout=0.1) as pool:
        fill(pool, 10)
        held = [pool.getconn() for _ in range(10)]
        began = time.monotonic()
        errors = in_threads([pool.getconn] * 20)
        took = time.monotonic() - began
        assert [type(error) for error in errors] == [PoolTimeout] * 20
        assert errors[0].status == 503
        assert errors[0].headers["Retry-After"]
        assert 0.1 <= took < 1.0
        for connection in held:
            pool.putconn(connection)
        assert pool.get_stats()["requests_errors"] == 20
        assert waiting(pool) == 0


def test_order_of_service_is_order_of_arrival(server: Server) -> None:
    served: list[int] = []
    with server.pool(1, 1) as pool:
        first = pool.getconn()

        def ask(number: int) -> None:
            with pool.connection():
                served.append(number)

        threads = []
        for number in range(20):
            threads.append(threading.Thread(target=ask, args=(number,), daemon=True))
            threads[-1].start()
            assert comes_true(lambda: waiting(pool) == len(threads))
        pool.putconn(first)
        for thread in threads:
            thread.join(10)
        assert served == list(range(20))


def test_nobody_overtakes_the_queue(server: Server) -> None:
    with server.pool(1, 1) as pool:
        held = pool.getconn()
        got: list[str] = []

        def ask() -> None:
            with pool.connection():
                got.append("waiter")

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        assert comes_true(lambda: waiting(pool) == 1)
        pool.putconn(held)  # goes to the waiter, though this thread asks again at once
        with pool.connection():
            got.append("newcomer")
        thread.join(10)
        assert got == ["waiter", "newcomer"]


@pytest.mark.parametrize("at_once", [False, True], ids=["", "connects at once"])
def test_who_is_handed_a_dead_connection_keeps_his_place(
    server: Server, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the connection in its place is made before this thread runs again."""
    served: list[str] = []
    if at_once:
        monkeypatch.setattr(Openers, "start", run_connects)
    with server.pool(1, 1) as pool:
        held = pool.getconn()

        def ask(name: str) -> None:
            with pool.connection():
                served.append(name)

        threads = []
        for name in ("first", "second"):
            threads.append(threading.Thread(target=ask, args=(name,), daemon=True))
            threads[-1].start()
            assert comes_true(lambda: waiting(pool) == len(threads))
        server.kill()
        pool.putconn(held)  # libpq has not noticed, so it goes to the first
        for thread in threads:
            thread.join(10)
        assert served == ["first", "second"]
        assert pool.get_stats()["connections_num"] == 2


def run_connects(openers: Openers, connects: int) -> None:
    for _ in range(connects):
        openers._run()


def test_one_waiter_too_many_is_refused_at_once(server: Server) -> None:
    with server.pool(1, 1, max_waiting=3) as pool:
        held = pool.getconn()
        threads = [threading.Thread(target=query_for, args=(pool, 0), daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert comes_true(lambda: waiting(pool) == 3)
        began = time.monotonic()
        with pytest.raises(PoolFull) as refusal:
            pool.getconn()
        assert time.monotonic() - began < 0.5
        assert refusal.value.status == 503
        pool.putconn(held)
        for thread in threads:
            thread.join(10)
        assert pool.reference_stats()["in_use"] == 0


def test_first_requests_are_not_refused_although_nobody_may_wait(server: Server) -> None:
    with server.pool(maxconn=4, max_waiting=0) as pool:
        held = [pool.getconn() for _ in range(4)]
        with pytest.raises(PoolFull):
            pool.getconn()
        for connection in held:
            pool.putconn(connection)


def test_deadline_ends_the_wait_before_the_timeout_does(server: Server) -> None:
    with server.pool(1, 1, timeout=30) as pool:
        held = pool.getconn()
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded), pool.connection(deadline=began + 0.2):
            pytest.fail("there is no free connection")
        assert 0.2 <= time.monotonic() - began < 2.0
        with pytest.raises(DeadlineExceeded), pool.connection(deadline=began):
            pytest.fail("the deadline was over before it began")
        pool.putconn(held)
        assert pool.reference_stats() == {
            "min_connections": 1,
            "max_connections": 1,
            "available": 1,
            "in_use": 0,
            "total": 1,
        }


def test_closing_wakes_those_who_wait(server: Server) -> None:
    with server.pool(1, 1) as pool:
        held = pool.getconn()
        errors: list[OpsboardError] = []

        def ask() -> None:
            try:
                pool.getconn(timeout=30)
            except OpsboardError as error:
                errors.append(error)

        threads = [threading.Thread(target=ask, daemon=True) for _ in range(5)]
        for thread in threads:
            thread.start()
        assert comes_true(lambda: waiting(pool) == 5)
        pool.closeall()
        for thread in threads:
            thread.join(5)
        assert [type(error) for error in errors] == [PoolClosed] * 5
        assert held.run_clean("SELECT 1") == (1,)  # requests with a connection may finish
        pool.putconn(held)
        assert held.closed
        with pytest.raises(PoolError):  # as the base class says it
            pool.getconn()
        assert comes_true(lambda: server.pids() == set())


def test_interrupted_waiter_leaves_no_trace(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(BaseException):
        pass

    class Lock:
        """Is interrupted in the very moment in which it is granted a connection."""

        def acquire(self, timeout: float | None = None) -> bool:
            if timeout is not None:
                pool.putconn(held)
                raise Interrupted
            return True

        def release(self) -> None:
            pass

    with server.pool(1, 1) as pool:
        held = pool.getconn()
        monkeypatch.setattr("opsboard.db.slots.threading.Lock", Lock)
        with pytest.raises(Interrupted):
            pool.getconn()
        monkeypatch.undo()
        stats = pool.get_stats()
        assert (stats["pool_lent"], stats["pool_available"], stats["requests_waiting"]) == (0, 1, 0)

"""A server that refuses or says nothing is asked for by nobody but the prober, and holds no read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opsboard.db import breaker as breaker_module
from opsboard.db.database import Database
from opsboard.db.embedded import SUPERUSER, Cluster
from opsboard.db.pool import Pool
from opsboard.db.queries import Query
from opsboard.db.server_status import LATELY, ServerStatus
from opsboard.errors import DatabaseUnavailable
from tests.db.pooling import FakeClock, Server, in_threads
from tests.fleet.silent_network import SilentNetwork, silent_network
from tests.waiting import comes_true

NOTHING_LISTENS = "host=127.0.0.1 port=1"
READ = Query("test.read", "SELECT 1", "", writes=frozenset())


@pytest.fixture
def network(cluster: Cluster) -> Iterator[SilentNetwork]:
    with silent_network(Path(cluster.socket_dir)) as network:
        yield network


@pytest.fixture
def pool(network: SilentNetwork) -> Iterator[Pool]:
    """Its deadlines and its patience are longer than the test: only the breaker ends a wait."""
    pool = Pool(0, 4, network.url(SUPERUSER, "postgres"), timeout=60.0, connect_timeout=60)
    yield pool
    network.speak()
    pool.closeall()


def answers(pool: Pool) -> bool:
    with pool.connection() as connection:
        return connection.run_clean("SELECT 1") == (1,)


def read(pool: Pool, sql: str = "SELECT 1") -> Any:
    query = Query(READ.name, sql, "", writes=frozenset())
    row = Database(pool, deadline=60.0).fetch_unbound(query)
    return row and row[0]


def write(pool: Pool) -> Any:
    query = Query("test.write", "SELECT 2", "", writes=frozenset({"jobs"}))
    row = Database(pool, deadline=60.0).fetch_unbound(query)
    return row and row[0]


def test_after_the_first_failure_the_next_requests_ask_nobody(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(cluster)
    with server.pool(0, 4, timeout=60.0, status=ServerStatus(patience=0.0)) as pool:
        right = pool._checkout.connector.dsn
        pool._checkout.connector.dsn = NOTHING_LISTENS
        with pytest.raises(DatabaseUnavailable):
            pool.getconn()
        waits: list[Any] = []
        wait = pool._checkout._wait
        monkeypatch.setattr(pool._checkout, "_wait", lambda *given: (waits.append(given), wait(*given)))
        before = pool.get_stats()["connections_num"]
        for _ in range(200):
            with pytest.raises(DatabaseUnavailable):
                pool.getconn()
        assert (waits, pool.get_stats()["connections_num"]) == ([], before)
        # The prober asks, and closes the breaker; no request has to fail for it to go on.
        pool._checkout.connector.dsn = right
        assert comes_true(lambda: not pool._status.is_open(pool._clock()))
        assert answers(pool)


def test_those_who_wait_are_told_when_the_breaker_opens(cluster: Cluster) -> None:
    server = Server(cluster)
    with server.pool(0, 2, timeout=60.0, status=ServerStatus(patience=0.2)) as pool:
        pool._checkout.connector.dsn = NOTHING_LISTENS
        errors = in_threads([pool.getconn] * 6, 30.0)
        assert [type(error) for error in errors] == [DatabaseUnavailable] * 6


def test_a_silent_server_holds_no_read_and_ends_no_write(pool: Pool, network: SilentNetwork) -> None:
    assert in_threads([lambda: read(pool, "SELECT pg_sleep(0.1)::text")] * 2) == ["", ""]
    written: list[Any] = []
    network.fall_silent()
    writer = threading.Thread(target=lambda: written.append(write(pool)), daemon=True)
    writer.start()
    assert comes_true(lambda: pool.get_stats()["pool_lent"] == 1)
    (error,) = in_threads([lambda: read(pool)], 30.0)
    assert isinstance(error, DatabaseUnavailable), "long before its deadline"
    with pytest.raises(DatabaseUnavailable):
        read(pool)
    with pytest.raises(DatabaseUnavailable):
        write(pool)  # one that had not begun
    assert not written
    network.speak()
    writer.join(30)
    assert written == [2]
    assert comes_true(lambda: in_threads([lambda: read(pool)]) == [1])


def test_those_who_wait_for_a_connect_are_told_that_the_server_is_silent(
    pool: Pool, network: SilentNetwork
) -> None:
    assert read(pool) == 1
    network.fall_silent()
    # One connection is there; the others would have to be opened.
    errors = in_threads([lambda: read(pool)] * 4, 30.0)
    assert [type(error) for error in errors] == [DatabaseUnavailable] * 4


def test_a_slow_read_is_not_taken_for_a_silent_server(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    probes: list[object] = []
    right = breaker_module.Prober._probe

    def probe(self: Any) -> bool:
        probes.append(self)
        return right(self)

    monkeypatch.setattr(breaker_module.Prober, "_probe", probe)
    assert read(pool, "SELECT pg_sleep(1.5)::text || 'done'") == "done"
    assert probes, "it was asked whether the server is there"


def test_a_locked_table_is_not_a_silent_server(pool: Pool, cluster: Cluster) -> None:
    server = Server(cluster)
    server.rows("CREATE TABLE IF NOT EXISTS locked_here (); SELECT 1")
    with server.pool(1, 1) as other:
        holder = other.getconn()
        holder.cursor().execute("BEGIN; LOCK TABLE locked_here IN ACCESS EXCLUSIVE MODE")
        results: list[Any] = []
        reader = threading.Thread(
            target=lambda: results.append(read(pool, "SELECT count(*) FROM locked_here")), daemon=True
        )
        reader.start()
        reader.join(1.5)
        other.putconn(holder)
        reader.join(30)
    assert results == [0]


def test_what_one_pool_hears_the_others_know() -> None:
    clock = FakeClock()
    status = ServerStatus(patience=1.0, clock=clock)
    with_status = [Pool(0, 1, NOTHING_LISTENS, status=status, clock=clock) for _ in range(2)]
    assert status.failed() and not status.is_open(clock.now)
    clock.now += 1.1
    status.failed()
    for pool in with_status:
        with pytest.raises(DatabaseUnavailable):
            pool.getconn()
        assert pool.get_stats()["connections_num"] == 0
    status.heard(clock.now)
    assert not status.is_open(clock.now)


def test_a_failure_of_long_ago_keeps_nobody_from_trying() -> None:
    clock = FakeClock()
    status = ServerStatus(patience=1.0, clock=clock)
    status.failed(silent=True)
    assert status.is_open(clock.now) and status.is_silent(clock.now)
    clock.now += LATELY + 0.1
    assert not status.is_open(clock.now)
    assert status.failed(), "the failure after that is the first again"

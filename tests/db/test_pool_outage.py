"""The server is away: short outages are waited out, long ones told at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsboard.db.embedded import Cluster
from opsboard.db.pool import Pool
from opsboard.errors import DatabaseUnavailable, PoolTimeout
from tests.clusters import running_cluster
from tests.db.pooling import Server, fill, in_threads
from tests.waiting import comes_true


@pytest.fixture
def server(cluster: Cluster) -> Server:
    return Server(cluster)


@pytest.fixture(scope="module")
def own_cluster(folder_of_clusters: Path) -> Iterator[Cluster]:
    """A server that may be stopped without disturbing other tests."""
    with running_cluster(folder_of_clusters / "pool-outage") as cluster:
        yield cluster


def answers(pool: Pool) -> bool:
    with pool.connection() as connection:
        return connection.run_clean("SELECT 1") == (1,)


def test_server_away_at_the_start_is_an_answer_and_not_a_crash(own_cluster: Cluster) -> None:
    server = Server(own_cluster)
    own_cluster.stop()
    with server.pool(timeout=0.3) as pool:
        errors = in_threads([pool.getconn] * 3)
        assert [type(error) for error in errors] == [DatabaseUnavailable] * 3
        assert errors[0].status == 503
        assert errors[0].headers["Retry-After"]
        own_cluster.start()
        assert comes_true(lambda: in_threads([lambda: answers(pool)]) == [True], 5.0)
        assert pool.get_stats()["connections_errors"] >= 3


def test_server_away_for_less_than_the_timeout_fails_nobody(own_cluster: Cluster) -> None:
    server = Server(own_cluster)
    with server.pool(timeout=30) as pool:
        fill(pool, 3)
        own_cluster.stop()
        start = threading.Timer(0.5, own_cluster.start)
        start.start()
        assert in_threads([lambda: answers(pool)] * 20) == [True] * 20
        start.join()


def test_server_away_for_long_is_told_at_once_until_it_is_back(own_cluster: Cluster) -> None:
    server = Server(own_cluster)
    with server.pool(timeout=0.5) as pool:
        assert answers(pool)
        own_cluster.stop()
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                pool.getconn()
        began = time.monotonic()
        for _ in range(5):
            with pytest.raises(DatabaseUnavailable):
                pool.getconn()
        assert time.monotonic() - began < 5 * 0.25
        own_cluster.start()
        began = time.monotonic()
        assert comes_true(lambda: in_threads([lambda: answers(pool)]) == [True], 5.0)
        assert time.monotonic() - began < 1.0


def test_server_that_takes_no_more_connections_is_not_away(server: Server) -> None:
    """Failing connects do not shorten the wait while the connections there are do their work."""
    with server.pool(1, 3, timeout=0.4) as pool:
        held = pool.getconn()
        pool._checkout.connector.dsn = "host=127.0.0.1 port=1"
        errors = in_threads([pool.getconn] * 2)
        assert [type(error) for error in errors] == [DatabaseUnavailable] * 2
        pool.putconn(held)
        held = pool.getconn()
        began = time.monotonic()
        with pytest.raises((DatabaseUnavailable, PoolTimeout)):
            pool.getconn()
        assert time.monotonic() - began >= 0.4
        pool.putconn(held)

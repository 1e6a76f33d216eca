"""The pool can be used like the class it is made from."""

from __future__ import annotations

import pytest
from psycopg2.pool import PoolError, ThreadedConnectionPool

from opsboard.db.embedded import Cluster
from opsboard.db.pool import Pool
from tests.db.pooling import Server


@pytest.fixture
def server(cluster: Cluster) -> Server:
    return Server(cluster)


def test_constructor_opens_nothing(server: Server) -> None:
    with server.pool(5) as pool:
        assert isinstance(pool, ThreadedConnectionPool)
        assert pool.get_stats()["pool_size"] == 0
        assert server.pids() == set()


@pytest.mark.parametrize(("minconn", "maxconn"), [(3, 2), (-1, 2), (0, 0)])
def test_impossible_sizes_are_refused(server: Server, minconn: int, maxconn: int) -> None:
    with pytest.raises(ValueError, match="minconn"):
        Pool(minconn, maxconn, server.url)


def test_giving_back_twice_or_to_the_wrong_pool_is_refused(server: Server) -> None:
    with server.pool() as pool:
        connection = pool.getconn()
        pool.putconn(connection)
        with pytest.raises(PoolError):
            pool.putconn(connection)
        with pytest.raises(PoolError):
            pool.putconn()
        assert pool.reference_stats()["total"] == 1


def test_a_key_gets_its_connection_again(server: Server) -> None:
    with server.pool() as pool:
        connection = pool.getconn("mine")
        assert pool.getconn("mine") is connection
        other = pool.getconn("yours")
        assert other is not connection
        pool.putconn(key="mine")
        pool.putconn(key="yours")
        assert pool.reference_stats()["in_use"] == 0

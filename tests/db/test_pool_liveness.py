"""No request gets a dead connection, and none waits for another one's connect."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import psycopg2
import pytest

from opsboard.db import checkout, connector
from opsboard.db.embedded import Cluster
from opsboard.db.pool import Pool, is_disconnect
from opsboard.errors import DatabaseUnavailable
from tests.db.pooling import Server, fill, in_threads, pid_of
from tests.waiting import comes_true


@pytest.fixture
def server(cluster: Cluster) -> Server:
    return Server(cluster)


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def answers(pool: Pool) -> bool:
    with pool.connection() as connection:
        return connection.run_clean("SELECT 1") == (1,)


def check_rounds_of_killing(server: Server, rounds: int) -> None:
    with server.pool() as pool:
        for number in range(rounds):
            fill(pool, 4)
            assert server.kill() == 4
            assert all(answers(pool) for _ in range(5))
            assert pool.get_stats()["connections_lost"] == 4 * (number + 1)
        assert pool.reference_stats()["in_use"] == 0


def test_killed_idle_connections_fail_no_request(server: Server) -> None:
    check_rounds_of_killing(server, 10)


@pytest.mark.slow
def test_killed_idle_connections_fail_no_request_in_100_rounds(server: Server) -> None:
    check_rounds_of_killing(server, 100)


def test_dead_idle_connections_are_dropped_without_waiting_for_requests(server: Server) -> None:
    with server.pool() as pool:
        fill(pool, 4)
        in_use = pool.getconn()
        server.kill()
        with pytest.raises(psycopg2.OperationalError) as lost:
            in_use.run_clean("SELECT 1")
        assert is_disconnect(lost.value)
        pool.putconn(in_use)  # proves that the server ended sessions
        assert comes_true(lambda: pool.get_stats()["pool_size"] == 0)
        assert pool.get_stats()["connections_lost"] == 4


def test_connection_with_a_waiting_message_is_asked_not_dropped(server: Server) -> None:
    with server.pool() as pool:
        connection = pool.getconn()
        connection.cursor().execute("LISTEN something")
        pid = connection.get_backend_pid()
        # A pool without restore would hand this out: a live connection with unread data.
        connection.touched = False
        pool.putconn(connection)
        server.rows("SELECT pg_notify('something', '')")
        assert comes_true(lambda: not connection.peer.silent())
        assert pid_of(pool) == pid


def test_after_a_loss_older_connections_are_asked_before_use(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    pings: list[int] = []
    ping = connector.PooledConnection.ping
    monkeypatch.setattr(connector.PooledConnection, "ping", lambda self: (pings.append(1), ping(self))[1])
    with server.pool() as pool:
        first, second = pool.getconn(), pool.getconn()
        pool.putconn(second)
        assert answers(pool)
        assert pings == []
        server.rows("SELECT pg_terminate_backend(%s, 5000)", first.get_backend_pid())
        with pytest.raises(psycopg2.OperationalError):
            first.run_clean("SELECT 1")
        pool.putconn(first)
        assert answers(pool)
        assert answers(pool)
        assert pings == [1]


def test_silent_connection_that_does_not_answer_is_given_up_within_the_wait(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a failover behind a router: the socket is quiet, but nobody is there."""
    monkeypatch.setattr(checkout, "PING_SECONDS", 0.2)
    with server.pool() as pool:
        fill(pool, 2)
        pool._checkout._doubtful_before = time.monotonic()
        monkeypatch.setattr(
            connector.PooledConnection, "ping", lambda self: self._tell("SELECT pg_sleep(30)")
        )
        began = time.monotonic()
        assert answers(pool)
        assert 0.2 <= time.monotonic() - began < 5.0
        assert pool.get_stats()["connections_lost"] >= 1


def test_hanging_connect_delays_nobody_else(
    server: Server, deaf_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server.pool(1, 3, timeout=0.5) as pool:
        fill(pool, 2)
        held = [pool.getconn(), pool.getconn()]
        deaf = f"host=127.0.0.1 port={deaf_port} connect_timeout=2"
        monkeypatch.setattr(pool._checkout.connector, "dsn", deaf)
        stuck = threading.Thread(target=in_threads, args=([pool.getconn],), daemon=True)
        stuck.start()
        assert comes_true(lambda: pool._checkout.slots.connecting == 1)
        slowest = 0.0
        for _ in range(200):
            began = time.monotonic()
            pool.get_stats()
            slowest = max(slowest, time.monotonic() - began)
        # The one who waits for the connect is served by the first connection that comes back ...
        pool.putconn(held.pop())
        assert comes_true(lambda: pool.get_stats()["requests_waiting"] == 0)
        stuck.join(5)
        # ... and all the time others come and go.
        pool.putconn(held.pop())
        assert pool._checkout.slots.connecting == 1
        assert answers(pool)
        assert slowest < 0.5


def test_hanging_connect_holds_its_own_request_no_longer_than_the_timeout(deaf_port: int) -> None:
    pool = Pool(1, 2, f"host=127.0.0.1 port={deaf_port}", timeout=0.2, connect_timeout=1)
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        pool.getconn()
    assert time.monotonic() - began < 0.9
    pool.closeall()
    assert comes_true(lambda: pool.get_stats()["pool_size"] == 0)


def test_keepalives_bound_a_dead_network_unless_the_address_says_otherwise() -> None:
    pool = Pool(1, 2, "host=192.0.2.1 tcp_user_timeout=500", connect_timeout=7)
    told = psycopg2.extensions.parse_dsn(pool._checkout.connector.dsn)
    assert told["keepalives"] == "1"
    assert told["connect_timeout"] == "7"
    assert told["tcp_user_timeout"] == "500"


@pytest.mark.parametrize(
    ("statement", "lost"),
    [
        ("SELECT pg_terminate_backend(pg_backend_pid())", True),
        ("SELECT 1/0", False),
        ("SELECT nonsense", False),
        ("SET statement_timeout = 10; SELECT pg_sleep(5)", False),
    ],
)
def test_lost_connection_is_told_from_a_wrong_statement(server: Server, statement: str, lost: bool) -> None:
    with server.pool() as pool:
        connection = pool.getconn()
        with pytest.raises(psycopg2.Error) as caught:
            connection.cursor().execute(statement)
        assert is_disconnect(caught.value) is lost
        pool.putconn(connection)
        assert pool.get_stats()["connections_lost"] == int(lost)
        assert answers(pool)


def test_use_of_a_closed_connection_counts_as_lost(server: Server) -> None:
    with server.pool() as pool:
        connection = pool.getconn()
        connection.close()
        with pytest.raises(psycopg2.InterfaceError) as caught:
            connection.run_clean("SELECT 1")
        assert is_disconnect(caught.value)
        pool.putconn(connection)
        assert not is_disconnect(ValueError())
        assert not is_disconnect(psycopg2.InterfaceError("cursor already closed"))

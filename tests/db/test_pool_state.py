"""After any change of a connection's state, the next request gets a clean one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import date

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from opsboard.db.pool import Pool
from tests.db.pooling import Server, pid_of
from tests.db.session_state import CLEAN, CLIENT_ACTIONS, STATEMENTS, differences, fresh_picture


@pytest.fixture
def server(cluster: Cluster) -> Server:
    server = Server(cluster)
    server.rows(
        "DO $$ BEGIN CREATE ROLE opsboard_pool_other; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        " SELECT 1"
    )
    return server


@pytest.fixture
def pool(server: Server) -> Iterator[Pool]:
    with server.pool(1, 1) as pool:
        yield pool


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statement_leaves_nothing_behind(server: Server, pool: Pool, statement: str) -> None:
    for autocommit in (True, False):
        connection = pool.getconn()
        connection.autocommit = autocommit
        # 1/0 fails, and so does a savepoint outside of a transaction.
        with suppress(psycopg2.errors.DivisionByZero, psycopg2.errors.NoActiveSqlTransaction):
            connection.cursor().execute(statement)
        pool.putconn(connection)
        del connection
        assert differences(pool, fresh_picture(server.url)) == {}
    assert pool.get_stats()["connections_num"] == 1, "restoring is cheaper than connecting"


@pytest.mark.parametrize("number", range(len(CLIENT_ACTIONS)))
def test_change_on_the_client_leaves_nothing_behind(server: Server, pool: Pool, number: int) -> None:
    connection = pool.getconn()
    with suppress(psycopg2.Error, RuntimeError):
        CLIENT_ACTIONS[number](connection)
    pool.putconn(connection)
    del connection
    assert differences(pool, fresh_picture(server.url)) == {}


def statements_seen(server: Server, pid: int) -> str:
    return str(server.rows("SELECT query FROM pg_stat_activity WHERE pid = %s", pid)[0][0])


@pytest.mark.parametrize("statement", CLEAN)
def test_clean_path_costs_no_second_round_trip(server: Server, pool: Pool, statement: str) -> None:
    connection = pool.getconn()
    pid = connection.get_backend_pid()
    with suppress(psycopg2.errors.DivisionByZero):
        connection.run_clean(statement)
    pool.putconn(connection)
    assert statements_seen(server, pid) == statement
    assert pid_of(pool) == pid
    assert differences(pool, fresh_picture(server.url)) == {}


def test_anything_else_is_followed_by_a_reset(server: Server, pool: Pool) -> None:
    connection = pool.getconn()
    pid = connection.get_backend_pid()
    connection.cursor().execute("SELECT 1")
    pool.putconn(connection)
    assert statements_seen(server, pid) == "DISCARD ALL"


def test_cursor_kept_after_the_return_reads_nothing_of_the_next_request(pool: Pool) -> None:
    connection = pool.getconn()
    kept = connection.cursor()
    kept.execute("SELECT 1")
    pool.putconn(connection)
    with pytest.raises(psycopg2.InterfaceError):
        connection.cursor()
    with pytest.raises(psycopg2.InterfaceError):
        connection.run_clean("SELECT 1")
    with pytest.raises(psycopg2.InterfaceError):
        connection.autocommit = False
    with pool.connection(), pytest.raises(psycopg2.InterfaceError):
        kept.execute("SELECT 2")


def test_reclaimed_connection_is_closed_to_its_forgetful_owner(pool: Pool) -> None:
    kept = pool.getconn()
    assert pool.reclaim() == 1
    with pool.connection() as other:
        assert other is not kept
        with pytest.raises(psycopg2.InterfaceError):
            kept.cursor()


def test_connection_given_back_in_the_middle_of_a_statement_is_closed(server: Server, pool: Pool) -> None:
    connection = pool.getconn()
    cursor = connection.cursor()
    failed: list[psycopg2.Error] = []

    def sleep() -> None:
        try:
            cursor.execute("SELECT pg_sleep(30)")
        except psycopg2.Error as error:
            failed.append(error)

    thread = threading.Thread(target=sleep, daemon=True)
    thread.start()
    while not connection.in_a_statement():
        pass
    pool.putconn(connection)
    thread.join(5)
    assert failed
    assert pool.reference_stats()["total"] == 0


def test_connection_on_which_a_cancel_may_be_under_way_is_not_used_again(pool: Pool) -> None:
    connection = pool.getconn()
    connection.cancel()
    pool.putconn(connection)
    assert connection.closed
    assert pool.reference_stats()["total"] == 0


def test_server_with_another_datestyle_is_understood_after_a_reset(server: Server) -> None:
    url = f"{server.url}&options=-c%20datestyle%3DSQL"
    pool = Pool(1, 1, url)
    for _ in range(2):
        connection = pool.getconn()
        cursor = connection.cursor()
        cursor.execute("SELECT DATE '2024-02-03'")
        assert cursor.fetchone() == (date(2024, 2, 3),)
        pool.putconn(connection)
    assert pool.get_stats()["connections_num"] == 1
    pool.closeall()

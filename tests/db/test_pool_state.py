"""Whatever a request did to its connection, the next request's equals a fresh one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from opsboard.db.embedded import Cluster
from opsboard.db.pool import Pool
from tests.db.pooling import Server, pid_of
from tests.db.session_state import CLEAN, CLIENT_ACTIONS, STATEMENTS, fresh_picture, picture


def differences(pool: Pool, fresh: dict[str, Any]) -> dict[str, Any]:
    """Where the next checkout is unlike a fresh connection."""
    connection = pool.getconn()
    now = picture(connection)
    pool.putconn(connection)
    return {name: (value, now[name]) for name, value in fresh.items() if now[name] != value}


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


class Sessions(RuleBasedStateMachine):
    """Random requests, each of which may do anything and is followed by a look at the next checkout."""

    server: Server
    fresh: dict[str, Any]
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool(1, 1, self.server.url)
        self.held: Any = None
        Sessions.steps -= 1  # an invariant is checked before the first step, too

    @invariant()
    def count(self) -> None:
        Sessions.steps += 1

    @precondition(lambda self: self.held is None)
    @rule()
    def check_out(self) -> None:
        self.held = self.pool.getconn()

    @precondition(lambda self: self.held is not None)
    @rule(statement=st.sampled_from(STATEMENTS))
    def execute(self, statement: str) -> None:
        try:
            self.held.cursor().execute(statement)
        except psycopg2.Error:
            return

    @precondition(lambda self: self.held is not None)
    @rule(statement=st.sampled_from(CLEAN))
    def run_clean(self, statement: str) -> None:
        try:
            self.held.run_clean(statement)
        except psycopg2.Error:
            return

    @precondition(lambda self: self.held is not None)
    @rule(action=st.sampled_from(CLIENT_ACTIONS))
    def act(self, action: Callable[[Any], Any]) -> None:
        try:
            action(self.held)
        except (psycopg2.Error, RuntimeError, TypeError):
            return

    @precondition(lambda self: self.held is not None)
    @rule(how=st.sampled_from(["give back", "raise", "forget", "reclaim"]))
    def check_in(self, how: str) -> None:
        if how == "give back":
            self.pool.putconn(self.held)
        elif how == "reclaim":
            assert self.pool.reclaim() == 1
        self.held = None  # "forget": garbage, with what the request left on it
        different = differences(self.pool, self.fresh)
        assert different == {}
        assert self.pool.reference_stats()["in_use"] == 0

    def teardown(self) -> None:
        self.held = None
        self.pool.closeall()


def run_sessions(server: Server, examples: int) -> int:
    """How many steps were taken."""
    Sessions.server, Sessions.fresh, Sessions.steps = server, fresh_picture(server.url), 0
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Sessions,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Sessions.steps


def test_next_checkout_equals_a_fresh_connection_after_anything(server: Server) -> None:
    assert run_sessions(server, 30) > 300


@pytest.mark.slow
def test_next_checkout_equals_a_fresh_connection_in_10_000_steps(server: Server) -> None:
    assert run_sessions(server, 500) > 10_000


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

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
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from psycopg2 import extensions, extras

from opsboard.db.connection import PooledConnection
from opsboard.db.embedded import Cluster
from opsboard.db.pool import Pool
from tests.db.pooling import Server, pid_of

STATEMENTS = [
    "SET statement_timeout = '7s'",
    "SET app.tenant_id = '42'",
    "SET LOCAL app.tenant_id = '42'",
    "SET search_path = pg_catalog",
    "SET TIME ZONE 'Asia/Tokyo'",
    "SET datestyle = 'German'",
    "SET client_encoding = 'LATIN1'",
    "SET default_transaction_read_only = on",
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET ROLE opsboard_pool_other",
    "SET SESSION AUTHORIZATION opsboard_pool_other",
    "SET session_replication_role = replica",
    "SET idle_session_timeout = '10min'",
    "CREATE TEMP TABLE scratch AS SELECT 1 AS one",
    "CREATE TEMP SEQUENCE numbers; SELECT nextval('numbers')",
    "CREATE FUNCTION pg_temp.one() RETURNS int LANGUAGE sql RETURN 1",
    "PREPARE plan AS SELECT 1",
    "DECLARE held CURSOR WITH HOLD FOR SELECT 1",
    "LISTEN something",
    "LISTEN something; NOTIFY something",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_advisory_lock_shared(2), pg_advisory_lock_shared(2)",
    "DO $$ BEGIN RAISE NOTICE 'something'; END $$",
    "BEGIN",
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SAVEPOINT here",
    "COMMIT",
    "SELECT 1/0",
    "SELECT 1",
]
# What the service itself sends: one message, bound to the end of its own transaction.
CLEAN = [
    "SELECT 1",
    "SELECT set_config('app.tenant_id', '42', true), set_config('statement_timeout', '7s', true); SELECT 1",
    "SELECT set_config('app.tenant_id', '42', true); SELECT 1/0",
    "SELECT pg_advisory_xact_lock(3)",
    "DO $$ BEGIN RAISE NOTICE 'something'; END $$",
]
ATTRIBUTES = [
    "async_",
    "autocommit",
    "binary_types",
    "closed",
    "cursor_factory",
    "deferrable",
    "encoding",
    "isolation_level",
    "notices",
    "notifies",
    "readonly",
    "status",
    "string_types",
]
QUERIES = [
    "LOAD 'plpgsql'; SELECT 1",  # a session that ran some has its settings in the list, untouched
    "SELECT name, setting FROM pg_settings ORDER BY name",
    "SELECT nullif(current_setting('app.tenant_id', true), '')",
    "SELECT session_user, current_user, current_schemas(false)",
    "SELECT mode, objid FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'",
    "SELECT pg_listening_channels()",
    "SELECT name FROM pg_prepared_statements",
    "SELECT name FROM pg_cursors",
    "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()",
    "SELECT proname FROM pg_proc WHERE pronamespace = pg_my_temp_schema()",
    "SELECT DATE '2024-02-03'",
    "SELECT lastval()",
]


def picture(connection: extensions.connection) -> dict[str, Any]:
    """Everything about a session that the next statement could depend on."""
    seen: dict[str, Any] = {name: getattr(connection, name) for name in ATTRIBUTES}
    seen["transaction"] = connection.get_transaction_status()
    for query in QUERIES:
        cursor = extensions.cursor(connection)  # leaves no note, unlike connection.cursor()
        try:
            cursor.execute(query)
            seen[query] = cursor.fetchall()
        except psycopg2.Error as error:
            seen[query] = error.pgcode
    return seen


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


def fresh_picture(server: Server) -> dict[str, Any]:
    connection = psycopg2.connect(server.url, connection_factory=PooledConnection)
    try:
        return picture(connection)
    finally:
        connection.close()


def set_attribute(name: str, value: Any) -> Callable[[Any], None]:
    return lambda connection: setattr(connection, name, value)


def named_cursor(connection: Any) -> None:
    cursor = connection.cursor("walk", withhold=True)
    cursor.execute("SELECT generate_series(1, 10)")
    cursor.fetchone()


def copy_half(connection: Any) -> None:
    class Broken:
        def read(self, size: int) -> str:
            raise RuntimeError("no more")

    cursor = connection.cursor()
    cursor.execute("CREATE TEMP TABLE copied (line text)")
    cursor.copy_from(Broken(), "copied")


CLIENT_ACTIONS: list[Callable[[Any], Any]] = [
    set_attribute("autocommit", False),
    set_attribute("autocommit", True),
    set_attribute("isolation_level", extensions.ISOLATION_LEVEL_SERIALIZABLE),
    set_attribute("readonly", True),
    set_attribute("deferrable", True),
    set_attribute("cursor_factory", extras.RealDictCursor),
    set_attribute("notices", ["mine"]),
    set_attribute("notifies", ("mine",)),
    lambda connection: connection.set_session("SERIALIZABLE", True, True, True),
    lambda connection: connection.set_isolation_level(extensions.ISOLATION_LEVEL_READ_COMMITTED),
    lambda connection: connection.set_client_encoding("LATIN1"),
    lambda connection: extensions.register_type(extensions.UNICODEARRAY, connection),
    lambda connection: extras.register_default_json(connection),
    lambda connection: connection.lobject(),
    lambda connection: connection.tpc_begin(connection.xid(1, "gtrid", "bqual")),
    lambda connection: connection.reset(),
    lambda connection: connection.cancel(),
    lambda connection: connection.close(),
    lambda connection: connection.rollback(),
    lambda connection: connection.commit(),
    named_cursor,
    copy_half,
]


class Sessions(RuleBasedStateMachine):
    """Random requests, each of which may do anything and is followed by a look at the next checkout."""

    server: Server
    fresh: dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool(1, 1, self.server.url)
        self.held: Any = None

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


def run_sessions(server: Server, examples: int) -> None:
    Sessions.server, Sessions.fresh = server, fresh_picture(server)
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


def test_next_checkout_equals_a_fresh_connection_after_anything(server: Server) -> None:
    run_sessions(server, 30)


@pytest.mark.slow
def test_next_checkout_equals_a_fresh_connection_in_10_000_steps(server: Server) -> None:
    run_sessions(server, 400)


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
        assert differences(pool, fresh_picture(server)) == {}
    assert pool.get_stats()["connections_num"] == 1, "restoring is cheaper than connecting"


@pytest.mark.parametrize("number", range(len(CLIENT_ACTIONS)))
def test_change_on_the_client_leaves_nothing_behind(server: Server, pool: Pool, number: int) -> None:
    connection = pool.getconn()
    with suppress(psycopg2.Error, RuntimeError):
        CLIENT_ACTIONS[number](connection)
    pool.putconn(connection)
    del connection
    assert differences(pool, fresh_picture(server)) == {}


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

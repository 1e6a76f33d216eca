"""Everything a request can do to a session, and everything a session can be recognised by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg2
from psycopg2 import extensions, extras

from opsboard.db.connection import PooledConnection
from opsboard.db.pool import Pool

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
# The service's own form: one message, local to its own transaction.
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


def fresh_picture(url: str) -> dict[str, Any]:
    """Return the state of an unused connection."""
    connection = psycopg2.connect(url, connection_factory=PooledConnection)
    try:
        return picture(connection)
    finally:
        connection.close()


def differences(pool: Pool, fresh: dict[str, Any]) -> dict[str, Any]:
    """Where the next checkout is unlike a fresh connection."""
    connection = pool.getconn()
    now = picture(connection)
    pool.putconn(connection)
    return {name: (value, now[name]) for name, value in fresh.items() if now[name] != value}


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

"""The way to Postgres: errors in our own words, reads repeated, writes never, one budget per request."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest

from opsboard.auth.identity import Identity
from opsboard.db.database import Database
from opsboard.db.pool import Pool
from opsboard.db.queries import Query
from opsboard.errors import (
    Conflict,
    DatabaseUnavailable,
    DeadlineExceeded,
    Forbidden,
    InvalidInput,
    NotFound,
    OpsboardError,
    SchemaMissing,
)
from opsboard.observability import record
from tests.application import Application

WHO = Identity(1, 1, "admin", "t", 1, 9e9)


def query(sql: str, writes: frozenset[str] = frozenset()) -> Query:
    return Query("test.query", sql, "A test.", writes=writes)


@contextmanager
def closing_pool(pool: Pool) -> Iterator[None]:
    try:
        yield
    finally:
        pool.closeall()


@pytest.fixture
def database(app: Application) -> Any:
    pool = Pool(0, 4, app.database.app_url, timeout=1.0)
    yield Database(pool, deadline=2.0)
    pool.closeall()


def test_a_statement_runs_for_its_tenant_and_leaves_nothing_behind(
    database: Database, app: Application
) -> None:
    shown = query("SELECT current_setting('app.tenant_id') || ' ' || current_setting('statement_timeout')")
    told = database.fetch_json(shown, Identity(app.beta.id, 1, "admin", "t", 1, 9e9)).split()
    assert told[0] == str(app.beta.id) and 1000 < int(told[1].removesuffix("ms")) <= 2000
    left = query("SELECT coalesce(current_setting('app.tenant_id', true), '') || '|'")
    assert database.fetch_unbound(left) == ("|",)


def test_the_name_of_the_query_is_seen_in_the_servers_activity(database: Database) -> None:
    seen = query("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    assert database.fetch_json(seen, WHO).startswith("/* test.query */")


def test_without_a_tenant_nothing_is_sent(database: Database) -> None:
    with pytest.raises(Forbidden):
        database.fetch_json(query("SELECT 1"), Identity(0, 1, "admin", "t", 1, 9e9))
    assert database.pool.get_stats()["requests_num"] == 0


def test_a_parameter_cannot_take_the_place_of_the_identity(database: Database) -> None:
    for name in ("tenant_id", "user_id", "role"):
        with pytest.raises(ValueError, match=name):
            database.fetch_json(query("SELECT 1"), WHO, {name: 2})


@pytest.mark.parametrize(
    ("sql", "params", "error"),
    [
        ("SELECT NULL", {}, NotFound),
        ("SELECT 1 WHERE false", {}, NotFound),
        ("SELECT * FROM nothing", {}, SchemaMissing),
        ("SELECT 'x'::integer", {}, InvalidInput),
        ("SELECT %(x)s", {"x": "a\x00b"}, InvalidInput),
        ("SELECT %(x)s", {"x": "\ud800"}, InvalidInput),
        ("SELECT %(x)s::bigint", {"x": 2**63}, InvalidInput),
        ("SELECT 1 / 0", {}, InvalidInput),
        ("SELECT pg_sleep(20)", {}, DeadlineExceeded),
        ("SELECT set_config('role', 'postgres', true)", {}, OpsboardError),
        ("INSERT INTO jobs (tenant_id, job_number, title) VALUES (1, 'CANARYALPHA-0001', 'x')", {}, Conflict),
    ],
)
def test_each_error_of_the_database_has_our_name(
    database: Database, sql: str, params: dict[str, Any], error: type[OpsboardError]
) -> None:
    with pytest.raises(error) as raised:
        database.fetch_json(query(sql), WHO, params)
    assert raised.type is error
    assert "SELECT" not in raised.value.detail and "relation" not in raised.value.detail
    assert database.pool.reference_stats()["in_use"] == 0


def dying_once(app: Application) -> Query:
    """A statement whose backend ends itself the first time: nextval survives the lost transaction."""
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("DROP SEQUENCE IF EXISTS lives")
        cursor.execute("CREATE SEQUENCE lives")
        cursor.execute(
            """
            CREATE OR REPLACE FUNCTION die_once() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
            DECLARE life bigint := nextval('lives');
            BEGIN
                IF life = 1 THEN
                    PERFORM pg_terminate_backend(pg_backend_pid());
                    PERFORM pg_sleep(5);
                END IF;
                RETURN life;
            END $$
            """
        )
    return query("SELECT die_once()::text")


def test_a_read_whose_connection_dies_is_repeated(own_app: Application) -> None:
    pool = Pool(0, 4, own_app.database.app_url, timeout=1.0)
    with closing_pool(pool):
        assert Database(pool, 2.0).fetch_json(dying_once(own_app), WHO) == "2"
        assert pool.reference_stats()["in_use"] == 0


def test_a_write_whose_connection_dies_is_not_repeated(own_app: Application) -> None:
    pool = Pool(0, 4, own_app.database.app_url, timeout=1.0)
    with closing_pool(pool):
        dying = query(dying_once(own_app).sql, frozenset({"jobs"}))
        with pytest.raises(DatabaseUnavailable):
            Database(pool, 2.0).fetch_json(dying, WHO)
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT last_value FROM lives")
        assert cursor.fetchone() == (1,), "it was run a second time"


def test_the_statements_of_one_request_share_one_deadline(database: Database) -> None:
    began = time.monotonic()
    with record.recording() as request:
        database.fetch_json(query("SELECT pg_sleep(1.2)::text || 'x'"), WHO)
        with pytest.raises(DeadlineExceeded):
            database.fetch_json(query("SELECT pg_sleep(1.2)::text || 'x'"), WHO)
    assert time.monotonic() - began < 2.6
    assert request.query_names == ["test.query", "test.query"]

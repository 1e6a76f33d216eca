"""Statements that run again are prepared: one message each, bounded, and never a wrong or a second answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from psycopg2 import extensions

from opsboard.auth.identity import Identity
from opsboard.db.connection import PooledConnection
from opsboard.db.database import Database
from opsboard.db.pool import Pool
from opsboard.db.prepared import CUSTOM_PLAN, statement
from opsboard.db.queries import Query
from opsboard.errors import InvalidInput
from tests.application import Application
from tests.fleet.test_through_pgbouncer import running_pgbouncer

KEPT = 3


def query(sql: str, writes: frozenset[str] = frozenset()) -> Query:
    return Query("test.query", sql, "A test.", writes=writes)


@pytest.fixture
def pool(own_app: Application) -> Iterator[Pool]:
    pool = Pool(1, 1, own_app.database.app_url, timeout=1.0)
    yield pool
    pool.closeall()


@pytest.fixture
def database(pool: Pool) -> Database:
    return Database(pool, deadline=5.0, prepared_statements=KEPT)


@pytest.fixture
def caller(own_app: Application) -> Identity:
    return Identity(own_app.alpha.id, 1, "admin", "t", 1, 9e9)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages of the queries, in order, without those of the application's own threads."""
    run, messages = PooledConnection.run_clean, []

    def noted(self: PooledConnection, sql: str, params: Any = None) -> Any:
        if "/* fleet." not in sql:
            messages.append(sql)
        return run(self, sql, params)

    monkeypatch.setattr(PooledConnection, "run_clean", noted)
    return messages


def as_superuser(app: Application, sql: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        rows = cursor.fetchall() if cursor.description else []
        connection.commit()
        return rows


def prepared_on_the_server(pool: Pool) -> set[str]:
    with pool.connection() as connection:
        row = connection.run_clean("SELECT coalesce(array_agg(name), '{}') FROM pg_prepared_statements")
        assert row is not None
        return set(row[0])


TITLE = query(
    "SELECT j.title FROM jobs AS j WHERE j.tenant_id = %(tenant_id)s AND j.title LIKE %(title)s || '%%' "
    "ORDER BY j.id LIMIT %(limit)s"
)


def test_a_query_that_runs_again_is_executed_by_name_in_one_message(
    database: Database, caller: Identity, sent: list[str]
) -> None:
    answers = [database.fetch_row(TITLE, caller, {"title": "", "limit": 1}) for _ in range(5)]
    assert len(set(answers)) == 1 and answers[0] is not None
    assert sum("PREPARE" in message for message in sent) == 1
    assert [("EXECUTE" in message, "jobs" in message) for message in sent[-3:]] == [(True, False)] * 3
    sent.clear()
    database.fetch_row(TITLE, caller, {"title": "other", "limit": 1})
    assert len(sent) == 1 and sent[0].startswith("/* test.query */ SELECT set_config('app.tenant_id'")


def test_the_tenant_of_each_execution_is_its_own(
    database: Database, caller: Identity, own_app: Application
) -> None:
    everything = query("SELECT count(*)::text FROM jobs")  # row security alone tells the businesses apart
    other = Identity(own_app.beta.id, 1, "admin", "t", 1, 9e9)
    count = "SELECT count(*)::text FROM jobs WHERE tenant_id = {}"
    right = {who: as_superuser(own_app, count.format(who.tenant_id))[0][0] for who in (caller, other)}
    for who in [caller, other] * 10:
        assert database.fetch_json(everything, who) == right[who]


def test_a_connection_keeps_a_bounded_number_of_statements(
    database: Database, pool: Pool, caller: Identity
) -> None:
    for number in [1, 2, 3, 1, 4, 5]:
        for _ in range(2):
            database.fetch_json(query(f"SELECT '{number}'"), caller)
    with pool.connection() as connection:
        kept = set(connection.prepared)
    assert kept == prepared_on_the_server(pool)
    assert kept == {statement("test.query", f"SELECT '{number}'").name for number in (1, 4, 5)}


def test_a_text_that_is_planned_for_its_values_is_never_prepared(
    database: Database, pool: Pool, caller: Identity, sent: list[str]
) -> None:
    marked = query(f"SELECT %(title)s::text {CUSTOM_PLAN}")
    for title in "abc":
        assert database.fetch_row(marked, caller, {"title": title}) == (title,)
    assert prepared_on_the_server(pool) == set()
    assert not any("EXECUTE" in message or "PREPARE" in message for message in sent)


def test_a_setting_of_none_prepares_nothing(pool: Pool, caller: Identity) -> None:
    database = Database(pool, deadline=5.0, prepared_statements=0)
    for _ in range(5):
        database.fetch_row(TITLE, caller, {"title": "", "limit": 1})
    assert prepared_on_the_server(pool) == set()


def test_after_ddl_the_same_request_is_answered_and_the_next_is_prepared_anew(
    database: Database, caller: Identity, own_app: Application, sent: list[str]
) -> None:
    as_superuser(own_app, "CREATE TABLE changing AS SELECT 1 AS value; GRANT SELECT ON changing TO PUBLIC")
    reading = query("SELECT c.value FROM changing AS c")
    for _ in range(3):
        assert database.fetch_row(reading, caller) == (1,)
    as_superuser(own_app, "ALTER TABLE changing ALTER COLUMN value TYPE text")
    sent.clear()
    assert database.fetch_row(reading, caller) == ("1",)
    assert ["EXECUTE" in message for message in sent] == [True, False], "once as prepared, once as text"
    sent.clear()
    assert database.fetch_row(reading, caller) == ("1",)
    assert ["EXECUTE" in message for message in sent] == [False, True], "prepared anew, then executed"
    sent.clear()
    assert database.fetch_row(reading, caller) == ("1",)
    assert ["EXECUTE" in message for message in sent] == [True]


def test_a_write_whose_statement_is_gone_is_done_once(
    database: Database, pool: Pool, caller: Identity, own_app: Application
) -> None:
    as_superuser(own_app, "CREATE TABLE written (n integer); GRANT ALL ON written TO PUBLIC")
    writing = query("INSERT INTO written (n) VALUES (%(n)s) RETURNING n", frozenset({"written"}))
    for n in range(3):
        assert database.fetch_row(writing, caller, {"n": n}) == (n,)
    with pool.connection() as connection:
        extensions.cursor(connection).execute("DEALLOCATE ALL")  # past the pool's own bookkeeping
    assert database.fetch_row(writing, caller, {"n": 3}) == (3,)
    assert as_superuser(own_app, "SELECT n FROM written ORDER BY n") == [(0,), (1,), (2,), (3,)]


def test_what_a_borrower_does_to_its_session_ends_the_statements_too(
    database: Database, pool: Pool, caller: Identity
) -> None:
    for _ in range(3):
        database.fetch_row(TITLE, caller, {"title": "", "limit": 1})
    with pool.connection() as connection:
        connection.cursor().execute("SET work_mem TO '1MB'")  # undone by DISCARD ALL
    assert prepared_on_the_server(pool) == set()
    assert database.fetch_row(TITLE, caller, {"title": "", "limit": 1}) is not None


def test_a_lost_server_session_loses_no_read(
    database: Database, caller: Identity, own_app: Application
) -> None:
    for _ in range(3):
        database.fetch_row(TITLE, caller, {"title": "", "limit": 1})
    as_superuser(
        own_app,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{own_app.database.name}' "
        "AND pid <> pg_backend_pid()",
    )
    assert database.fetch_row(TITLE, caller, {"title": "", "limit": 1}) is not None


def test_an_error_of_the_query_itself_is_told_as_before(database: Database, caller: Identity) -> None:
    dividing = query("SELECT (1 / %(by)s::integer)::text")
    for _ in range(3):
        assert database.fetch_json(dividing, caller, {"by": 1}) == "1"
    with pytest.raises(InvalidInput):
        database.fetch_json(dividing, caller, {"by": 0})
    assert database.fetch_json(dividing, caller, {"by": 1}) == "1"


def test_a_text_that_cannot_be_prepared_is_sent_as_it_is(
    database: Database, caller: Identity, sent: list[str]
) -> None:
    untyped = query("SELECT json_build_array(%(x)s)::text")  # any type would do: Postgres infers none
    for _ in range(4):
        assert database.fetch_json(untyped, caller, {"x": "a"}) == '["a"]'
    assert sum("PREPARE" in message for message in sent) == 1
    assert sum("EXECUTE" in message for message in sent) == 0


def test_behind_a_pooler_nothing_is_prepared(own_app: Application, caller: Identity, sent: list[str]) -> None:
    database = own_app.database
    with running_pgbouncer(database.cluster, database.name) as url:
        pool = Pool(0, 4, url, timeout=2.0)
        try:
            through = Database(pool, deadline=5.0)
            for _ in range(5):
                assert through.fetch_row(TITLE, caller, {"title": "", "limit": 1}) is not None
        finally:
            pool.closeall()
    assert not [message for message in sent if "PREPARE" in message or "EXECUTE" in message]

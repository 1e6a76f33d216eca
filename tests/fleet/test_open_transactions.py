"""A transaction that somebody left open makes no beat read what was written since it began; health names it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.features.health import advice
from opsboard.fleet.change_feed import sql
from tests.application import Application
from tests.fleet.feed_recorder import FeedRecorder

TABLES = ("changes", "rollup_deltas", "revocations", "cache_clears")
LATER = 400  # transactions

READ = """
SELECT sum(pg_stat_get_xact_tuples_returned(c.oid))
FROM pg_class AS c
WHERE c.oid = ANY(%(tables)s::regclass[]) OR c.oid IN (
    SELECT i.indexrelid FROM pg_index AS i WHERE i.indrelid = ANY(%(tables)s::regclass[])
)
"""


def rows_read(url: str, seen: str) -> int:
    """How many rows and index entries one `listen` reads in the tables it looks at, in functions as well."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(sql.listen.sql, {"seen": seen})
        cursor.execute(READ, {"tables": list(TABLES)})
        return int(cursor.fetchone()[0])


@pytest.fixture
def open_write(own_app: Application) -> Iterator[Any]:
    """A session with a write that is not committed: its note, and its deltas, are among those of later ones."""
    with closing(psycopg2.connect(own_app.database.superuser_url)) as connection:
        with connection.cursor() as cursor:
            for _ in range(20):
                cursor.execute(
                    "INSERT INTO machines (tenant_id, name) VALUES (%s, 'held')", (own_app.alpha.id,)
                )
        yield connection


def write_much(own_app: Application) -> None:
    """Each statement a transaction; half of them leave a change, half a delta."""
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        cursor.execute("SET synchronous_commit = off")
        for number in range(LATER):
            cursor.execute(
                "UPDATE jobs SET title = %s WHERE id = (SELECT min(id) FROM jobs)"
                if number % 2
                else "UPDATE jobs SET status = CASE status WHEN 'draft' THEN 'on_hold' ELSE 'draft' END, title = %s "
                "WHERE id = (SELECT min(id) FROM jobs)",
                (f"title {number}",),
            )


def test_a_beat_beside_an_open_transaction_reads_only_what_is_new(
    own_app: Application, open_write: Any
) -> None:
    listener = FeedRecorder(own_app.database.app_url)
    listener.change_feed.poll()
    write_much(own_app)
    listener.change_feed.poll()
    listener.changes.clear()
    assert rows_read(own_app.database.superuser_url, listener.change_feed.seen) <= 2
    open_write.commit()
    listener.change_feed.poll()
    assert listener.changes == [(own_app.alpha.id, "machines")], "and it is heard when it ends"
    listener.change_feed.poll()
    assert len(listener.changes) == 1
    listener.pool.closeall()


def test_health_names_the_session_since_when_and_what_it_costs(
    own_app: Application, open_write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_app.services.change_feed.poll()
    quiet = json.loads(own_app.client("admin").get("/api/health/db").data)
    assert not any("transaction" in warning for warning in quiet["warnings"]), "not old yet"
    monkeypatch.setattr(advice, "OLD_TRANSACTION", 0)
    told = json.loads(own_app.client("admin").get("/api/health/db").data)
    oldest, pid = told["server"]["oldest_transaction"], open_write.info.backend_pid
    assert (oldest["kind"], oldest["pid"], oldest["user"]) == ("session", pid, open_write.info.user)
    # The server does not tell our role when a session of another began; the workers saw its number.
    assert oldest["since"] == pytest.approx(time.time(), abs=60) and oldest["seconds"] >= 0
    (warning,) = [warning for warning in told["warnings"] if "transaction" in warning]
    assert f"session {pid} (user {open_write.info.user}" in warning and "dead" in warning
    assert told["status"] == "warning"
    assert any(f"pg_terminate_backend({pid})" in advised for advised in told["recommendations"])

"""No migration keeps others out of a table for as long as the table is large: what it reads under a lock is counted."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from opsboard.db.migration_files import read_migrations
from opsboard.db.migrations import Migrator
from tests.application import Application
from tests.clusters import MIGRATIONS, FreshDatabase
from tests.db.lock_times import LARGE, ROWS, LockWatch, enlarge, lock_times
from tests.db.test_upgrade import LAST, released  # noqa: F401
from tests.waiting import eventually

# Modes that keep readers or writers out until the transaction ends.
LOCKS = """
SELECT DISTINCT c.oid, c.relname
FROM pg_locks AS l
JOIN pg_class AS c ON c.oid = l.relation
WHERE l.pid = pg_backend_pid() AND l.granted AND c.relkind IN ('r', 'p') AND c.oid = ANY(%s::oid [])
    AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""
READ = "SELECT relid, seq_tup_read FROM pg_stat_xact_all_tables WHERE relid = ANY(%s::oid [])"
# Of these there are few: a row for each business, and one for each person.
SMALL = {"tenants", "business_settings", "users"}
# Migrations that keep a table for as long as it is large; docs/operations.md (Upgrades) says so. Nothing may be added.
KNOWN = {
    "0035_text_forms": {
        "users", "customers", "processes", "machines", "jobs", "leads", "campaign_recipients", "contacts", "journeys",
    },
    "0036_campaign_people": {"campaigns", "campaign_event_keys"},
}  # fmt: skip
TABLES = """
SELECT c.oid, pg_relation_filenode(c.oid), greatest(c.reltuples, 0)
FROM pg_class AS c WHERE c.relkind IN ('r', 'p') AND c.relnamespace::regnamespace::text IN ('public', 'partitions')
"""


def locked_long(database: FreshDatabase, statements: list[str]) -> set[str]:
    """The tables that a migration locks while it rewrites or reads all of them."""
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
        before = {oid: node for oid, node, _ in cursor.fetchall()}
        connection.rollback()
        for statement in statements:
            cursor.execute(statement)
        cursor.execute(LOCKS, (list(before),))
        names = dict(cursor.fetchall())
        cursor.execute(READ, (list(names),))
        read = {names[oid] for oid, count in cursor.fetchall() if count}
        cursor.execute(TABLES)
        after = {oid: node for oid, node, _ in cursor.fetchall()}
        connection.rollback()
    return (read - SMALL) | {
        name for oid, name in names.items() if after.get(oid, before[oid]) != before[oid]
    }


def test_a_locked_table_is_neither_read_nor_rewritten(released: FreshDatabase, tmp_path: Path) -> None:  # noqa: F811
    found = {}
    folder = tmp_path
    for migration in read_migrations(MIGRATIONS):
        if migration.id <= LAST:
            continue
        if migration.up.transactional and (told := locked_long(released, list(migration.up.statements))):
            found[migration.id] = told
        for path in MIGRATIONS.glob(f"{migration.id}*.sql"):
            shutil.copy(path, folder)
        Migrator(released.owner_url, folder, report=lambda _: None).up()
    assert found == KNOWN


def test_the_watch_tells_locks_that_keep_out_readers_from_those_of_writers(app: Application) -> None:
    with (
        LockWatch(app.database).watching() as watch,
        closing(psycopg2.connect(app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        watch.begin("one")
        cursor.execute("LOCK TABLE machines IN ACCESS EXCLUSIVE MODE")
        cursor.execute("LOCK TABLE campaigns IN SHARE ROW EXCLUSIVE MODE")
        eventually(
            "both are seen", lambda: len(watch.held()) == 2 and min(held.seconds for held in watch.held()) > 0
        )
        connection.rollback()
        assert [held[:3] for held in watch.held()] == [("one", "campaigns", False), ("one", "machines", True)]
        watch.begin("two")
        cursor.execute("SELECT count(*) FROM machines")
        cursor.execute("LOCK TABLE campaigns IN SHARE ROW EXCLUSIVE MODE")
        eventually("of the next one too", lambda: any(held.migration == "two" for held in watch.held()))
        assert [held[:3] for held in watch.held() if held.migration == "two"] == [("two", "campaigns", False)]


def test_large_tables_are_made_of_one_row(released: FreshDatabase) -> None:  # noqa: F811
    def counts() -> dict[str, int]:
        with closing(psycopg2.connect(released.superuser_url)) as connection, connection.cursor() as cursor:
            found = {}
            for table in LARGE:
                cursor.execute(f"SELECT count(*) FROM {table}")
                ((found[table],),) = cursor.fetchall()
            return found

    before = counts()
    enlarge(released, 100)
    assert {table: rows - before[table] for table, rows in counts().items()} == {
        table: round(100 * share) for table, (share, _) in LARGE.items()
    }


# They read by indexes, which `READ` does not count; docs/operations.md says so.
BY_INDEXES = {"0030_steps_of_ended_jobs", "0032_job_numbers"}


@pytest.mark.slow
def test_no_other_migration_keeps_a_large_table_for_long(released: FreshDatabase, tmp_path: Path) -> None:  # noqa: F811
    enlarge(released, ROWS)
    # Seconds: a promise of 0.2 s with the margin of a busy machine.
    long = {(held.migration, held.table) for held in lock_times(released, tmp_path) if held.seconds > 2.0}
    assert {migration for migration, _ in long} <= KNOWN.keys() | BY_INDEXES, long

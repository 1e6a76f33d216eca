"""No migration keeps others out of a table for as long as the table is large: what it reads under a lock is counted."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import psycopg2

from opsboard.db.migration_files import read_migrations
from opsboard.db.migrations import Migrator
from tests.clusters import MIGRATIONS, FreshDatabase
from tests.db.test_upgrade import LAST, released  # noqa: F401

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

"""How long a migration keeps others out of a table: `python -m tests.db.lock_times docs/operations.md` measures it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg2

from opsboard.db.migration_files import read_migrations
from opsboard.db.migrations import Migrator
from tests.clusters import MIGRATIONS, FreshDatabase, cluster_folder, running_cluster
from tests.db.test_upgrade import LAST, database_of_release
from tests.marked import with_part

BEGIN, END = "<!-- lock-times:begin -->\n", "<!-- lock-times:end -->\n"
ROWS = 1_000_000
# Table -> the share of the rows that it gets, and the columns that tell its rows apart.
LARGE = {
    "jobs": (1.0, ("job_number",)), "leads": (0.5, ()), "customers": (0.2, ()), "contacts": (0.2, ()),
    "campaign_recipients": (0.2, ("address",)), "campaign_event_keys": (0.2, ("event_key",)),
}  # fmt: skip
COLUMNS = """
SELECT attname FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = ''
    AND attname <> 'external_id'
"""
TABLES = """
SELECT oid FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text IN ('public', 'partitions')
"""
LOCKS = """
SELECT l.pid, l.relation::regclass::text, bool_or(l.mode = 'AccessExclusiveLock')
FROM pg_locks AS l
WHERE l.granted AND l.pid <> pg_backend_pid() AND l.relation = ANY(%s::oid [])
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
GROUP BY 1, 2
"""
PAUSE = 0.005  # seconds between two looks
SHOWN = 0.1  # seconds; shorter ones are left out of the table


class Held(NamedTuple):
    """The longest time that a migration kept a table from others: from writers, or from readers as well."""

    migration: str
    table: str
    readers_wait: bool
    seconds: float


class LockWatch:
    """Looks at the locks of a database over and over, by a connection and a thread of its own."""

    def __init__(self, database: FreshDatabase) -> None:
        self.migration = ""
        self.longest: dict[tuple[str, str, bool], float] = {}
        self._since: dict[tuple[int, str, bool], float] = {}
        self._stop = threading.Event()
        self._connection = psycopg2.connect(database.superuser_url)
        self._connection.autocommit = True
        self._thread = threading.Thread(target=self._run, daemon=True)

    @contextmanager
    def watching(self) -> Iterator[LockWatch]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join(60)
            self._connection.close()

    def begin(self, migration: str) -> None:
        """The locks from now on are those of this migration, on the tables that are there."""
        self.migration = migration

    def held(self) -> list[Held]:
        return sorted(Held(*key, seconds) for key, seconds in self.longest.items())

    def _run(self) -> None:
        with self._connection.cursor() as cursor:
            tables: list[int] = []
            looked_for = None
            while not self._stop.wait(PAUSE):
                if looked_for != self.migration:
                    looked_for = self.migration
                    cursor.execute(TABLES)
                    tables = [oid for (oid,) in cursor.fetchall()]
                cursor.execute(LOCKS, (tables,))
                self._note(set(cursor.fetchall()))

    def _note(self, locks: set[tuple[int, str, bool]]) -> None:
        now = time.monotonic()
        self._since = {lock: self._since.get(lock, now) for lock in locks}
        for lock, since in self._since.items():
            _, table, readers_wait = lock
            key = self.migration, table, readers_wait
            self.longest[key] = max(self.longest.get(key, 0.0), now - since)


def enlarge(database: FreshDatabase, rows: int) -> None:
    """Multiply one row of each large table; no trigger runs, so no count is right."""
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table, (share, keys) in LARGE.items():
            cursor.execute(COLUMNS, (table,))
            columns = [name for (name,) in cursor.fetchall()]
            values = [f"t.{name} || '-' || n" if name in keys else f"t.{name}" for name in columns]
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
                f"FROM (SELECT * FROM {table} LIMIT 1) AS t CROSS JOIN generate_series(1, %s) AS n",
                (round(rows * share),),
            )
        connection.commit()
        connection.autocommit = True
        cursor.execute("ANALYZE")


def lock_times(
    database: FreshDatabase, folder: Path, report: Callable[[str], object] = lambda _: None
) -> list[Held]:
    """Bring a database of the last release forward, a migration at a time, with the locks that each held."""
    with LockWatch(database).watching() as watch:
        for migration in read_migrations(MIGRATIONS):
            if migration.id <= LAST:
                continue
            watch.begin(migration.id)
            for path in MIGRATIONS.glob(f"{migration.id}*.sql"):
                shutil.copy(path, folder)
            began = time.monotonic()
            Migrator(database.owner_url, folder, report=lambda _: None).up()
            report(f"{migration.id} {time.monotonic() - began:.1f} s")
    return watch.held()


def table(held: list[Held]) -> str:
    """The longest lock of each migration, for readers and for writers alone."""
    lines = ["| migration | longest lock | table | who waits |", "|---|---|---|---|"]
    longest = {}
    for one in sorted(held, key=lambda one: one.seconds):
        longest[one.migration, one.readers_wait] = one
    for one in sorted(longest.values()):
        if one.seconds >= SHOWN:
            who = "readers and writers" if one.readers_wait else "writers"
            lines.append(f"| `{one.migration}` | {one.seconds:.1f} s | {one.table} | {who} |")
    return "\n".join([*lines, ""])


def with_table(document: str, held: list[Held]) -> str:
    """The document with the table between its marks."""
    return with_part(document, BEGIN, END, table(held))


if __name__ == "__main__":
    document = Path(sys.argv[1])
    os.environ.setdefault("TMPDIR", "/var/tmp")
    with (
        cluster_folder() as place,
        running_cluster(place / "locks") as cluster,
        tempfile.TemporaryDirectory() as folder,
        database_of_release(cluster, Path(folder)) as released,
    ):
        enlarge(released, ROWS)
        found = lock_times(released, Path(folder), report=lambda line: print(line, flush=True))
    for one in found:
        print(one)
    document.write_text(with_table(document.read_text(encoding="utf-8"), found), encoding="utf-8")

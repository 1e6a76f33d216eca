"""The records of migrations in the database, and the state that results from them and the files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from opsboard.db.migration_files import Migration
from opsboard.db.migration_run import ScriptRunner, Statement
from opsboard.errors import MigrationError


class MigrationStatus(NamedTuple):
    """One line of the state of the schema."""

    id: str
    applied_at: datetime | None
    # ok | pending | unfinished (killed; running it again ends it) | changed (edited since) | missing file
    state: str


def read_status(runner: ScriptRunner, migrations: Sequence[Migration]) -> list[MigrationStatus]:
    """Every migration that has a file or a record, in order."""
    records = {record.id: record for record in _read_records(runner)}
    files = {migration.id: migration for migration in migrations}
    return [_status(key, files.get(key), records.get(key)) for key in sorted(files.keys() | records.keys())]


def require_sound(status: Sequence[MigrationStatus]) -> None:
    """Refuse to build on a schema that is not the one the files describe."""
    for line in status:
        if line.state == "changed":
            raise MigrationError(
                f"{line.id}.sql was edited after it ran: put it back as it was; a change is a new migration."
            )
    missing = [line.id for line in status if line.state == "missing file"]
    pending = [line.id for line in status if line.state in {"pending", "unfinished"}]
    # An older release on a newer schema has nothing to do here and may start.
    if missing and pending:
        raise MigrationError(
            f"{missing[0]} was applied but has no file, and {pending[0]} is pending: use a release with both."
        )


def create_records(runner: ScriptRunner) -> None:
    """Make the table of the records when it is not there."""
    runner.execute("""
        CREATE TABLE IF NOT EXISTS public.schema_migrations (
            id text PRIMARY KEY,
            checksum text NOT NULL,
            applied_at timestamptz
        )
    """)


def drop_records(runner: ScriptRunner) -> None:
    """Leave no trace once everything was taken back."""
    runner.execute("DROP TABLE IF EXISTS public.schema_migrations")


# A record without a time: a migration that cannot be one transaction is under way, forwards or back. Both
# directions take it up again, so a kill between its statements is never mistaken for either end.


def record_begun(migration: Migration) -> Statement:
    """The statement before the first one of `up`; a migration that was begun before stays as it is."""
    sql = "INSERT INTO public.schema_migrations (id, checksum) VALUES (%s, %s) ON CONFLICT (id) DO NOTHING"
    return Statement(sql, (migration.id, migration.checksum))


def record_applied(migration: Migration) -> Statement:
    """The statement after the last one of `up`."""
    sql = """
        INSERT INTO public.schema_migrations (id, checksum, applied_at)
        VALUES (%s, %s, now())
        ON CONFLICT (id) DO UPDATE SET applied_at = excluded.applied_at
    """
    return Statement(sql, (migration.id, migration.checksum))


def record_undoing(key: str) -> Statement:
    """The statement before the first one of `down`."""
    return Statement("UPDATE public.schema_migrations SET applied_at = NULL WHERE id = %s", (key,))


def record_undone(key: str) -> Statement:
    """The statement after the last one of `down`."""
    return Statement("DELETE FROM public.schema_migrations WHERE id = %s", (key,))


class _Record(NamedTuple):
    id: str
    checksum: str
    applied_at: datetime | None


def _read_records(runner: ScriptRunner) -> list[_Record]:
    if runner.execute("SELECT to_regclass('public.schema_migrations') IS NULL")[0][0]:
        return []
    rows = runner.execute("SELECT id, checksum, applied_at FROM public.schema_migrations")
    return [_Record(*row) for row in rows]


def _status(key: str, file: Migration | None, record: _Record | None) -> MigrationStatus:
    if record is None:
        return MigrationStatus(key, None, "pending")
    if file is None:
        return MigrationStatus(key, record.applied_at, "missing file")
    if file.checksum != record.checksum:
        return MigrationStatus(key, record.applied_at, "changed")
    return MigrationStatus(key, record.applied_at, "ok" if record.applied_at else "unfinished")

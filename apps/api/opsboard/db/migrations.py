"""Brings the schema up to its newest migration or back to an older one, from any state a kill left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from opsboard.db.index_catalogue import find_faults, read_catalogue
from opsboard.db.migration_files import Script, default_folder, read_migrations
from opsboard.db.migration_lock import Report, migration_session, reading_session, require_lock
from opsboard.db.migration_records import (
    MigrationStatus,
    create_records,
    drop_records,
    read_status,
    record_applied,
    record_begun,
    record_undoing,
    record_undone,
    require_sound,
)
from opsboard.db.migration_run import ScriptRunner
from opsboard.errors import MigrationError

__all__ = ["MigrationStatus", "Migrator", "default_folder"]


class Migrator:
    """The migrations of a folder and the database they belong to."""

    def __init__(
        self, dsn: str, folder: Path | str | None = None, report: Report = print, *, lock_tries: int = 60
    ) -> None:
        self._dsn = dsn
        self._folder = Path(folder) if folder else default_folder()
        self._report = report
        self._lock_tries = lock_tries

    def status(self) -> list[MigrationStatus]:
        """Every migration that has a file or was applied, in order."""
        with self._reading() as runner:
            return read_status(runner, read_migrations(self._folder))

    def pending(self) -> list[str]:
        """The ids that `up` would apply."""
        return [line.id for line in self.status() if line.state in {"pending", "unfinished"}]

    def verify(self) -> None:
        """Raise if an applied file was edited or is missing, a run was not ended, or an index is missing or invalid;
        also when nothing is applied, for then there is nothing to look at."""
        with self._reading() as runner:
            status = read_status(runner, read_migrations(self._folder))
            faults = [f"{line.id}: {line.state}" for line in status if line.state not in {"ok", "pending"}]
            applied = {line.id for line in status if line.state == "ok"}
            if not applied and not faults:
                faults = ["no migration is applied"]
            with runner.cursor() as cursor:
                missing = find_faults(cursor, read_catalogue(self._folder, applied))
            faults += [f"index {fault.index.name}: {fault.state}" for fault in missing]
            known = {fault.index.name for fault in missing}
            faults += [f"index {name}: invalid" for name in runner.invalid_indexes() if name not in known]
        if faults:
            raise MigrationError(f"The schema is not as the migrations make it: {'; '.join(faults)}.")

    def up(self, to: str | None = None) -> list[str]:
        """Apply what is pending, up to and with `to`; the ids applied."""
        last = self._find(to) if to else None
        migrations = {migration.id: migration for migration in read_migrations(self._folder)}
        with self._at_work() as (conn, runner):
            create_records(runner)
            status = read_status(runner, list(migrations.values()))
            require_sound(status)
            pending = [line.id for line in status if line.state in {"pending", "unfinished"}]
            applied = [key for key in pending if last is None or key <= last]
            for migration in map(migrations.__getitem__, applied):
                require_lock(conn)
                self._report(f"applying {migration.id}")
                runner.run(migration.up, begun=record_begun(migration), done=record_applied(migration))
        return applied

    def down(self, to: str) -> list[str]:
        """Take back everything after `to`, or everything for "zero"; the ids taken back, newest first."""
        first = "" if to == "zero" else self._find(to)
        with self._at_work() as (conn, runner):
            status = read_status(runner, read_migrations(self._folder))
            undone = [line.id for line in reversed(status) if line.state != "pending" and line.id > first]
            # All files are looked for before the first one runs.
            for key, script in [(key, self._rollback_of(key)) for key in undone]:
                require_lock(conn)
                self._report(f"taking back {key}")
                runner.run(script, begun=record_undoing(key), done=record_undone(key))
            if to == "zero":
                drop_records(runner)
        return undone

    @contextmanager
    def _at_work(self) -> Iterator[tuple[Connection, ScriptRunner]]:
        with _database_errors(), migration_session(self._dsn, self._report) as conn:
            yield conn, ScriptRunner(conn, self._report, self._lock_tries)

    @contextmanager
    def _reading(self) -> Iterator[ScriptRunner]:
        with _database_errors(), reading_session(self._dsn) as conn:
            yield ScriptRunner(conn, self._report, self._lock_tries)

    def _find(self, wanted: str) -> str:
        """The id of a migration given by its id or its number."""
        for migration in read_migrations(self._folder):
            if wanted in {migration.id, migration.id[:4]}:
                return migration.id
        raise MigrationError(f"There is no migration {wanted} in {self._folder}.")

    def _rollback_of(self, key: str) -> Script:
        for migration in read_migrations(self._folder):
            if migration.id == key and migration.down:
                return migration.down
        raise MigrationError(f"{key}.rollback.sql is not in {self._folder}; use the release that applied it.")


@contextmanager
def _database_errors() -> Iterator[None]:
    try:
        yield
    except psycopg2.errors.InsufficientPrivilege as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise MigrationError(
            f"The database says: {reason}; set DATABASE_OWNER_URL to the role that owns the tables."
        ) from error
    except psycopg2.Error as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise MigrationError(f"Migrating stopped: {reason}. Run it again; it goes on from there.") from error

"""Addresses of the database: from the settings, or of the embedded server, started on demand."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg2 import sql

from opsboard.config import Config
from opsboard.db.embedded import OWNER, SUPERUSER, Cluster
from opsboard.db.session import connected
from opsboard.errors import CommandError, ConfigError, EmbeddedError

APPLICATION = "opsboard_app"
DATABASE = "opsboard"
# Nothing is replicated from it. A table filled in the transaction that emptied it then needs no log of its own,
# which halves what is written when demo data is made.
SETTINGS = {"wal_level": "minimal", "max_wal_senders": "0"}

# The marks this process holds, by data folder; the system takes them back when it dies.
_marks: dict[Path, int] = {}
_blocks: dict[Path, int] = {}


def service_url(config: Config) -> str:
    """The address as the service uses it, by the role that owns nothing."""
    if config.database_url:
        return str(config.database_url)
    if config.database_owner_url:
        raise ConfigError(["DATABASE_URL must be set where DATABASE_OWNER_URL is"])
    return _running_cluster(config).url(APPLICATION, DATABASE)


def owner_url(config: Config) -> str:
    """The address as the role that owns the tables."""
    return config.owner_url or _running_cluster(config).url(OWNER, DATABASE)


@contextmanager
def embedded_server(config: Config) -> Iterator[Cluster | None]:
    """The embedded server for as long as the block lasts; None where the settings name another one.

    The last process that uses it stops it: a command may start it, be joined by `opsboard demo` and end first.
    """
    if config.owner_url:
        yield None
        return
    folder = config.data_folder
    _blocks[folder] = _blocks.get(folder, 0) + 1
    try:
        yield _running_cluster(config)
    finally:
        _blocks[folder] -= 1
        if not _blocks[folder]:
            _leave(config)


def recreate_database(cluster: Cluster) -> None:
    """Throw the embedded database away and make an empty one. Raises CommandError while somebody uses it."""
    with connected(cluster.url(SUPERUSER, "postgres"), "demo") as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'",
            (DATABASE,),
        )
        if cursor.fetchone() != (0,):
            raise CommandError("The embedded database is in use; stop what uses it first.")
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(DATABASE)))
    cluster.ensure_roles_and_database(DATABASE)


def _running_cluster(config: Config) -> Cluster:
    """The embedded server, running; from now on this process counts among those that use it."""
    cluster = _cluster(config)
    mark = _mark(config.data_folder)
    # Waits while the last one to leave is stopping it.
    fcntl.flock(mark, fcntl.LOCK_SH)
    cluster.start()
    cluster.ensure_roles_and_database(DATABASE)
    return cluster


def _leave(config: Config) -> None:
    mark = _marks.pop(config.data_folder, None)
    if mark is None:
        return
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _cluster(config).stop()
    except BlockingIOError:
        pass
    finally:
        os.close(mark)


def _cluster(config: Config) -> Cluster:
    return Cluster(config.data_folder / "postgres", settings=SETTINGS)


def _mark(folder: Path) -> int:
    if folder not in _marks:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _marks[folder] = os.open(folder / ".postgres.users", os.O_CREAT | os.O_RDWR, 0o644)
        except OSError as error:
            reason = error.strerror or error
            raise EmbeddedError(f"{folder}: {reason}; set OPSBOARD_DATA to a folder of yours.") from error
    return _marks[folder]

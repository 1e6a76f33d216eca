"""opsboard backup, opsboard restore: all of the database into a file, back again, and proof that it comes back."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import click
import psycopg2
from psycopg2 import sql

from opsboard.commands.backup_programs import contents_of, dump, restore, version_needed
from opsboard.commands.backup_verify import verify_backup
from opsboard.config import Config, load_config
from opsboard.db.addresses import DATABASE, embedded_server
from opsboard.db.client_programs import find_bindir
from opsboard.db.embedded import SUPERUSER, Cluster
from opsboard.db.session import Connection, connected
from opsboard.errors import CommandError
from opsboard.imports.progress import progress_for

DAY = 86_400
PREFIX = "opsboard-"
SEES_ALL = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
MAJOR = "SELECT current_setting('server_version_num')::int / 10000"
TABLES = """
SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'
"""
MISSING_ROLES = "SELECT r FROM unnest(%s) AS r WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r)"
ROLES = ["opsboard_owner", "opsboard_app"]

backup_file = click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
)


@click.group("backup", invoke_without_command=True)
@click.option(
    "--into", "folder", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path),
    help="Where the file goes; backups in OPSBOARD_DATA when absent.",
)  # fmt: skip
@click.option(
    "--keep-days", type=click.IntRange(1, 36_500), metavar="DAYS",
    help="Afterwards remove backups in FOLDER that are older; all are kept when absent.",
)  # fmt: skip
@click.pass_context
def backup(context: click.Context, folder: Path | None, keep_days: int | None) -> None:
    """Dump the database into a new file that only its owner can read (pg_dump's custom format).

    It connects by DATABASE_BACKUP_URL: a role that row security does not bind, such as a superuser. The service goes on
    meanwhile. Exit code 0: the file is complete; 2: there is none.

    \b
    Examples:
      opsboard backup
      opsboard backup --into /var/lib/opsboard-backup --keep-days 14
      opsboard backup verify /var/lib/opsboard-backup/opsboard-20260131T023000Z.dump
    """
    if context.invoked_subcommand:
        return
    config = load_config()
    folder = folder or config.data_folder / "backups"
    began = time.monotonic()
    with embedded_server(config) as cluster, connected(backup_url(config, cluster), "backup") as connection:
        path = make_backup(connection, backup_url(config, cluster), folder)
        note_backup(connection, path)
    if keep_days:
        remove_old(folder, keep_days)
    size = path.stat().st_size
    click.echo(
        f"{path}: {size:,} bytes in {time.monotonic() - began:.1f} s; next: opsboard backup verify {path}"
    )


@backup.command("verify")
@backup_file
def verify(file: Path) -> None:
    """Restore FILE into a throw-away server, check everything there, and say how long each part took.

    The server is made in TMPDIR, needs room for the whole database, and is removed afterwards. Its schema is
    brought to this version; then the checks of `opsboard doctor` and `opsboard rollups verify` run. Exit code 0: it
    can be restored and all is well; 1: it can be restored and a check fails; 2: it cannot be restored.

    \b
    Example:
      opsboard backup verify /var/lib/opsboard-backup/opsboard-20260131T023000Z.dump
    """
    if not verify_backup(load_config(), file):
        raise click.exceptions.Exit(1)


@click.command("restore")
@backup_file
def restore_command(file: Path) -> None:
    """Bring FILE back into the database, which must be empty: all of it, or nothing.

    It connects by DATABASE_BACKUP_URL. The roles must exist (deploy/roles.sql). Afterwards everybody signs in again,
    and invitations and reset links that were open have ended; passwords and API tokens are as they were in the backup.
    Exit code 0: restored; 2: nothing was restored.

    \b
    Example:
      systemctl stop opsboard opsboard-journeys
      opsboard restore /var/lib/opsboard-backup/opsboard-20260131T023000Z.dump
      opsboard migrate && opsboard doctor && opsboard rollups verify
    """
    config = load_config()
    bindir = find_bindir(version_needed(contents_of(file)), "pg_restore")
    began = time.monotonic()
    with embedded_server(config) as cluster:
        url = backup_url(config, cluster)
        with connected(url, "restore") as connection:
            require_empty(connection, is_embedded=cluster is not None)
        with progress_for() as progress:
            restore(url, file, bindir, progress)
        with connected(url, "restore") as connection, connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    click.echo(f"{file}: restored in {time.monotonic() - began:.1f} s")
    click.echo("next: opsboard migrate, opsboard doctor, opsboard rollups verify, and start the service")
    click.echo("everybody signs in again; look for API tokens that were revoked since: opsboard token list")


def backup_url(config: Config, cluster: Cluster | None) -> str:
    """The address by a role that row security does not bind. Raises CommandError."""
    if config.database_backup_url:
        return str(config.database_backup_url)
    if cluster is None:
        raise CommandError(
            "DATABASE_BACKUP_URL must be set: the database by a role that row security does not bind, such as "
            "postgresql:///opsboard as the system's user postgres."
        )
    return cluster.url(SUPERUSER, DATABASE)


def make_backup(connection: Connection, url: str, folder: Path) -> Path:
    with connection.cursor() as cursor:
        cursor.execute(SEES_ALL)
        if cursor.fetchone() != (True,):
            raise CommandError(
                "The role of DATABASE_BACKUP_URL does not see all rows; use a superuser or one with BYPASSRLS."
            )
        cursor.execute(MAJOR)
        ((major,),) = cursor.fetchall()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{folder}: {error.strerror}") from error
    path = folder / f"{PREFIX}{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"
    if path.exists():
        raise CommandError(f"{path} is there already; try again in a second.")
    try:
        with progress_for() as progress:
            dump(url, major, path, progress)
    except OSError as error:
        raise CommandError(f"{folder}: {error.strerror}") from error
    return path


def note_backup(connection: Connection, path: Path) -> None:
    """Keep time and size for /api/health/db, as a setting of the database, which is not in a dump."""
    told = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {path.stat().st_size}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        ((name,),) = cursor.fetchall()
        statement = sql.SQL("ALTER DATABASE {} SET opsboard.last_backup = {}")
        try:
            cursor.execute(statement.format(sql.Identifier(name), sql.Literal(told)))
        except psycopg2.errors.InsufficientPrivilege:
            click.echo("the role may not note the backup for /api/health/db: it owns no database", err=True)


def remove_old(folder: Path, days: int) -> None:
    """Remove backups that are older, now that a newer one is there."""
    for path in folder.glob(f"{PREFIX}*.dump"):
        if path.is_file() and path.stat().st_mtime < time.time() - days * DAY:
            path.unlink()


def require_empty(connection: Connection, is_embedded: bool) -> None:
    """Raise CommandError unless the database has no tables and the server has the roles."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        if cursor.fetchone() != (0,):
            raise CommandError("The database is not empty; a backup is restored into an empty one.")
        cursor.execute(MISSING_ROLES, (ROLES,))
        missing = [name for (name,) in cursor.fetchall()]
        if missing and is_embedded:
            make_roles(connection, missing)
        elif missing:
            raise CommandError(f"The server has no role {' and '.join(missing)}: run deploy/roles.sql first.")


def make_roles(connection: Connection, names: list[str]) -> None:
    """Make roles as the first migration does; only on a server of our own."""
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(
                sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS").format(sql.Identifier(name))
            )

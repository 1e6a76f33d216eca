"""opsboard migrate: bring the schema to this version, or back."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import click

from opsboard.commands.schema_check import check_statements
from opsboard.config import Config, load_config
from opsboard.db.addresses import embedded_server, owner_url, service_url
from opsboard.db.migrations import Migrator, default_folder
from opsboard.db.schema_version import missing_migrations
from opsboard.db.session import connected


@click.command()
@click.option("--to", metavar="NNNN", help="Stop at this migration.")
@click.option(
    "--down", "down_to", metavar="NNNN", help="Go back to this migration; 'zero': remove everything."
)
@click.option("--status", is_flag=True, help="Say which migrations are applied, and change nothing.")
@click.option(
    "--check", is_flag=True,
    help="Say what is pending, and whether the statements of this version run on the schema as it is.",
)  # fmt: skip
@click.option("--verify", is_flag=True, help="Check files and indexes; exit code 2 when something is wrong.")
def migrate(to: str | None, down_to: str | None, status: bool, check: bool, verify: bool) -> None:
    """Bring the database to the schema of this version, as the owner of its tables (DATABASE_OWNER_URL).

    --check changes nothing. Of an older release it tells whether that release runs on a schema that a newer one has
    migrated, before the older one is started. Exit code 1: a statement does not run.

    Safe to run again after it was killed, and from several machines at once: one works, the others wait.

    \b
    Examples:
      opsboard migrate
      opsboard migrate --status
      opsboard migrate --check
      opsboard migrate --down 0003
    """
    config = load_config()
    with embedded_server(config), interruptible():
        if check:
            check_schema(config)
            return
        migrator = Migrator(owner_url(config), default_folder(), report=click.echo)
        run(migrator, to, down_to, status, verify)


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C ends the process at once: psycopg2 does not see it during a statement, and a kill is safe."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def check_schema(config: Config) -> None:
    """Print what is pending and which statements the server refuses."""
    with connected(service_url(config), "migrate --check") as connection, connection.cursor() as cursor:
        missing = missing_migrations(cursor)
        checked, refused = check_statements(cursor)
    click.echo(f"pending: {', '.join(missing) or 'nothing'}")
    for line in refused:
        click.echo(f"does not run: {line}")
    click.echo(f"{checked} statements of this version run on the schema, {len(refused)} do not")
    if refused:
        raise click.exceptions.Exit(1)


def run(migrator: Migrator, to: str | None, down_to: str | None, status: bool, verify: bool) -> None:
    if status:
        for entry in migrator.status():
            applied = entry.applied_at.isoformat(timespec="seconds") if entry.applied_at else "-"
            click.echo(f"{entry.id:32} {entry.state:14} {applied}")
    elif verify:
        migrator.verify()
        click.echo("all migrations are as applied; no index is missing or invalid")
    elif down_to:
        migrator.down(down_to)
    else:
        migrator.up(to)

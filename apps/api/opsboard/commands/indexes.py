"""opsboard indexes: which indexes there should be, what for, and whether they are there."""

from __future__ import annotations

import click

from opsboard.commands.migrate import interruptible
from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, owner_url, service_url
from opsboard.db.index_build import build_indexes
from opsboard.db.index_catalogue import find_faults, read_catalogue
from opsboard.db.migrations import default_folder
from opsboard.db.session import connected


@click.group()
def indexes() -> None:
    """The indexes of the migrations: list them with what they serve, verify that they are there, build what is not."""


@indexes.command("list")
@click.option("--table", metavar="TABLE", help="Of this table only.")
def list_indexes(table: str | None) -> None:
    """Name, table and what it serves, of every index of the migrations. Needs no database.

    \b
    Examples:
      opsboard indexes list
      opsboard indexes list --table jobs
    """
    for index in read_catalogue().values():
        if table in (None, index.table):
            click.echo(f"{index.name:44} {index.table:26} {index.serves}")


@indexes.command()
def verify() -> None:
    """Compare the migrations' indexes with those of the database. Exit code 1 when one is missing or invalid.

    \b
    Example:
      opsboard indexes verify
    """
    catalogue = read_catalogue()
    config = load_config()
    with (
        embedded_server(config),
        connected(service_url(config), "indexes") as connection,
        connection.cursor() as cursor,
    ):
        faults = find_faults(cursor, catalogue)
    for fault in faults:
        index = fault.index
        click.echo(f"{fault.state}: {index.name} on {index.table}, serves {index.serves}")
        click.echo(f"  {index.statement};")
    click.echo(f"{len(catalogue)} indexes, {len(faults)} missing or invalid")
    if faults:
        click.echo("opsboard indexes build makes them, without keeping anybody waiting")
        raise click.exceptions.Exit(1)


@indexes.command()
def build() -> None:
    """Build the indexes of the migrations that are missing or invalid, as the owner (DATABASE_OWNER_URL).

    Readers and writers go on meanwhile. Safe to run again after it was killed.

    \b
    Example:
      opsboard indexes build
    """
    config = load_config()
    with embedded_server(config), interruptible():
        built = build_indexes(owner_url(config), default_folder(), click.echo)
    click.echo(f"{len(built)} indexes built")

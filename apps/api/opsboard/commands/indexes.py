"""opsboard indexes: which indexes there should be, what for, and whether they are there."""

from __future__ import annotations

import click

from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, service_url
from opsboard.db.index_catalogue import read_catalogue
from opsboard.db.queries import load_queries
from opsboard.db.session import connected

sql = load_queries("opsboard.commands")


@click.group()
def indexes() -> None:
    """The indexes of the migrations: list them with what they serve, or verify that they are there."""


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
        cursor.execute(sql.present_indexes.sql)
        present: dict[str, tuple[str, bool]] = {
            name: (table, valid) for name, table, valid in cursor.fetchall()
        }
    wrong = 0
    for index in catalogue.values():
        table, valid = present.get(index.name, ("", False))
        if table != index.table:
            click.echo(f"missing: {index.name} on {index.table}, serves {index.serves}")
        elif not valid:
            click.echo(f"invalid: {index.name} on {index.table}, serves {index.serves}")
        wrong += table != index.table or not valid
    click.echo(f"{len(catalogue)} indexes, {wrong} missing or invalid")
    if wrong:
        click.echo(
            "opsboard migrate finishes what was interrupted; an invalid one is mended by REINDEX INDEX"
        )
        raise click.exceptions.Exit(1)

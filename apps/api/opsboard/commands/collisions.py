"""opsboard collisions: rows that look the same and were stored as two before texts had one form."""

from __future__ import annotations

import click

from opsboard.commands.rollups import businesses, only_one
from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, owner_url
from opsboard.db.queries import load_queries
from opsboard.db.session import transaction
from opsboard.imports.faults import printable

sql = load_queries("opsboard.commands")


@click.command()
@only_one
def collisions(slug: str | None) -> None:
    """List the rows that a migration found to have the key or address of another row, and kept.

    Exit code 1 when there is one. Correct or merge the two yourself: nothing says which one is right.

    \b
    Example:
      opsboard collisions --tenant north
    """
    count = 0
    config = load_config()
    with embedded_server(config), businesses(owner_url(config), slug) as (connection, tenants):
        for tenant_id, name in tenants:
            with transaction(connection) as cursor:
                cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(tenant_id),))
                cursor.execute(sql.list_collisions.sql, {"tenant_id": tenant_id})
                rows = cursor.fetchall()
            for table, column, row_id, other_id, value in rows:
                click.echo(
                    f"{name}: {table} {row_id}: {column} {printable(value)} is that of {table} {other_id}"
                )
            count += len(rows)
    click.echo(f"{len(tenants)} businesses, {count} collisions")
    if count:
        raise click.exceptions.Exit(1)

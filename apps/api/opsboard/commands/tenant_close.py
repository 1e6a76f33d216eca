"""opsboard tenant close: export all of a business, ask twice, and remove it."""

from __future__ import annotations

import getpass
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click

from opsboard.commands.rollups import businesses
from opsboard.commands.tenant_export import tenant_group
from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, owner_url, service_url
from opsboard.db.queries import load_queries
from opsboard.db.session import Connection, transaction
from opsboard.errors import CommandError, OpsboardError
from opsboard.features.documents.store import DocumentStore
from opsboard.imports.business_export import export_business
from opsboard.imports.progress import progress_for

__all__ = ["tenant_group"]
sql = load_queries("opsboard.commands")

NOTE = "CLOSED.txt"  # in the folder of the export
FOLD_BATCH = 20_000
FOLD_ATTEMPTS = 50
FOLD_PAUSE = 0.1  # seconds


@tenant_group.command("close")
@click.argument("slug")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def close_command(slug: str, folder: Path) -> None:
    """Remove a business with all its records, people and documents, after all of it was exported into FOLDER.

    It asks twice, and everything goes in one transaction or nothing does. Sign-ins and tokens end on every worker.
    Nobody can bring it back but by importing FOLDER into another business; backups still have it.

    \b
    Example:
      opsboard tenant close north exports/north
    """
    config = load_config()
    with embedded_server(config), businesses(owner_url(config), slug) as (connection, ((tenant_id, _),)):
        if tenant_id in config.operator_tenants:
            raise CommandError(f"OPERATOR_TENANTS names {slug} (id {tenant_id}); remove it there first.")
        with progress_for() as progress:
            rows = sum(one.rows for one in export_business(service_url(config), slug, folder, progress))
        click.echo(f"{rows:,} rows of {slug} are in {folder}")
        ask_twice(slug, rows)
        remove_business(connection, tenant_id)
        audited = note_closing(connection, config.operator_tenants, tenant_id, slug, rows)
        (folder / NOTE).write_text(closing_note(tenant_id, slug, rows), encoding="utf-8")
        remove_counts(connection, tenant_id)
    contents = remove_contents(DocumentStore(config.document_store), tenant_id)
    where = "the audit log of those who run the service and " if audited else ""
    click.echo(f"{slug} is closed: {rows:,} rows and {contents} contents of documents removed")
    click.echo(f"{where}{folder / NOTE} have it" if where else f"{folder / NOTE} has it")


def ask_twice(slug: str, rows: int) -> None:
    """Raise CommandError unless both answers are right."""
    if click.prompt(f"Type {slug} to close it") != slug:
        raise CommandError("That is another name. Nothing was removed.")
    if not click.confirm(f"Remove all {rows:,} rows, for good?", default=False):
        raise CommandError("Nothing was removed.")


def remove_business(connection: Connection, tenant_id: int) -> None:
    """Remove its row, and with it all that refer to it."""
    with transaction(connection) as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(tenant_id),))
        cursor.execute(sql.remove_business.sql, {"tenant_id": tenant_id})


def note_closing(
    connection: Connection, operators: Sequence[int], tenant_id: int, slug: str, rows: int
) -> bool:
    """Write the audit log of each business that runs the service; False if none does."""
    for operator in operators:
        with transaction(connection) as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(operator),))
            values = {"operator": operator, "closed": tenant_id, "slug": slug, "rows": rows}
            cursor.execute(sql.note_closing.sql, values)
    return bool(operators)


def closing_note(tenant_id: int, slug: str, rows: int) -> str:
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    who = f"{getpass.getuser()} on {socket.gethostname()}"
    return f"{moment} business {slug} (id {tenant_id}), {rows} rows, closed by {who}\n"


def remove_counts(connection: Connection, tenant_id: int) -> None:
    """Remove its kept counts, once the deltas are folded that tell the workers what was removed."""
    for _ in range(FOLD_ATTEMPTS):
        with transaction(connection) as cursor:
            cursor.execute(sql.fold_rollups.sql, {"most": FOLD_BATCH})
            ((folded,),) = cursor.fetchall()
        if folded is not None and folded < FOLD_BATCH:
            break
        # Null: a worker does it at this moment.
        time.sleep(FOLD_PAUSE if folded is None else 0)
    with transaction(connection) as cursor:
        cursor.execute(sql.remove_counts.sql, {"tenant_id": tenant_id})


def remove_contents(store: DocumentStore, tenant_id: int) -> int:
    """Remove the contents of its documents; how many there were. What is left, `opsboard documents sweep` removes."""
    removed = 0
    with suppress(OpsboardError):
        store.require()
        for file in [file for file in store.files() if file.tenant_id == tenant_id]:
            store.remove(tenant_id, file.name)
            removed += 1
    return removed

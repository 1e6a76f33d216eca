"""opsboard documents: the stored contents of documents, and removing those that nothing names."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import click

from opsboard.commands.rollups import require_owner
from opsboard.commands.rollups import sql as shared
from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, owner_url
from opsboard.db.session import Connection, connected, transaction
from opsboard.features.documents.store import DocumentStore, StoredFile


@click.group()
def documents() -> None:
    """The contents of documents, in the folder or at the address of DOCUMENT_STORE."""


@documents.command()
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option("--older-than", "hours", metavar="HOURS", type=click.IntRange(min=1), default=24, show_default=True,
              help="Keep files that were written in the last hours: an upload may be about to name them.")  # fmt: skip
def sweep(dry_run: bool, hours: int) -> None:
    """Remove files that no document names: contents that were replaced, uploads that were broken off.

    Files of businesses that are gone go as well. Uploads go on meanwhile. Point DATABASE_URL and DOCUMENT_STORE at the
    same installation: to the database of another one, these files are all named by nothing.

    \b
    Examples:
      opsboard documents sweep --dry-run
      opsboard documents sweep --older-than 168
    """
    config = load_config()
    store = DocumentStore(config.document_store)
    store.require()
    before = datetime.now(UTC) - timedelta(hours=hours)
    files: dict[int, list[StoredFile]] = defaultdict(list)
    for file in store.files():
        files[file.tenant_id].append(file)
    with embedded_server(config), connected(owner_url(config), "documents") as connection:
        with connection.cursor() as cursor:
            require_owner(cursor)
        removed = [
            file
            for tenant_id, found in sorted(files.items())
            for file in unnamed(connection, tenant_id, found)
            if store.modified(tenant_id, file.name) < before and remove(store, file, dry_run)
        ]
    click.echo(
        f"{sum(map(len, files.values()))} files, {len(removed)} {'to remove' if dry_run else 'removed'}, "
        f"{sum(file.size for file in removed)} bytes"
    )


def unnamed(connection: Connection, tenant_id: int, files: list[StoredFile]) -> list[StoredFile]:
    """Those that no document of the business names; read after the files were listed."""
    names = [file.name for file in files]
    with transaction(connection) as cursor:
        # Without it row security hides every row, and every file would look unnamed.
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(tenant_id),))
        cursor.execute(shared.named_contents.sql, {"tenant_id": tenant_id, "names": names})
        named = {sha256 for (sha256,) in cursor.fetchall()}
    return [file for file in files if file.name not in named]


def remove(store: DocumentStore, file: StoredFile, dry_run: bool) -> bool:
    click.echo(f"{file.tenant_id}/{file.name} {file.size} bytes")
    if not dry_run:
        store.remove(file.tenant_id, file.name)
    return True

"""opsboard tenant export: all of a business as files that an import takes back."""

from __future__ import annotations

from pathlib import Path

import click

from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, service_url
from opsboard.imports.business_export import MAPPING, export_business
from opsboard.imports.progress import progress_for
from opsboard.tenants.command import tenant_group

__all__ = ["tenant_group"]


@tenant_group.command("export")
@click.argument("slug")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export_command(slug: str, folder: Path) -> None:
    """Write all of a business into FOLDER, as it is at one moment: JSON lines, a mapping, and checksums.

    What `opsboard import` takes back lies in FOLDER, everything else in FOLDER/further, for other programs to read.
    Passwords, API tokens, sign-ins and the contents of documents are not in it. Only its owner can read the files.

    \b
    Examples:
      opsboard tenant export north exports/north
      (cd exports/north && sha256sum --check SHA256SUMS)
      opsboard tenant add copy --name "North, a copy"
      opsboard import exports/north --mapping exports/north/mapping.toml --tenant copy
    """
    config = load_config()
    with embedded_server(config), progress_for() as progress:
        written = export_business(service_url(config), slug, folder, progress)
    for one in written:
        if one.rows:
            note = "" if one.is_imported else "  (not taken back by an import)"
            click.echo(f"{one.table:32} {one.rows:>12,}{note}")
    click.echo(f"next: opsboard import {folder} --mapping {folder / MAPPING} --tenant SLUG --dry-run")

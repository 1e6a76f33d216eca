"""opsboard import: load a business's records from a folder of CSV files."""

from __future__ import annotations

import sys
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import click

from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, service_url
from opsboard.imports.mapping_file import load_mapping
from opsboard.imports.progress import progress_for
from opsboard.imports.run import Summary, run_import
from opsboard.imports.stopping import Stoppable, Stopped, run_stoppable

STOPPED = 130  # as a shell says it of a program that was ended by Ctrl-C
DEFAULT_REPORT = Path("opsboard-import-errors.csv")


def _print_example(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        example = files(__package__) / "example.toml"
        click.echo(example.read_text(encoding="utf-8"), nl=False)
        context.exit()


@click.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--mapping",
    "mapping_path",
    metavar="FILE.toml",
    type=click.Path(path_type=Path),
    help="Says which file and column each table is filled from.",
)
@click.option("--tenant", metavar="SLUG", help="The business the records belong to.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Look at the records as of the end of this day: what comes later has not happened yet.",
)
@click.option("--dry-run", is_flag=True, help="Do everything, tell the counts, and store nothing.")
@click.option(
    "--report",
    default=DEFAULT_REPORT,
    show_default=True,
    metavar="FILE.csv",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where all faults go when there are any.",
)
@click.option(
    "--guess",
    is_flag=True,
    help="Print a mapping guessed from the files in FOLDER, with comments where it is not sure.",
)
@click.option(
    "--example",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_example,
    help="Print a commented mapping to start from.",
)
def import_command(
    folder: Path,
    mapping_path: Path | None,
    tenant: str | None,
    as_of: datetime | None,
    dry_run: bool,
    report: Path,
    guess: bool,
) -> None:
    """Load records from the files in FOLDER: all of them, or none and a list of every bad line.

    A second run finds its rows by their outside keys: changed ones are updated, none is doubled.

    \b
    Examples:
      opsboard import --guess records/ > shop.toml
      opsboard import --example > shop.toml
      opsboard import records/ --mapping shop.toml --tenant north --dry-run
      opsboard import records/ --mapping shop.toml --tenant north
      opsboard import adventureworks/ --mapping docs/import/adventureworks.toml --tenant aw --as-of 2013-06-30
    """
    if guess:
        # Loaded only here: nothing else needs the words by which it knows columns.
        from opsboard.imports.guess.folder import guess_mapping

        click.echo(guess_mapping(folder), nl=False)
        return
    mapping_path, tenant = _needed(mapping_path, "--mapping"), _needed(tenant, "--tenant")
    try:
        mapping = load_mapping(mapping_path)
        config = load_config()
        day = as_of.date() if as_of else None
        with embedded_server(config), progress_for(sys.stderr) as shown:
            progress = Stoppable(shown)
            summary, is_interrupted = run_stoppable(
                progress,
                lambda: run_import(
                    service_url(config), folder, mapping, tenant, day, dry_run, report, progress
                ),
            )
    except (KeyboardInterrupt, Stopped):
        click.echo("opsboard: stopped; nothing was stored", err=True)
        raise click.exceptions.Exit(STOPPED) from None
    _tell(summary)
    if is_interrupted:
        click.echo("opsboard: stopped too late; everything above was stored", err=True)
        raise click.exceptions.Exit(STOPPED)


Option = TypeVar("Option")


def _needed(value: Option | None, option: str) -> Option:
    if value is None:
        raise click.UsageError(f"Missing option '{option}'.", click.get_current_context())
    return value


def _tell(summary: Summary) -> None:
    width = max(12, *(len(one.table) for one in summary.tables))
    click.echo(f"{'':{width}} {'inserted':>10} {'updated':>10} {'unchanged':>10}")
    for one in summary.tables:
        click.echo(f"{one.table:{width}} {one.inserted:>10,} {one.updated:>10,} {one.unchanged:>10,}")
    for remark in summary.remarks:
        click.echo(str(remark))
    if summary.dry_run:
        click.echo("dry run: nothing was stored")

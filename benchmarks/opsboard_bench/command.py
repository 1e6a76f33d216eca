"""opsboard bench: what the service promises about speed, measured, beside what it could be written in instead."""

from __future__ import annotations

import json
import signal
import sys
import time
from functools import partial
from pathlib import Path
from types import FrameType

import click

from opsboard.config import load_config
from opsboard.errors import CommandError
from opsboard_bench.chart import require_library
from opsboard_bench.one_url import measure_url
from opsboard_bench.options import choose_options
from opsboard_bench.page import ALONE, require_markers, write_document
from opsboard_bench.results import Run, as_json, from_json
from opsboard_bench.run import BY_NAME, FAILED, MEASURES, run, usual
from opsboard_bench.tables import markdown

SECONDS_OF_URL = 5.0
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, exists=True, path_type=Path)


class Names(click.ParamType):
    """Some of the tables, with commas between."""

    name = "names"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        names = tuple(part.strip() for part in value.split(","))
        if unknown := sorted(set(names) - set(MEASURES)):
            self.fail(f"there is no table {', '.join(unknown)}; there are {', '.join(MEASURES)}.", param, ctx)
        return tuple(name for name in MEASURES if name in names)


class Numbers(click.ParamType):
    """Whole numbers, with commas between."""

    name = "numbers"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        try:
            numbers = tuple(int(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value} must be whole numbers with commas between.", param, ctx)
        if min(numbers) < 1:
            self.fail("must be 1 or more.", param, ctx)
        return numbers


@click.command()
@click.option(
    "--only",
    type=Names(),
    metavar="TABLES",
    help=f"Some of: {', '.join(MEASURES)}. By name only: {', '.join(BY_NAME)}.",
)
@click.option("--quick", is_flag=True, help="A look at every table in seconds; its figures say little.")
@click.option(
    "--full",
    is_flag=True,
    help="With 10 million jobs and a million rows of all else: 20 minutes more, 20 GB.",
)
@click.option("--sizes", type=Numbers(), metavar="JOBS,...", help="Sizes of the table `sizes`.")
@click.option("--rounds", type=click.IntRange(1), help="Turns of all rows.  [default: 7]")
@click.option("--seconds", type=click.FloatRange(0.05), help="Of one row in one round.  [default: 1.5]")
@click.option(
    "--workers", type=Numbers(), metavar="N,...", help="Workers of the table `hits`.  [default: 1,2]"
)
@click.option("--jobs", type=click.IntRange(100), help="Size of the demo data.  [default: 20000]")
@click.option("--folder", type=FOLDER, help="Where the databases lie meanwhile.  [default: the system's]")
@click.option("--json", "json_path", type=FILE, metavar="FILE", help="Keep all figures.")
@click.option(
    "--from", "kept", type=FILE, metavar="FILE", help="Measure nothing: figures that --json has kept."
)
@click.option(
    "--write",
    "document",
    type=FILE,
    metavar="FILE.md",
    help="Put the tables between the markers of this document, and the plots into the folder of its name beside it.",
)
@click.option(
    "--url", metavar="URL", help="Instead of the tables: ask this path or address of your running service."
)
@click.option("--clients", type=click.IntRange(1, 1000), default=8, help="Of --url.  [default: 8]")
def bench(
    only: tuple[str, ...] | None,
    quick: bool,
    full: bool,
    sizes: tuple[int, ...] | None,
    folder: Path | None,
    json_path: Path | None,
    kept: Path | None,
    document: Path | None,
    url: str | None,
    clients: int,
    **changes: object,
) -> None:
    """Measure what is promised about speed, beside other ways to do the same.

    Runs on private Postgres and gunicorn servers with data of its own, which end with it; no database of yours is
    touched. Rows take turns within each round. It takes about a quarter of an hour; keep the machine quiet
    meanwhile. Peers come with `pip install opsboard[bench]`; redis-server and nginx are used when they are there.

    \b
    Examples:
      opsboard bench --quick
      opsboard bench --only hits,clears
      opsboard bench --full --write docs/performance.md --json figures.json
      opsboard bench --only endpoints --full --write docs/performance.md
      opsboard bench --only incidents
      OPSBOARD_TOKEN=$TOKEN opsboard bench --url "/api/jobs?overdue=true" --clients 20 --seconds 10
    """  # fmt: skip
    if url:
        seconds = changes.get("seconds")
        load = measure_url(url, clients, float(str(seconds)) if seconds else SECONDS_OF_URL, load_config())
        click.echo(load.table())
        return
    if document:
        if only and not set(only) <= set(ALONE):
            raise click.UsageError(f"--write is for all tables or for {', '.join(ALONE)}; leave out --only.")
        if not only:
            require_library()
        require_markers(document, only)
    signal.signal(signal.SIGTERM, stop)
    if kept:
        found = read(kept)
    else:
        options = choose_options(quick, full, sizes or (), **changes)
        keep = partial(store, json_path)
        found = run(load_config(), options, only or usual(), folder, report, keep)
    if document:
        write_document(document, found, only)
    else:
        click.echo(markdown(found))
    if failed := [table.name for table in found.tables if table.title.startswith(FAILED)]:
        raise CommandError(f"Not all could be measured: {', '.join(failed)}.")


def store(path: Path | None, found: Run) -> None:
    if path:
        path.write_text(json.dumps(as_json(found)) + "\n", encoding="utf-8")


def read(path: Path) -> Run:
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{path} does not hold the figures of a run.") from error


def report(words: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {words}", err=True)


def stop(number: int, frame: FrameType | None) -> None:
    """Leave by way of every `finally`: there are servers to end."""
    sys.exit(128 + number)

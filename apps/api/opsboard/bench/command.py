"""opsboard bench: how fast the service is, beside what it could be written in instead."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

import click

from opsboard.bench.document import require_markers, write_document
from opsboard.bench.run import Wanted, run
from opsboard.bench.scenarios import SCENARIOS, chosen
from opsboard.bench.tables import facts, markdown
from opsboard.config import load_config
from opsboard.errors import CommandError


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True, help="Turns of all rows.")
@click.option(
    "--seconds", type=click.FloatRange(0.05), default=2.0, show_default=True, help="Of one row in one round."
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([scenario.name for scenario in SCENARIOS]),
    help="Measure these rows, beside the bare callable. Can be given more than once.",
)
@click.option(
    "--workers",
    multiple=True,
    type=click.IntRange(1, 64),
    default=(1, 2),
    show_default=True,
    help="Worker processes; a table for each number given.",
)
@click.option(
    "--jobs", type=click.IntRange(100), default=20_000, show_default=True, help="Size of the demo data."
)
@click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep all figures.",
)
@click.option(
    "--write",
    "document",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.md",
    help="Put the tables between the markers of this document, and the chart beside it in images/.",
)
def bench(
    rounds: int,
    seconds: float,
    only: tuple[str, ...],
    workers: tuple[int, ...],
    jobs: int,
    json_path: Path | None,
    document: Path | None,
) -> None:
    """Measure the service on gunicorn against a bare WSGI callable, bare Flask and Flask-Caching.

    Runs on a private Postgres with demo data that is removed afterwards, or on the database of DATABASE_URL,
    which must hold the demo's businesses and is only read. Rows take turns within each round. With the defaults
    it takes about six minutes; keep the machine quiet meanwhile.

    \b
    Examples:
      opsboard bench
      opsboard bench --only hit --only miss --workers 1 --seconds 1
      opsboard bench --write docs/performance.md --json figures.json
    """
    if document:
        if only:
            raise click.UsageError("--write is for all rows; leave out --only.")
        require_markers(document)
    scenarios = chosen(only)
    if any(scenario.name == "flask-caching" for scenario in scenarios) and not find_spec("flask_caching"):
        raise CommandError(
            "The row flask-caching needs it: pip install flask-caching, or name other rows by --only."
        )
    signal.signal(signal.SIGTERM, stop)
    outcome = run(load_config(), Wanted(scenarios, workers, rounds, seconds, jobs), report)
    if json_path:
        json_path.write_text(json.dumps({**facts(outcome), **asdict(outcome)}) + "\n", encoding="utf-8")
    if document:
        write_document(document, outcome)
    else:
        click.echo(markdown(outcome))


def report(words: str) -> None:
    click.echo(words, err=True)


def stop(number: int, frame: FrameType | None) -> None:
    """Leave by way of every `finally`: there are servers to end."""
    sys.exit(128 + number)

"""opsboard journeys: the runner that takes contacts from node to node."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import click

from opsboard.commands.preflight import check
from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, service_url
from opsboard.db.database import Database
from opsboard.db.pool import Pool
from opsboard.features.journeys.runner import Runner
from opsboard.observability.logs import configure_logs

PATIENCE = 60.0  # seconds a batch may take
REACHED = 5.0  # seconds the database may take to let us in


@click.group()
def journeys() -> None:
    """Run journeys, which contact customers step by step."""


@journeys.command()
@click.option("--once", is_flag=True, help="Take the steps that are due now, say how many, and stop.")
@click.option(
    "--batch", type=click.IntRange(1, 10_000), default=200, show_default=True,
    help="Contacts that take a step in one transaction.",
)  # fmt: skip
@click.option(
    "--every", type=click.FloatRange(0.05, 3600), default=1.0, show_default=True,
    help="Seconds between two looks for what is due.",
)  # fmt: skip
def run(once: bool, batch: int, every: float) -> None:
    """Take the steps that are due, of all businesses, until Ctrl-C or SIGTERM.

    Any number may run at once, on any machine: no step is taken twice, and none is lost when one is killed.

    \b
    Examples:
      opsboard journeys run
      opsboard journeys run --once
    """
    config = load_config()
    configure_logs(config.log_level, config.log_format)
    for warning in check(config):
        click.echo(f"opsboard: {warning}", err=True)
    with embedded_server(config), pool_of_one(service_url(config)) as pool:
        runner = Runner(
            Database(pool, PATIENCE), config.journey_messages_per_hour, config.journey_loop_window, batch
        )
        if once:
            done = runner.run_once()
            click.echo(", ".join(f"{count} {name}" for name, count in done.items()))
            return
        with stopped_by_signals() as stop:
            runner.run(stop, every)


@contextmanager
def pool_of_one(url: str) -> Iterator[Pool]:
    pool = Pool(0, 1, url, timeout=REACHED)
    try:
        yield pool
    finally:
        pool.closeall()


@contextmanager
def stopped_by_signals() -> Iterator[Event]:
    """Set by Ctrl-C and SIGTERM: the batch at hand is finished first."""
    stop = Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""opsboard journeys: the runner that takes contacts from node to node."""

from __future__ import annotations

import click

from opsboard.commands.background import pool_of_one, sending, stopped_by_signals
from opsboard.commands.preflight import check
from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, service_url
from opsboard.db.database import Database
from opsboard.features.journeys.runner import Runner
from opsboard.observability.logs import configure_logs

PATIENCE = 60.0  # seconds a batch may take


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
    """Take the steps that are due, of all businesses, until Ctrl-C or SIGTERM, and send webhooks and mail.

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
        with stopped_by_signals() as stop, sending(config, stop, every):
            runner.run(stop, every)

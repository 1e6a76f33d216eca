"""opsboard outbox: sends webhooks and mail."""

from __future__ import annotations

import click

from opsboard.commands.background import PATIENCE, make_deliverer, pool_of_one, stopped_by_signals
from opsboard.commands.preflight import check
from opsboard.config import load_config
from opsboard.db.addresses import embedded_server, service_url
from opsboard.db.database import Database
from opsboard.observability.logs import configure_logs


@click.group()
def outbox() -> None:
    """Send webhooks and mail."""


@outbox.command()
@click.option("--once", is_flag=True, help="Make the attempts that are due now, say how many, and stop.")
@click.option(
    "--every", type=click.FloatRange(0.05, 3600), default=1.0, show_default=True,
    help="Seconds between two looks for what is due.",
)  # fmt: skip
def run(once: bool, every: float) -> None:
    """Send what is due, of all businesses, until Ctrl-C or SIGTERM.

    `opsboard journeys run` does this beside its own work, so most need no worker of its own. Any number may run at
    once, on any machine; when one is killed, nothing is lost.

    \b
    Examples:
      opsboard outbox run
      opsboard outbox run --once
    """
    config = load_config()
    configure_logs(config.log_level, config.log_format)
    for warning in check(config):
        click.echo(f"opsboard: {warning}", err=True)
    with embedded_server(config), pool_of_one(service_url(config)) as pool:
        deliverer = make_deliverer(config, Database(pool, PATIENCE))
        if once:
            outcomes = deliverer.run_once()
            click.echo(", ".join(f"{count} {name}" for name, count in outcomes.items()))
            return
        with stopped_by_signals() as stop:
            deliverer.run(stop, every)

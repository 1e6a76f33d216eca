"""opsboard serve: gunicorn with the settings of gunicorn.conf.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import click

from opsboard.commands.preflight import check, check_schema
from opsboard.config import load_config
from opsboard.db.addresses import embedded_server
from opsboard.errors import CommandError

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


@click.command()
@click.option("--check", "only_check", is_flag=True, help="Check settings and database role; start nothing.")
def serve(only_check: bool) -> None:
    """Serve the application with gunicorn, as HOST, PORT, BIND and WEB_... say.

    \b
    Examples:
      opsboard serve
      PORT=9000 WEB_CONCURRENCY=4 opsboard serve
      BIND=unix:/run/opsboard/opsboard.sock opsboard serve
    """
    config = load_config()
    if only_check:
        for warning in check(config):
            click.echo(f"opsboard: {warning}", err=True)
        if faults := check_schema(config):
            raise CommandError("\n".join(faults))
        click.echo("the service may start with these settings")
        return
    command = [sys.executable, "-m", "gunicorn", "--config", gunicorn_config()]
    if config.owner_url:
        os.execv(sys.executable, command)
    # The embedded server must run before the workers do, and end after them.
    with embedded_server(config):
        sys.exit(run(command))


def gunicorn_config() -> str:
    """Return the path of gunicorn.conf.py: in the checkout, or in the installed package."""
    checkout = Path(__file__).parents[4] / "gunicorn.conf.py"
    installed = Path(sys.prefix) / "share" / "opsboard" / "gunicorn.conf.py"
    return str(checkout if checkout.exists() else installed)


def run(command: list[str]) -> int:
    """Run it to its end, with our signals; its exit code."""
    process = subprocess.Popen(command)
    for number in PASSED_ON:
        signal.signal(number, lambda received, _: process.send_signal(received))
    return process.wait()

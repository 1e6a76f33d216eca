"""opsboard serve: gunicorn with the settings of gunicorn.conf.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from opsboard.config import load_config
from opsboard.db.addresses import service_url


def gunicorn_config() -> str:
    """Where gunicorn.conf.py lies: in the checkout, or where the package installed it."""
    checkout = Path(__file__).parents[4] / "gunicorn.conf.py"
    return str(
        checkout if checkout.exists() else Path(sys.prefix) / "share" / "opsboard" / "gunicorn.conf.py"
    )


@click.command()
def serve() -> None:
    """Serve the application with gunicorn, as HOST, PORT, BIND and WEB_... say.

    \b
    Examples:
      opsboard serve
      PORT=9000 WEB_CONCURRENCY=4 opsboard serve
      BIND=unix:/run/opsboard/opsboard.sock opsboard serve
    """
    config = load_config()
    service_url(config)  # the embedded server, if that is the one, must run before the workers do
    os.execv(
        sys.executable,
        [sys.executable, "-m", "gunicorn", "--config", gunicorn_config(), "opsboard:create_app()"],
    )

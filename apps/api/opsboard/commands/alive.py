"""True if this machine's service answers, for a container's health check: `python -m opsboard.commands.alive`."""

from __future__ import annotations

import http.client
import socket
import sys

from opsboard.config import Config, load_config
from opsboard.errors import ConfigError

PATIENCE = 4.0  # seconds
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}


def answers(config: Config) -> bool:
    """Ask /api/health, which needs no database, where gunicorn listens."""
    bind: str = config.bind or f"{config.host}:{config.port}"
    connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
    try:
        if bind.startswith("unix:"):
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(PATIENCE)
            connection.sock.connect(bind.removeprefix("unix:"))
        else:
            host, _, port = bind.rpartition(":")
            connection.sock = socket.create_connection((EVERYWHERE.get(host, host), int(port)), PATIENCE)
        connection.request("GET", "/api/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()


def main() -> None:
    try:
        sys.exit(0 if answers(load_config()) else 1)
    except ConfigError:
        sys.exit(2)


if __name__ == "__main__":
    main()

"""The service as a child process: started, waited for, stopped; it never outlives its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opsboard.config import Config
from opsboard.demo.client import Client
from opsboard.demo.interruptions import Interruptions
from opsboard.errors import CommandError

PORT_PATIENCE = 2.0  # seconds; the server of a demo that was killed a moment ago still has the port
START_PATIENCE = 60.0
STOP_PATIENCE = 5.0
PR_SET_PDEATHSIG = 1


def claim_port(host: str, wanted: int) -> socket.socket:
    """Listen on the port, or on any free one for 0. Raises CommandError when somebody else does.

    The server gets this socket. Were the port only looked at, two demos could find it free, and the second would take
    the answers of the first for its own.
    """
    deadline = time.monotonic() + PORT_PATIENCE
    while True:
        try:
            return socket.create_server((host, wanted))
        except OSError as error:
            if time.monotonic() > deadline:
                raise CommandError(
                    f"Port {wanted} of {host} cannot be used ({os.strerror(error.errno or 0)}); "
                    f"choose another one: PORT={wanted + 1 if wanted < 65535 else 8000}"
                ) from error
        time.sleep(0.05)


@contextmanager
def running_server(
    config: Config, service_url: str, listening: socket.socket, client: Client, interruptions: Interruptions
) -> Iterator[subprocess.Popen[bytes]]:
    """gunicorn on this socket, which is closed here, from when it answers until the end of the block."""
    environment = {
        **os.environ,
        "DATABASE_URL": service_url,
        "HOST": config.host,
        "PORT": str(config.port),
        "BIND": f"fd://{listening.fileno()}",
        # The browser shows results; only errors belong below the welcome text.
        "LOG_LEVEL": "warning" if config.origins.get("LOG_LEVEL") == "default" else config.log_level,
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "opsboard.cli", "serve"],
        env=environment,
        stdin=subprocess.DEVNULL,
        pass_fds=[listening.fileno()],
        # Ctrl-C on the terminal is for the parent, who then stops it.
        start_new_session=True,
        preexec_fn=_die_with_parent(os.getpid()),
    )
    # Nobody shall wait at a port whose server has ended.
    listening.close()
    try:
        _wait_until_ready(child, client)
        yield child
    finally:
        interruptions.ignore()
        _stop(child)


def _wait_until_ready(child: subprocess.Popen[bytes], client: Client) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while not client.is_healthy():
        if child.poll() is not None:
            raise CommandError("The server did not start; see above.")
        if time.monotonic() > deadline:
            raise CommandError(f"The server does not answer at {client.address}.")
        time.sleep(0.05)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """SIGINT is gunicorn's quick stop; a master that does not end is killed with all of its workers."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    """Run in the child before it becomes gunicorn, so that kill -9 of the parent ends it too (Linux)."""
    if sys.platform != "linux":
        return None
    # Looked up here: between fork and exec as little as possible may happen.
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)

    return ask

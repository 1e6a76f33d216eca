"""Measures the limit of the load generator: its rate against a server that does not read the request."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from opsboard.errors import CommandError
from opsboard_bench.load.connections import exchange
from opsboard_bench.load.jobs import Job
from opsboard_bench.processors import Cores, pin
from opsboard_bench.rounds import load
from opsboard_bench.servers import HERE

PATIENCE = 10.0


def ceiling(job: Job, cores: Cores, folder: Path, rounds: int) -> list[float]:
    """Requests a second of this job when each is answered with the bytes its real server sends."""
    request = job.request.encode("latin-1")
    answer = exchange(job.address, request)
    (folder / "echo").write_bytes(answer.head + b"\r\n" + answer.body)
    address = str(folder / "echo.sock")
    process = subprocess.Popen(
        [sys.executable, "-S", "-m", "load.echo", address, str(folder / "echo")],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        stdin=subprocess.PIPE,  # it ends when this closes
        start_new_session=True,
    )
    try:
        pin(process.pid, cores.server)
        await_socket(address, process)
        made = [load(replace(job, address=address)) for _ in range(rounds)]
        return [figures.answers / figures.seconds for figures in made]
    finally:
        process.communicate()
        Path(address).unlink(missing_ok=True)


def await_socket(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            exchange(address, b"GET / HTTP/1.1\r\n\r\n")
            return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise CommandError("The measurement of the load generator itself does not start.") from error
        time.sleep(0.02)

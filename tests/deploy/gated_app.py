"""The probe application, whose workers start only as far as a file lets them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from apiflask import APIFlask

from tests.deploy import probe_app


def app() -> APIFlask:
    """Waits while the file GATE says `wait`, and fails while it says `fail`."""
    gate = Path(os.environ["GATE"])
    while gate.exists() and (word := gate.read_text()) != "go":
        if word == "fail":
            raise RuntimeError("this release cannot start")
        print(f"worker {os.getpid()} waits at the gate", file=sys.stderr, flush=True)
        time.sleep(0.05)
    return probe_app.app()

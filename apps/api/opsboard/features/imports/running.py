"""The process of an import: started, its lines passed on, and ended when its reader goes away."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import structlog

from opsboard.errors import OpsboardError
from opsboard.observability import events

log = structlog.get_logger(__name__)

MODULE = "opsboard.imports.process"
# An import that takes longer belongs to the command line.
DEADLINE = 900.0  # seconds


class TooManyImports(OpsboardError):
    """This worker runs as many imports as it may at a time."""

    status = 503
    code = "too_many_imports"
    title = "Too many imports"
    retry_after = 10
    default_detail = "Other imports are under way; try again in a moment."


class Running:
    """Iterates over the lines of an import. `close` ends it wherever it is; closing twice is harmless."""

    def __init__(self, task: Mapping[str, Any], ended: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._ended: Callable[[], None] | None = ended
        self._is_stored = False
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._timer = threading.Timer(DEADLINE, self._process.kill)
        self._timer.daemon = True
        self._timer.start()
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(task).encode())
            self._process.stdin.close()
        except OSError:  # it has ended already; its output says so
            pass

    def __iter__(self) -> Iterator[bytes]:
        """The lines, the last of which is always an end."""
        last: dict[str, Any] = {}
        try:
            assert self._process.stdout is not None
            for line in self._process.stdout:
                last = json.loads(line)
                self._is_stored = self._is_stored or last["event"] == "stored"
                if last["event"] != "stored":
                    yield line
            if last.get("event") != "end":
                last = self._broken_off()
                yield json.dumps(last).encode() + b"\n"
        finally:
            self.close()
            outcome = last.get("outcome", "given up")
            events.note("imports", outcome.replace(" ", "_"))
            log.info(
                "import",
                outcome=outcome,
                seconds=round(time.monotonic() - self._began, 1),
            )

    def end(self) -> dict[str, Any]:
        """Wait for the last line."""
        *_, last = self
        found: dict[str, Any] = json.loads(last)
        return found

    def close(self) -> None:
        with self._lock:
            ended, self._ended = self._ended, None
        if ended is None:
            return
        self._timer.cancel()
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        ended()

    def _broken_off(self) -> dict[str, Any]:
        if self._is_stored:
            return {"event": "end", "outcome": "stored", "tables": [], "remarks": []}
        return {"event": "end", "outcome": "failed", "detail": "The import broke off; nothing was stored."}

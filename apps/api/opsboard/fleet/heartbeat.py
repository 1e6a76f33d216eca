"""Reports this worker to the others, and removes workers of the same machine whose process has ended."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog

from opsboard.db.database import Database
from opsboard.db.queries import load_queries
from opsboard.errors import OpsboardError
from opsboard.fleet.worker import Worker, has_ended

log = structlog.get_logger(__name__)
sql = load_queries(__package__)

REPORT_EVERY = 0.5  # seconds
# A worker that has not reported for this long is listed as silent.
SILENT_AFTER = 2.0  # seconds
REST_REPORT_EVERY = 1.0  # seconds, while the worker rests
REST_REPORT_AGE = (
    5.0  # seconds for which the report of a resting worker stays; meanwhile it says that it is there
)
# A worker that ended without a goodbye is listed as silent for this long; then its neighbours remove it.
SILENT_GRACE = 5.0  # seconds


class Heartbeat:
    """Writes this worker's row of `workers`; `report` returns the state it shows to the others."""

    def __init__(self, database: Database, report: Callable[[], dict[str, Any]]) -> None:
        self._database = database
        self._report = report
        self.reset()

    def reset(self) -> None:
        """Become a new worker: after a fork this is another process."""
        self.worker = Worker()
        self._sent_at = 0.0
        self._reported_at = -math.inf

    def is_due(self, resting: bool) -> bool:
        return time.monotonic() - self._sent_at >= (REST_REPORT_EVERY if resting else REPORT_EVERY)

    def is_report_due(self, resting: bool) -> bool:
        """Return False if it is enough to say that the worker is there, because hardly anything changes in it."""
        return not resting or time.monotonic() - self._reported_at >= REST_REPORT_AGE

    def report(self) -> dict[str, Any]:
        """Return the state of this worker as of now."""
        return self._report()

    def send(self, cleared_to: int) -> None:
        """Write the report. `cleared_to`: the last order to clear that this worker carried out."""
        row = self._database.fetch_unbound(sql.report, self.parameters(cleared_to))
        self.note_sent(row[0] if row else None)

    def parameters(self, cleared_to: int) -> dict[str, Any]:
        """The parameters of the queries that write the report."""
        worker = self.worker
        return {
            "id": worker.id,
            "machine": worker.machine,
            "pid": worker.pid,
            "started_at": worker.started_at,
            "cleared_to": cleared_to,
            "silent_grace": SILENT_GRACE,
            "report": json.dumps({**self._report(), "pid_namespace": worker.pid_namespace}),
        }

    def note_sent(self, found: str | None) -> None:
        """Note that the report is written, and remove those of the silent workers in the answer that have ended."""
        self._sent_at = self._reported_at = time.monotonic()
        silent: dict[str, int] = json.loads(found) if found and self.worker.pid_namespace else {}
        for name, pid in silent.items():
            if has_ended(pid) and self._database.fetch_unbound(sql.goodbye, {"id": name}):
                log.warning("a worker ended without goodbye and was removed", worker=name)

    def note_beat(self, is_known: bool) -> None:
        """Note that the others know that this worker is there; without a row they need its report next."""
        self._sent_at = time.monotonic()
        if not is_known:
            self._reported_at = -math.inf

    def say_goodbye(self) -> None:
        """Remove this worker's row. If the database is away, the others notice the silence."""
        with suppress(OpsboardError):
            self._database.fetch_unbound(sql.goodbye, {"id": self.worker.id})

"""Takes the steps that are due, business by business; any number of runners may be at it at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event

import structlog

from opsboard.db.database import Database
from opsboard.db.queries import load_queries
from opsboard.db.write_pause import WritePause
from opsboard.errors import Conflict, OpsboardError

log = structlog.get_logger(__name__)
sql = load_queries(__package__)

COUNTS = ("taken", "executed", "deferred", "completed", "failed")


@dataclass(frozen=True)
class Nobody:
    """Steps are taken for a business, by no user of it."""

    tenant_id: int
    user_id: int = 0
    role: str = "runner"


class Runner:
    """`most` contacts take one step each in a statement, which is a transaction.

    A runner that is killed has done a batch or has not; the next one goes on from there. Runners leave alone the
    contacts that another is at.
    """

    def __init__(self, database: Database, messages_per_hour: int, loop_window: float, most: int) -> None:
        self._database = database
        self._pause = WritePause(database)
        self._limits = {"messages_per_hour": messages_per_hour, "loop_window": loop_window, "most": most}

    def run(self, stop: Event, interval: float) -> None:
        """Go on until `stop` is set. While the database is away it is tried again at each interval."""
        while not stop.is_set():
            try:
                done = self.run_once(stop)
                if done["taken"]:
                    log.info("journeys went on", **done)
            except OpsboardError as error:
                log.warning("journeys stand still", error=error.code, detail=error.detail)
            stop.wait(interval)

    def run_once(self, stop: Event | None = None) -> Counter[str]:
        """Every step that is due now, and those that become due by them; what came of it."""
        done: Counter[str] = Counter({name: 0 for name in COUNTS})
        if self._pause.look():
            return done
        for tenant_id in self._businesses():
            for batch in self._batches(Nobody(tenant_id)):
                done.update(batch)
                if stop is not None and stop.is_set():
                    return done
        return done

    def _businesses(self) -> list[int]:
        row = self._database.fetch_unbound(sql.list_businesses)
        return list(row[0] or ()) if row else []

    def _batches(self, business: Nobody) -> Iterator[dict[str, int]]:
        while True:
            try:
                row = self._database.fetch_row(sql.run_due, business, self._limits)
            except Conflict:
                # The nodes of a journey are being changed: the next run sees the change.
                return
            assert row is not None  # an aggregate always has its row
            batch = dict(zip(COUNTS, row, strict=True))
            if not batch["taken"]:
                return
            yield batch

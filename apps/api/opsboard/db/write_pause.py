"""Maintenance mode: an operator pauses writes for all workers, and reads go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import structlog

from opsboard.db.database import Database
from opsboard.db.queries import load_queries

log = structlog.get_logger(__name__)
sql = load_queries(__package__)

LOOK_EVERY = 1.0  # seconds


class Pause(NamedTuple):
    """`retry_after`: seconds until a client should try again; `reason`: for people, may be empty."""

    retry_after: int
    reason: str


class WritePause:
    """The pause as this process last read it. While the database is away, what was read last stays."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._looked_at = -LOOK_EVERY
        self.current: Pause | None = None

    def look_if_due(self) -> None:
        """Called often by the thread of the maintenance."""
        if self._clock() - self._looked_at >= LOOK_EVERY:
            self._looked_at = self._clock()
            self.look()

    def look(self) -> Pause | None:
        row = self._database.fetch_unbound(sql.write_pause)
        pause = Pause(*row) if row else None
        if (pause is None) != (self.current is None):
            log.info("writes are paused" if pause else "writes are possible again")
        self.current = pause
        return pause

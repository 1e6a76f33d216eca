"""Writes once a minute how much each business has used this worker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from opsboard.db.database import Database
from opsboard.db.queries import load_queries
from opsboard.observability.usage import Usage

sql = load_queries(__package__)

WRITE_EVERY = 60.0  # seconds


class UsageWriter:
    """Adds the sums of this worker to those of all. A worker that is killed loses at most a minute of them."""

    def __init__(self, database: Database, usage: Usage, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._usage = usage
        self._clock = clock
        self._written_at = clock()

    def write_if_due(self) -> None:
        """Called often by the thread of the maintenance."""
        if self._clock() - self._written_at >= WRITE_EVERY:
            self._written_at = self._clock()
            self.write()

    def write(self) -> None:
        """Write what was used since the last time; what cannot be written is kept for the next time."""
        used = self._usage.untaken()
        if used:
            self._database.fetch_unbound(
                sql.add_usage, {"used": json.dumps([each._asdict() for each in used])}
            )
            self._usage.take(used)

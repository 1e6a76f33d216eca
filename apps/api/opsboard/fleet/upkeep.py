"""One thread per worker that folds counts, makes the partitions to come and removes what has had its day."""

from __future__ import annotations

import math
import os
import threading
import time
from typing import Any

import structlog

from opsboard.db.database import Database
from opsboard.db.queries import load_queries
from opsboard.errors import OpsboardError
from opsboard.observability import record

log = structlog.get_logger(__name__)
sql = load_queries(__package__)

BATCH = 20_000  # deltas folded in one transaction: some 0.2 s of work
MONTHS_AHEAD = 3
DAY = 86_400.0
AGAIN = 60.0  # seconds until partitions are asked for once more, when a lock was in the way
PRUNE_EVERY = 60.0  # seconds
REST_INTERVAL = 5.0  # seconds between two looks while the worker has heard of no change
PRUNED = 1000  # kept answers removed in one transaction


class Upkeep:
    """Folds every `interval` seconds. Every worker has one; a lock in the database lets one at a time work.

    Numbers are right without it: what is not folded is added when it is read, only slower with each delta.
    Tables that are cut by month get their next months at the start and once a day; without them rows would
    be kept together in one partition, and none refused.
    `database` is its own, with one connection, so that it takes none from requests and never holds up the pulse.
    Where `hear_change` is called for every change, the thread looks only every `rest_interval` seconds while there is
    none: there is hardly anything to fold.
    """

    def __init__(self, database: Database, interval: float = 0.5, rest_interval: float = 0.0) -> None:
        self._database = database
        self._interval = interval
        self._rest_interval = rest_interval
        self._looked_at = -math.inf
        self._changed = threading.Event()
        self._pid = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._failing = False
        self._partitions_due = 0.0
        self._pruned_at = -PRUNE_EVERY

    def start(self) -> None:
        """Start the thread of this process; threads do not survive a fork."""
        with self._lock:
            if self._pid == os.getpid():
                return
            self._stop = threading.Event()
            threading.Thread(target=self._run, name="opsboard-upkeep", daemon=True).start()
            self._pid = os.getpid()

    def stop(self) -> None:
        self._stop.set()
        self._database.pool.closeall()

    def beat(self) -> None:
        """Fold all there is, and when it is time make the next months and prune. An error is logged when it
        begins, not at every beat."""
        try:
            # Not part of any request.
            with record.recording():
                self._fold()
                if time.monotonic() >= self._partitions_due:
                    self._make_partitions()
                self._prune()
        except OpsboardError as error:
            if not self._failing:
                log.warning("upkeep cannot reach the database; counts stay right", error=error.code)
            self._failing = True
            return
        self._failing = False

    def _fold(self) -> None:
        while not self._stop.is_set():
            row = self._database.fetch_unbound(sql.fold_rollups, {"most": BATCH})
            # Null: another worker is at it.
            if row is None or row[0] is None or row[0] < BATCH:
                return

    def _make_partitions(self) -> None:
        row = self._database.fetch_unbound(sql.ensure_partitions, {"months_ahead": MONTHS_AHEAD})
        # Null: another worker is at it, and may be left waiting for a lock.
        done = row is not None and row[0] == 0
        self._partitions_due = time.monotonic() + (DAY if done else AGAIN)

    def _prune(self) -> None:
        if time.monotonic() - self._pruned_at < PRUNE_EVERY:
            return
        row: Any = (PRUNED,)
        while row and row[0] == PRUNED and not self._stop.is_set():
            row = self._database.fetch_unbound(sql.prune_idempotency_keys, {"most": PRUNED})
        self._database.fetch_unbound(sql.prune_sign_ins, {"most": PRUNED})
        self._pruned_at = time.monotonic()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            if self._changed.is_set() or time.monotonic() - self._looked_at >= self._rest_interval:
                self._looked_at = time.monotonic()
                self._changed.clear()
                self.beat()

    def hear_change(self) -> None:
        """Note that a table has changed, so that there may be something to fold."""
        self._changed.set()

"""One thread per worker: folds counts and words, creates future partitions, removes expired rows."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from opsboard.db.database import Database
from opsboard.db.queries import Query, load_queries
from opsboard.errors import OpsboardError
from opsboard.observability import record

log = structlog.get_logger(__name__)
sql = load_queries(__package__)

BATCH = 20_000  # deltas folded in one transaction: some 0.2 s of work
WORDS_BATCH = 500  # rows of search_pending, each of up to ten records: up to 0.4 s of work
MONTHS_AHEAD = 3
DAY = 86_400.0
RETRY_AFTER = 60.0  # seconds until partitions are tried again after a lock was in the way
PRUNE_EVERY = 60.0  # seconds
REST_INTERVAL = 5.0  # seconds between two runs while no table changes
PRUNE_BATCH = 1000  # rows removed in one transaction


class Maintenance:
    """Runs every `interval` seconds. Every worker has one; a lock in the database lets one work at a time.

    Counts are right without it: deltas that are not folded yet are added when a count is read, which takes longer
    with each delta. Searches read the words of pending records from the records; after a bulk statement a search says
    that it is not complete until its words are written. Tables partitioned by month get their next partitions at the
    start and once a day; without them new rows go to the default partition, and none is refused.
    `database` has one connection of its own, so it takes none from requests and never delays the change feed.
    The caller reports every change by `note_change`; while there is none, the thread runs only every `rest_interval`
    seconds. `chores` are done in the same thread after that; each knows itself when it is due.
    """

    def __init__(
        self,
        database: Database,
        interval: float = 0.5,
        rest_interval: float = 0.0,
        chores: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._database = database
        self._interval = interval
        self._rest_interval = rest_interval
        self._chores = chores
        self._ran_at = -math.inf
        self._changed = threading.Event()
        self._pid = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._is_failing = False
        self._partitions_due = 0.0
        self._pruned_at = -PRUNE_EVERY

    def start(self) -> None:
        """Start the thread of this process; threads do not survive a fork."""
        with self._lock:
            if self._pid == os.getpid():
                return
            self._stop = threading.Event()
            threading.Thread(target=self._run, name="opsboard-maintenance", daemon=True).start()
            self._pid = os.getpid()

    def stop(self) -> None:
        self._stop.set()
        self._changed.set()
        self._database.pool.closeall()

    def run_once(self) -> None:
        """Fold deltas and words; create partitions and prune if due. A failure is logged once, when it begins."""
        try:
            # Keeps this out of the record of any request.
            with record.recording():
                self._fold(sql.fold_rollups, BATCH)
                self._fold(sql.fold_words, WORDS_BATCH)
                if time.monotonic() >= self._partitions_due:
                    self._make_partitions()
                self._prune()
                for chore in self._chores:
                    chore()
        except OpsboardError as error:
            if not self._is_failing:
                log.warning("maintenance cannot reach the database; counts stay right", error=error.code)
            self._is_failing = True
            return
        self._is_failing = False

    def _fold(self, query: Query, batch: int) -> None:
        while not self._stop.is_set():
            row = self._database.fetch_unbound(query, {"most": batch})
            # Null: another worker holds the lock.
            if row is None or row[0] is None or row[0] < batch:
                return

    def _make_partitions(self) -> None:
        row = self._database.fetch_unbound(sql.ensure_partitions, {"months_ahead": MONTHS_AHEAD})
        # Null: another worker holds the lock, and may fail to get the table locks it needs.
        done = row is not None and row[0] == 0
        self._partitions_due = time.monotonic() + (DAY if done else RETRY_AFTER)

    def _prune(self) -> None:
        if time.monotonic() - self._pruned_at < PRUNE_EVERY:
            return
        row: Any = (PRUNE_BATCH,)
        while row and row[0] == PRUNE_BATCH and not self._stop.is_set():
            row = self._database.fetch_unbound(sql.prune_idempotency_keys, {"most": PRUNE_BATCH})
        self._database.fetch_unbound(sql.prune_sign_ins, {"most": PRUNE_BATCH})
        self._pruned_at = time.monotonic()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            # Asleep until a table changes: to look every interval would cost more than all it does at rest.
            self._changed.wait(max(0.0, self._ran_at + self._rest_interval - time.monotonic()))
            if self._stop.is_set():
                return
            self._ran_at = time.monotonic()
            self._changed.clear()
            self.run_once()

    def note_change(self) -> None:
        """Note that a table has changed, so there may be deltas to fold."""
        self._changed.set()

"""One thread per worker that reads the changes of all others and passes them to the cache and to sign-in."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog

from opsboard.db.database import Database
from opsboard.db.queries import load_queries
from opsboard.errors import OpsboardError
from opsboard.fleet.feed_handlers import FeedHandlers, UnboundQueries
from opsboard.fleet.heartbeat import Heartbeat
from opsboard.fleet.worker import Worker
from opsboard.observability import record
from opsboard.staleness import STALE_AFTER

log = structlog.get_logger(__name__)
sql = load_queries(__package__)

# A snapshot from before the first transaction: everything is new.
NOTHING_SEEN = "3:3:"
# After a longer gap the missed changes may have been pruned, so everything is dropped.
LONGEST_GAP = 30.0  # seconds
# A worker without requests for REST_AFTER polls less often. It then counts as stale two normal intervals after its
# last read, and the next request waits until it has read again (`ensure_current`).
REST_AFTER = 10.0  # seconds
REST_INTERVAL = 1.0  # seconds
LONGEST_WAIT = 0.25  # seconds that a request waits for a resting worker to read
SHORTEST_PAUSE = 0.005  # seconds between two polls that take longer than the interval
# Longer than LONGEST_GAP: a worker that has not read a row by then drops everything anyway.
PRUNE_EVERY = 40.0  # seconds


class ChangeFeed:
    """Polls every `interval` seconds, in a thread of this process.

    `database` has one connection of its own, so a busy pool cannot make a worker stale. `report` returns the state
    shown to the other workers. `answered` returns the number of requests answered so far; without it the worker
    never rests.
    """

    def __init__(
        self,
        database: Database,
        interval: float,
        handlers: FeedHandlers,
        report: Callable[[], dict[str, Any]],
        answered: Callable[[], int] | None = None,
    ) -> None:
        self.database = database
        self.interval = interval
        self.handlers = handlers
        self._heartbeat = Heartbeat(database, report)
        self._answered = answered
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._wake = threading.Event()
        # The number of this worker on its machine, if the parent counts them; a replacement gets the same number.
        self.slot: int | None = None
        self._pid = 0
        self._reset()

    def _reset(self) -> None:
        self._heartbeat.reset()
        self.seen, self._epoch = NOTHING_SEEN, ""
        self.read_at: float | None = None
        self._longest_gap = 0.0
        self._cleared_to = 0
        self._is_failing = False
        # Running transactions by number, each with the time (seconds since 1970) this worker first saw it.
        self._running: dict[int, float] = {}
        self._pruned_at = time.monotonic()
        self._snapshot_at_prune = NOTHING_SEEN
        self._answers, self._asked_at = 0, time.monotonic()
        self.is_resting = False
        self._has_read = threading.Condition()

    @property
    def worker(self) -> Worker:
        return self._heartbeat.worker

    @property
    def is_stale(self) -> bool:
        """True if other workers' changes may be unknown here."""
        if self.read_at is None:
            return True
        return time.monotonic() - self.read_at > (2 * self.interval if self.is_resting else STALE_AFTER)

    @property
    def lag(self) -> float | None:
        """Seconds since the last successful read; None before the first."""
        return None if self.read_at is None else time.monotonic() - self.read_at

    @property
    def longest_gap(self) -> float:
        """The longest gap between two reads since the last report, in seconds."""
        return max(self._longest_gap, self.lag or 0.0)

    @property
    def oldest_running(self) -> dict[str, float] | None:
        """The oldest running transaction that has a number: `xid` as the server shows it (32 bits), and `since`."""
        running = self._running
        if not running:
            return None
        xid = min(running)
        return {"xid": xid % 2**32, "since": running[xid]}

    def start(self) -> None:
        """Start the thread of this process and poll once. Later calls cost one comparison."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._stop, self._wake = threading.Event(), threading.Event()
            self._reset()
            # Keeps this poll out of the record of the request that happens to be the first.
            with record.recording():
                self.poll()
            self._thread = threading.Thread(target=self._run, name="opsboard-feed", daemon=True)
            self._thread.start()
            self._pid = os.getpid()

    def ensure_current(self) -> None:
        """Make sure, before a request is answered, that the thread runs and does not rest.

        A request to a resting worker waits for the next read, for at most LONGEST_WAIT. After that the worker counts
        as stale.
        """
        self.start()
        if not self.is_resting:
            return
        with self._has_read:
            asked = self._asked_at = time.monotonic()
            self._wake.set()
            self._has_read.wait_for(lambda: (self.read_at or 0.0) >= asked, LONGEST_WAIT)

    def stop(self) -> None:
        """End the thread and remove this worker from the list of workers."""
        self._stop.set()
        self._wake.set()
        if self._pid != os.getpid():
            return
        self._thread.join(1.0)
        if not self.is_stale:
            self._heartbeat.say_goodbye()
        self.database.pool.closeall()

    def pause(self) -> None:
        """End the thread and keep the database: from here on the caller polls."""
        self._stop.set()
        self._wake.set()
        self._thread.join()

    def own_report(self) -> dict[str, Any]:
        """Return the state of this worker as of now."""
        return self._heartbeat.report()

    def order_clear(self, database: UnboundQueries, prefix: str | None) -> int:
        """Order every worker to clear, this one at once. Returns the number of the order."""
        row = database.fetch_unbound(sql.order_clear, {"prefix": prefix})
        assert row is not None  # RETURNING of an INSERT
        self.handlers.clear(prefix, None)
        return int(row[0])

    def poll(self) -> None:
        """Read changes, report and prune if due. A failure is logged when it begins, not at every poll."""
        try:
            cleared = self._read_changes()
            if cleared or self._heartbeat.is_due(self.is_resting):
                self._heartbeat.send(self._cleared_to)
                self._longest_gap = 0.0
            if time.monotonic() - self._pruned_at >= PRUNE_EVERY:
                self._prune()
        except OpsboardError as error:
            if not self._is_failing:
                log.warning(
                    "cannot read changes from the database; cached answers and tokens count as stale",
                    error=error.code,
                )
            self._is_failing = True
            return
        if self._is_failing:
            log.info("changes are read from the database again")
        self._is_failing = False

    def _read_changes(self) -> bool:
        """Read and apply the changes since the last snapshot. Returns True if an order to clear was among them."""
        # The answer may take long to arrive, so it proves nothing about later moments than this.
        asked = time.monotonic()
        news = json.loads(self._listen())
        self.handlers.observe_server(asked, news["epoch"], news["snapshot"], news["clock"])
        if news["epoch"] != self._epoch or (self.lag or 0.0) > LONGEST_GAP:
            # Cached bodies cannot be proved valid. Tokens can: revocations are logged, and all are read again.
            self.handlers.reset()
            if self._epoch and self.seen != NOTHING_SEEN:
                self.seen, self._epoch = NOTHING_SEEN, news["epoch"]
                return self._read_changes()
        self._epoch = news["epoch"]
        self._apply(news)
        self.seen = news["snapshot"]
        self._running = {xid: self._running.get(xid, time.time()) for xid in running_in(self.seen)}
        if self.read_at is not None:
            self._longest_gap = max(self._longest_gap, time.monotonic() - self.read_at)
        self.is_resting = self._may_rest()
        with self._has_read:
            self.read_at = asked
            self._has_read.notify_all()
        # A resting worker becomes stale sooner: two normal intervals after this read.
        self.handlers.mark_current(asked - (STALE_AFTER - 2 * self.interval) if self.is_resting else asked)
        return bool(news["clears"])

    def _listen(self) -> str:
        """Return what has changed. A report that is due is sent in the same statement.

        The first report follows the first read, so that it has what was read.
        """
        if self.read_at is not None and self._heartbeat.is_due(self.is_resting):
            with suppress(OpsboardError):
                return self._listen_and_report()
        # Alone it is a read: repeated when its connection is lost, and possible where nothing can be written.
        row = self.database.fetch_unbound(sql.listen, {"seen": self.seen})
        assert row is not None  # json_build_object always gives a row
        return str(row[0])

    def _listen_and_report(self) -> str:
        heartbeat, seen = self._heartbeat, {"seen": self.seen}
        if heartbeat.is_report_due(self.is_resting):
            row = self.database.fetch_unbound(
                sql.listen_and_report, heartbeat.parameters(self._cleared_to) | seen
            )
            assert row is not None  # json_build_object always gives a row
            self._longest_gap = 0.0
            heartbeat.note_sent(row[1])
        else:
            of_worker = {"id": self.worker.id, "cleared_to": self._cleared_to}
            row = self.database.fetch_unbound(sql.listen_and_beat, of_worker | seen)
            assert row is not None
            heartbeat.note_beat(row[1])
        return str(row[0])

    def _apply(self, news: dict[str, Any]) -> None:
        changed: dict[int, dict[str, int]] = {}
        for tenant_id, table, newest in news["changes"]:
            if tenant_id is None:  # TRUNCATE changes the rows of every business
                self.handlers.reset()
            else:
                changed.setdefault(tenant_id, {})[table] = newest
        for tenant_id, tables in changed.items():
            self.handlers.apply_changes(tenant_id, tables)
        for revocation in news["revocations"]:
            self.handlers.revoke(revocation)
        for order in news["clears"]:
            self.handlers.clear(order["prefix"], order["xid"])
            self._cleared_to = max(self._cleared_to, order["id"])

    def _may_rest(self) -> bool:
        """Return True if this worker has had no requests for REST_AFTER."""
        if self._answered is None:
            return False
        now, answers = time.monotonic(), self._answered()
        if answers != self._answers:
            self._answers, self._asked_at = answers, now
        return now - self._asked_at >= REST_AFTER

    def _prune(self) -> None:
        """Delete the changes that were visible at the last prune: by now every worker has read them or is stale."""
        self.database.fetch_unbound(sql.prune_changes, {"seen": self._snapshot_at_prune})
        self._pruned_at, self._snapshot_at_prune = time.monotonic(), self.seen

    def _run(self) -> None:
        """Poll at a steady rate. A poll that took too long is not made up for."""
        due = time.monotonic() + self.interval
        while True:
            self._wake.wait(max(SHORTEST_PAUSE, due - time.monotonic()))
            if self._stop.is_set():
                return
            # Before the poll: a request that arrives during it needs the next one.
            self._wake.clear()
            self.poll()
            now = time.monotonic()
            # A request may have ended a rest before the poll was due: the usual rhythm begins now.
            due = now + REST_INTERVAL if self.is_resting else max(min(due, now) + self.interval, now)


def running_in(snapshot: str) -> list[int]:
    """Return the transactions that ran when a snapshot was taken; its text is `xmin:xmax:xid,xid,...`."""
    return [int(xid) for xid in snapshot.rpartition(":")[2].split(",") if xid]

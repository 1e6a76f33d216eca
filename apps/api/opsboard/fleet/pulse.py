"""One thread per worker that hears what the others changed, tells them how it is, and obeys clears."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from opsboard.db.database import Database, Row
from opsboard.db.queries import Query, load_queries
from opsboard.errors import OpsboardError
from opsboard.fleet.worker import Worker, has_ended
from opsboard.observability import record

log = structlog.get_logger(__name__)
sql = load_queries(__package__)

# A snapshot from before the first transaction: everything is new.
NOTHING_SEEN = "3:3:"
# A worker that has not heard for this long distrusts what it keeps and knows.
DEAF_AFTER = 2.0  # seconds
# After a longer silence nobody can say what was missed.
PROVABLE = 30.0  # seconds
REPORT_EVERY = 0.5  # seconds
# A worker that ended without a goodbye is named as silent for this long, and then forgotten by its neighbours.
MOURNED = 5.0  # seconds
# A worker that nobody has asked for REST_AFTER listens less often. It then distrusts what it knows as soon as it would
# have listened again in full rhythm, and the next request waits until it has listened (`attend`).
REST_AFTER = 10.0  # seconds
REST_INTERVAL = 0.5  # seconds
REST_REPORT_EVERY = 1.0  # seconds
LONGEST_ATTENDED = 0.25  # seconds that a request waits for a resting worker to listen
SHORTEST_REST = 0.005  # seconds between two beats, when they take longer than they may
# Rows that were visible in a snapshot this old may go: longer than PROVABLE, so whoever has not read them by then
# drops everything anyway.
PRUNE_EVERY = 40.0  # seconds


@dataclass(frozen=True)
class Ears:
    """What to do with what is heard; application.py connects them to the cache and to sign-in."""

    # The database answered: when it was asked, its epoch, its snapshot and its clock. What it said follows.
    listened: Callable[[float, str, str, float], None]
    # Tables of a tenant, each with the highest number of the transactions that changed it.
    changed: Callable[[int, dict[str, int]], None]
    revoked: Callable[[dict[str, Any]], None]
    # The prefix, and the number of the order's transaction; None: an own order that is not heard yet.
    ordered_to_clear: Callable[[str | None, int | None], None]
    # Something may have been missed: nothing kept can be proved.
    lost: Callable[[], None]
    # What is known is complete as of this moment (time.monotonic).
    heard: Callable[[float], None]


class Asks(Protocol):
    """Whoever runs a statement that belongs to no business."""

    def fetch_unbound(self, query: Query, params: Mapping[str, Any] | None = None) -> Row | None: ...


class Pulse:
    """Beats every `interval` seconds, in a thread of this process.

    `database` is its own, with one connection: a busy pool cannot make a worker deaf. `report` gives what the
    others may know of this worker, `answered` how many requests it has answered so far; without it, it never rests.
    """

    def __init__(
        self,
        database: Database,
        interval: float,
        ears: Ears,
        report: Callable[[], dict[str, Any]],
        answered: Callable[[], int] | None = None,
    ) -> None:
        self._database = database
        self._interval = interval
        self._ears = ears
        self._report = report
        self._answered = answered
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._wake = threading.Event()
        # Which of the machine's workers this is, when who forked it counts them: a later one takes its place.
        self.slot: int | None = None
        self._pid = 0
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.worker = Worker()
        self._seen, self._epoch = NOTHING_SEEN, ""
        self._heard_at: float | None = None
        self._reported_at = 0.0
        self._longest_gap = 0.0
        self._cleared_to = 0
        self._silent = False
        # Transactions that run, and since when this worker has seen them do so: xid -> seconds since 1970.
        self._running: dict[int, float] = {}
        self._pruned_at = time.monotonic()
        self._snapshot_at_prune = NOTHING_SEEN
        self._answers, self._asked_at = 0, time.monotonic()
        self.resting = False
        self._listened = threading.Condition()

    @property
    def deaf(self) -> bool:
        """Whether this worker may not know what the others changed."""
        if self._heard_at is None:
            return True
        return time.monotonic() - self._heard_at > (2 * self._interval if self.resting else DEAF_AFTER)

    @property
    def lag(self) -> float | None:
        """Seconds since it last heard; None before the first time."""
        return None if self._heard_at is None else time.monotonic() - self._heard_at

    @property
    def longest_gap(self) -> float:
        """Seconds a change may have gone unheard at most since this worker last told how it is."""
        return max(self._longest_gap, self.lag or 0.0)

    @property
    def oldest_running(self) -> dict[str, float] | None:
        """The oldest transaction with a number that runs: `xid` as the server shows it (32 bits), and `since`."""
        running = self._running
        if not running:
            return None
        xid = min(running)
        return {"xid": xid % 2**32, "since": running[xid]}

    def start(self) -> None:
        """Start the thread of this process; after the first call a cheap check. Hears once before it returns."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._stop, self._wake = threading.Event(), threading.Event()
            self._begin_anew()
            # Not part of the request that happens to be the first.
            with record.recording():
                self.beat()
            self._thread = threading.Thread(target=self._run, name="opsboard-pulse", daemon=True)
            self._thread.start()
            self._pid = os.getpid()

    def attend(self) -> None:
        """Make sure, before a request is answered, that the thread runs and does not rest.

        A resting worker listens first; the request waits for that, for LONGEST_ATTENDED at most. After that the worker
        counts as one that may not know what the others changed.
        """
        self.start()
        if not self.resting:
            return
        with self._listened:
            asked = self._asked_at = time.monotonic()
            self._wake.set()
            self._listened.wait_for(lambda: (self._heard_at or 0.0) >= asked, LONGEST_ATTENDED)

    def stop(self) -> None:
        """End the thread and say goodbye, so that nobody misses this worker."""
        self._stop.set()
        self._wake.set()
        if self._pid != os.getpid():
            return
        self._thread.join(1.0)
        if not self.deaf:
            with suppress(OpsboardError):  # then the others will see its silence
                self._database.fetch_unbound(sql.goodbye, {"id": self.worker.id})
        self._database.pool.closeall()

    def own_report(self) -> dict[str, Any]:
        """What this worker tells the others, as of now."""
        return self._report()

    def order_clear(self, database: Asks, prefix: str | None) -> int:
        """Order every worker to clear, this one at once; returns the number of the order."""
        row = database.fetch_unbound(sql.order_clear, {"prefix": prefix})
        assert row is not None  # RETURNING of an INSERT
        self._ears.ordered_to_clear(prefix, None)
        return int(row[0])

    def beat(self) -> None:
        """Hear and tell once. An error is logged when it begins, not at every beat."""
        try:
            obeyed = self._hear()
            report_every = REST_REPORT_EVERY if self.resting else REPORT_EVERY
            if obeyed or time.monotonic() - self._reported_at >= report_every:
                self._tell()
            if time.monotonic() - self._pruned_at >= PRUNE_EVERY:
                self._prune()
        except OpsboardError as error:
            if not self._silent:
                log.warning(
                    "pulse cannot hear the database; kept answers and tokens are distrusted", error=error.code
                )
            self._silent = True
            return
        if self._silent:
            log.info("pulse hears the database again")
        self._silent = False

    def _hear(self) -> bool:
        """Read what is new and act on it; whether an order to clear was among it."""
        # The answer may be long on its way: what it says is true of no later moment than this.
        asked = time.monotonic()
        row = self._database.fetch_unbound(sql.listen, {"seen": self._seen})
        assert row is not None  # json_build_object always gives a row
        news = json.loads(row[0])
        self._ears.listened(asked, news["epoch"], news["snapshot"], news["clock"])
        if news["epoch"] != self._epoch or (self.lag or 0.0) > PROVABLE:
            # Nothing kept can be proved. Tokens are: revocations are logged, and all are read again.
            self._ears.lost()
            if self._epoch and self._seen != NOTHING_SEEN:
                self._seen, self._epoch = NOTHING_SEEN, news["epoch"]
                return self._hear()
        self._epoch = news["epoch"]
        changed: dict[int, dict[str, int]] = {}
        for tenant_id, table, newest in news["changes"]:
            if tenant_id is None:  # TRUNCATE: of every business
                self._ears.lost()
            else:
                changed.setdefault(tenant_id, {})[table] = newest
        for tenant_id, tables in changed.items():
            self._ears.changed(tenant_id, tables)
        for revocation in news["revocations"]:
            self._ears.revoked(revocation)
        for order in news["clears"]:
            self._ears.ordered_to_clear(order["prefix"], order["xid"])
            self._cleared_to = max(self._cleared_to, order["id"])
        self._seen = news["snapshot"]
        self._running = {xid: self._running.get(xid, time.time()) for xid in running_in(self._seen)}
        if self._heard_at is not None:
            self._longest_gap = max(self._longest_gap, time.monotonic() - self._heard_at)
        self.resting = self._may_rest()
        with self._listened:
            self._heard_at = asked
            self._listened.notify_all()
        # A worker that rests claims less: what it knows is distrusted after two beats of the full rhythm.
        self._ears.heard(asked - (DEAF_AFTER - 2 * self._interval) if self.resting else asked)
        return bool(news["clears"])

    def _may_rest(self) -> bool:
        """Whether nobody has asked this worker for a while."""
        if self._answered is None:
            return False
        now, answers = time.monotonic(), self._answered()
        if answers != self._answers:
            self._answers, self._asked_at = answers, now
        return now - self._asked_at >= REST_AFTER

    def _tell(self) -> None:
        worker = self.worker
        row = self._database.fetch_unbound(
            sql.report,
            {
                "id": worker.id,
                "machine": worker.machine,
                "pid": worker.pid,
                "started_at": worker.started_at,
                "cleared_to": self._cleared_to,
                "mourned": MOURNED,
                "report": json.dumps({**self._report(), "house": worker.house}),
            },
        )
        self._reported_at, self._longest_gap = time.monotonic(), 0.0
        silent: dict[str, int] = json.loads(row[0]) if row and row[0] and worker.house else {}
        for name, pid in silent.items():
            if has_ended(pid) and self._database.fetch_unbound(sql.goodbye, {"id": name}):
                log.warning("a worker ended without goodbye and is forgotten", worker=name)

    def _prune(self) -> None:
        """Let go of what was visible when this last happened: everybody has read it, or must begin anew."""
        self._database.fetch_unbound(sql.prune_changes, {"seen": self._snapshot_at_prune})
        self._pruned_at, self._snapshot_at_prune = time.monotonic(), self._seen

    def _run(self) -> None:
        """In a steady rhythm, whatever a beat takes; one that took too long is not made up for."""
        due = time.monotonic() + self._interval
        while True:
            self._wake.wait(max(SHORTEST_REST, due - time.monotonic()))
            if self._stop.is_set():
                return
            self._wake.clear()  # before the beat: a request that comes during it is heard by the next one
            self.beat()
            due = max(due + (REST_INTERVAL if self.resting else self._interval), time.monotonic())


def running_in(snapshot: str) -> list[int]:
    """The transactions that ran when a snapshot was taken; its text is `xmin:xmax:xid,xid,...`."""
    return [int(xid) for xid in snapshot.rpartition(":")[2].split(",") if xid]

"""Sends what is in the outbox of all businesses; any number of workers may be at it at once."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Any

import structlog

from opsboard.auth.identity import Holder, Role
from opsboard.db.database import Database
from opsboard.db.queries import Query
from opsboard.db.write_pause import WritePause
from opsboard.errors import OpsboardError
from opsboard.features.webhooks.area import sql
from opsboard.features.webhooks.posting import Outcome

log = structlog.get_logger(__name__)

THREADS = 16  # attempts of one worker at a time
EACH = 2  # of them for one receiver, so that a slow one leaves threads to the others
LEASE_MARGIN = 30.0  # seconds beyond the time limit of an attempt until another worker repeats it
CHORES_EVERY = 60.0  # seconds between two looks for digests and for what can be removed
PRUNE_BATCH = 1000

Send = Callable[[int, dict[str, Any]], Outcome]


class Deliverer:
    """Takes deliveries that are due, makes an attempt at each in a thread, and notes the outcome.

    A delivery is taken for some time. A worker that is killed in between loses nothing: after that time another one
    takes it again, with the same id. `board` is the statement of the board, which the daily digest contains.
    """

    def __init__(
        self, database: Database, send: Send, timeout: float, board: Query, digest_hour: int, days_kept: int
    ) -> None:
        self._database = database
        self._pause = WritePause(database)
        self._send = send
        self._lease = timeout + LEASE_MARGIN
        self._board = board
        self._digest_hour = digest_hour
        self._days_kept = days_kept
        self._chores_at = -CHORES_EVERY
        self._lock = threading.Lock()
        self._under_way: Counter[tuple[int, int]] = Counter()
        self._ended = Event()

    def run(self, stop: Event, interval: float) -> None:
        """Go on until `stop` is set; attempts that are under way then are finished."""
        with ThreadPoolExecutor(THREADS, "opsboard-deliveries") as threads:
            while not stop.is_set():
                self._ended.clear()
                started: list[Future[str]] = []
                try:
                    self._do_chores()
                    started = self._start_due(threads)
                except OpsboardError as error:
                    log.warning("deliveries stand still", error=error.code, detail=error.detail)
                if not started:
                    wait_for_either(stop, self._ended, interval)

    def run_once(self) -> Counter[str]:
        """Make every attempt that is due now; how many were delivered, wait for another attempt, or failed."""
        outcomes: Counter[str] = Counter({"delivered": 0, "waiting": 0, "failed": 0})
        self._chores_at = -CHORES_EVERY
        self._do_chores()
        with ThreadPoolExecutor(THREADS, "opsboard-deliveries") as threads:
            while started := self._start_due(threads):
                wait(started)
                outcomes.update(future.result() for future in started)
        del outcomes[""]
        return outcomes

    def _start_due(self, threads: ThreadPoolExecutor) -> list[Future[str]]:
        """Start as many attempts as there are free threads."""
        if self._pause.look():
            return []
        row = self._database.fetch_unbound(sql.list_businesses)
        started: list[Future[str]] = []
        for tenant_id in (row[0] if row else None) or []:
            with self._lock:
                free = THREADS - self._under_way.total()
                busy = [lane for tenant, lane in self._under_way.elements() if tenant == tenant_id]
            if free <= 0:
                break
            limits = {"most": free, "each": EACH, "busy": busy, "lease": self._lease}
            claimed = self._database.fetch_row(sql.claim, Holder(tenant_id), limits)
            for delivery in json.loads(claimed[0]) if claimed else []:
                with self._lock:
                    self._under_way[tenant_id, delivery["lane"]] += 1
                started.append(threads.submit(self._deliver, tenant_id, delivery))
        return started

    def _deliver(self, tenant_id: int, delivery: dict[str, Any]) -> str:
        """Make an attempt and note its outcome: its state then, or nothing when it could not be noted."""
        try:
            began = time.monotonic()
            try:
                outcome = self._send(tenant_id, delivery)
            except OpsboardError:
                raise
            except Exception:
                # A fault of ours must not stop the others; the attempt counts as failed.
                log.exception("delivery failed", delivery=delivery["id"], event_type=delivery["event_type"])
                outcome = Outcome(False, error="an error of the service; its log has it")
            return self._note(tenant_id, delivery, outcome, round((time.monotonic() - began) * 1000))
        except OpsboardError as error:
            log.warning("the outcome of a delivery is not noted, so it is repeated",
                        delivery=delivery["id"], error=error.code)  # fmt: skip
            return ""
        finally:
            with self._lock:
                self._under_way[tenant_id, delivery["lane"]] -= 1
                self._under_way += Counter()  # forgets lanes without an attempt
            self._ended.set()

    def _note(self, tenant_id: int, delivery: dict[str, Any], outcome: Outcome, milliseconds: int) -> str:
        row = self._database.fetch_row(
            sql.finish,
            Holder(tenant_id),
            {
                "delivery_id": delivery["id"],
                "attempt": delivery["attempt"],
                "is_delivered": outcome.is_delivered,
                "is_final": outcome.is_final,
                "response_status": outcome.status,
                "error": outcome.error,
                "response": outcome.response,
                "milliseconds": milliseconds,
            },
        )
        state = str(row[0]) if row else ""
        if state == "failed":
            log.warning("delivery given up", delivery=delivery["id"], event_type=delivery["event_type"],
                        business=tenant_id, error=outcome.error)  # fmt: skip
        return state

    def _do_chores(self) -> None:
        """Write the digests of the day and remove deliveries that ended long ago, once a minute."""
        if time.monotonic() - self._chores_at < CHORES_EVERY or self._pause.look():
            return
        self._chores_at = time.monotonic()
        row = self._database.fetch_unbound(sql.list_due_digests, {"digest_hour": self._digest_hour})
        for tenant_id, today in json.loads(row[0]) if row else []:
            # The board as an admin sees it, without tasks of their own.
            board = self._database.fetch_json(self._board, Holder(tenant_id, role=Role.ADMIN.value), {})
            self._database.fetch_row(sql.write_digest, Holder(tenant_id), {"today": today, "board": board})
        self._database.fetch_unbound(sql.prune, {"most": PRUNE_BATCH, "days": self._days_kept})


def wait_for_either(stop: Event, ended: Event, seconds: float) -> None:
    """Wait until an attempt has ended or the interval is over; a stop is heard within a fifth of a second."""
    until = time.monotonic() + seconds
    while not stop.is_set() and (left := until - time.monotonic()) > 0:
        if ended.wait(min(left, 0.2)):
            return

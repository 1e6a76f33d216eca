"""One thread per worker that listens to the database: what other workers changed that this one must know."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from typing import Any

import structlog

from opsboard.db.database import Database
from opsboard.db.queries import load_queries
from opsboard.errors import OpsboardError
from opsboard.observability import record

log = structlog.get_logger(__name__)
sql = load_queries(__package__)

# A snapshot from before the first transaction: everything is new. Also the starting point after an error, since
# the server may be another one than before.
NOTHING_SEEN = "3:3:"


class Pulse:
    """Reads revocations every `interval` seconds and hands each to `on_revocation`, then calls `on_heard`.

    `database` is its own, with one connection: a busy pool cannot make a worker deaf. Started per process.
    """

    def __init__(
        self,
        database: Database,
        interval: float,
        on_revocation: Callable[[dict[str, Any]], None],
        on_heard: Callable[[], None],
    ) -> None:
        self._database = database
        self._interval = interval
        self._on_revocation = on_revocation
        self._on_heard = on_heard
        self._seen = NOTHING_SEEN
        self._pid = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._deaf = False

    def start(self) -> None:
        """Start the thread of this process; after the first call a cheap check. Reads once before it returns."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._seen, self._stop = NOTHING_SEEN, threading.Event()
            # Not part of the request that happens to be the first.
            with record.recording():
                self.beat()
            threading.Thread(target=self._run, name="opsboard-pulse", daemon=True).start()
            self._pid = os.getpid()

    def stop(self) -> None:
        self._stop.set()
        self._database.pool.closeall()

    def beat(self) -> None:
        """Read once. An error is logged when it begins, not at every beat."""
        try:
            row = self._database.fetch_unbound(sql.read_revocations, {"seen": self._seen})
        except OpsboardError as error:
            if not self._deaf:
                log.warning(
                    "pulse cannot hear the database; tokens are checked there one by one", error=error.code
                )
            self._deaf, self._seen = True, NOTHING_SEEN
            return
        assert row is not None  # json_build_object always gives a row
        news = json.loads(row[0])
        for revocation in news["revocations"]:
            self._on_revocation(revocation)
        self._seen = news["snapshot"]
        self._on_heard()
        if self._deaf:
            log.info("pulse hears the database again")
        self._deaf = False

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            self.beat()

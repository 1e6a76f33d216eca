"""Opens connections to one server, and tells its status what came of it."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable

import psycopg2
from psycopg2 import extensions

from opsboard.db.connection import PooledConnection
from opsboard.db.server_status import ServerStatus

log = logging.getLogger(__name__)

# libpq ignores these on Unix sockets. A dead network is noticed within 10 s by connections nobody watches.
KEEPALIVE = {
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
LIFETIME_JITTER = 0.1


class Connector:
    """Opens connections to one server. May be used by several threads at once."""

    def __init__(
        self,
        dsn: str,
        *,
        connect_timeout: int,
        max_lifetime: float,
        status: ServerStatus,
        clock: Callable[[], float],
    ) -> None:
        defaults = {**KEEPALIVE, "connect_timeout": str(connect_timeout)}
        # The connection string, with the options of every connection.
        self.dsn = extensions.make_dsn(**{**defaults, **extensions.parse_dsn(dsn)})
        self._max_lifetime = max_lifetime
        self.status = status
        self._clock = clock
        self._lock = threading.Lock()
        self._attempts = self._failures = 0
        self._seconds = 0.0

    def open(self) -> PooledConnection:
        """A new connection. Waits for the server as long as libpq does: never call it under a lock."""
        began = self._clock()
        try:
            connection: PooledConnection = psycopg2.connect(self.dsn, connection_factory=PooledConnection)
        except psycopg2.Error as error:
            self._failed(error, began)
            raise
        now = self._clock()
        with self._lock:
            self._attempts += 1
            self._seconds += now - began
        connection.proven = now
        self.status.heard(now)
        # Connections opened together must not all end together.
        connection.expires = now + self._max_lifetime * random.uniform(1 - LIFETIME_JITTER, 1)
        return connection

    def stats(self) -> dict[str, int]:
        """The statistics about connects."""
        return {
            "connections_num": self._attempts,
            "connections_ms": int(self._seconds * 1000),
            "connections_errors": self._failures,
        }

    def _failed(self, error: psycopg2.Error, began: float) -> None:
        now = self._clock()
        with self._lock:
            self._attempts += 1
            self._failures += 1
            self._seconds += now - began
        if self.status.failed():
            log.warning("database cannot be reached: %s", str(error).strip())

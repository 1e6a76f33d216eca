"""Opens connections, and remembers whether the server is away."""

from __future__ import annotations

import logging
import math
import random
import threading
from collections.abc import Callable

import psycopg2
from psycopg2 import extensions

from opsboard.db.connection import PooledConnection

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
        patience: float,
        clock: Callable[[], float],
    ) -> None:
        defaults = {**KEEPALIVE, "connect_timeout": str(connect_timeout)}
        self._dsn = extensions.make_dsn(**{**defaults, **extensions.parse_dsn(dsn)})
        self._max_lifetime = max_lifetime
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._attempts = self._failures = 0
        self._seconds = 0.0
        # When it was last seen alive (also by others), first seen away since, and last seen away.
        self.alive = self._away = self._still_away = -math.inf

    def open(self) -> PooledConnection:
        """A new connection. Waits for the server as long as libpq does: never call it under a lock."""
        began = self._clock()
        try:
            connection: PooledConnection = psycopg2.connect(self._dsn, connection_factory=PooledConnection)
        except psycopg2.Error as error:
            self._failed(error, began)
            raise
        now = self._clock()
        with self._lock:
            self._attempts += 1
            self._seconds += now - began
        connection.proven = self.alive = now
        # Connections opened together must not all end together.
        connection.expires = now + self._max_lifetime * random.uniform(1 - LIFETIME_JITTER, 1)
        return connection

    def away(self, since: float) -> bool:
        """Whether the last thing heard, after `since`, was that the server cannot be reached."""
        return self._still_away > max(self.alive, since)

    def given_up(self, now: float) -> bool:
        """Whether it has been away for so long that waiting is no use; ends when nobody has tried lately."""
        lately = now - self._still_away < self._patience
        return lately and self.away(self.alive) and now - self._away > self._patience

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
            first = self._away <= self.alive or now - self._still_away > self._patience
            if first:
                self._away = now
            self._still_away = now
        if first:
            log.warning("database cannot be reached: %s", str(error).strip())

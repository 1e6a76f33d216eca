"""A pool's part of the circuit breaker: who is refused, whose wait ends, and when to ask for the server."""

from __future__ import annotations

import threading
from collections.abc import Callable

from opsboard.db.connector import Connector
from opsboard.db.prober import PROBE_SECONDS, Prober
from opsboard.db.slots import SILENCE, Slots
from opsboard.errors import DatabaseUnavailable


class Breaker:
    """Acts on the slots of one pool by what is known of the server (`ServerStatus`)."""

    def __init__(
        self, connector: Connector, slots: Slots, lock: threading.Lock, clock: Callable[[], float]
    ) -> None:
        self._slots = slots
        self._lock = lock
        self._clock = clock
        self._status = connector.status
        self._prober = Prober(lambda: connector.dsn, self._status, clock)
        self._status.on_open(self.give_up)

    def refuse(self, now: float) -> None:
        """Raise DatabaseUnavailable while the breaker is open, and have the prober ask. Wants the lock.

        Open connections may work although no new ones are accepted, unless the server is silent on those too.
        """
        if self.refuses(now):
            self._prober.ask()
            raise DatabaseUnavailable()

    def refuses(self, now: float) -> bool:
        """Return True if a request would be refused. Wants the lock."""
        return self._status.is_open(now) and (self._status.is_silent(now) or not self._slots.idle)

    def give_up(self) -> None:
        """The server is away: end the wait of those who queue, and of reads that a silent server holds."""
        with self._lock:
            self._slots.dismiss()
            if self._status.is_silent(self._clock()):
                for lease in self._slots.checked_out.values():
                    if lease.repeatable and not lease.cut:
                        lease.abandoned = True
                        lease.shut()

    def look_for_silence(self, now: float) -> None:
        """Have the server asked for, when reads wait and nothing was heard on any connection. Wants the lock."""
        for lease in self._slots.silent(now):
            heard_until = self._status.alive + SILENCE
            if heard_until > now:
                lease.silent_at = heard_until
            else:
                lease.silent_at = now + PROBE_SECONDS
                self._prober.ask()

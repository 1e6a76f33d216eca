"""One checkout of a connection: its holder, begin and deadline."""

from __future__ import annotations

import math
import threading
import traceback
import weakref
from collections.abc import Hashable, Iterator
from types import CodeType, FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsboard.db.connection import PooledConnection
    from opsboard.db.watchdog import Peer

# Frames from the caller of getconn outwards: enough to show the view behind the layers between.
FRAMES_KEPT = 8


class Lease:
    """A request for a connection and, once granted, its checkout.

    The connection is referenced weakly: if its holder drops it, the pool notices.
    """

    __slots__ = (
        "abandoned",
        "asked",
        "cut",
        "cut_at",
        "granted",
        "key",
        "leaks_at",
        "owner",
        "peer",
        "ready",
        "ref",
        "repeatable",
        "reported",
        "silent_at",
        "since",
        "stack",
        "thread",
    )

    ref: weakref.ref[PooledConnection]
    peer: Peer

    def __init__(
        self,
        key: Hashable | None,
        cut_at: float,
        caller: FrameType,
        repeatable: bool = False,
        owner: int | None = None,
    ) -> None:
        self.key = key
        self.owner = owner  # the business it is for
        # A read can be ended halfway without harm, so it does not wait for a silent server.
        self.repeatable = repeatable
        # The time from which the server counts as silent, unless a packet arrives before.
        self.silent_at = math.inf
        self.abandoned = False  # ended because the server is silent
        self.asked = False  # from its request until it takes what it is granted
        self.cut_at = cut_at  # when the watchdog shuts its socket
        self.leaks_at = math.inf
        self.thread = threading.get_ident()
        self.stack = _positions(caller)
        self.since = math.inf
        self.granted: PooledConnection | None = None  # only until its requester picks it up
        self.ready: threading.Lock | None = None  # released when granted; made when it has to wait
        self.cut = False
        self.reported = False

    @property
    def name(self) -> Hashable:
        """The key of this lease in the slots: its own key, or itself (not stored, to avoid a reference cycle)."""
        return self if self.key is None else self.key

    def grant(self, connection: PooledConnection, now: float) -> None:
        """Grant the connection, and wake the requester if it waits."""
        self.ref = connection.ref
        self.peer = connection.peer
        self.since = now
        self.cut = self.reported = self.abandoned = False
        connection.lease = self
        self.granted = connection
        if self.ready is not None:
            self.ready.release()

    def take(self) -> PooledConnection:
        """Return the granted connection; from now on only the requester keeps it alive."""
        connection, self.granted = self.granted, None
        self.asked = False
        assert connection is not None
        return connection

    def shut(self) -> None:
        """Shut the connection's socket, even while its holder waits on it."""
        self.cut = True
        self.peer.shut()

    def caller(self) -> str:
        """Return the calls that led to the checkout, innermost last, in the form of a traceback."""
        return "".join(traceback.format_list(traceback.StackSummary.from_list(list(self._lines()))))

    def _lines(self) -> Iterator[traceback.FrameSummary]:
        for code, instruction in reversed(self.stack):
            lines = [line for start, end, line in code.co_lines() if start <= instruction < end]
            line = lines[0] if lines else code.co_firstlineno
            yield traceback.FrameSummary(code.co_filename, line, code.co_name)


def _positions(frame: FrameType | None) -> list[tuple[CodeType, int]]:
    # Frames would keep the caller's variables alive, and line numbers cost more than the rest of a checkout.
    positions: list[tuple[CodeType, int]] = []
    while frame is not None and len(positions) < FRAMES_KEPT:
        positions.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return positions

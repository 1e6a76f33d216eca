"""A load under way, and those who wait for it."""

from __future__ import annotations

import copy
from threading import Event

from opsboard.cache.body import Body

# Longer than any request may take. A load of that age has lost its thread without a trace, and its
# key must not be lost with it.
ABANDONED_AFTER = 60.0


class Flight:
    """One call of `load` that any number of callers share.

    Landed with neither body nor error, its loader died on the way: its waiters begin again.
    """

    __slots__ = ("abandoned", "began", "body", "elsewhere", "error", "landed", "since", "tables")

    def __init__(self, began: int, since: float, tables: frozenset[str]) -> None:
        self.began = began
        self.since = since
        # The clock from which nobody waits for it any more.
        self.abandoned = since + ABANDONED_AFTER
        self.tables = tables
        # Another worker had made the body: nothing was loaded, and `since` is when that load began.
        self.elsewhere = False
        self.landed = Event()
        self.body: Body | None = None
        self.error: Exception | None = None

    def result(self) -> Body | None:
        """The body, or the loader's error; None if the loader died."""
        if self.error is None:
            return self.body
        own = own_copy(self.error)
        if own is self.error:
            raise own
        raise own from self.error


def own_copy(error: Exception) -> Exception:
    """The same error for another thread.

    Raising one exception object in many threads mixes their tracebacks. One that cannot be copied is
    shared all the same: a muddled traceback is better than the wrong error.
    """
    try:
        return copy.copy(error)
    except Exception:
        return error

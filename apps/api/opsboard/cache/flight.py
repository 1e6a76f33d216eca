"""A load in progress, shared by all callers that wait for it."""

from __future__ import annotations

import copy
from threading import Event

from opsboard.cache.body import Body

# Longer than any request may take. The thread of a load of that age has died; its key must stay usable.
ABANDONED_AFTER = 60.0


class Flight:
    """One call of `load`, shared by any number of callers.

    If it lands with neither body nor error, its loader died and the waiters start again.
    """

    __slots__ = ("abandoned", "began", "body", "error", "is_shared", "landed", "since", "tables")

    def __init__(self, began: int, since: float, tables: frozenset[str]) -> None:
        self.began = began
        self.since = since
        # The time after which no caller waits for it.
        self.abandoned = since + ABANDONED_AFTER
        self.tables = tables
        # True if the body came from the second level: nothing was loaded, and `since` is when that load began.
        self.is_shared = False
        self.landed = Event()
        self.body: Body | None = None
        self.error: Exception | None = None

    def result(self) -> Body | None:
        """Return the body, None if the loader died, or raise the loader's error."""
        if self.error is None:
            return self.body
        own = own_copy(self.error)
        if own is self.error:
            raise own
        raise own from self.error


def own_copy(error: Exception) -> Exception:
    """Return a copy of the error for another thread.

    Raising one exception object in many threads mixes their tracebacks. An error that cannot be copied is shared
    anyway: a mixed traceback is better than the wrong error.
    """
    try:
        return copy.copy(error)
    except Exception:
        return error

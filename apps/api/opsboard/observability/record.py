"""The record of one request: its queries, its waits and what the cache did."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Protocol


class Trace(Protocol):
    """The part of a trace that a record tells of its statements (observability/tracing.py)."""

    status: int

    @property
    def traceparent(self) -> str: ...
    def query(self, name: str, ms: float) -> None: ...
    def end(self, cache: str, queries: int, business: int | None) -> None: ...


@dataclass
class Record:
    """The record of one request so far. Times are milliseconds; `started` is of time.monotonic()."""

    endpoint: str = ""
    request_id: str = ""
    # Of the trace the caller takes part in (W3C Trace Context); empty: of none.
    trace_id: str = ""
    # None while TRACES is off.
    trace: Trace | None = None
    started: float = field(default_factory=time.monotonic)
    queries: int = 0
    query_names: list[str] = field(default_factory=list)
    query_ms: float = 0.0
    wait_ms: float = 0.0
    connections: int = 0
    # Asking the second level of the cache, and telling it.
    shared_ms: float = 0.0
    cache: str = "BYPASS"
    # The next statement is another attempt at the last one.
    is_retrying: bool = False

    def query(self, name: str, ms: float, again: bool = False) -> None:
        """A statement was sent. `again`: because the connection of the last attempt was lost, so it repeats nothing."""
        self.queries += 1
        if not (again or self.is_retrying):
            self.query_names.append(name)
        self.is_retrying = False
        self.query_ms += ms
        if self.trace:
            self.trace.query(name, ms)

    def waited(self, ms: float) -> None:
        """A connection was taken from the pool after this long."""
        self.connections += 1
        self.wait_ms += ms

    @property
    def elapsed_ms(self) -> float:
        return (time.monotonic() - self.started) * 1000


_current: ContextVar[Record | None] = ContextVar("opsboard_record", default=None)


def current() -> Record | None:
    """The record of the request this thread works for; None outside of one."""
    return _current.get()


def try_again() -> None:
    """Note that the next statement repeats the last one on purpose: another attempt, or for another business."""
    if current_record := current():
        current_record.is_retrying = True


def begin(record: Record) -> None:
    """Make a record the current one of this thread."""
    _current.set(record)


def end() -> None:
    _current.set(None)


@contextmanager
def recording(record: Record | None = None) -> Iterator[Record]:
    """Record a piece of work that is no request: a command, a test."""
    record = record or Record()
    token = enter(record)
    try:
        yield record
    finally:
        leave(token)


def enter(record: Record) -> Token[Record | None]:
    """Make a record the current one until `leave` is given the token."""
    return _current.set(record)


def leave(token: Token[Record | None]) -> None:
    """Make the record current again that was so before."""
    _current.reset(token)

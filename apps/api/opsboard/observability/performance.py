"""Utilities to measure a piece of work: its time, its memory, its statements, the machine, and a cache's hit rate.

docs/measuring.md shows each of them in use.
"""

from __future__ import annotations

import inspect
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Token
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import psutil
import structlog

from opsboard.observability import record
from opsboard.observability.machine import get_system_metrics

__all__ = [
    "CacheStatistics", "QueryCounter", "cache_stats", "get_system_metrics", "log_system_metrics", "memory_tracker",
    "timeit", "timer", "track_memory",
]  # fmt: skip

log = structlog.get_logger(__name__)

P = ParamSpec("P")
Result = TypeVar("Result")

MEGABYTE = 1 << 20
# More statements than this in one piece of work look like one statement for each row (N+1).
N_PLUS_ONE = 10


class Timing:
    """The seconds a block took; 0 until it ends."""

    seconds = 0.0


class MemoryUse:
    """Resident bytes of the process before and after a block; `peak`: the most that Python allocated in it."""

    before = 0
    after = 0
    peak: int | None = None

    @property
    def delta(self) -> int:
        return self.after - self.before


@contextmanager
def timer(name: str) -> Iterator[Timing]:
    """Log the seconds that the block takes, also when it fails."""
    timing, began = Timing(), time.perf_counter()
    try:
        yield timing
    finally:
        timing.seconds = time.perf_counter() - began
        log.info("timed", what=name, seconds=round(timing.seconds, 3))


@contextmanager
def memory_tracker(name: str, allocations: bool = False) -> Iterator[MemoryUse]:
    """Log the resident memory of the process before and after the block, and the difference.

    `allocations` also measures the peak of Python's allocations with tracemalloc. That slows the block down, so it
    is for tests, benchmarks and commands, not for requests.
    """
    use, process = MemoryUse(), psutil.Process()
    # One that is tracing already is somebody else's: it is reset, not stopped.
    starts = allocations and not tracemalloc.is_tracing()
    if starts:
        tracemalloc.start()
    elif allocations:
        tracemalloc.reset_peak()
    already = tracemalloc.get_traced_memory()[0] if allocations else 0
    use.before = process.memory_info().rss
    try:
        yield use
    finally:
        use.after = process.memory_info().rss
        if allocations:
            use.peak = tracemalloc.get_traced_memory()[1] - already
        if starts:
            tracemalloc.stop()
        log.info("memory", what=name, **_megabytes(use))


def timeit(function: Callable[P, Result]) -> Callable[P, Result]:
    """Log the seconds of every call; of a coroutine function until its coroutine ends."""
    return _around(function, timer)


def track_memory(function: Callable[P, Result]) -> Callable[P, Result]:
    """Log the resident memory before and after every call, and the difference."""
    return _around(function, memory_tracker)


class QueryCounter:
    """Counts the statements of the block: `count`, `names` in their order, and `repeated` names.

    More than `threshold` of them are a warning in the log that names the repeated ones. Works inside a request and
    outside of one; statements of other threads are not counted. `of`: count the statements of this record, without
    a block.
    """

    def __init__(self, threshold: int = N_PLUS_ONE, of: record.Record | None = None) -> None:
        self.threshold = threshold
        self._record = of or record.Record()
        self._first = 0
        self._token: Token[record.Record | None] | None = None

    @property
    def names(self) -> list[str]:
        """The names of the statements so far."""
        return self._record.query_names[self._first :]

    @property
    def count(self) -> int:
        return len(self.names)

    @property
    def repeated(self) -> dict[str, int]:
        """The names that ran more than once, the most frequent first."""
        return {name: times for name, times in Counter(self.names).most_common() if times > 1}

    def __enter__(self) -> QueryCounter:
        if current := record.current():
            self._record = current
        else:
            self._token = record.enter(self._record)
        self._first = len(self._record.query_names)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            record.leave(self._token)
            self._token = None
        self.check()

    def check(self) -> None:
        """Warn when there were more statements than the threshold."""
        if self.count > self.threshold:
            log.warning(
                "N+1 queries", queries=self.count, threshold=self.threshold, repeated=self.repeated,
                advice="fetch the rows of all in one statement",
            )  # fmt: skip


def log_system_metrics() -> None:
    """Log processors, memory, threads and disk of this moment in one line."""
    metrics = get_system_metrics()
    log.info(
        "system",
        cpu_percent=metrics["cpu_percent"],
        memory_mb=round(metrics["process_memory_bytes"] / MEGABYTE, 1),
        memory_percent=metrics["process_memory_percent"],
        threads=metrics["threads"],
        disk_free_mb=metrics["disk_free_bytes"] // MEGABYTE,
    )


class CacheStatistics:
    """Hits and misses of one cache; safe under threads."""

    def __init__(self, name: str = "cache") -> None:
        self.name = name
        self.hits = 0
        self.misses = 0
        self._lock = threading.Lock()

    def hit(self) -> None:
        with self._lock:
            self.hits += 1

    def miss(self) -> None:
        with self._lock:
            self.misses += 1

    @property
    def hit_rate(self) -> float | None:
        """None before the first look-up."""
        lookups = self.hits + self.misses
        return self.hits / lookups if lookups else None

    def report(self) -> dict[str, Any]:
        """Log and return hits, misses and the hit rate."""
        rate = self.hit_rate
        numbers = {
            "hits": self.hits, "misses": self.misses, "hit_rate": None if rate is None else round(rate, 3),
        }  # fmt: skip
        log.info("cache statistics", cache=self.name, **numbers)
        return numbers


# For a cache that has no statistics of its own.
cache_stats = CacheStatistics()


def _around(function: Callable[P, Result], measure: Callable[[str], Any]) -> Callable[P, Result]:
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def measured(*args: P.args, **kwargs: P.kwargs) -> Any:
            with measure(function.__qualname__):
                return await function(*args, **kwargs)

        return measured  # type: ignore[return-value]

    @wraps(function)
    def measured_call(*args: P.args, **kwargs: P.kwargs) -> Result:
        with measure(function.__qualname__):
            return function(*args, **kwargs)

    return measured_call


def _megabytes(use: MemoryUse) -> dict[str, float]:
    shown = {"before_mb": use.before, "after_mb": use.after, "delta_mb": use.delta}
    if use.peak is not None:
        shown["peak_mb"] = use.peak
    return {name: round(size / MEGABYTE, 1) for name, size in shown.items()}

"""Durations by name, in histograms, and what each business used; adding one takes less than a microsecond."""

from __future__ import annotations

import threading
from bisect import bisect_left
from typing import Any

# Upper bounds in seconds; among them every threshold that is watched: 0.1 an answer, 0.2 and 1 a query.
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)
SHORT = BOUNDS[0]


class Series:
    """One histogram: how many fell into each bucket (the last is above all bounds), their sum, the longest."""

    __slots__ = ("counts", "longest", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0
        self.longest = 0.0


class Sums:
    """The use by one business since the process started. `sent`: bytes of bodies."""

    __slots__ = ("requests", "seconds", "sent")

    def __init__(self) -> None:
        self.requests = 0
        self.seconds = 0.0
        self.sent = 0


class Durations:
    """Series by name and kind; exact under threads.

    Bounded because both come from our code, never from a client.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._series: dict[tuple[str, str], Series] = {}

    def series(self, name: str, kind: str = "") -> Series:
        """The series of a name, to be given to `add`."""
        found = self._series.get((name, kind))
        if found is None:
            with self.lock:
                found = self._series.setdefault((name, kind), Series())
        return found

    def add(self, series: Series, seconds: float, sums: Sums | None = None, sent: int = 0) -> None:
        """Count one more, also for a business. Written out for the shortest, which are cached answers."""
        with self.lock:
            if sums is not None:
                sums.requests += 1
                sums.seconds += seconds
                sums.sent += sent
            series.seconds += seconds
            if seconds <= SHORT:
                series.counts[0] += 1
            else:
                series.counts[bisect_left(BOUNDS, seconds)] += 1
            if seconds > series.longest:
                series.longest = seconds

    def counts(self) -> dict[str, int]:
        """The number of each kind, over all names."""
        total: dict[str, int] = {}
        with self.lock:
            for (_, kind), series in self._series.items():
                total[kind] = total.get(kind, 0) + sum(series.counts)
        return total

    def report(self) -> list[dict[str, Any]]:
        """Every series for others to read; buckets behind the last that was hit are left out."""
        with self.lock:
            return [
                {
                    "name": name,
                    "kind": kind,
                    "seconds": round(series.seconds, 6),
                    "longest": round(series.longest, 6),
                    "counts": series.counts[: last_hit(series.counts)],
                }
                for (name, kind), series in sorted(self._series.items())
                if any(series.counts)
            ]


def last_hit(counts: list[int]) -> int:
    """Return the number of buckets up to the last that is not empty."""
    return max(number for number, count in enumerate(counts, 1) if count)

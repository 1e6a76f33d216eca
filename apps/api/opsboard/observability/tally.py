"""Counts and durations of the requests answered by this process."""

from __future__ import annotations

import resource
import threading
import time
from typing import Any

import psutil

from opsboard.observability import events
from opsboard.observability.durations import Durations, Series, Sums
from opsboard.observability.faults import seconds_since
from opsboard.observability.usage import Usage

CLASSES = ("2xx", "3xx", "4xx", "5xx")


class Tally:
    """Answers by endpoint (the name of the view) and class of status; exact under threads."""

    def __init__(self) -> None:
        self.durations = Durations()
        self.usage = Usage(self.durations)
        # For who asks often: the series once, then only this.
        self.add = self.durations.add

    def series(self, endpoint: str, status: int) -> Series:
        return self.durations.series(endpoint or "unknown", CLASSES[status // 100 - 2])

    def answered(
        self, endpoint: str, status: int, seconds: float, sums: Sums | None = None, sent: int = 0
    ) -> None:
        self.add(self.series(endpoint, status), seconds, sums, sent)

    def counts(self) -> dict[str, int]:
        """{requests, errors, 2xx, 3xx, 4xx, 5xx}; errors are the 5xx."""
        by_class = dict.fromkeys(CLASSES, 0) | self.durations.counts()
        return {"requests": sum(by_class.values()), "errors": by_class["5xx"], **by_class}


def memory_bytes() -> int:
    """Resident memory of this process now, from /proc; its peak where there is no /proc."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def disk_free() -> float:
    """The share of the root file system that is free."""
    disk = psutil.disk_usage("/")
    return round(disk.free / disk.total, 4)


def process_report(tally: Tally, queries: Durations) -> dict[str, Any]:
    """Return the state of this process shown to the other workers."""
    return {
        "answers": tally.counts(),
        "memory_bytes": memory_bytes(),
        "cpu_seconds": round(time.process_time(), 3),
        "threads": threading.active_count(),
        "requests": tally.durations.report(),
        "queries": queries.report(),
        "disk_full_seconds_ago": seconds_since("disk_full"),
        "disk_free": disk_free(),
        "events": events.counts(),
    }

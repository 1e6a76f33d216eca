"""How many requests this process answered, and how: counters that cost next to nothing."""

from __future__ import annotations

import resource
import threading
from typing import Any


class Tally:
    """Counts of answers by class of status; exact under threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_hundred = dict.fromkeys((2, 3, 4, 5), 0)

    def answered(self, status: int) -> None:
        with self._lock:
            self._by_hundred[status // 100] += 1

    def counts(self) -> dict[str, int]:
        """{requests, errors, 2xx, 3xx, 4xx, 5xx}; errors are the 5xx."""
        with self._lock:
            by_class = {f"{hundred}xx": count for hundred, count in self._by_hundred.items()}
        return {"requests": sum(by_class.values()), "errors": by_class["5xx"], **by_class}


def memory_bytes() -> int:
    """Resident memory of this process now, from /proc; its peak where there is no /proc."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def process_report(tally: Tally) -> dict[str, Any]:
    """What the others may know of this process."""
    return {"answers": tally.counts(), "memory_bytes": memory_bytes()}

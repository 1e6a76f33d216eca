"""Requests of each business in this process, with their time and the bytes that were sent."""

from __future__ import annotations

import threading
from typing import NamedTuple


class Sums:
    """What one business has used since the process started."""

    __slots__ = ("requests", "seconds", "sent")

    def __init__(self, requests: int = 0, seconds: float = 0.0, sent: int = 0) -> None:
        self.requests, self.seconds, self.sent = requests, seconds, sent


class Used(NamedTuple):
    """What a business has used in some time. `sent`: bytes of bodies."""

    business: int
    requests: int
    seconds: float
    sent: int


class Usage:
    """Sums by business; exact under threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: dict[int, Sums] = {}
        self._taken: dict[int, Sums] = {}

    def of(self, business: int) -> Sums:
        """The sums of a business, to be given to `add`."""
        found = self._sums.get(business)
        if found is None:
            with self._lock:
                found = self._sums.setdefault(business, Sums())
        return found

    def add(self, sums: Sums, seconds: float, sent: int, requests: int = 1) -> None:
        """Count one more request, or with `requests=0` the rest of one that is counted."""
        with self._lock:
            sums.requests += requests
            sums.seconds += seconds
            sums.sent += sent

    def untaken(self) -> list[Used]:
        """Everything used since what was last taken, by business."""
        found = []
        with self._lock:
            for business, sums in sorted(self._sums.items()):
                taken = self._taken.get(business, Sums())
                if sums.requests > taken.requests or sums.sent > taken.sent:
                    found.append(
                        Used(
                            business,
                            sums.requests - taken.requests,
                            sums.seconds - taken.seconds,
                            sums.sent - taken.sent,
                        )
                    )
        return found

    def take(self, used: list[Used]) -> None:
        """Note that these are stored elsewhere."""
        with self._lock:
            for business, requests, seconds, sent in used:
                taken = self._taken.setdefault(business, Sums())
                taken.requests += requests
                taken.seconds += seconds
                taken.sent += sent

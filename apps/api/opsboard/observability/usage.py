"""Requests of each business in this process, with their time and the bytes that were sent."""

from __future__ import annotations

from typing import NamedTuple

from opsboard.observability.durations import Durations, Sums


class Used(NamedTuple):
    """The use by a business in some time. `sent`: bytes of bodies."""

    business: int
    requests: int
    seconds: float
    sent: int


class Usage:
    """Sums by business, which `Durations.add` counts; exact under threads by the same lock."""

    def __init__(self, durations: Durations) -> None:
        self._lock = durations.lock
        self._sums: dict[int, Sums] = {}
        self._taken: dict[int, Sums] = {}

    def of(self, business: int) -> Sums:
        """The sums of a business, to be given to `Durations.add`."""
        found = self._sums.get(business)
        if found is None:
            with self._lock:
                found = self._sums.setdefault(business, Sums())
        return found

    def add_rest(self, sums: Sums, seconds: float, sent: int) -> None:
        """Add the rest of a request that is counted: its body was streamed."""
        with self._lock:
            sums.seconds += seconds
            sums.sent += sent

    def untaken(self) -> list[Used]:
        """Everything used since what was last taken, by business."""
        found = []
        with self._lock:
            for business, sums in sorted(self._sums.items()):
                taken = self._taken.get(business, Sums())
                if sums.requests > taken.requests or sums.sent > taken.sent:
                    seconds, sent = sums.seconds - taken.seconds, sums.sent - taken.sent
                    found.append(Used(business, sums.requests - taken.requests, seconds, sent))
        return found

    def take(self, used: list[Used]) -> None:
        """Note that these are stored elsewhere."""
        with self._lock:
            for business, requests, seconds, sent in used:
                taken = self._taken.setdefault(business, Sums())
                taken.requests += requests
                taken.seconds += seconds
                taken.sent += sent

"""What happened in the store, counted per endpoint."""

from __future__ import annotations

from collections import Counter, defaultdict
from enum import StrEnum


class Event(StrEnum):
    """Everything that is counted; the value is the name in the statistics."""

    HIT = "hits"
    MISS = "misses"
    LOAD = "loads"
    SHARED = "shared"
    STALE = "stale"
    FAILURE = "failures"
    TOO_LARGE = "too_large"
    EVICTED_BY_ENTRIES = "evicted_by_entries"
    EVICTED_BY_BYTES = "evicted_by_bytes"
    EXPIRED = "expirations"
    INVALIDATED = "invalidations"
    CLEARED = "cleared"


Counts = defaultdict[str, Counter[Event]]
"""Endpoint -> event -> number; bounded because endpoint names come from our code, never from a client."""


def new_counts() -> Counts:
    """Counts that stand at zero for every endpoint."""
    return defaultdict(Counter)

"""Events of the store, counted per endpoint."""

from __future__ import annotations

from collections import Counter, defaultdict
from enum import StrEnum


class CacheEvent(StrEnum):
    """The events counted; the value is the name in the statistics."""

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


Counts = defaultdict[str, Counter[CacheEvent]]
"""Endpoint -> event -> number. Bounded: endpoint names come from our code, never from a client."""


def new_counts() -> Counts:
    """Return counts that are zero for every endpoint."""
    return defaultdict(Counter)

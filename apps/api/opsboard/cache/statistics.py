"""The numbers of `/api/health/cache`, computed from a snapshot outside the store's lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opsboard.cache.counts import CacheEvent
from opsboard.cache.entries import Entry


def statistics(
    entries: Sequence[Entry],
    counts: Mapping[str, Counter[CacheEvent]],
    is_active: Callable[[Entry], bool],
    max_entries: int,
    max_bytes: int,
) -> dict[str, Any]:
    """Return sizes of the entries and sums of the counts; `expired`: cached but no longer served."""
    total: Counter[CacheEvent] = Counter()
    for counter in counts.values():
        total.update(counter)
    active = sum(map(is_active, entries))
    looked_up = total[CacheEvent.HIT] + total[CacheEvent.MISS]
    return {
        "total_entries": len(entries),
        "active_entries": active,
        "expired_entries": len(entries) - active,
        "max_entries": max_entries,
        "bytes": sum(entry.size for entry in entries),
        "max_bytes": max_bytes,
        "hit_rate": total[CacheEvent.HIT] / looked_up if looked_up else None,
        "evictions": total[CacheEvent.EVICTED_BY_ENTRIES] + total[CacheEvent.EVICTED_BY_BYTES],
        **{event.value: total[event] for event in CacheEvent},
        "endpoints": _per_endpoint(entries, counts, is_active),
    }


def _per_endpoint(
    entries: Sequence[Entry], counts: Mapping[str, Counter[CacheEvent]], is_active: Callable[[Entry], bool]
) -> dict[str, Any]:
    kept = Counter(entry.key.endpoint for entry in entries)
    active = Counter(entry.key.endpoint for entry in entries if is_active(entry))
    size: Counter[str] = Counter()
    for entry in entries:
        size[entry.key.endpoint] += entry.size
    return {
        endpoint: {
            "entries": kept[endpoint],
            "active": active[endpoint],
            "bytes": size[endpoint],
            "hits": counts[endpoint][CacheEvent.HIT],
            "misses": counts[endpoint][CacheEvent.MISS],
        }
        for endpoint in sorted(counts)
    }

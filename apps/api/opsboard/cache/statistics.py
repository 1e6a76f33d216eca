"""The numbers of `/api/health/cache`, worked out from a snapshot so that nobody waits for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opsboard.cache.counts import Event
from opsboard.cache.entries import Entry


def statistics(
    entries: Sequence[Entry],
    counts: Mapping[str, Counter[Event]],
    is_active: Callable[[Entry], bool],
    max_entries: int,
    max_bytes: int,
) -> dict[str, Any]:
    """Sizes of the entries and sums of the counts; `expired` are those kept but no longer served."""
    total: Counter[Event] = Counter()
    for counter in counts.values():
        total.update(counter)
    active = sum(map(is_active, entries))
    looked_up = total[Event.HIT] + total[Event.MISS]
    return {
        "total_entries": len(entries),
        "active_entries": active,
        "expired_entries": len(entries) - active,
        "max_entries": max_entries,
        "bytes": sum(entry.size for entry in entries),
        "max_bytes": max_bytes,
        "hit_rate": total[Event.HIT] / looked_up if looked_up else None,
        "evictions": total[Event.EVICTED_BY_ENTRIES] + total[Event.EVICTED_BY_BYTES],
        **{event.value: total[event] for event in Event},
        "endpoints": _per_endpoint(entries, counts, is_active),
    }


def _per_endpoint(
    entries: Sequence[Entry], counts: Mapping[str, Counter[Event]], is_active: Callable[[Entry], bool]
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
            "hits": counts[endpoint][Event.HIT],
            "misses": counts[endpoint][Event.MISS],
        }
        for endpoint in sorted(counts)
    }

"""Statistics of the store."""

from __future__ import annotations

import pytest

from opsboard.cache import Body, Key, Store
from tests.cache.stage import Clock

JOBS = frozenset({"jobs"})
KEY = Key(1, "admin", None, "dashboard.stats")


def key(number: int) -> Key:
    return Key(1, "admin", None, "jobs.list_jobs", (("page", str(number)),))


def load(store: Store, key: Key, ttl: float = 60.0) -> None:
    store.get_or_load(key, ttl, JOBS, lambda: Body(b"{}"))


def test_statistics_tell_active_entries_from_expired_ones(store: Store, clock: Clock):
    load(store, key(1), ttl=10)
    load(store, key(2), ttl=100)
    store.get_or_load(key(3), 100, frozenset({"machines"}), lambda: Body(b""))
    clock.advance(10)
    store.bump(1, {"machines"})

    stats = store.stats()

    assert (stats["total_entries"], stats["active_entries"], stats["expired_entries"]) == (3, 1, 2)
    assert len(store._entries) == 3, "looking changes nothing"


def test_statistics_count_per_endpoint_and_by_prefix(store: Store, clock: Clock):
    load(store, KEY)
    load(store, KEY)
    load(store, KEY)
    load(store, key(1))
    with pytest.raises(ZeroDivisionError):
        store.get_or_load(key(2), 60, JOBS, lambda: Body(bytes(1 // 0)))

    everything, dashboard, nothing = store.stats(), store.stats("get_dashboard"), store.stats("x")

    assert (everything["hits"], everything["misses"], everything["hit_rate"]) == (2, 3, 0.4)
    assert (everything["loads"], everything["failures"], everything["total_entries"]) == (3, 1, 2)
    assert list(everything["endpoints"]) == ["dashboard.stats", "jobs.list_jobs"]
    assert (dashboard["hits"], dashboard["misses"], dashboard["total_entries"]) == (2, 1, 1)
    assert dashboard["endpoints"] == {
        "dashboard.stats": {"entries": 1, "active": 1, "bytes": dashboard["bytes"], "hits": 2, "misses": 1}
    }
    assert (nothing["total_entries"], nothing["hit_rate"], nothing["endpoints"]) == (0, None, {})
    assert (everything["max_entries"], everything["max_bytes"]) == (100, 1_000_000)


def test_the_reason_an_entry_left_is_counted(store: Store, clock: Clock):
    load(store, KEY, ttl=10)
    clock.advance(10)
    load(store, KEY, ttl=10)
    store.bump(1, JOBS)
    load(store, KEY, ttl=10)

    stats = store.stats()

    assert (stats["expirations"], stats["invalidations"], stats["cleared"], stats["evictions"]) == (
        1,
        1,
        0,
        0,
    )

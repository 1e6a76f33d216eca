"""Contents of the store: TTL, limits and eviction."""

from __future__ import annotations

from hashlib import shake_128

import pytest

from opsboard.cache import Body, Key, Outcome, Store
from opsboard.cache.entries import LARGEST_SHARE, SWEEP
from opsboard.cache.entries import OVERHEAD as ENTRY_OVERHEAD
from tests.cache.stage import Clock

JOBS = frozenset({"jobs"})
KEY = Key(1, "admin", None, "dashboard.stats")


def key(number: int, endpoint: str = "jobs.list_jobs", tenant_id: int = 1) -> Key:
    return Key(tenant_id, "admin", None, endpoint, (("page", str(number)),))


def load(store: Store, key: Key, content: bytes = b"{}", ttl: float = 60.0) -> Outcome:
    return store.get_or_load(key, ttl, JOBS, lambda: Body(content)).outcome


def account(store: Store) -> tuple[int, int]:
    """Number and bytes of the entries, counted again from the entries themselves."""
    entries = store._entries.snapshot()
    return len(entries), sum(entry.size for entry in entries)


def assert_accounts_agree(store: Store) -> None:
    stats = store.stats()
    assert (stats["total_entries"], stats["bytes"]) == account(store)
    assert store._entries.bytes == stats["bytes"]
    assert stats["total_entries"] <= stats["max_entries"]
    assert stats["bytes"] <= stats["max_bytes"]


def test_a_kept_body_is_served_until_its_ttl_has_passed(store: Store, clock: Clock):
    assert load(store, KEY, b"old") is Outcome.MISS
    clock.advance(59.9)
    assert load(store, KEY) is Outcome.HIT
    clock.advance(0.1)

    found = store.get_or_load(KEY, 60, JOBS, lambda: Body(b"new"))

    assert (found.outcome, found.body.identity) == (Outcome.MISS, b"new")


def test_ttl_and_age_count_from_the_beginning_of_the_load(store: Store, clock: Clock):
    def slow() -> Body:
        clock.advance(20)
        return Body(b"slow")

    assert store.get_or_load(KEY, 30, JOBS, slow).age == 20
    clock.advance(9)
    assert store.get_or_load(KEY, 30, JOBS, slow)[1:3] == (Outcome.HIT, 29)
    clock.advance(1)
    assert store.peek(KEY) is None


@pytest.mark.parametrize("ttl", [0, -1])
def test_a_ttl_of_nothing_keeps_nothing(store: Store, ttl: float):
    assert load(store, KEY, ttl=ttl) is Outcome.MISS
    assert load(store, KEY, ttl=ttl) is Outcome.MISS
    assert account(store) == (0, 0)


def test_a_change_ends_the_validity_of_that_tenants_answers_from_that_table(store: Store):
    neighbour = KEY._replace(tenant_id=2)
    load(store, KEY)
    load(store, neighbour)

    store.bump(1, {"machines"})
    assert store.peek(KEY) is not None
    store.bump(1, {"jobs", "machines"})

    assert store.peek(KEY) is None
    assert store.peek(neighbour) is not None


def test_peek_never_loads_and_counts_hits_only(store: Store, clock: Clock):
    assert store.peek(KEY) is None
    load(store, KEY, b"body")
    clock.advance(5)

    found = store.peek(KEY)

    assert found is not None
    assert (found.body.identity, found.outcome, found.age) == (b"body", Outcome.HIT, 5)
    assert (store.stats()["hits"], store.stats()["misses"]) == (1, 1)


def test_the_least_recently_used_goes_first(clock: Clock):
    store = Store(3, 10**6, clock)
    for number in (1, 2, 3):
        load(store, key(number))
    load(store, key(1))
    store.peek(key(2))

    load(store, key(4))

    assert store.peek(key(3)) is None
    assert all(store.peek(key(number)) for number in (1, 2, 4))
    stats = store.stats()
    assert (stats["evictions"], stats["evicted_by_entries"], stats["evicted_by_bytes"]) == (1, 1, 0)


def test_bytes_are_bounded_too(clock: Clock):
    store = Store(1000, 100_000, clock)
    for number in range(50):
        load(store, key(number), f"{number:09000}".encode())
        assert_accounts_agree(store)

    assert store.peek(key(49)) is not None
    assert store.peek(key(0)) is None
    stats = store.stats()
    assert stats["evicted_by_bytes"] == 50 - stats["total_entries"]
    assert stats["evicted_by_entries"] == 0


def test_a_giant_is_served_but_not_kept_and_pushes_nothing_out(clock: Clock):
    store = Store(1000, 80_000, clock)
    load(store, KEY)
    largest = 80_000 // LARGEST_SHARE - ENTRY_OVERHEAD - Body(b"").size - key(1).size

    found = store.get_or_load(key(2), 60, JOBS, lambda: Body(incompressible(largest + 1)))

    assert len(found.body.identity) == largest + 1
    assert store.peek(key(2)) is None
    assert store.peek(KEY) is not None
    assert store.stats()["too_large"] == 1
    store.get_or_load(key(3), 60, JOBS, lambda: Body(incompressible(largest)))
    assert store.peek(key(3)) is not None


def incompressible(length: int) -> bytes:
    return shake_128(b"seed").digest(length)


def test_a_store_of_nothing_serves_and_keeps_nothing(clock: Clock):
    for store in (Store(0, 10**6, clock), Store(100, 0, clock)):
        assert load(store, KEY) is Outcome.MISS
        assert load(store, KEY) is Outcome.MISS
        assert account(store) == (0, 0)


def test_expired_entries_go_as_others_are_written(clock: Clock):
    store = Store(10_000, 10**8, clock)
    for number in range(800):
        load(store, key(number), ttl=10)
    load(store, KEY, ttl=1000)
    clock.advance(11)

    for number in range(800 // SWEEP):
        load(store, key(number, "jobs.get_job"), ttl=1000)

    assert len(store._entries) == 1 + 800 // SWEEP
    assert store.stats()["expirations"] == 800
    assert store.stats()["evictions"] == 0
    assert store.peek(KEY) is not None
    assert_accounts_agree(store)


def test_an_entry_kept_anew_outlives_its_first_time(clock: Clock):
    store = Store(100, 10**6, clock)
    load(store, KEY, b"first", ttl=10)
    store.bump(1, JOBS)
    load(store, KEY, b"second", ttl=100)
    clock.advance(50)
    load(store, key(1))

    assert store.peek(KEY) is not None
    assert store.stats()["expirations"] == 0


def test_what_left_is_not_remembered_for_long(clock: Clock):
    store = Store(10, 10**6, clock)
    for number in range(5_000):
        load(store, key(number), ttl=3600)
        assert len(store._entries._by_expiry) <= 3 * 10 + SWEEP
        if number % 100 == 0:
            store.clear()


def test_clear_says_how_many_it_dropped(store: Store):
    for number in range(5):
        load(store, key(number))
        load(store, key(number, tenant_id=2))
    load(store, KEY)

    assert store.clear("get_dashboard_stats") == 1
    assert store.clear("get_dashboard_stats") == 0
    assert store.clear("jobs", tenant_id=2) == 5
    assert store.clear("machines") == 0
    assert store.clear(tenant_id=3) == 0
    assert store.clear() == 5
    assert account(store) == (0, 0)
    assert store.stats()["cleared"] == 11
    assert_accounts_agree(store)


def test_no_lock_is_held_while_a_body_is_loaded(store: Store):
    def curious() -> Body:
        load(store, key(1))
        store.peek(key(1))
        store.bump(2, JOBS)
        store.clear("machines")
        store.stats()
        return Body(b"loaded")

    assert store.get_or_load(KEY, 60, JOBS, curious).body.identity == b"loaded"

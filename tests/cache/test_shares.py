"""Pages of lists have half of the cache, and each user a sixteenth of that, whatever is asked for."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsboard.cache.body import Body
from opsboard.cache.counts import CacheEvent, new_counts
from opsboard.cache.entries import Entries, Entry
from opsboard.cache.key import Key
from opsboard.cache.shares import LISTS_FRACTION, USER_FRACTION

MAX_ENTRIES, MAX_BYTES = 640, 4 << 20


def page(user: int, number: int, body: Body) -> Entry:
    arguments = (("q", repr(f"search {number}")), ("page", "1"))
    key = Key(1 + user % 2, "admin", user, "customers.list_customers", arguments, of_list=True)
    return Entry(key, body, frozenset(), 0, 0.0, 1e9)


def dashboard(user: int) -> Entry:
    return Entry(Key(1, "admin", user, "dashboard.stats"), Body(b"{}"), frozenset(), 0, 0.0, 1e9)


def fill(pages: int, users: int, body: Body) -> Entries:
    """A cache with a dashboard of 100 users, then asked for so many pages, each once."""
    entries = Entries(MAX_ENTRIES, MAX_BYTES, new_counts())
    for user in range(100):
        entries.put(dashboard(user), 0.0)
    for number in range(pages):
        entries.put(page(number % users, number, body), 0.0)
        assert entries.bytes <= MAX_BYTES and len(entries) <= MAX_ENTRIES
    return entries


def lists_of(entries: Entries) -> Counter[int | None]:
    return Counter(entry.key.user_id for entry in entries.snapshot() if entry.key.of_list)


def check_one_user(pages: int) -> None:
    entries = fill(pages, 1, Body(b"x" * 400))
    assert lists_of(entries) == {0: MAX_ENTRIES // LISTS_FRACTION // USER_FRACTION}
    assert entries.get(page(0, pages - 1, Body(b"")).key) is not None, "the newest is there"
    assert sum(not entry.key.of_list for entry in entries.snapshot()) == 100


def test_one_user_has_one_share_however_much_is_asked() -> None:
    check_one_user(5_000)


@pytest.mark.slow
def test_a_million_distinct_filters_of_one_user_stay_one_share() -> None:
    check_one_user(1_000_000)


def test_many_users_share_half_of_the_cache_evenly() -> None:
    entries = fill(6_000, 60, Body(b"x" * 400))
    shares = lists_of(entries)
    assert sum(shares.values()) == MAX_ENTRIES // LISTS_FRACTION
    assert max(shares.values()) - min(shares.values()) <= 1
    assert sum(not entry.key.of_list for entry in entries.snapshot()) == 100


def test_large_pages_are_bounded_in_bytes() -> None:
    body = Body(bytes(range(256)) * 80)  # 20 kB
    one = fill(200, 1, body)
    assert (
        sum(entry.size for entry in one.snapshot() if entry.key.of_list)
        <= MAX_BYTES // LISTS_FRACTION // USER_FRACTION
    )
    assert 1 <= lists_of(one)[0] < 20
    many = fill(600, 60, body)
    assert sum(entry.size for entry in many.snapshot() if entry.key.of_list) <= MAX_BYTES // LISTS_FRACTION
    assert sum(not entry.key.of_list for entry in many.snapshot()) == 100


def test_a_page_above_a_users_share_is_not_kept() -> None:
    counts = new_counts()
    entries = Entries(MAX_ENTRIES, MAX_BYTES, counts)
    entries.put(page(1, 1, Body(bytes(range(256)) * 600)), 0.0)
    assert len(entries) == 0
    assert counts["customers.list_customers"][CacheEvent.TOO_LARGE] == 1


@settings(max_examples=60, deadline=None, database=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["put", "put", "put", "drop", "again"]), st.integers(0, 5), st.integers(0, 30)
        ),
        max_size=150,
    )
)
def test_the_books_are_right_after_any_history(steps: list[tuple[str, int, int]]) -> None:
    entries = Entries(40, 60_000, new_counts())
    for step, user, number in steps:
        entry = page(user, number, Body(b"y" * (200 + 30 * number)))
        kept = entries.get(entry.key)
        if step == "drop" and kept:
            entries.drop(kept, CacheEvent.CLEARED)
        elif step != "drop":
            entries.put(entry, 0.0)
        lists = entries._lists
        assert lists.entries == len(entries) <= lists.max_entries == 20
        assert lists.bytes == entries.bytes == sum(entry.size for entry in entries.snapshot())
        assert lists.bytes <= lists.max_bytes
        assert max(lists_of(entries).values(), default=0) <= lists.user_entries

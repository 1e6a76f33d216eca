"""The shelf by itself: what its account says after every kind of write."""

from __future__ import annotations

from opsboard.cache import Body, Key
from opsboard.cache.counts import new_counts
from opsboard.cache.entries import Entries, Entry

KEY = Key(1, "admin", None, "dashboard.stats")


def entry(key: Key, content: bytes = b"", expires: float = 60.0) -> Entry:
    return Entry(key, Body(content), frozenset(), 0, 0.0, expires)


def test_an_entry_in_the_place_of_another_is_accounted_once():
    entries = Entries(10, 10**6, new_counts())
    entries.put(entry(KEY, b"x" * 400), 0.0)
    entries.put(entry(KEY, b"x"), 0.0)

    assert entries.bytes == entry(KEY, b"x").size
    assert len(entries) == 1


def test_entries_of_one_moment_are_kept_whatever_their_keys():
    entries = Entries(10, 10**6, new_counts())
    for user_id, locale in ((None, None), (5, None), (None, "de"), (5, "de")):
        entries.put(entry(KEY._replace(user_id=user_id, locale=locale)), 0.0)

    assert len(entries) == 4


def test_long_arguments_are_accounted():
    long = KEY._replace(arguments=(("search", "x" * 1000),))

    assert entry(long).size >= entry(KEY).size + 1000


def test_looking_without_touching_does_not_save_an_entry():
    entries = Entries(2, 10**6, new_counts())
    first, second, third = (entry(KEY._replace(user_id=user_id)) for user_id in (1, 2, 3))
    entries.put(first, 0.0)
    entries.put(second, 0.0)
    entries.get(first.key)
    entries.snapshot()
    entries.put(third, 0.0)

    assert entries.get(first.key) is None
    assert entries.get(second.key) is second

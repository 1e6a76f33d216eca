"""Limits of the cache for pages of lists: their fraction of it, and the fraction of that per user."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from opsboard.cache.counts import CacheEvent
from opsboard.cache.key import Key

# Pages of lists may use half of the entries and bytes; the other half belongs to the dashboards.
LISTS_FRACTION = 2
# One user may use this fraction of that half, so it takes this many users to fill it.
USER_FRACTION = 16

User = tuple[int, int | None]


class Surplus(NamedTuple):
    """An entry to evict, and the reason."""

    key: Key
    reason: CacheEvent


class Share:
    """The pages of one user: keys, the oldest first, and their bytes."""

    __slots__ = ("bytes", "keys")

    def __init__(self) -> None:
        self.keys: OrderedDict[Key, None] = OrderedDict()
        self.bytes = 0


class Shares:
    """The pages of lists by user, bounded in number and bytes, each user and all together.

    Filters have any number of values, so a user can request any number of pages. Beyond a user's share, that user's
    oldest pages are evicted. Beyond the share of all, users lose their oldest page in turn.
    """

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self.max_entries = max(1, max_entries // LISTS_FRACTION)
        self.max_bytes = max_bytes // LISTS_FRACTION
        self.user_entries = max(1, self.max_entries // USER_FRACTION)
        self.user_bytes = self.max_bytes // USER_FRACTION
        self.entries = 0
        self.bytes = 0
        self._users: OrderedDict[User, Share] = OrderedDict()

    def replace(self, key: Key, old: int | None, new: int) -> None:
        """Count an entry of `new` bytes; `old`: the bytes of the entry it replaces."""
        if old is not None:
            self.remove(key, old)
        share = self._users.setdefault(user_of(key), Share())
        share.keys[key] = None
        share.bytes += new
        self.entries += 1
        self.bytes += new

    def remove(self, key: Key, size: int) -> None:
        """Stop counting an entry that was removed."""
        share = self._users[user_of(key)]
        del share.keys[key]
        share.bytes -= size
        self.entries -= 1
        self.bytes -= size
        if not share.keys:
            del self._users[user_of(key)]

    def surplus(self, key: Key) -> Surplus | None:
        """Return the entry to evict after this key was added; None if all limits are kept."""
        share = self._users.get(user_of(key)) or Share()
        if len(share.keys) > self.user_entries:
            return Surplus(next(iter(share.keys)), CacheEvent.EVICTED_BY_ENTRIES)
        if share.bytes > self.user_bytes:
            return Surplus(next(iter(share.keys)), CacheEvent.EVICTED_BY_BYTES)
        if self.entries <= self.max_entries and self.bytes <= self.max_bytes:
            return None
        user, share = next(iter(self._users.items()))
        self._users.move_to_end(user)
        reason = (
            CacheEvent.EVICTED_BY_ENTRIES if self.entries > self.max_entries else CacheEvent.EVICTED_BY_BYTES
        )
        return Surplus(next(iter(share.keys)), reason)


def user_of(key: Key) -> User:
    return key.tenant_id, key.user_id

"""The part of the cache that pages of lists may have, and the part of that which one user may have."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from opsboard.cache.counts import Event
from opsboard.cache.key import Key

# All pages of lists have half of the entries and of the bytes; the dashboards keep the other half.
OF_ALL = 2
# One user has this part of them: it takes so many users to fill it.
OF_LISTS = 16

User = tuple[int, int | None]


class Surplus(NamedTuple):
    """An entry that has to go, and why."""

    key: Key
    reason: Event


class Share:
    """What one user has: keys, the oldest first, and their bytes."""

    __slots__ = ("bytes", "keys")

    def __init__(self) -> None:
        self.keys: OrderedDict[Key, None] = OrderedDict()
        self.bytes = 0


class Shares:
    """The pages of lists by user, bounded in number and bytes, each user and all together.

    Filters have any number of values, so a user can ask for any number of pages. Beyond a user's share those go that
    this user asked for the longest ago. Beyond the share of all, users lose their oldest page in turn.
    """

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self.max_entries = max(1, max_entries // OF_ALL)
        self.max_bytes = max_bytes // OF_ALL
        self.user_entries = max(1, self.max_entries // OF_LISTS)
        self.user_bytes = self.max_bytes // OF_LISTS
        self.entries = 0
        self.bytes = 0
        self._users: OrderedDict[User, Share] = OrderedDict()

    def replace(self, key: Key, old: int | None, new: int) -> None:
        """Take note of an entry of `new` bytes; `old`: those of the one that it takes the place of."""
        if old is not None:
            self.remove(key, old)
        share = self._users.setdefault(user_of(key), Share())
        share.keys[key] = None
        share.bytes += new
        self.entries += 1
        self.bytes += new

    def remove(self, key: Key, size: int) -> None:
        """Take note that an entry has gone."""
        share = self._users[user_of(key)]
        del share.keys[key]
        share.bytes -= size
        self.entries -= 1
        self.bytes -= size
        if not share.keys:
            del self._users[user_of(key)]

    def surplus(self, key: Key) -> Surplus | None:
        """The entry that has to go now that this key has come; None when all bounds are kept."""
        share = self._users.get(user_of(key)) or Share()
        if len(share.keys) > self.user_entries:
            return Surplus(next(iter(share.keys)), Event.EVICTED_BY_ENTRIES)
        if share.bytes > self.user_bytes:
            return Surplus(next(iter(share.keys)), Event.EVICTED_BY_BYTES)
        if self.entries <= self.max_entries and self.bytes <= self.max_bytes:
            return None
        user, share = next(iter(self._users.items()))
        self._users.move_to_end(user)
        reason = Event.EVICTED_BY_ENTRIES if self.entries > self.max_entries else Event.EVICTED_BY_BYTES
        return Surplus(next(iter(share.keys)), reason)


def user_of(key: Key) -> User:
    return key.tenant_id, key.user_id

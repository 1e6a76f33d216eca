"""The last change of each table of each tenant, in the order this process learned of them."""

from __future__ import annotations

from collections.abc import Set as AbstractSet


class Versions:
    """A change count, and for each (tenant, table) the count at its last change.

    A load needs one number: the count when it began. Its body is valid while none of its tables changed after that,
    and its tables need not be known beforehand. Not thread-safe by itself: the store holds its lock.
    """

    def __init__(self, max_tracked: int = 32_768) -> None:
        self.now = 0
        self._max_tracked = max_tracked
        self._forgotten = 0
        self._changed: dict[tuple[int, str], int] = {}

    def __len__(self) -> int:
        return len(self._changed)

    def bump(self, tenant_id: int, tables: AbstractSet[str]) -> None:
        """Note that these tables changed: loads that began before this call are invalid."""
        self.now += 1
        for table in tables:
            # Removed first, so that the dict stays in the order of the changes.
            self._changed.pop((tenant_id, table), None)
            self._changed[tenant_id, table] = self.now
        while len(self._changed) > self._max_tracked:
            self._forget_oldest_half()

    def unchanged(self, tenant_id: int, tables: AbstractSet[str], since: int) -> bool:
        """Return True if none of the tables changed after the count was `since`."""
        changed, forgotten = self._changed, self._forgotten
        # A plain loop: this runs on every hit, and a generator takes twice as long.
        for table in tables:  # noqa: SIM110
            if changed.get((tenant_id, table), forgotten) > since:
                return False
        return True

    def copy(self) -> Versions:
        """Return a copy that can be read without the store's lock."""
        copy = Versions(self._max_tracked)
        copy.now, copy._forgotten, copy._changed = self.now, self._forgotten, self._changed.copy()
        return copy

    def _forget_oldest_half(self) -> None:
        # Every forgotten pair counts as changed at the newest forgotten change: some entries become invalid too early,
        # none too late.
        for pair in list(self._changed)[: len(self._changed) // 2]:
            self._forgotten = self._changed.pop(pair)

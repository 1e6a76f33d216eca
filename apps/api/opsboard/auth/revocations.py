"""This worker's memory of tokens that ended before they expired."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from cachetools import LRUCache

from opsboard.auth.identity import Identity
from opsboard.staleness import STALE_AFTER

PRUNE_EVERY = 60.0  # seconds


class Revocations:
    """The memory of revoked tokens; fed by the change feed, asked on every request."""

    def __init__(
        self, clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self.monotonic = monotonic
        self._tokens: dict[str, float] = {}  # token id -> when it expires by itself
        self._versions: dict[tuple[int, int], tuple[int, float]] = {}  # (tenant, user) -> (below, until)
        self._admitted: LRUCache[str, None] = LRUCache(10_000)
        self._lock = threading.Lock()
        # The number of revocations so far. While it stays, results of `is_revoked` stay valid until `fresh_until` (of
        # the monotonic clock), when this memory may become out of date.
        self.added = 0
        self.fresh_until = -math.inf
        self._pruned_at = monotonic()

    def add(
        self, tenant_id: int, user_id: int, token_id: str | None, below_version: int | None, until: float
    ) -> None:
        """Remember one revocation until `until` (seconds since 1970), when its tokens have expired anyway."""
        with self._lock:
            if token_id is not None:
                self._tokens[token_id] = until
            if below_version is not None:
                known, known_until = self._versions.get((tenant_id, user_id), (0, 0.0))
                self._versions[tenant_id, user_id] = (max(known, below_version), max(known_until, until))
            # Last: a caller that reads the new number before it asks must see this revocation.
            self.added += 1

    def is_revoked(self, identity: Identity) -> bool | None:
        """Return True if the token has ended, None if this memory may be out of date."""
        if identity.token_id in self._tokens:
            return True
        known = self._versions.get((identity.tenant_id, identity.user_id))
        if known is not None and identity.token_version < known[0]:
            return True
        return None if self.monotonic() > self.fresh_until else False

    def has_ended(self, token_id: str) -> bool:
        """True if this one token was revoked, as far as is known here."""
        return token_id in self._tokens

    @property
    def has_synced(self) -> bool:
        """True if this memory has ever been complete."""
        return self.fresh_until > -math.inf

    def record_admitted(self, identity: Identity) -> None:
        """Note that this token was valid while the database was reachable."""
        if identity.token_id not in self._admitted:
            with self._lock:
                self._admitted[identity.token_id] = None

    def was_admitted(self, identity: Identity) -> bool:
        return identity.token_id in self._admitted

    def mark_current(self, at: float | None = None) -> None:
        """Note that all revocations before `at` (of the monotonic clock; default: now) are known here."""
        read_at = self.monotonic() if at is None else at
        self.fresh_until = read_at + STALE_AFTER
        if read_at - self._pruned_at > PRUNE_EVERY:
            self._pruned_at = read_at
            self.forget_expired()

    def forget_expired(self) -> None:
        now = self.clock()
        with self._lock:
            self._tokens = {token: until for token, until in self._tokens.items() if until > now}
            self._versions = {user: entry for user, entry in self._versions.items() if entry[1] > now}

    def __len__(self) -> int:
        return len(self._tokens) + len(self._versions)

"""Tokens that ended before they expired, as this worker knows them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from cachetools import LRUCache

from opsboard.auth.identity import Identity

# A worker that has not heard from the database for this long asks it about each token instead.
DEAF_AFTER = 2.0  # seconds
PRUNE_EVERY = 60.0  # seconds


class Revocations:
    """The memory of revoked tokens; fed by the pulse, asked on every request."""

    def __init__(
        self, clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._tokens: dict[str, float] = {}  # token id -> when it expires by itself
        self._versions: dict[tuple[int, int], tuple[int, float]] = {}  # (tenant, user) -> (below, until)
        self._admitted: LRUCache[str, None] = LRUCache(10_000)
        self._lock = threading.Lock()
        # How many there have been: while that stays, `is_revoked` says what it said, until `deaf_from`, the moment
        # (of the monotonic clock) from which this memory may be out of date.
        self.added = 0
        self.deaf_from = -math.inf
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
            # Last, so that whoever reads the new number before asking is told of this one.
            self.added += 1

    def is_revoked(self, identity: Identity) -> bool | None:
        """Whether the token has ended; None when this memory may be out of date, so that it cannot tell."""
        if identity.token_id in self._tokens:
            return True
        known = self._versions.get((identity.tenant_id, identity.user_id))
        if known is not None and identity.token_version < known[0]:
            return True
        return None if self._monotonic() > self.deaf_from else False

    @property
    def has_heard(self) -> bool:
        """Whether this memory has ever been complete."""
        return self.deaf_from > -math.inf

    def admitted(self, identity: Identity) -> None:
        """This token was good while the database was heard."""
        if identity.token_id not in self._admitted:
            with self._lock:
                self._admitted[identity.token_id] = None

    def was_admitted(self, identity: Identity) -> bool:
        return identity.token_id in self._admitted

    def heard(self, at: float | None = None) -> None:
        """The database was read: what is known here is complete as of `at` (of the monotonic clock), or now."""
        heard_at = self._monotonic() if at is None else at
        self.deaf_from = heard_at + DEAF_AFTER
        if heard_at - self._pruned_at > PRUNE_EVERY:
            self._pruned_at = heard_at
            self.forget_expired()

    def forget_expired(self) -> None:
        now = self._clock()
        with self._lock:
            self._tokens = {token: until for token, until in self._tokens.items() if until > now}
            self._versions = {user: entry for user, entry in self._versions.items() if entry[1] > now}

    def __len__(self) -> int:
        return len(self._tokens) + len(self._versions)

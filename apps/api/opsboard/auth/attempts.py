"""Slow down guessing: failed sign-ins are counted per account and address."""

from __future__ import annotations

import unicodedata
from hashlib import blake2b

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

MINUTES = 5


class Attempts:
    """At most `limit` failed sign-ins per account and address in five minutes, counted by each worker.

    The address is part of the key: an attacker elsewhere cannot lock the real user out. Many addresses against
    one account meet a second limit ten times as high.
    """

    def __init__(self, limit: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._from_one = RateLimitItemPerMinute(limit, MINUTES)
        self._from_all = RateLimitItemPerMinute(limit * 10, MINUTES)

    def allowed(self, email: str, address: str) -> bool:
        account = digest(email)
        return self._limiter.test(self._from_one, account, address) and self._limiter.test(
            self._from_all, account
        )

    def failed(self, email: str, address: str) -> None:
        account = digest(email)
        self._limiter.hit(self._from_one, account, address)
        self._limiter.hit(self._from_all, account)


def digest(email: str) -> str:
    """A short stand-in for the address: nothing personal stays in memory."""
    return blake2b(
        unicodedata.normalize("NFKC", email).casefold().encode(errors="replace"), digest_size=12
    ).hexdigest()

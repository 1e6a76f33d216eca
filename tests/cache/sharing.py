"""Workers without a database: stores that share one Redis, and a database that only counts transactions."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager

import pytest

from opsboard.cache import Store, link, wire
from opsboard.cache.envelope import Envelope
from opsboard.cache.horizon import Horizon
from opsboard.cache.link import Link
from opsboard.cache.shared import SharedCache
from tests.cache.stage import Clock
from tests.redis_servers import PATIENCE

KEY_OF_SEALS = b"a key of the tests, 32 bytes long"


@contextmanager
def patient() -> Iterator[None]:
    """A machine with other work to do may take its time: only tests of time itself go by the real limits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "PATIENCE", 3.0)
        patch.setattr(link, "SLOW", 60.0)
        yield


def opened(each: Link) -> Link:
    """The link once it is up."""
    each.start()
    wait_until(lambda: each.reason is None, "the link is up")
    return each


def wait_until(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, f"{what}: not in time"
        time.sleep(0.005)


def shared_cache(each: Link, clock: Clock, namespace: str = "") -> SharedCache:
    return SharedCache(each, Envelope(KEY_OF_SEALS, namespace or uuid.uuid4().hex), Horizon(clock))


class Transactions:
    """A database in which one transaction runs at a time."""

    def __init__(self) -> None:
        self.last = 99

    def commit(self) -> int:
        self.last += 1
        return self.last

    @property
    def snapshot(self) -> str:
        return f"{self.last + 1}:{self.last + 1}:"


class FeedStore(Store):
    """A worker that hears of each change, and of each order to clear, in the moment it happens."""

    def __init__(self, shared: SharedCache, clock: Clock, transactions: Transactions | None = None) -> None:
        super().__init__(100, 1_000_000, clock, shared=shared)
        self.shared = shared
        self._time = clock
        self.transactions = transactions or Transactions()
        self.listen()
        shared.horizon.reset()

    def listen(self) -> None:
        now = self._time()
        self.shared.horizon.observe_server(now, "life", self.transactions.snapshot, now)

    def bump(self, tenant_id: int, tables: AbstractSet[str]) -> None:
        xid = self.transactions.commit()
        self.listen()
        self.apply_changes(tenant_id, dict.fromkeys(tables, xid))

    def clear(self, prefix: str | None = None, tenant_id: int | None = None) -> int:
        xid = self.transactions.commit()
        self.listen()
        # There are no orders for one tenant; for the second level it is one for everybody.
        self.shared.horizon.record_clear(None if tenant_id else prefix, xid)
        return super().clear(prefix, tenant_id)

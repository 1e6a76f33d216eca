"""The store under threads that show no mercy, and under more keys than it can hold."""

from __future__ import annotations

import json
import random
import sys
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator

import pytest

from opsboard.cache import Body, Key, Outcome, Store

THREADS = 32
TABLES = ("jobs", "machines", "users")


@pytest.fixture
def _restless() -> Iterator[None]:
    """Threads take turns every 10 microseconds, in the middle of everything."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def key(number: int) -> Key:
    return Key(number % 3, "admin", None, f"area{number % 5}.view", (("n", str(number)),))


class Crew:
    """Threads that use one store in every way until the time is up, and remember what went wrong."""

    def __init__(self, store: Store, seconds: float) -> None:
        self.store = store
        self.ends = time.monotonic() + seconds
        self.faults: list[BaseException | str] = []
        self.seen: Counter[str] = Counter()
        self._guard = threading.Lock()
        # The state of the database, and the slightly older state known to the store.
        self._committed = {(tenant, table): 0 for tenant in range(3) for table in TABLES}
        self._announced = dict(self._committed)

    def run(self) -> None:
        threads = [threading.Thread(target=self._work, args=(seed,), daemon=True) for seed in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0, self.ends - time.monotonic()) + 30)
            if thread.is_alive():
                self.faults.append("a thread hangs")

    def _work(self, seed: int) -> None:
        chance, seen = random.Random(seed), Counter[str]()
        try:
            while time.monotonic() < self.ends:
                self._act(chance, seen)
        except BaseException as fault:
            self.faults.append(fault)
        with self._guard:
            self.seen.update(seen)

    def _act(self, chance: random.Random, seen: Counter[str]) -> None:
        number = min(int(chance.paretovariate(0.4)), 400)
        action = chance.random()
        if action < 0.01:
            self._change(chance.randrange(3), chance.choice(TABLES))
        elif action < 0.012:
            seen["cleared"] += self.store.clear(chance.choice([None, "area1", "get_area2"]), number % 3)
        elif action < 0.014:
            stats = self.store.stats()
            assert stats["total_entries"] <= stats["max_entries"]
            assert stats["bytes"] <= stats["max_bytes"]
        elif action < 0.1:
            seen["hits"] += self.store.peek(key(number)) is not None
        else:
            self._ask(number, seen, fails=chance.random() < 0.02)

    def _change(self, tenant: int, table: str) -> None:
        with self._guard:
            self._committed[tenant, table] += 1
            self.store.bump(tenant, {table})
            self._announced[tenant, table] += 1

    def _ask(self, number: int, seen: Counter[str], fails: bool) -> None:
        wanted, tables = key(number), TABLES[: 1 + number % 3]
        announced = [self._announced[wanted.tenant_id, table] for table in tables]

        def load() -> Body:
            seen["loads"] += 1
            if fails:
                seen["failures"] += 1
                raise LookupError
            rows = [self._committed[wanted.tenant_id, table] for table in tables]
            return Body(
                json.dumps([number, rows, " " * (15_000 if number % 50 == 0 else 10)]).encode(),
                frozenset(tables),
            )

        try:
            found = self.store.get_or_load(wanted, 0.05, frozenset(tables), load, time.monotonic() + 20)
        except LookupError:
            seen["misses"] += 1
            return
        seen["hits" if found.outcome is Outcome.HIT else "misses"] += 1
        made_for, rows, _ = json.loads(found.body.identity)
        assert made_for == number, "another key's body"
        assert all(new >= old for new, old in zip(rows, announced, strict=True)), "a change is missing"


@pytest.mark.usefixtures("_restless")
@pytest.mark.parametrize("seconds", [2, pytest.param(60, marks=pytest.mark.slow)])
def test_32_threads_on_a_short_ttl_and_a_small_store_break_nothing(seconds: float):
    store = Store(100, 200_000)
    crew = Crew(store, seconds)
    crew.run()

    assert crew.faults == []
    stats = store.stats()
    assert {name: stats[name] for name in ("hits", "misses", "loads", "failures", "cleared")} == crew.seen
    assert all(stats[name] for name in ("shared", "expirations", "invalidations"))
    assert all(stats[name] for name in ("evicted_by_entries", "evicted_by_bytes"))
    assert sum(of["hits"] for of in stats["endpoints"].values()) == stats["hits"]
    entries = store._entries.snapshot()
    assert len(entries) == stats["total_entries"] <= 100
    assert sum(entry.size for entry in entries) == stats["bytes"] == store._entries.bytes <= 200_000
    assert store._flights == {}
    for number in range(401):
        store.get_or_load(key(number), 60, frozenset(), lambda: Body(b"still alive"))
        assert store.peek(key(number)) is not None


@pytest.mark.parametrize("keys", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_any_number_of_keys_fits_the_bounds(keys: int):
    store = Store(500, 700_000)
    for number in range(keys):
        store.get_or_load(key(number), 3600, frozenset({"jobs"}), lambda: Body(b"{}"))
        assert len(store._entries) <= 500
        assert store._entries.bytes <= 700_000
    stats = store.stats()

    assert stats["loads"] == keys
    assert stats["evictions"] == keys - stats["total_entries"]


@pytest.mark.parametrize("length", [2, 600, 20_000])
def test_the_account_is_not_less_than_the_memory_taken(length: int):
    store = Store(10_000, 10**9)
    content = random.Random(0).randbytes(length)
    tracemalloc.start()
    try:
        for number in range(2_000):
            body = Body(content[:-2] + b"%02d" % (number % 100), frozenset({"jobs", "machines"}))
            store.get_or_load(key(number), 3600, body.tables, lambda body=body: body)
        del body
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken <= store.stats()["bytes"] <= taken * 2

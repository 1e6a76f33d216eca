"""The store against a model: any interleaving of callers, changes, clears and time gives a right answer.

The model has a database: a number per tenant and table, raised by every change. A body says which
numbers it was made from. The promise checked at every answer: whatever changed before the caller came
is in the body it gets.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from opsboard.cache import Body, Key, Outcome, Store
from tests.cache.sharing import FeedStore, shared_cache
from tests.cache.stage import Caller, Clock, staged

TABLES = ("customers", "jobs")


@dataclass(frozen=True)
class Endpoint:
    name: str
    ttl: float
    declared: frozenset[str]
    reads: frozenset[str]


ENDPOINTS = {
    endpoint.name: endpoint
    for endpoint in (
        Endpoint("dashboard.stats", 30.0, frozenset({"jobs"}), frozenset({"jobs"})),
        Endpoint("jobs.list_jobs", 60.0, frozenset(TABLES), frozenset(TABLES)),
        Endpoint("customers.list_customers", 60.0, frozenset(), frozenset({"customers"})),
    )
}
PREFIXES = {None: "", "dashboard": "dashboard.", "get_jobs_list": "jobs.", "nothing": "nothing"}
TENANTS = st.sampled_from([1, 1, 1, 2])
# Few keys, so that callers meet: on one tenant all endpoints, on its neighbour one.
KEYS = st.sampled_from(
    [Key(1, "admin", None, name) for name in ENDPOINTS] + [Key(2, "admin", None, "dashboard.stats")]
)


@dataclass
class Made:
    """A load as the model sees it: what it read, and when it began."""

    key: Key
    rows: dict[str, int]
    at: float

    @property
    def endpoint(self) -> Endpoint:
        return ENDPOINTS[self.key.endpoint]

    def body(self) -> Body:
        told = {"tenant": self.key.tenant_id, "endpoint": self.key.endpoint, "rows": self.rows, "at": self.at}
        return Body(json.dumps(told).encode(), self.endpoint.reads)


class StoreMachine(RuleBasedStateMachine):
    """Callers, changes, clears and time in any order; loads land in any order, well or badly."""

    met: ClassVar[Counter[str]] = Counter()
    """Counts over all runs together: a state machine without events proves nothing."""
    make_store: ClassVar[Callable[[Clock], Store]]

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.store = self.make_store(self.clock)
        self.rows: defaultdict[tuple[int, str], int] = defaultdict(int)
        self.loads: dict[Caller, Made] = {}
        self.current: dict[Key, Caller] = {}
        self.kept: dict[Key, Made] = {}
        self.keys: dict[Caller, Key] = {}
        self.rows_at_call: dict[Caller, dict[str, int]] = {}
        self.exits = ExitStack()
        self.stage = self.exits.enter_context(staged(self.store))

    def teardown(self) -> None:
        self.exits.close()
        self.every_answer_knows_every_change_before_its_caller()
        stats = self.store.stats()
        peeks = stats["hits"] + stats["misses"] - len(self.stage.callers)
        assert 0 <= peeks <= stats["hits"]

    @rule(key=KEYS)
    def call(self, key: Key) -> None:
        endpoint = ENDPOINTS[key.endpoint]
        expected = "done" if self.is_valid(key) else "waiting" if self.is_joinable(key) else "loading"
        rows_at_call = self.rows_of(key)

        caller = self.stage.call(key, lambda: self.read(key), endpoint.ttl, endpoint.declared)

        self.keys[caller], self.rows_at_call[caller] = key, rows_at_call
        # A load whose reader has learned of undeclared tables is stricter about who may join.
        assert caller.state == expected or (expected == "waiting" and endpoint.declared != endpoint.reads)
        self.met["outdated" if expected == "loading" and key in self.kept else expected] += 1
        if expected == "done":
            assert caller.found is not None
            assert caller.found.outcome is Outcome.HIT
            assert caller.found.age == self.clock.now - self.kept[key].at

    @rule(key=KEYS)
    def peek(self, key: Key) -> None:
        found = self.store.peek(key)
        assert (found is not None) == self.is_valid(key)
        if found is not None:
            self.met["peek"] += 1
            assert found.body == self.kept[key].body()

    @precondition(lambda self: self.loads)
    @rule(data=st.data())
    def land_well(self, data: st.DataObject) -> None:
        self.land(data.draw(st.sampled_from(list(self.loads))), None)

    @precondition(lambda self: self.loads)
    @rule(data=st.data(), failure=st.sampled_from([ValueError, SystemExit]))
    def land_badly(self, data: st.DataObject, failure: type[BaseException]) -> None:
        self.land(data.draw(st.sampled_from(list(self.loads))), failure("no"))

    def land(self, caller: Caller, fate: BaseException | None) -> None:
        waiting = sum(other.state == "waiting" for other in self.stage.callers)
        made = self.loads.pop(caller)
        if self.current.get(made.key) is caller:
            del self.current[made.key]
            if fate is None and self.is_fresh(made, made.endpoint.reads):
                self.kept[made.key] = made

        self.stage.land(caller, fate)

        assert caller.state == "done"
        assert caller.error is fate
        freed = waiting - sum(other.state == "waiting" for other in self.stage.callers)
        self.met[f"{type(fate).__name__} frees"] += freed

    @rule(tenant=TENANTS, tables=st.sets(st.sampled_from(TABLES), min_size=1))
    def change(self, tenant: int, tables: set[str]) -> None:
        for table in tables:
            self.rows[tenant, table] += 1
        self.store.bump(tenant, tables)

    @rule(tenant=st.none() | TENANTS, prefix=st.sampled_from(list(PREFIXES)))
    def clear(self, tenant: int | None, prefix: str | None) -> None:
        def meant(key: Key) -> bool:
            return key.endpoint.startswith(PREFIXES[prefix]) and tenant in (None, key.tenant_id)

        dropped = self.store.clear(prefix, tenant)

        assert sum(self.is_valid(key) for key in self.kept if meant(key)) <= dropped
        assert dropped <= sum(map(meant, self.kept))
        self.kept = {key: made for key, made in self.kept.items() if not meant(key)}
        self.current = {key: caller for key, caller in self.current.items() if not meant(key)}

    @rule(seconds=st.sampled_from([1.0, 14.0]))
    def pass_time(self, seconds: float) -> None:
        # Not so much that a load counts as abandoned: that has tests of its own.
        if all(self.clock.now + seconds < made.at + 60 for made in self.loads.values()):
            self.clock.advance(seconds)

    @invariant()
    def every_answer_knows_every_change_before_its_caller(self) -> None:
        for caller in [caller for caller in self.keys if caller.state == "done"]:
            key, before = self.keys.pop(caller), self.rows_at_call.pop(caller)
            if caller.found is None:
                assert isinstance(caller.error, ValueError | SystemExit)
                continue
            told = json.loads(caller.found.body.identity)
            assert (told["tenant"], told["endpoint"]) == (key.tenant_id, key.endpoint)
            assert all(number >= before[table] for table, number in told["rows"].items())

    @invariant()
    def the_statistics_are_true(self) -> None:
        stats = self.store.stats()
        assert stats["active_entries"] == sum(map(self.is_valid, self.kept))
        assert stats["active_entries"] <= stats["total_entries"] <= len(self.kept)
        assert stats["bytes"] == self.store._entries.bytes

    def read(self, key: Key) -> Body:
        """Return the data at the start of a load; runs in the thread of the loading caller."""
        caller = threading.current_thread()
        assert isinstance(caller, Caller)
        rows = {table: self.rows[key.tenant_id, table] for table in ENDPOINTS[key.endpoint].reads}
        made = Made(key, rows, self.clock.now)
        self.loads[caller], self.current[key] = made, caller
        return made.body()

    def rows_of(self, key: Key) -> dict[str, int]:
        return {table: self.rows[key.tenant_id, table] for table in TABLES}

    def is_fresh(self, made: Made, tables: frozenset[str]) -> bool:
        now = self.rows_of(made.key)
        return self.clock.now < made.at + made.endpoint.ttl and all(made.rows[t] == now[t] for t in tables)

    def is_valid(self, key: Key) -> bool:
        return key in self.kept and self.is_fresh(self.kept[key], ENDPOINTS[key.endpoint].reads)

    def is_joinable(self, key: Key) -> bool:
        if key not in self.current:
            return False
        made, now = self.loads[self.current[key]], self.rows_of(key)
        return all(made.rows[table] == now[table] for table in made.endpoint.declared)


@pytest.mark.parametrize(
    ("examples", "derandomize"), [(200, True), pytest.param(5_000, False, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("levels", ["memory", "memory and Redis"])
def test_in_any_order_of_events_every_answer_knows_every_change_before_its_caller(
    request: pytest.FixtureRequest, levels: str, examples: int, derandomize: bool
):
    if levels == "memory":
        StoreMachine.make_store = staticmethod(lambda clock: Store(1000, 10**8, clock))
    else:
        link = request.getfixturevalue("link")
        StoreMachine.make_store = staticmethod(lambda clock: FeedStore(shared_cache(link, clock), clock))
    StoreMachine.met.clear()
    run_state_machine_as_test(
        StoreMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            derandomize=derandomize,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )

    met = {event for event, times in StoreMachine.met.items() if times}
    assert met >= {"loading", "waiting", "done", "peek", "outdated"}
    assert met >= {"NoneType frees", "ValueError frees", "SystemExit frees"}

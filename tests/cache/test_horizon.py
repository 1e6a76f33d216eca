"""The rule for bodies that another worker made, against every order of transactions, beats and loads.

The model has the snapshots of Postgres: numbers are given when a transaction first writes, it may end much later,
and a snapshot sees what had ended. A body is what was committed when it was read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsboard.cache import Key
from opsboard.cache.horizon import MAX_ORDERS, Horizon, Snapshot, Watermark
from tests.cache.stage import Clock

TABLES = ("jobs", "machines")
KEY = Key(1, "admin", None, "dashboard.stats")
# Mostly one table and few actors: so that they meet.
OF = st.sampled_from(["jobs", "jobs", "jobs", "machines"])
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 2), OF),
        st.tuples(st.sampled_from(["commit", "commit", "rollback"]), st.integers(0, 2), OF),
        st.tuples(st.sampled_from(["poll", "poll", "load"]), st.integers(0, 1), OF),
        st.tuples(st.sampled_from(["write here", "lose"]), st.integers(0, 1), OF),
    ),
    min_size=8,
    max_size=40,
)


@dataclass
class Database:
    """Transactions by number, those that run, and what each table holds."""

    last: int = 9
    running: set[int] = field(default_factory=set)
    # (number, table) of all that is committed.
    committed: set[tuple[int, str]] = field(default_factory=set)

    def begin(self) -> int:
        self.last += 1
        self.running.add(self.last)
        return self.last

    def snapshot(self) -> str:
        # As Postgres has it: running ones beyond the newest that has ended are not listed.
        ended = [xid for xid in range(10, self.last + 1) if xid not in self.running]
        xmax = max(ended, default=9) + 1
        running = sorted(xid for xid in self.running if xid < xmax)
        return f"{min(running, default=xmax)}:{xmax}:{','.join(map(str, running))}"


class Worker:
    """A worker's known changes and own writes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()
        self.horizon = Horizon(self.clock)
        self.seen: set[tuple[int, str]] = set()
        self.poll()
        self.horizon.reset()

    def poll(self) -> None:
        self.clock.advance(1)
        asked = self.clock()
        news = self.database.committed - self.seen
        self.horizon.observe_server(asked, "life", self.database.snapshot(), asked)
        for xid, table in sorted(news):
            self.horizon.apply_changes(1, {table: xid})
        self.seen |= self.database.committed
        self.horizon.mark_current(asked)

    def write(self, table: str) -> None:
        xid = self.database.begin()
        self.database.running.remove(xid)
        self.database.committed.add((xid, table))
        self.clock.advance(1)
        self.horizon.record_write(1, {table})
        self.own_write = (xid, table)

    def must_see(self, table: str, own: set[tuple[int, str]]) -> set[tuple[int, str]]:
        return {(xid, of) for xid, of in self.seen | own if of == table}


outcomes: Counter[str] = Counter()


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(ACTIONS)
def play(actions: list[tuple[str, int, str]]) -> None:
    database = Database()
    workers = [Worker(database) for _ in range(2)]
    own: list[set[tuple[int, str]]] = [set(), set()]
    open_writes: dict[int, tuple[int, set[str]]] = {}
    bodies: list[tuple[Watermark, str, set[tuple[int, str]]]] = []
    for action, number, table in actions:
        if action == "write":
            xid, tables = open_writes.setdefault(number, (0, set()))
            open_writes[number] = (xid or database.begin(), tables | {table})
        elif action in ("commit", "rollback") and number in open_writes:
            xid, tables = open_writes.pop(number)
            database.running.remove(xid)
            database.committed |= {(xid, of) for of in tables if action == "commit"}
        elif action == "poll":
            workers[number].poll()
        elif action == "lose":
            workers[number].poll()
            workers[number].horizon.reset()
        elif action == "write here":
            workers[number].write(table)
            own[number].add(workers[number].own_write)
        if action in ("poll", "load"):
            watermark = workers[number].horizon.watermark()
            assert watermark is not None
            bodies.append((watermark, table, {made for made in database.committed if made[1] == table}))
        for worker, written in zip(workers, own, strict=True):
            for watermark, of, content in bodies:
                if worker.horizon.is_valid_for(KEY, {of}, watermark):
                    outcomes["used"] += 1
                    assert worker.must_see(of, written) <= content, "something heard is missing from the body"
                else:
                    outcomes["refused"] += 1
                    outcomes["refused in vain"] += worker.must_see(of, written) <= content


def test_no_body_is_used_that_lacks_what_this_worker_has_heard() -> None:
    outcomes.clear()
    play()
    assert min(outcomes["used"], outcomes["refused"]) > 1000, outcomes


def test_all_workers_at_rest_use_each_others_bodies_while_an_old_transaction_runs_on() -> None:
    database = Database()
    forgotten = database.begin()
    workers = [Worker(database) for _ in range(3)]
    for _ in range(5):
        xid, other = database.begin(), database.begin()
        database.running.remove(other)
        database.running.remove(xid)
        database.committed.add((xid, "jobs"))
        for worker in workers:
            worker.poll()
        watermarks = [worker.horizon.watermark() for worker in workers]
        assert forgotten in database.running
        assert all(
            worker.horizon.is_valid_for(KEY, {"jobs"}, watermark)
            for worker in workers
            for watermark in watermarks
            if watermark
        )


def watermark(snapshot: str, epoch: str = "life") -> Watermark:
    return Watermark(epoch, snapshot, 0.0)


@pytest.fixture
def horizon(clock: Clock) -> Horizon:
    """A worker that began when 100 was the next number."""
    horizon = Horizon(clock)
    horizon.observe_server(clock(), "life", "100:100:", 5000.0)
    horizon.reset()
    return horizon


def test_a_body_from_before_this_worker_began_is_not_used(horizon: Horizon) -> None:
    assert not horizon.is_valid_for(KEY, {"jobs"}, watermark("99:99:"))
    assert not horizon.is_valid_for(KEY, frozenset(), watermark("99:99:"))
    assert not horizon.is_valid_for(KEY, {"jobs"}, watermark("98:100:98")), "98 ended before it began"
    assert horizon.is_valid_for(KEY, {"jobs"}, watermark("100:100:"))


def test_a_body_of_another_life_of_the_database_is_not_used(horizon: Horizon) -> None:
    assert not horizon.is_valid_for(KEY, {"jobs"}, watermark("900:900:", "another"))


@pytest.mark.parametrize("text", ["", "1:2", "a:b:c", "1:2:3:4", "100:100:x"])
def test_what_is_no_snapshot_vouches_for_nothing(horizon: Horizon, text: str) -> None:
    assert not horizon.is_valid_for(KEY, {"jobs"}, watermark(text))


def test_an_order_to_clear_outdates_bodies_of_its_prefix_from_before(horizon: Horizon, clock: Clock) -> None:
    horizon.observe_server(clock(), "life", "111:111:", 5000.0)
    horizon.record_clear("get_dashboard", 110)
    other = KEY._replace(endpoint="jobs.list_jobs")
    assert not horizon.is_valid_for(KEY, {"jobs"}, watermark("110:110:"))
    assert not horizon.is_valid_for(KEY, {"jobs"}, watermark("110:111:110"))
    assert horizon.is_valid_for(KEY, {"jobs"}, watermark("111:111:"))
    assert horizon.is_valid_for(other, {"jobs"}, watermark("110:110:"))
    horizon.record_clear(None, 110)
    assert not horizon.is_valid_for(other, {"jobs"}, watermark("110:110:"))


def test_any_number_of_orders_is_obeyed(horizon: Horizon, clock: Clock) -> None:
    horizon.observe_server(clock(), "life", "9000:9000:", 5000.0)
    for number in range(2 * MAX_ORDERS):
        horizon.record_clear(f"dashboard.{number}" if number else "dashboard", 1000 + number)
    assert not horizon.is_valid_for(KEY, {"jobs"}, watermark("1000:1000:"))
    assert len(horizon._clears) <= MAX_ORDERS


def test_an_own_order_counts_before_it_is_heard(horizon: Horizon, clock: Clock) -> None:
    horizon.record_clear("dashboard", None)
    asked_before = clock()
    clock.advance(1)
    horizon.mark_current(asked_before)
    assert not horizon.is_valid_for(KEY, {"jobs"}, watermark("900:900:"))
    horizon.mark_current(clock())
    assert horizon.is_valid_for(KEY, {"jobs"}, watermark("900:900:"))


def test_an_own_write_counts_until_a_beat_that_was_asked_after_it(horizon: Horizon, clock: Clock) -> None:
    asked_before = clock()
    clock.advance(1)
    horizon.record_write(1, {"jobs"})
    horizon.mark_current(asked_before)
    assert not horizon.is_valid_for(KEY, {"jobs"}, watermark("900:900:")), "that beat cannot have heard of it"
    assert horizon.is_valid_for(KEY, {"machines"}, watermark("900:900:"))
    clock.advance(1)
    horizon.mark_current(clock())
    assert horizon.is_valid_for(KEY, {"jobs"}, watermark("900:900:"))


def test_with_little_memory_no_change_is_overlooked(clock: Clock) -> None:
    horizon = Horizon(clock, max_tracked=4)
    horizon.observe_server(clock(), "life", "200:200:", 5000.0)
    for number in range(20):
        horizon.apply_changes(number, {"jobs": 150 + number})
        assert len(horizon._newest) <= 4
    for number in range(20):
        assert not horizon.is_valid_for(
            KEY._replace(tenant_id=number), {"jobs"}, watermark(f"{150 + number}:{150 + number}:")
        )


def test_age_goes_by_the_databases_clock_and_is_never_told_too_young() -> None:
    here, there = Clock(), Clock()
    there.now = 77_000.0  # another machine, which was started at another time
    maker, reader = Horizon(there), Horizon(here)
    asked = there()
    there.advance(0.4)
    maker.observe_server(asked, "life", "9:9:", 5000.0)
    made = maker.watermark()
    assert made is not None
    asked = here()
    here.advance(0.4)
    reader.observe_server(asked, "life", "9:9:", 5010.0)
    # If the maker's answer was read from the clock when it left, and the reader's when it was asked for, the true
    # age is 10.4 s; it may be 0.8 s less, and is never more.
    assert reader.age(made) == pytest.approx(10.4)
    here.advance(30)
    assert reader.age(made) == pytest.approx(40.4)


def test_a_snapshot_sees_what_had_ended() -> None:
    snapshot = Snapshot.parse("10:15:10,12")
    assert [xid for xid in range(8, 18) if snapshot.sees(xid)] == [8, 9, 11, 13, 14]

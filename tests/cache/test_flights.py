"""One load per key: who shares it, who may not, and what happens when it fails or its loader dies."""

from __future__ import annotations

import traceback

import pytest

from opsboard.cache import Body, Key, Outcome, Store
from opsboard.cache.flight import ABANDONED_AFTER, Flight
from opsboard.cache.store import JOIN_WHILE_STALE
from opsboard.errors import DeadlineExceeded, OpsboardError, PoolTimeout
from tests.cache.stage import Clock, Stage, staged

KEY = Key(1, "admin", None, "dashboard.stats")
JOBS = frozenset({"jobs"})


def states(callers: list) -> list[str]:
    return [caller.state for caller in callers]


def test_32_callers_of_a_cold_key_cost_one_load(stage: Stage, store: Store):
    callers = [stage.call(KEY) for _ in range(32)]
    assert states(callers) == ["loading"] + ["waiting"] * 31

    stage.land(callers[0])

    assert states(callers) == ["done"] * 32
    assert {id(caller.found.body) for caller in callers} == {id(callers[0].found.body)}
    assert {caller.found.outcome for caller in callers} == {Outcome.MISS}
    stats = store.stats()
    assert (stats["loads"], stats["misses"], stats["shared"], stats["hits"]) == (1, 32, 31, 0)


def test_other_keys_do_not_wait_for_a_load(stage: Stage):
    stage.call(KEY)
    assert stage.call(KEY._replace(tenant_id=2)).state == "loading"


def test_hits_do_not_wait_for_a_load(stage: Stage, store: Store):
    other = KEY._replace(endpoint="jobs.list_jobs")
    stage.land(stage.call(other))
    stage.call(KEY)

    assert stage.call(other).state == "done"
    assert store.peek(other) is not None
    assert store.stats()["hits"] == 2


def test_a_failing_load_is_shared_and_not_kept(stage: Stage, store: Store):
    callers = [stage.call(KEY) for _ in range(32)]
    failure = PoolTimeout("all busy")

    stage.land(callers[0], failure)

    assert states(callers) == ["done"] * 32
    assert callers[0].error is failure
    assert {(type(caller.error), str(caller.error)) for caller in callers} == {(PoolTimeout, "all busy")}
    assert store.peek(KEY) is None
    assert stage.call(KEY).state == "loading", "the next caller tries again"
    stats = store.stats()
    assert (stats["loads"], stats["failures"], stats["shared"], stats["total_entries"]) == (1, 1, 31, 0)


def test_each_waiter_gets_its_own_error_with_its_own_traceback(stage: Stage):
    callers = [stage.call(KEY) for _ in range(5)]
    stage.land(callers[0], PoolTimeout("all busy"))

    errors = [caller.error for caller in callers]
    assert len({id(error) for error in errors}) == 5
    for error in errors[1:]:
        assert error is not None
        assert error.__cause__ is errors[0]
        own_frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        assert own_frames.count("get_or_load") == 1
        assert "_load" not in own_frames


def test_an_error_that_cannot_be_copied_still_reaches_every_waiter(stage: Stage):
    class Stubborn(Exception):
        def __init__(self, *, reason: str) -> None:
            super().__init__("a", "b", "c")
            self.reason = reason

    callers = [stage.call(KEY) for _ in range(5)]
    stage.land(callers[0], Stubborn(reason="no"))

    assert {type(caller.error) for caller in callers} == {Stubborn}


def test_the_copy_of_an_error_says_all_the_original_says(stage: Stage):
    class Refused(OpsboardError):
        status = 409
        code = "refused"

    callers = [stage.call(KEY) for _ in range(2)]
    stage.land(callers[0], Refused("no", fields=[{"name": "title"}]))

    copy = callers[1].error
    assert isinstance(copy, Refused)
    assert (copy.status, copy.code, copy.detail, copy.fields) == (409, "refused", "no", [{"name": "title"}])


@pytest.mark.parametrize("death", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_a_dead_loader_frees_its_waiters_and_one_of_them_loads(
    stage: Stage, store: Store, death: BaseException
):
    callers = [stage.call(KEY) for _ in range(32)]

    stage.land(callers[0], death)

    assert callers[0].error is death
    assert sorted(states(callers[1:])) == ["loading"] + ["waiting"] * 30
    stage.land(next(caller for caller in callers if caller.state == "loading"))
    assert all(caller.found for caller in callers[1:])
    stats = store.stats()
    assert (stats["loads"], stats["failures"], stats["misses"]) == (2, 1, 32)


def test_a_waiter_gives_up_at_its_deadline(stage: Stage, store: Store, clock: Clock):
    loader = stage.call(KEY)
    hurried = stage.call(KEY, deadline=clock.now + 0.01)
    stage.give_up(hurried)

    assert isinstance(hurried.error, DeadlineExceeded)
    assert stage.call(KEY).state == "waiting", "the load itself goes on for the others"
    assert loader.state == "loading"


def test_a_deadline_that_has_passed_waits_for_nobody_but_takes_what_is_there(
    stage: Stage, store: Store, clock: Clock
):
    loader = stage.call(KEY)
    with pytest.raises(DeadlineExceeded):
        store.get_or_load(KEY, 60, JOBS, lambda: Body(b""), deadline=clock.now - 1)
    stage.land(loader)

    found = store.get_or_load(KEY, 60, JOBS, lambda: Body(b""), deadline=clock.now - 1)

    assert found.outcome is Outcome.HIT


def test_a_load_that_was_lost_without_a_trace_does_not_lose_its_key(stage: Stage, clock: Clock):
    stage.call(KEY)
    clock.advance(ABANDONED_AFTER - 1)
    assert stage.call(KEY).state == "waiting"
    clock.advance(1)

    successor = stage.call(KEY)

    assert successor.state == "loading"
    assert stage.call(KEY).state == "waiting"


@pytest.mark.parametrize("deadline", [None, 10**6])
def test_an_abandoned_flight_is_left_by_those_who_wait(store: Store, clock: Clock, deadline: float | None):
    lost = Flight(began=0, since=clock.now - ABANDONED_AFTER + 0.01, tables=JOBS)
    store._flights[KEY] = lost
    real = iter([clock.now, clock.now])
    store.clock = lambda: next(real, clock.now + 1)  # stands still until the waiter waits

    found = store.get_or_load(KEY, 60, JOBS, lambda: Body(b"mine"), deadline)

    assert found.body.identity == b"mine"


def test_a_worker_that_cannot_know_what_changed_joins_only_young_loads(clock: Clock) -> None:
    in_sync = [False]
    store = Store(100, 1_000_000, clock, in_sync=lambda: in_sync[0])
    with staged(store) as stage:
        old = stage.call(KEY)
        clock.advance(JOIN_WHILE_STALE - 0.1)
        assert stage.call(KEY).state == "waiting"
        clock.advance(0.2)
        assert stage.call(KEY).state == "loading", "that answer may be older than 2 s by now"
        in_sync[0] = True
        clock.advance(JOIN_WHILE_STALE + 1)
        assert stage.call(KEY).state == "waiting", "nothing has changed, so its age does not matter"
        stage.land(old)

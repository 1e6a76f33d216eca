"""A process at which work waits, and which finishes none for longer than ever, carries no promise."""

from __future__ import annotations

import pytest

from opsboard.features.jobs.past_jobs import WHOLE_JOB, PastJob, Step
from opsboard.features.jobs.promise import promise
from opsboard.features.jobs.standstill import stands_still, stretches
from tests.features.generated_shops import generated_shop, seen_on


def job(begun: float, *ends: float | None) -> PastJob:
    return PastJob(
        begun, ends[-1], 1.0, (0, 0.0, begun), tuple(Step(1 + n, end) for n, end in enumerate(ends))
    )


def daily(days: int, last: int = 0) -> list[PastJob]:
    """A job on each of so many days before `last`, done half a day after it began."""
    return [job(last - back, last - back + 0.5) for back in range(1, days + 1)]


def test_stretches_are_those_worked_out_by_hand() -> None:
    jobs = [job(-10, -9, -5), job(-9.5, -8, -4), job(-6, -3, None), job(-1, None, None)]
    # Ends at -9, -8 and -3; nothing waited from -8 to -6, nor from -3 to -1.
    past, present = stretches(jobs, 1, 0)
    assert (sorted(past), present) == ([1, 3], 1)
    # Ends at -5 and -4; the third job came at -3.
    assert stretches(jobs, 2, 0) == ([1], 3)
    # As of an earlier day, what ended later has not ended.
    assert stretches(jobs, 2, -4.5) == ([], 0.5)
    assert stretches([], 1, 0) == ([], 0)
    # Nothing waits: nothing stands still.
    assert stretches([job(-10, -9)], 1, 0) == ([], 0)


def test_one_longer_than_all_but_one_of_a_hundred_by_a_day_stands_still() -> None:
    for days, since, still in [(99, -3, False), (100, -3, True), (100, -1.4, False), (300, -29, True)]:
        waiting = PastJob(since, None, 1.0, (0, 0.0, since), (Step(1, None),))
        assert stands_still([*daily(days, -30), waiting], 1, 0) is still, (days, since)
    # Nothing waits there.
    assert not stands_still(daily(300, -30), 1, 0)
    # A job without steps waits as a whole.
    whole = [one._replace(steps=()) for one in daily(300, -30)]
    assert stands_still([*whole, PastJob(-9, None, 1.0, (0, 0.0, -9), ())], WHOLE_JOB, 0)


def test_work_that_was_forgotten_at_a_process_does_not_make_it_stand_still() -> None:
    rare = [job(-back * 5, -back * 5 + 0.2) for back in range(1, 150)]
    forgotten = PastJob(-700, None, 1.0, (0, 0.0, -700), (Step(1, None),))
    assert not stands_still([*rare, forgotten], 1, 0)


@pytest.mark.parametrize("routing", [(1, 2), (1, 2, 3)])
def test_while_a_machine_is_down_there_is_no_date_and_it_is_told_why(routing: tuple[int, ...]) -> None:
    jobs = generated_shop(days=420, arrivals=lambda day: 1.8, down=(300, 307), seed=3)
    made = {day: promise(seen_on(jobs, day), routing, 0.9) for day in (290, 304, 305)}
    assert made[290].reason is None
    assert [(made[day].days, made[day].reason) for day in (304, 305)] == [(None, "idle_process")] * 2

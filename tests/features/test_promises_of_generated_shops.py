"""Promises in shops whose truth is known are kept as often as they say, or there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from opsboard.features.jobs.past_jobs import WHOLE_JOB, PastJob, Step
from opsboard.features.jobs.promise import promise
from opsboard.features.jobs.promise_days import promised_days
from opsboard.features.jobs.queue_simulation import simulate, throughput
from opsboard.features.jobs.survival import Observation, survival_curve
from tests.features.generated_shops import Job, generated_shop, seen_on

SHOPS: dict[str, dict[str, Any]] = {
    "stationary": {"arrivals": lambda day: 2.0},
    "growing queue": {"arrivals": lambda day: 2.0 if day < 150 else 2.8},
    "machine down for a week": {"arrivals": lambda day: 1.8, "down": (300, 307)},
    "holiday": {"arrivals": lambda day: 1.8, "closed": (300, 310)},
}
CONFIDENCES = (0.5, 0.8, 0.9)
ROUTINGS = ((1, 2), (1, 2, 3))


class Promised(NamedTuple):
    confidence: float
    days: int | None
    plain_days: float | None
    method: str | None
    reason: str | None
    came: list[Job]


def promised(app: str, days: Iterator[int] | range, seed: int) -> Iterator[Promised]:
    """Promises of these days, each with the jobs of the week after it."""
    jobs = generated_shop(days=420, seed=seed, **SHOPS[app])
    for day in days:
        history = seen_on(jobs, day)
        for routing in ROUTINGS:
            came = [job for job in jobs if job.routing == routing and day + 1 <= job.begun < day + 8]
            for confidence in CONFIDENCES:
                made = promise(history, routing, confidence)
                plain = made.plain.days if made.plain else None
                method = made.chosen.name if made.chosen else None
                yield Promised(confidence, made.days, plain, method, made.reason, came)


def check(app: str, days: range, seeds: range, tolerance: float, above: float) -> list[Promised]:
    made = [one for seed in seeds for one in promised(app, days, seed)]
    for confidence in CONFIDENCES:
        answered = [one for one in made if one.confidence == confidence and one.days is not None]
        pairs = [(job.days, one.days or 0) for one in answered for job in one.came]
        share = sum(took <= days for took, days in pairs) / len(pairs)
        sooner = sum(took <= days - 1 for took, days in pairs) / len(pairs)
        assert share >= confidence - tolerance, (app, confidence, share)
        assert share <= confidence + above, (app, confidence, share)
        # Promises are whole days: a day sooner is at most as often kept as was asked for.
        assert sooner <= confidence + tolerance, (app, confidence, sooner)
    return made


@pytest.mark.parametrize("app", SHOPS)
def test_promises_are_kept_as_often_as_they_say(app: str) -> None:
    made = check(app, range(230, 370, 20), range(1, 4), tolerance=0.15, above=0.2)
    assert sum(one.days is not None for one in made) > len(made) / 3
    assert {one.reason for one in made} <= {None, "not_kept", "idle_process"}


@pytest.mark.slow
@pytest.mark.parametrize("app", SHOPS)
def test_promises_of_many_shops_are_kept_as_often_as_they_say(app: str) -> None:
    made = check(app, range(200, 400, 20), range(1, 9), tolerance=0.08, above=0.12)
    assert sum(one.days is not None for one in made) > len(made) / 3


def test_a_queue_that_grows_is_simulated_and_past_lead_times_are_not_believed() -> None:
    made = list(promised("growing queue", range(260, 360, 20), 1))
    assert Counter(one.method for one in made if one.days is not None)["simulated"] >= len(made) / 5
    pairs = [
        (job.days, one.plain_days)
        for one in made
        if one.confidence == 0.9 and one.plain_days
        for job in one.came
    ]
    assert sum(took <= days for took, days in pairs) / len(pairs) < 0.5


def test_a_new_shop_of_thirty_jobs_gets_no_date() -> None:
    jobs = generated_shop(days=40, arrivals=lambda day: 0.75)[:30]
    for routing in ROUTINGS:
        made = promise(seen_on(jobs, 39), routing, 0.8)
        assert (made.days, made.reason) == (None, "no_history")


def test_a_quantile_with_open_ones_is_that_worked_out_by_hand() -> None:
    def quantile(*values: tuple[float, bool], level: float) -> float | None:
        return survival_curve(Observation(value, is_open, 1.0) for value, is_open in values).quantile(level)

    ended = [(float(value), False) for value in range(1, 10)]
    # With nine ends, a half is five ninths of them, and nine tenths all of them.
    assert [quantile(*ended, level=level) for level in (0.5, 0.8, 0.9)] == [5, 8, 9]
    # Two of five are open at 2: at 3, one of two left ends, so that 4/5 * 1/2 = 2/5 last longer.
    some = [(1.0, False), (2.0, True), (2.0, True), (3.0, False), (4.0, True)]
    assert quantile(*some, level=0.3) == 3
    assert quantile(*some, level=0.5) is None
    assert quantile(level=0.5) is None


@pytest.mark.parametrize(
    ("shares", "confidence", "whole"),
    [
        # Up to 8 points (one standard error of 40 jobs) below a half, and more above it on the next day.
        ((0.45, 0.7), 0.5, 10),
        ((0.41, 0.7), 0.5, 11),
        # The next day is near enough itself, or nearer.
        ((0.45, 0.56), 0.5, 11),
        # At 0.9 one error is 4.7 points.
        ((0.86, 0.98), 0.9, 10),
        ((0.84, 0.98), 0.9, 11),
        ((0.88, 0.93), 0.9, 11),
    ],
)
def test_a_day_is_that_worked_out_by_hand(shares: tuple[float, float], confidence: float, whole: int) -> None:
    days = [10.0] * round(shares[0] * 100) + [11.0] * round((shares[1] - shares[0]) * 100)
    days += [30.0] * (100 - len(days))
    for base in (1.0, 2.5):
        curve = survival_curve(Observation(value / base, False, 1.0) for value in days)
        first, made = promised_days(curve, confidence, base) or (None, None)
        assert first is not None
        assert made is not None
        assert first.whole == 11
        assert (made.whole, made.days) == (whole, pytest.approx(11))
    assert promised_days(survival_curve([]), confidence) is None


def test_queues_are_passed_in_their_order_and_at_their_rate() -> None:
    # Two steps a day at 1, one a day at 2. The last work is the new one.
    works = [[(1, 1.0), (2, 1.0)], [(1, 1.0)], [(2, 1.0)], [(1, 0.0), (2, 0.0)]]
    passages = simulate(works, {1: 2.0, 2: 1.0})
    assert [passage.days for passage in passages] == [2.0, 1.0, 1.0, 2.0]
    assert passages[3].at_steps == [1.0, 1.0]
    # Nothing was finished at 3 lately.
    assert [passage.days for passage in simulate([[(3, 1.0)], [(3, 0.0)]], {1: 2.0})] == [float("inf")] * 2


def test_throughput_counts_what_ended_in_the_last_four_weeks() -> None:
    def job(begun: float, ended: float | None, weight: float, *steps: Step) -> PastJob:
        return PastJob(begun, ended, weight, (0, 0, begun), steps)

    jobs = [
        job(-60, -1, 2.0, Step(1, -40), Step(2, -1)),
        job(-50, None, 1.0, Step(1, -2), Step(2, None)),
        job(-5, -4, 7.0),
    ]
    assert throughput(jobs, 0) == {1: 1 / 28, 2: 2 / 28, WHOLE_JOB: 7 / 28}
    # As of three days earlier the steps of the last days have not ended.
    assert throughput(jobs, -3) == {WHOLE_JOB: 7 / 28}

"""Promises of past days as they would have been made then, compared with what came."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from opsboard.features.jobs.past_jobs import WHOLE_JOB, History, PastJob
from opsboard.features.jobs.promise_days import FEWEST, PromisedDay, promised_days, slack
from opsboard.features.jobs.queue_simulation import Passage, Work, simulate, throughput
from opsboard.features.jobs.survival import Observation, SurvivalCurve, survival_curve

REPLAYS = 13
# A share of kept promises may be this many standard errors below the confidence.
TOLERANCE = 2.0
# Added to each simulated time: an empty queue takes no time, and a job does.
LEAST_DAYS = 1.0
# Days after which the error of a simulation counts half: queues change faster than lead times.
HALF_LIFE = 28.0
Routing = tuple[int, ...]


class Replayed(NamedTuple):
    """How the promises of past days turned out: their number, the share kept, its standard error, their mean days."""

    cases: int
    share: float
    error: float
    width: float
    is_kept: bool
    """False if the share is below the confidence by more than chance explains, over all days or the newest quarter.

    The nearest day may be below it by as much as its slack too.
    """
    share_sooner: float
    """The share that kept a promise one day shorter: where many jobs take equally long, no share lies between."""
    share_later: float


class Method(NamedTuple):
    """A way to promise. `days` is its quantile, `promised` the whole days that it answers."""

    name: str
    days: float | None
    least_days: float | None
    replayed: Replayed
    promised: int | None


class Outcome(NamedTuple):
    group: float
    weight: float
    days: int
    lead_time: float
    age: float


Promised = Iterable[tuple[PastJob, tuple[PromisedDay, PromisedDay]]]


class Checks(NamedTuple):
    """What came of promises of past days: of the first day with the confidence, and of the nearest one."""

    first: list[Outcome]
    nearest: list[Outcome]

    def add(self, promised: Promised, observed: float) -> None:
        for job, (first, nearest) in promised:
            self.first.extend(outcome_of(job, first, observed))
            self.nearest.extend(outcome_of(job, nearest, observed))

    def method(self, name: str, curve: SurvivalCurve, confidence: float, base: float = 1.0) -> Method:
        """Return the method with its answer: the nearest day if such promises were nearer to the confidence."""
        most_below = slack(confidence)
        replayed = summed_up(self.first, confidence)
        nearest = summed_up(self.nearest, confidence, most_below)
        now = promised_days(curve, confidence, base)
        least = curve.quantile(1 - confidence)
        is_nearest = (
            nearest.is_kept
            and nearest.cases >= FEWEST
            and nearest.share >= confidence - most_below
            and abs(nearest.share - confidence) < abs(replayed.share - confidence)
        )
        return Method(
            name,
            now and now[is_nearest].days,
            None if least is None else least * base,
            nearest if is_nearest else replayed,
            now and now[is_nearest].whole,
        )


class Score(NamedTuple):
    """A job that began after a replayed day, and the days that were simulated for it then."""

    job: PastJob
    base: float


def replay(
    history: History, jobs: Sequence[PastJob], routing: Routing | None, confidence: float
) -> list[Method]:
    """Return the plain quantile of the lead times, then the simulation corrected by its past errors.

    `jobs` are those like the new one. Without a `routing` there is nothing to simulate.
    """
    days = replayed_days(jobs, history.observed)
    plain = plain_method(jobs, days, history.observed, confidence)
    if routing is None:
        return [plain]
    return [plain, simulated_method(history, jobs, days, routing, confidence)]


def replayed_days(jobs: Sequence[PastJob], observed: float) -> list[tuple[float, float]]:
    """Return each replayed day with the end of the weeks for which its promises are checked, oldest first."""
    first, last = min(job.begun for job in jobs), math.floor(observed)
    spacing = 7 * max(1, math.ceil((last - first) / 7 / REPLAYS))
    return [(last - back * spacing, last - (back - 1) * spacing) for back in range(REPLAYS, 0, -1)]


def plain_method(
    jobs: Sequence[PastJob], days: Sequence[tuple[float, float]], observed: float, confidence: float
) -> Method:
    checks = Checks([], [])
    for day, until in days:
        promised = promised_days(lead_times(jobs, day), confidence)
        if promised is not None:
            checks.add(((job, promised) for job in jobs if day <= job.begun < until), observed)
    return checks.method("plain", lead_times(jobs, observed), confidence)


def lead_times(jobs: Sequence[PastJob], day: float) -> SurvivalCurve:
    """Return the distribution of lead times as it is known on that day."""
    return survival_curve(observation(job, day, 1.0) for job in jobs if job.begun < day)


def lead_time_quantile(jobs: Sequence[PastJob], day: float, level: float) -> float | None:
    return lead_times(jobs, day).quantile(level)


def observation(job: PastJob, day: float, base: float) -> Observation:
    days, is_ended = job.lead_time(day)
    return Observation(days / base, not is_ended, job.weight)


def simulated_method(
    history: History,
    jobs: Sequence[PastJob],
    days: Sequence[tuple[float, float]],
    routing: Routing,
    confidence: float,
) -> Method:
    scores: list[Score] = []
    checks = Checks([], [])
    for day, until in days:
        begun = [job for job in jobs if day <= job.begun < until]
        routings = list(dict.fromkeys(job.routing or (WHOLE_JOB,) for job in begun))
        bases = dict(zip(routings, simulated(history.jobs, day, routings, scores), strict=True))
        errors = score_curve(scores, day)
        new = [Score(job, base) for job in begun if math.isfinite(base := bases[job.routing or (WHOLE_JOB,)])]
        promised = [(job, made) for job, base in new if (made := promised_days(errors, confidence, base))]
        checks.add(promised, history.observed)
        scores += new
    (base,) = simulated(history.jobs, history.observed, [routing], scores)
    return checks.method("simulated", score_curve(scores, history.observed), confidence, base)


def score_curve(scores: Sequence[Score], day: float) -> SurvivalCurve:
    """Return the distribution of actual divided by simulated days, as it is known on that day."""
    return survival_curve(
        observation(job, day, base)._replace(weight=job.weight * 0.5 ** ((day - job.begun) / HALF_LIFE))
        for job, base in scores
        if job.begun < day
    )


def simulated(
    jobs: Sequence[PastJob], day: float, routings: Sequence[Routing], scores: Sequence[Score]
) -> list[float]:
    """Return the days that jobs with these routings take behind all the work that was open on that day.

    Never less than the least of `scores`: the errors of shorter queues than were ever seen are not known.
    """
    passages = simulated_passages(jobs, day, routings)
    least = min((score.base for score in scores), default=0.0)
    return [max(passage.days + LEAST_DAYS, least) for passage in passages[len(passages) - len(routings) :]]


def simulated_passages(jobs: Sequence[PastJob], day: float, routings: Sequence[Routing]) -> list[Passage]:
    ahead = sorted(
        (job for job in jobs if job.begun < day and (job.ended is None or job.ended >= day)),
        key=lambda job: job.rank,
    )
    works: list[Work] = [work for job in ahead if (work := job.work_left(day))]
    works += [[(process, 0.0) for process in routing] for routing in routings]
    return simulate(works, throughput(jobs, day))


def outcome_of(job: PastJob, made: PromisedDay, observed: float) -> Iterator[Outcome]:
    """Yield what came of the promise if its day has passed: it is known, also of a job that has not ended."""
    if made.whole is not None and job.begun + made.whole < observed:
        lead_time = job.lead_time(observed)[0]
        age = observed - job.begun
        yield Outcome(math.floor(job.begun), job.weight, made.whole, lead_time, age)


def summed_up(outcomes: Sequence[Outcome], confidence: float, most_below: float = 0.0) -> Replayed:
    if not outcomes:
        return Replayed(0, 0.0, 0.0, 0.0, False, 0.0, 0.0)
    share, error = kept_share(outcomes, confidence)
    newest = sorted(outcomes)[-max(1, len(outcomes) // 4) :]
    # Of those that ended today or are open, one more day has not passed.
    later = [one for one in outcomes if one.days + 1 < one.age]
    return Replayed(
        cases=len(outcomes),
        share=share,
        error=error,
        width=mean(outcomes, lambda one: one.days),
        is_kept=all(
            part_share >= confidence - most_below - TOLERANCE * part_error
            for part_share, part_error in ((share, error), kept_share(newest, confidence))
        ),
        share_sooner=mean(outcomes, lambda one: one.lead_time <= one.days - 1),
        share_later=mean(later, lambda one: one.lead_time <= one.days + 1),
    )


def mean(outcomes: Sequence[Outcome], value: Callable[[Outcome], float]) -> float:
    """Return the mean of a value; each job counts as many times as there are jobs that it stands for."""
    total = sum(one.weight for one in outcomes)
    return sum(one.weight * value(one) for one in outcomes) / total if total else 0.0


def kept_share(outcomes: Sequence[Outcome], confidence: float) -> tuple[float, float]:
    """Return the share of kept promises and its standard error.

    Jobs begun on one day share their fate, so that the days count and not the jobs.
    """
    total = sum(one.weight for one in outcomes)
    share = mean(outcomes, lambda one: one.lead_time <= one.days)
    by_day: defaultdict[float, float] = defaultdict(float)
    for one in outcomes:
        by_day[one.group] += one.weight * ((one.lead_time <= one.days) - share)
    between_days = math.sqrt(sum(rest**2 for rest in by_day.values())) / total
    by_chance = math.sqrt(confidence * (1 - confidence) / len(outcomes))
    return share, max(between_days, by_chance)

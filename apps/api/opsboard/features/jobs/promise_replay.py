"""Promises of past days as they would have been made then, compared with what came."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from opsboard.features.jobs.past_jobs import WHOLE_JOB, History, PastJob
from opsboard.features.jobs.queue_simulation import Passage, Work, simulate, throughput
from opsboard.features.jobs.survival import Observation, survival_quantile

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
    """False if the share is below the confidence by more than chance explains, over all days or the newest quarter."""
    share_sooner: float
    """The share that kept a promise one day shorter: where many jobs take equally long, no share lies between."""


class Method(NamedTuple):
    name: str
    days: float | None
    least_days: float | None
    replayed: Replayed


class Outcome(NamedTuple):
    group: float
    weight: float
    days: int
    lead_time: float


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
    outcomes: list[Outcome] = []
    for day, until in days:
        promised = lead_time_quantile(jobs, day, confidence)
        if promised is not None:
            outcomes += outcomes_of(((job, promised) for job in jobs if day <= job.begun < until), observed)
    now = lead_time_quantile(jobs, observed, confidence)
    least = lead_time_quantile(jobs, observed, 1 - confidence)
    return Method("plain", now, least, summed_up(outcomes, confidence))


def lead_time_quantile(jobs: Sequence[PastJob], day: float, level: float) -> float | None:
    return survival_quantile((observation(job, day, 1.0) for job in jobs if job.begun < day), level)


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
    outcomes: list[Outcome] = []
    for day, until in days:
        begun = [job for job in jobs if day <= job.begun < until]
        routings = list(dict.fromkeys(job.routing or (WHOLE_JOB,) for job in begun))
        bases = dict(zip(routings, simulated(history.jobs, day, routings, scores), strict=True))
        factor = score_quantile(scores, day, confidence)
        new = [Score(job, base) for job in begun if math.isfinite(base := bases[job.routing or (WHOLE_JOB,)])]
        if factor is not None:
            outcomes += outcomes_of(((job, base * factor) for job, base in new), history.observed)
        scores += new
    (base,) = simulated(history.jobs, history.observed, [routing], scores)
    factor = score_quantile(scores, history.observed, confidence)
    least = score_quantile(scores, history.observed, 1 - confidence)
    return Method(
        "simulated",
        None if factor is None else base * factor,
        None if least is None else base * least,
        summed_up(outcomes, confidence),
    )


def score_quantile(scores: Sequence[Score], day: float, level: float) -> float | None:
    """Return the factor that a share `level` of the lead times known on that day did not exceed."""
    return survival_quantile(
        (
            observation(job, day, base)._replace(weight=job.weight * 0.5 ** ((day - job.begun) / HALF_LIFE))
            for job, base in scores
            if job.begun < day
        ),
        level,
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


def outcomes_of(promised: Iterable[tuple[PastJob, float]], observed: float) -> list[Outcome]:
    """Return what came of the promises whose day has passed: it is known, also of jobs that have not ended."""
    return [
        Outcome(math.floor(job.begun), job.weight, days, job.lead_time(observed)[0])
        for job, exact in promised
        if job.begun + (days := math.ceil(exact - 1e-6)) < observed
    ]


def summed_up(outcomes: Sequence[Outcome], confidence: float) -> Replayed:
    if not outcomes:
        return Replayed(0, 0.0, 0.0, 0.0, False, 0.0)
    share, error = kept_share(outcomes, confidence)
    newest = sorted(outcomes)[-max(1, len(outcomes) // 4) :]
    total = sum(one.weight for one in outcomes)
    return Replayed(
        cases=len(outcomes),
        share=share,
        error=error,
        width=sum(one.weight * one.days for one in outcomes) / total,
        is_kept=all(
            part_share >= confidence - TOLERANCE * part_error
            for part_share, part_error in ((share, error), kept_share(newest, confidence))
        ),
        share_sooner=sum(one.weight for one in outcomes if one.lead_time <= one.days - 1) / total,
    )


def kept_share(outcomes: Sequence[Outcome], confidence: float) -> tuple[float, float]:
    """Return the share of kept promises and its standard error.

    Jobs begun on one day share their fate, so that the days count and not the jobs.
    """
    total = sum(one.weight for one in outcomes)
    share = sum(one.weight for one in outcomes if one.lead_time <= one.days) / total
    by_day: defaultdict[float, float] = defaultdict(float)
    for one in outcomes:
        by_day[one.group] += one.weight * ((one.lead_time <= one.days) - share)
    between_days = math.sqrt(sum(rest**2 for rest in by_day.values())) / total
    by_chance = math.sqrt(confidence * (1 - confidence) / len(outcomes))
    return share, max(between_days, by_chance)

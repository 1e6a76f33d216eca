"""Processes that stand still: work waits for them, and they have finished none for unusually long."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from opsboard.features.jobs.past_jobs import WHOLE_JOB, PastJob

# A process that works as before is taken for one that stands still on at most one day of a hundred.
LEVEL = 0.01
LEAST_DAYS = 1.0


def stands_still(jobs: Iterable[PastJob], process: int, now: float) -> bool:
    """Return if chance does not explain for how long no step has ended there.

    A stretch is the time from one end of a step to the next, without the time in which no step waited. The share of
    the stretches, the present one included, that are as long as the present one is its p-value. As promises are whole
    days, those that are shorter by less than a day are as long.
    """
    past, present = stretches(jobs, process, now)
    return 1 + sum(one > present - LEAST_DAYS for one in past) <= LEVEL * (1 + len(past))


def stretches(jobs: Iterable[PastJob], process: int, now: float) -> tuple[list[float], float]:
    """Return the stretches between the ends of steps of a process, and the present one: 0 where nothing waits."""
    visits = sorted((visit for job in jobs for visit in visits_of(job, process, now)), reverse=True)
    # From the last to the first: `waiting` is since when the oldest step waited that had not ended before `end`.
    past: list[float] = []
    end, waiting = math.inf, math.inf
    for ended, since in visits:
        if ended < end:
            past.append(min(end, now) - max(ended, waiting))
            end = ended
        waiting = min(waiting, since)
    past = [max(0.0, stretch) for stretch in past]
    return past[1:], past[0] if past else 0.0


def visits_of(job: PastJob, process: int, now: float) -> Iterator[tuple[float, float]]:
    """Yield when the job left the process, never if it is still there, and since when it was there."""
    if process == WHOLE_JOB:
        if not job.steps:
            yield ended_by(job.ended, now), job.begun
        return
    since = job.begun
    for step in job.steps:
        ended = ended_by(step.ended, now)
        if step.process == process:
            yield ended, since
        if ended == math.inf:
            return
        since = max(since, ended)


def ended_by(ended: float | None, now: float) -> float:
    return math.inf if ended is None or ended >= now else ended

"""Forward simulation of the queues before each process, one capacity each, in the order of their jobs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from opsboard.features.jobs.past_jobs import WHOLE_JOB, PastJob

RECENT_DAYS = 28.0
# The processes a job has left, in order, each with the number of steps it stands for.
Work = Sequence[tuple[int, float]]


class Passage(NamedTuple):
    """A job's way through the simulation: days until its end, and the days spent at each of its steps."""

    days: float
    at_steps: list[float]


def throughput(jobs: Iterable[PastJob], day: float) -> dict[int, float]:
    """Return the steps that each process finished per day in the four weeks before that day.

    By Little's law the steps before a process divided by this rate are the days of the last of them, also where a
    process works on several at a time.
    """
    since, first = day - RECENT_DAYS, day
    done: defaultdict[int, float] = defaultdict(float)
    for job in jobs:
        if job.begun >= day:
            continue
        first = min(first, job.begun)
        for step in job.steps:
            if step.ended is not None and since <= step.ended < day:
                done[step.process] += job.weight
        if not job.steps and job.ended is not None and since <= job.ended < day:
            done[WHOLE_JOB] += job.weight
    span = max(1.0, day - max(since, first))
    return {process: steps / span for process, steps in done.items()}


def simulate(works: Sequence[Work], rates: Mapping[int, float]) -> list[Passage]:
    """Let all works pass their processes, those first in order first. A work of no weight takes no capacity.

    A process that finished nothing lately never does: the days of a work that waits for it are infinite.
    """
    arrived = [0.0] * len(works)
    at_steps: list[list[float]] = [[] for _ in works]
    waiting: defaultdict[int, list[int]] = defaultdict(list)
    for number, work in enumerate(works):
        if work:
            waiting[work[0][0]].append(number)
    ends: list[tuple[float, int]] = []
    busy: set[int] = set()

    def begin_next(process: int, moment: float) -> None:
        rate = rates.get(process, 0.0)
        if process not in busy and waiting[process] and rate > 0:
            number = heappop(waiting[process])
            weight = works[number][len(at_steps[number])][1]
            busy.add(process)
            heappush(ends, (moment + weight / rate, number))

    for process in list(waiting):
        begin_next(process, 0.0)
    while ends:
        moment, number = heappop(ends)
        process = works[number][len(at_steps[number])][0]
        busy.discard(process)
        at_steps[number].append(moment - arrived[number])
        arrived[number] = moment
        if len(at_steps[number]) < len(works[number]):
            following = works[number][len(at_steps[number])][0]
            heappush(waiting[following], number)
            begin_next(following, moment)
        begin_next(process, moment)
    return [
        Passage(at if len(steps) == len(work) else math.inf, steps)
        for at, steps, work in zip(arrived, at_steps, works, strict=True)
    ]

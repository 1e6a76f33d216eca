"""Shops whose truth is known: jobs arrive by chance and pass machines that work on one step at a time."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from typing import NamedTuple

from opsboard.features.jobs.past_jobs import History, PastJob, Step

MEAN_STEP = 0.4
Rate = Callable[[float], float]


class Job(NamedTuple):
    """A job and all that ever came of it: when it began, and when each of its steps ended."""

    begun: float
    routing: tuple[int, ...]
    ends: tuple[float, ...]

    @property
    def days(self) -> float:
        return self.ends[-1] - self.begun


def generated_shop(
    days: int,
    arrivals: Rate,
    closed: tuple[float, float] | None = None,
    down: tuple[float, float] | None = None,
    seed: int = 1,
) -> list[Job]:
    """Return the jobs of so many days. A machine takes MEAN_STEP days for a step on average.

    `arrivals`: jobs per day. `closed`: days on which nothing arrives and nobody works; `down`: on which the second
    machine stands still.
    """
    chance = random.Random(seed)
    free = {1: 0.0, 2: 0.0, 3: 0.0}
    arriving, moment = [], 0.0
    while moment < days:
        moment += chance.expovariate(arrivals(moment))
        if not (closed and closed[0] <= moment < closed[1]):
            arriving.append((moment, (1, 2) if chance.random() < 0.5 else (1, 2, 3)))
    jobs: list[tuple[float, tuple[int, ...], list[float]]] = [(at, routing, []) for at, routing in arriving]
    # One machine after the other: its steps in the order in which they reach it.
    for machine in (1, 2, 3):
        queue = [
            (ends[-1] if ends else begun, number)
            for number, (begun, routing, ends) in enumerate(jobs)
            if machine in routing
        ]
        for reached, number in sorted(queue):
            start = max(reached, free[machine])
            for pause in (closed, down if machine == 2 else None):
                if pause and pause[0] <= start < pause[1]:
                    start = pause[1]
            free[machine] = start + chance.gammavariate(4, MEAN_STEP / 4)
            jobs[number][2].append(free[machine])
    return [Job(begun, routing, tuple(ends)) for begun, routing, ends in jobs]


def seen_on(jobs: list[Job], day: int) -> History:
    """Return what a shop knows at the end of a day."""
    end = day + 1

    def known(moment: float) -> float | None:
        return moment - day if moment < end else None

    return History(
        dt.date(2026, 1, 1) + dt.timedelta(day),
        1.0,
        [
            PastJob(
                job.begun - day,
                known(job.ends[-1]),
                1.0,
                (0, 0.0, job.begun - day),
                tuple(Step(process, known(end)) for process, end in zip(job.routing, job.ends, strict=True)),
            )
            for job in jobs
            if day - 182 < job.begun < end
        ],
    )

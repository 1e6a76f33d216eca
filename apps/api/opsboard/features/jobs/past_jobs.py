"""Past and open jobs as the forecasts read them: times in days of the business, counted from the start of today.

Where the business has working hours or holidays, these are working days: the time in which it is closed does not count.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from opsboard.features.jobs.business_calendar import BusinessCalendar, business_calendar

# Instead of the id of a process: a step that names none, and a job without steps, which waits as a whole.
UNNAMED = 0
WHOLE_JOB = -1


class Step(NamedTuple):
    """A step that was not skipped. `ended` is None while it is open."""

    process: int
    ended: float | None


class PastJob(NamedTuple):
    """A job of the sample, open or finished. `weight` is the number of jobs that it stands for."""

    begun: float
    ended: float | None
    weight: float
    rank: tuple[int, float, float]
    """Its place in a queue: urgent jobs first, then by due date, then by age."""
    steps: tuple[Step, ...]

    @property
    def routing(self) -> tuple[int, ...]:
        return tuple(step.process for step in self.steps)

    def lead_time(self, day: float) -> tuple[float, bool]:
        """Days from beginning to end, and True; or its age on that day, and False if it was open then."""
        if self.ended is not None and self.ended < day:
            return round(self.ended - self.begun, 3), True
        return round(day - self.begun, 3), False

    def work_left(self, day: float) -> list[tuple[int, float]]:
        """The processes that it still had to pass on that day, in order, with its weight."""
        if not self.steps:
            return [(WHOLE_JOB, self.weight)]
        return [(step.process, self.weight) for step in self.steps if step.ended is None or step.ended >= day]


class History(NamedTuple):
    """All that a forecast reads. `observed` is the moment until which it is known what happened."""

    today: dt.date
    observed: float
    jobs: list[PastJob]
    calendar: BusinessCalendar | None = None
    """None: the business works at any time."""


DAY = 86_400.0
FAR = 1e9  # days until the due date of a job that has none


def read_history(document: dict[str, Any]) -> History:
    """Return the history of a statement's answer, whose times are seconds of the clock of the business."""
    today = dt.date.fromisoformat(document["today"])
    midnight = dt.datetime(today.year, today.month, today.day, tzinfo=dt.UTC).timestamp()

    oldest = min((row[0] for row in document["jobs"]), default=midnight)
    calendar = business_calendar(document, today.isoweekday(), math.floor((oldest - midnight) / DAY))

    def days(seconds: int | None) -> float | None:
        if seconds is None:
            return None
        moment = (seconds - midnight) / DAY
        return moment if calendar is None else calendar.working_days(moment)

    return History(
        today=today,
        observed=days(document["observed"]) or 0.0,
        jobs=[past_job(row, days) for row in document["jobs"]],
        calendar=calendar,
    )


def past_job(row: Sequence[Any], days: Callable[[int | None], float | None]) -> PastJob:
    begun, ended, weight, urgency, due_in, processes, ends = row
    steps = zip(processes or (), ends or (), strict=True)
    since = days(begun) or 0.0
    return PastJob(
        since,
        days(ended),
        weight,
        (-urgency, FAR if due_in is None else due_in, since),
        tuple(Step(process or UNNAMED, days(end)) for process, end in steps),
    )

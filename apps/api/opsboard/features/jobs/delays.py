"""The step that takes an open job longest: all open work is let through the queues before its processes."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterable, Iterator
from itertools import accumulate, pairwise
from typing import Any

from opsboard.features.jobs.business_calendar import BusinessCalendar, business_calendar
from opsboard.features.jobs.past_jobs import FAR
from opsboard.features.jobs.queue_simulation import RECENT_DAYS, Passage, simulate

MOST_ITEMS = 100


def delays_document(found: dict[str, Any], job_ids: Collection[int]) -> dict[str, Any]:
    """Return an item for each of these jobs, or for the open jobs that are due next, from what the statement gave."""
    names = names_of(found)
    shown = [
        (job, passage)
        for job, passage in passages_of(found)
        if (job[0] in job_ids if job_ids else job[2] is not None and job[2] >= 0)
    ]
    shown.sort(key=lambda pair: (FAR if pair[0][2] is None else pair[0][2], pair[0][0]))
    return {"today": found["today"], "items": [item(job, way, names) for job, way in shown[:MOST_ITEMS]]}


def late_document(found: dict[str, Any]) -> dict[str, Any]:
    """Return the jobs that are shown of each kind, each with its delay: null without steps, and where it is on hold."""
    ways = {job[0]: (job, passage) for job, passage in passages_of(found)}
    names = names_of(found)
    answer: dict[str, Any] = {"today": found["today"], "overdue": [], "at_risk": [], "stuck": []}
    for kind, shown in found["shown"]:
        way = ways.get(shown["id"])
        answer[kind].append({**shown, "delay": delay(*way, names) if way else None})
    return answer


def names_of(found: dict[str, Any]) -> dict[int, str]:
    return {process: name for process, name, _ in found["rates"]}


def passages_of(found: dict[str, Any]) -> list[tuple[list[Any], Passage]]:
    """Let all jobs pass the queues, those first in order first."""
    rates = {process: per_day for process, _, per_day in found["rates"] if per_day}
    calendar = calendar_of(found)
    if calendar:
        worked = -calendar.working_days(-RECENT_DAYS)
        rates = {process: rate * RECENT_DAYS / worked for process, rate in rates.items() if worked}
    ahead = sorted(
        found["jobs"], key=lambda job: (-job[1], FAR if job[2] is None else job[2], job[3], job[0])
    )
    works = [[(process, 1.0) for process in job[5]] for job in ahead]
    passages = simulate(works, rates)
    return list(zip(ahead, passages if calendar is None else on_calendar(passages, calendar), strict=True))


def calendar_of(found: dict[str, Any]) -> BusinessCalendar | None:
    return business_calendar(found, dt.date.fromisoformat(found["today"]).isoweekday(), -int(RECENT_DAYS))


def on_calendar(passages: Iterable[Passage], calendar: BusinessCalendar) -> Iterator[Passage]:
    """Yield passages in days of the calendar instead of working days from the start of today."""
    for passage in passages:
        # Dates are known for some years only; beyond them working days are told.
        moments = [(calendar.moment(days), days) for days in accumulate(passage.at_steps)]
        ends = [0.0, *(moment if math.isfinite(moment) else days for moment, days in moments)]
        steps = [max(0.0, end - begin) for begin, end in pairwise(ends)]
        yield Passage(max(ends) if math.isfinite(passage.days) else math.inf, steps)


def item(job: list[Any], passage: Passage, names: dict[int, str]) -> dict[str, Any]:
    job_id, _, due_in, _, _, _ = job
    is_endless = not math.isfinite(passage.days)
    return {
        "id": job_id,
        "days_left": due_in,
        "ends_late": None if due_in is None or due_in < 0 else is_endless or math.ceil(passage.days) > due_in,
        **delay(job, passage, names),
    }


def delay(job: list[Any], passage: Passage, names: dict[int, str]) -> dict[str, Any]:
    """Return the days until the job has passed all queues, and the step that takes the largest part of them."""
    orders, processes = job[4:]
    is_endless = not math.isfinite(passage.days)
    # An endless one has not passed the step after those it passed.
    place = len(passage.at_steps) if is_endless else passage.at_steps.index(max(passage.at_steps))
    return {
        "days": None if is_endless else round(passage.days, 1),
        "longest": {
            "step_order": orders[place],
            "process": {"id": processes[place], "name": names[processes[place]]},
            "days": None if is_endless else round(passage.at_steps[place], 1),
        },
    }

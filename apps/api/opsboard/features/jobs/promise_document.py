"""The answer about a date to promise, as the API gives it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from opsboard.features.jobs.business_calendar import BusinessCalendar
from opsboard.features.jobs.past_jobs import History, PastJob, read_history
from opsboard.features.jobs.promise import Promise, promise
from opsboard.features.jobs.promise_days import whole_days
from opsboard.features.jobs.promise_replay import Method, lead_time_quantile


def promise_document(
    found: dict[str, Any], routing: Sequence[int], confidence: float, has_steps: bool | None, most: int
) -> dict[str, Any]:
    """Return the members of the answer. `found` is what the statement gave, `most` the longest queue it counts."""
    history = read_history(found)
    made = promise(history, routing, confidence, has_steps)
    processes = found["processes"]
    reason = made.reason or queue_reason(processes, most)
    calendar = history.calendar
    days = None if reason else calendar_days(calendar, made.days)
    if made.days is not None and days is None:
        reason = reason or "too_much_work"
    lead_times = quantiles(made.kind.jobs, history.observed, confidence)
    median, likely = lead_times["median_days"], lead_times["likely_days"]
    return {
        "promise_date": days_after(history.today, days),
        "days": days,
        "confidence": confidence,
        "reason": reason,
        "today": history.today.isoformat(),
        "queue_days": max((one["days"] for one in processes if one["days"] is not None), default=None),
        "factor": round(likely / median, 2) if likely and median else None,
        "lead_times": {
            "steps": len(routing) if made.kind.by in ("routing", "steps") else None,
            **lead_times,
        },
        "kept": checked(made.chosen or made.plain),
        "processes": processes,
        "counted_in": "working_days" if calendar else "days",
        "method": made.chosen.name if made.chosen and not reason else None,
        "interval": interval(made, history, days),
        "kind": {
            "by": made.kind.by,
            "finished": made.kind.finished,
            "open": len(made.kind.jobs) - made.kind.finished,
        },
        "plain": {
            "days": calendar_days(calendar, made.plain.promised) if made.plain else None,
            "kept": checked(made.plain),
        },
        "kinds": [
            {"has_steps": some, **quantiles(jobs, history.observed, confidence)}
            for some in (True, False)
            if (jobs := [job for job in made.kind.jobs if bool(job.steps) == some])
        ],
    }


def queue_reason(processes: Iterable[dict[str, Any]], most: int) -> str | None:
    """Return why no date can be promised through these queues."""
    waiting = [one for one in processes if one["steps_ahead"]]
    if any(one["steps_ahead"] >= most for one in waiting):
        return "too_much_work"
    return "idle_process" if any(not one["per_day"] for one in waiting) else None


def quantiles(jobs: Sequence[PastJob], observed: float, confidence: float) -> dict[str, Any]:
    """Return the number of finished jobs, and the days within which half of all jobs end, and the share asked for."""
    median, likely = (lead_time_quantile(jobs, observed, level) for level in (0.5, confidence))
    return {
        "cases": sum(1 for job in jobs if job.ended is not None),
        "median_days": rounded(median, 1),
        "likely_days": rounded(likely, 1),
    }


def checked(method: Method | None) -> dict[str, Any]:
    past = method.replayed if method else None
    has_cases = past is not None and past.cases > 0
    return {
        "cases": past.cases if past else 0,
        "share": rounded(past.share, 4) if past and has_cases else None,
        "uncertainty": rounded(past.error, 4) if past and has_cases else None,
        "share_a_day_sooner": rounded(past.share_sooner, 4) if past and has_cases else None,
        "share_a_day_later": rounded(past.share_later, 4) if past and has_cases else None,
        "mean_days": rounded(past.width, 1) if past and has_cases else None,
    }


def calendar_days(calendar: BusinessCalendar | None, days: int | None) -> int | None:
    """Return the days from today in which so many working days pass; None where that is too far."""
    return days if calendar is None or days is None else calendar.days_until(days)


def interval(made: Promise, history: History, days: int | None) -> dict[str, Any] | None:
    """Return the days between which the job ends as likely as not to end outside on each side by 1 - confidence."""
    if days is None or made.chosen is None:
        return None
    soonest = calendar_days(history.calendar, whole_days(made.chosen.least_days)) or 0
    least, today = min(soonest, days), history.today
    return {
        "from_days": least,
        "to_days": days,
        "from": days_after(today, least),
        "to": days_after(today, days),
    }


def days_after(today: dt.date, days: int | None) -> str | None:
    return None if days is None else (today + dt.timedelta(days=days)).isoformat()


def rounded(value: float | None, places: int) -> float | None:
    return None if value is None else round(value, places)

"""Durations count while the business works; dates are those of its calendar."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

import pytest

from opsboard.features.jobs.business_calendar import BusinessCalendar, business_calendar
from opsboard.features.jobs.promise import promise
from tests.clusters import FreshDatabase
from tests.features.generated_shops import generated_shop, seen_on
from tests.features.past_jobs import TODAY, Shop, past_shop

# From Monday to Friday, from 8 to 16, and a night shift on Friday that ends on Saturday at 2.
WEEK = [(day, 8 * 60, 16 * 60) for day in range(1, 6)]
NIGHT = (5, 22 * 60, 2 * 60)
# Today is a Tuesday.
TUESDAY = dt.date.fromisoformat(TODAY).isoweekday()
ALWAYS = [(day, 0, 1440) for day in range(1, 8)]


@pytest.fixture
def app(database: FreshDatabase) -> Iterator[Shop]:
    with past_shop(database, "Europe/Berlin") as app:
        yield app


def test_working_days_are_those_worked_out_by_hand() -> None:
    calendar = BusinessCalendar(TUESDAY, WEEK, [(1, 1)], -30)
    # Today from 8 to 16 is a working day, noon its half; tomorrow is a holiday, and Thursday another working day.
    assert [calendar.working_days(at) for at in (0, 1 / 3, 0.5, 1, 1.5, 2, 3)] == [0, 0, 0.5, 1, 1, 1, 2]
    # Before it: Monday, and no weekend.
    assert [calendar.working_days(at) for at in (-0.5, -1, -2, -3, -4, -7)] == [-0.5, -1, -1, -1, -2, -5]
    # Back: one working day from the end of today ends on Thursday, two on Friday, three on Monday.
    assert [calendar.days_until(days) for days in range(4)] == [0, 2, 3, 6]
    assert calendar.moment(1.5) == pytest.approx(2.5)
    assert calendar.days_until(10_000) is None
    for days in (0.25, 0.999, 1.01, 7.3, 200):
        assert calendar.working_days(calendar.moment(days)) == pytest.approx(days, abs=1e-6)


def test_a_business_without_hours_and_holidays_has_no_calendar() -> None:
    assert business_calendar({}, 1, -10) is None
    assert business_calendar({"hours": [], "holidays": []}, 1, -10) is None
    always = BusinessCalendar(TUESDAY, ALWAYS, [], -30)
    for moment in (-12.25, 0, 0.3, 5):
        assert always.working_days(moment) == pytest.approx(moment)
    assert [always.days_until(days) for days in (0, 1, 40)] == [0, 1, 40]


def test_a_business_that_is_never_open_again_has_no_dates() -> None:
    assert BusinessCalendar(TUESDAY, WEEK, [(1, 6000)], -30).days_until(1) is None


def test_minutes_are_those_of_the_database(app: Shop) -> None:
    """Without the nights of a clock change, which count as any other night here."""
    for weekday, begin, end in [*WEEK, NIGHT]:
        app.write(
            "INSERT INTO working_hours (tenant_id, weekday, starts_at, ends_at) "
            "VALUES (%s, %s, '00:00'::time + %s * interval '1 minute', '00:00'::time + %s * interval '1 minute') "
            "RETURNING 1",
            app.id, weekday, begin, end,
        )  # fmt: skip
    app.write(
        "INSERT INTO holidays (tenant_id, name, first_day, last_day) "
        "VALUES (%s, 'Easter', '2026-04-03', '2026-04-06') RETURNING 1",
        app.id,
    )
    found = app.get("/api/jobs/promise-date")
    assert found["counted_in"] == "working_days"
    calendar = BusinessCalendar(TUESDAY, [*WEEK, NIGHT], [(3, 6)], -30)
    chance = random.Random(5)
    unit = (5 * 480 + 240) / 6
    for _ in range(20):
        begin, end = sorted(round(chance.uniform(-2, 20) * 1440) for _ in range(2))
        minutes = app.write(
            "SELECT working_minutes(%s, NULL, (%s::date + %s * interval '1 minute') AT TIME ZONE 'Europe/Berlin', "
            "(%s::date + %s * interval '1 minute') AT TIME ZONE 'Europe/Berlin')",
            app.id, TODAY, begin, TODAY, end,
        )  # fmt: skip
        worked = calendar.working_days(end / 1440) - calendar.working_days(begin / 1440)
        assert worked * unit == pytest.approx(float(minutes), abs=0.01), (begin, end)


def test_a_promise_before_days_that_are_closed_is_kept_and_tells_the_day_after_them() -> None:
    """A shop that closes for ten days: promises of the days before, made with and without knowing it."""
    kept: dict[bool, list[bool]] = {True: [], False: []}
    for seed in range(1, 5):
        jobs = generated_shop(days=330, arrivals=lambda day: 1.8, closed=(300, 310), seed=seed)
        for day in (297, 298):
            calendar = BusinessCalendar(1, ALWAYS, [(300 - day, 309 - day)], -400)
            came = [job for job in jobs if day + 1 <= job.begun < day + 2]
            days = promise(seen_on(jobs, day), (1, 2), 0.9).days
            assert days is not None
            for knows in (True, False):
                until = day + 1 + (calendar.days_until(days) or 0) if knows else day + 1 + days
                kept[knows] += [job.ends[-1] <= until + 1 for job in came]
    shares = {knows: sum(of) / len(of) for knows, of in kept.items()}
    assert shares[True] >= 0.8
    assert shares[False] < shares[True] - 0.2


def jobs_of(app: Shop) -> int:
    saw = app.process("Sawing")
    app.add_jobs([(back, 3 if back > 3 else None, [saw]) for back in range(150)])
    return saw


def without(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}


def test_closed_days_put_the_date_off_and_a_business_that_always_works_has_the_same_one(
    database: FreshDatabase,
) -> None:
    with past_shop(database) as app:
        saw = jobs_of(app)
        path = f"/api/jobs/promise-date?process_ids={saw}&confidence=0.8"
        before, delays = app.get(path), app.get("/api/jobs/delays?job_ids=" + ids_of(app))
        assert (before["promise_date"], before["counted_in"]) == ("2026-04-03", "days")
        for weekday in range(1, 8):
            app.write(
                "INSERT INTO working_hours (tenant_id, weekday, starts_at, ends_at) "
                "VALUES (%s, %s, '00:00', '24:00') RETURNING 1",
                app.id, weekday,
            )  # fmt: skip
        always = app.get(path)
        assert always["counted_in"] == "working_days"
        assert without(always, "counted_in") == without(before, "counted_in")
        assert app.get("/api/jobs/delays?job_ids=" + ids_of(app)) == delays
        app.write(
            "INSERT INTO holidays (tenant_id, name, first_day, last_day) "
            "VALUES (%s, 'Works holiday', '2026-04-02', '2026-04-08') RETURNING 1",
            app.id,
        )
        closed = app.get(path)
        assert (closed["promise_date"], closed["days"]) == ("2026-04-10", 10)
        assert closed["lead_times"] == before["lead_times"]
        # One a day passes the queue: two before the holiday, and two a week later than without it.
        later = app.get("/api/jobs/delays?job_ids=" + ids_of(app))
        passed, passed_later = (sorted(one["days"] for one in of["items"]) for of in (delays, later))
        put_off = [round(after - day) for after, day in zip(passed_later, passed, strict=True)]
        assert put_off == [0, 0, 7, 7]


def ids_of(app: Shop) -> str:
    ids: str = app.write(
        "SELECT string_agg(id::text, ',') FROM jobs WHERE tenant_id = %s AND status = 'active'", app.id
    )
    return ids

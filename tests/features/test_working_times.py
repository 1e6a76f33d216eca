"""Working times: exact over midnight, clock changes, holidays and left-out days, as when every minute is counted."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import psycopg2
import pytest

from tests.application import Application
from tests.features.test_work import run
from tests.features.test_work_sums import ZONES, changes_of

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
ADD_SHIFT = """
INSERT INTO working_hours (tenant_id, machine_id, weekday, starts_at, ends_at) VALUES (%s, %s, %s, %s, %s)
"""
ADD_HOLIDAY = "INSERT INTO holidays (tenant_id, name, first_day, last_day) VALUES (%s, 'h', %s, %s)"


class Shift(NamedTuple):
    """Begin and end in minutes of the day on which it begins."""

    weekday: int
    starts: int
    ends: int


NO_SHIFTS: list[Shift] = []


@pytest.fixture
def app(own_app: Application) -> Application:
    run(own_app, "DELETE FROM working_hours")
    run(own_app, "DELETE FROM holidays")
    return own_app


def moment_of(local: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The moment at which the clocks show a time: the later one of both readings of it."""
    return max(local.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))


def expected(
    shifts: list[Shift],
    holidays: list[tuple[dt.date, dt.date]],
    name: str,
    began: dt.datetime,
    ended: dt.datetime,
) -> int:
    """The minutes of a window that lie in any shift and on no holiday; of whole minutes, one after the other."""
    zone = ZoneInfo(name)

    def midnight(day: dt.date) -> dt.datetime:
        return moment_of(dt.datetime.combine(day, dt.time()), zone)

    worked = set() if shifts else set(minutes(began, ended))
    day = began.astimezone(zone).date() - 4 * DAY
    while day <= ended.astimezone(zone).date() + DAY:
        if midnight(day) < midnight(day + DAY):
            for shift in shifts:
                if shift.weekday == day.isoweekday():
                    start = dt.datetime.combine(day, dt.time())
                    at = [moment_of(start + of * MINUTE, zone) for of in (shift.starts, shift.ends)]
                    worked |= set(minutes(max(began, at[0]), min(ended, at[1])))
        day += DAY
    for first, last in holidays:
        worked -= set(minutes(max(began, midnight(first)), min(ended, midnight(last + DAY))))
    return len(worked)


def minutes(began: dt.datetime, ended: dt.datetime) -> range:
    """Minutes since 1970; every clock change of the zones is at a whole one."""
    return range(int(began.timestamp()) // 60, int(ended.timestamp()) // 60)


def random_week(choose: random.Random) -> list[Shift]:
    """Shifts that do not overlap, some of them past midnight, up to a minute less than a day long."""
    bounds = sorted(choose.sample(range(7 * 1440), 2 * choose.randint(1, 8)))
    week = []
    for starts, ends in zip(bounds[::2], bounds[1::2], strict=True):
        weekday, first = divmod(starts, 1440)
        week.append(Shift(weekday + 1, first, first + min(ends - starts, 1439)))
    return week


def clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def store(app: Application, machine: int | None, shifts: list[Shift]) -> None:
    for one in shifts:
        run(app, ADD_SHIFT, app.alpha.id, machine, one.weekday, clock(one.starts), clock(one.ends))


def told(app: Application, machine: int | None, began: dt.datetime, ended: dt.datetime) -> Any:
    [(found,)] = run(app, "SELECT working_minutes(%s, %s, %s, %s)", app.alpha.id, machine, began, ended)
    return found


def test_working_minutes_are_those_that_one_counts(app: Application) -> None:
    """In each zone random weeks, holidays, and windows around clock changes and a day that is left out."""
    [(machine,)] = run(app, "SELECT min(id) FROM machines WHERE tenant_id = %s", app.alpha.id)
    for zone in ZONES:
        choose = random.Random(zone)
        run(app, "UPDATE tenants SET time_zone = %s WHERE id = %s", zone, app.alpha.id)
        skipped = [dt.datetime(2011, 12, 30, 10, tzinfo=dt.UTC)] if zone == "Pacific/Apia" else []
        for change in skipped + choose.sample(changes_of(zone) * 4, 4):
            compare_around(app, choose, zone, machine, change)


def compare_around(
    app: Application, choose: random.Random, zone: str, machine: int, change: dt.datetime
) -> None:
    tenant = app.alpha.id
    run(app, "DELETE FROM working_hours")
    run(app, "DELETE FROM holidays")
    week, own = random_week(choose), choose.choice([NO_SHIFTS, random_week(choose)])
    store(app, None, week)
    store(app, machine, own)
    began = change + choose.randint(-4320, 60) * MINUTE
    ended = began + choose.choice([0, 1, 300, 3 * 1440, 12 * 1440]) * MINUTE
    holidays = []
    for _ in range(choose.randint(0, 2)):
        first = (began + choose.randint(-2, 4) * DAY).date()
        last = first + choose.choice([0, 0, 2]) * DAY
        holidays.append((first, last))
        run(app, ADD_HOLIDAY, tenant, first, None if last == first else last)
    where = (zone, week, own, holidays, began, ended)
    assert told(app, None, began, ended) == expected(week, holidays, zone, began, ended), where
    assert told(app, machine, began, ended) == expected(own or week, holidays, zone, began, ended), where
    middle = began + (ended - began) / 3
    halves = told(app, None, began, middle) + told(app, None, middle, ended)
    assert abs(halves - told(app, None, began, ended)) < 1e-9, where


def test_without_hours_work_is_possible_at_any_time_but_holidays(app: Application) -> None:
    run(app, "UPDATE tenants SET time_zone = 'Europe/Berlin' WHERE id = %s", app.alpha.id)
    began = dt.datetime(2026, 3, 27, 23, tzinfo=dt.UTC)  # midnight; the clocks change on the 29th
    assert told(app, None, began, began + 7 * DAY) == 7 * 1440
    run(app, ADD_HOLIDAY, app.alpha.id, "2026-03-29", None)
    assert told(app, None, began, began + 7 * DAY) == 7 * 1440 - 23 * 60
    assert told(app, None, began, began) == 0
    assert told(app, None, began, began - DAY) == 0


def test_a_night_shift_is_one_range_and_ends_where_a_holiday_begins(app: Application) -> None:
    run(app, "UPDATE tenants SET time_zone = 'UTC' WHERE id = %s", app.alpha.id)
    run(app, ADD_SHIFT, app.alpha.id, None, 7, "22:00", "06:00")
    run(app, ADD_SHIFT, app.alpha.id, None, 1, "06:00", "24:00")
    times = "SELECT working_times(%s, NULL, '2026-03-01 12:00Z', '2026-03-03 12:00Z')::text"
    assert run(app, times, app.alpha.id) == [('{["2026-03-01 22:00:00+00","2026-03-03 00:00:00+00")}',)]
    run(app, ADD_HOLIDAY, app.alpha.id, "2026-03-02", None)
    assert run(app, times, app.alpha.id) == [('{["2026-03-01 22:00:00+00","2026-03-02 00:00:00+00")}',)]


def test_hours_of_another_business_are_not_counted(app: Application) -> None:
    run(app, ADD_SHIFT, app.beta.id, None, 1, "06:00", "14:00")
    began = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    assert told(app, None, began, began + DAY) == 1440


def test_hours_that_overlap_or_have_no_length_are_refused(app: Application) -> None:
    run(app, ADD_SHIFT, app.alpha.id, None, 1, "06:00", "14:00")
    for weekday, starts, ends, constraint in [
        (1, "08:00", "09:00", "working_hours_overlap"),
        (7, "23:00", "06:30", "working_hours_overlap"),
        (2, "05:00", "05:00", "working_hours_length"),
        (2, "05:00:30", "06:00", "working_hours_minutes"),
        (2, "24:00", "06:00", "working_hours_minutes"),
        (8, "05:00", "06:00", "working_hours_weekday_check"),
    ]:
        with pytest.raises(psycopg2.IntegrityError, match=constraint):
            run(app, ADD_SHIFT, app.alpha.id, None, weekday, starts, ends)
    run(app, ADD_SHIFT, app.alpha.id, None, 1, "14:00", "22:00")
    run(app, ADD_SHIFT, app.beta.id, None, 1, "06:00", "14:00")

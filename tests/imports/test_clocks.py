"""Nights in which clocks change: an hour that is shown twice, and one that is never shown."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.imports.sheet import Sheet, sheet

__all__ = ["sheet"]

JOBS = """
[tables.jobs]
file = "f"
external_id = "{No}"
stages = [
    { status = "draft" },
    { status = "active", since = "started_at" },
    { status = "completed", since = "completed_at" },
]
[tables.jobs.columns]
job_number = "{No}"
title = "night shift"
started_at = "{Begun}"
completed_at = "{Ended}"
"""
TIMES = "SELECT started_at, completed_at, status FROM jobs"
OCTOBER, MARCH = dt.datetime(2025, 10, 26, tzinfo=dt.UTC), dt.datetime(2025, 3, 30, tzinfo=dt.UTC)


def hours(day: dt.datetime, text: str) -> dt.datetime:
    hour, minute = text.split(":")
    return day + dt.timedelta(hours=int(hour), minutes=int(minute))


@pytest.mark.parametrize(
    ("begun", "ended", "utc"),
    [
        ("2025-10-26 02:45", "2025-10-26 02:15", ("0:45", "1:15")),
        ("2025-10-26 02:15", "2025-10-26 02:45", ("0:15", "0:45")),
        ("2025-10-26 02:30", "2025-10-26 02:30", ("0:30", "0:30")),
        ("2025-10-26 01:50", "2025-10-26 02:10", ("-1:50", "0:10")),
        ("2025-10-26 02:50", "2025-10-26 03:10", ("0:50", "2:10")),
        # A text that tells its offset is one moment only.
        ("2025-10-26 02:45+01", "2025-10-26 02:50", ("1:45", "1:50")),
    ],
)
def test_the_hour_that_is_shown_twice_is_read_in_order(
    sheet: Sheet, begun: str, ended: str, utc: tuple[str, str]
) -> None:
    sheet.run(f"No,Begun,Ended\n1,{begun},{ended}\n", JOBS)
    ((started, completed, status),) = sheet.rows(TIMES)
    expected = [
        hours(OCTOBER, time.lstrip("-")) - dt.timedelta(hours=2 * time.startswith("-")) for time in utc
    ]
    assert [started, completed, status] == [*expected, "completed"]


def test_an_end_before_its_beginning_is_told_as_the_file_has_it(sheet: Sheet) -> None:
    assert sheet.told("No,Begun,Ended\n1,2025-10-26 02:45,2025-10-26 01:15\n", JOBS) == [
        'data.csv, line 2, Ended: "2025-10-26 01:15" completed_at is before started_at'
    ]


@pytest.mark.parametrize(("rule", "utc"), [("first", "0:30"), ("second", "1:30"), ("order", "0:30")])
def test_the_mapping_says_which_of_two_hours_is_meant(sheet: Sheet, rule: str, utc: str) -> None:
    sheet.run("No,Begun,Ended\n1,2025-10-26 02:30,\n", JOBS, f'repeated_hour = "{rule}"')
    assert sheet.rows(TIMES)[0][0] == hours(OCTOBER, utc)


def test_an_hour_that_clocks_skip_is_a_fault_unless_the_mapping_says_what_it_means(sheet: Sheet) -> None:
    text = "No,Begun,Ended\n1,2025-03-30 02:30,2025-03-30 03:10\n"
    (fault,) = sheet.told(text, JOBS)
    assert fault.startswith(
        'data.csv, line 2, Begun: "2025-03-30 02:30" is a time that clocks in Europe/Berlin skip'
    )
    (fault,) = sheet.told("No,Begun,Ended\n1,2025-10-26 02:30,\n", JOBS, 'repeated_hour = "fault"')
    assert '"2025-10-26 02:30" is a time that clocks' in fault
    # A machine whose clock is never put forward.
    sheet.run(text, JOBS, 'time_zone = "Etc/GMT-1"')
    assert sheet.rows(TIMES)[0][:2] == (hours(MARCH, "1:30"), hours(MARCH, "2:10"))
    sheet.run(text.replace("03:10", "03:40"), JOBS, 'missing_hour = "later"')
    assert sheet.rows(TIMES)[0][:2] == (hours(MARCH, "1:30"), hours(MARCH, "1:40"))


def test_a_day_that_begins_at_one_is_read_and_a_date_needs_no_clock(sheet: Sheet) -> None:
    sheet.rows("UPDATE tenants SET time_zone = 'America/Asuncion'")
    mapping = (
        JOBS.replace("{Ended}", "")
        .replace('completed_at = ""', 'due_date = "{Ended}"')
        .replace('    { status = "completed", since = "completed_at" },\n', "")
    )
    sheet.run("No,Begun,Ended\n1,2023-10-01,2023-10-01 00:30\n2,2023-10-01 00:00:00,2023-10-01\n", mapping)
    assert (
        sheet.rows("SELECT started_at, due_date FROM jobs")
        == [(dt.datetime(2023, 10, 1, 4, tzinfo=dt.UTC), dt.date(2023, 10, 1))] * 2
    )

"""Records whose file tells no time: they are not taken for new, and not for older or newer than what is known."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.imports.sheet import Sheet, sheet

__all__ = ["sheet"]

LEADS = """
[tables.leads]
file = "f"
external_id = "{No}"
[tables.leads.columns]
name = "{Name}"
"""
NEW_TODAY = """
SELECT coalesce(sum(c.n), 0) FROM tenants AS t CROSS JOIN rollup_counts(t.id, '{leads_by_day}') AS c
WHERE c.day = (now() AT TIME ZONE 'Europe/Berlin')::date
"""
DAYS_AGO = "(now() AT TIME ZONE 'Europe/Berlin')::date - ({} AT TIME ZONE 'Europe/Berlin')::date"


def test_leads_without_dates_are_not_new_on_the_first_import(sheet: Sheet) -> None:
    sheet.run("No,Name\n1,Ann\n2,Ben\n", LEADS)
    assert sheet.rows(NEW_TODAY) == [(0,)]
    days = f"SELECT {DAYS_AGO.format('created_at')}, {DAYS_AGO.format('scraped_at')} FROM leads"
    assert sheet.rows(days) == [(1, 1), (1, 1)]


def test_a_lead_that_a_later_import_brings_is_new(sheet: Sheet) -> None:
    sheet.run("No,Name\n1,Ann\n", LEADS)
    before = sheet.rows("SELECT created_at FROM leads")
    summary = sheet.run("No,Name\n1,Anna\n2,Ben\n", LEADS)
    assert (summary.tables[0].inserted, summary.tables[0].updated) == (1, 1)
    assert sheet.rows("SELECT created_at FROM leads WHERE external_id = '1'") == before
    assert sheet.rows(NEW_TODAY) == [(1,)]


def test_two_files_of_one_table_are_both_of_the_first_import(sheet: Sheet) -> None:
    second = LEADS.replace("tables.leads", "tables.more").replace('"{No}"', '"B{No}"\ntable = "leads"')
    sheet.run("No,Name\n1,Ann\n", LEADS + second)
    assert sheet.rows(f"SELECT DISTINCT {DAYS_AGO.format('created_at')}, count(*) FROM leads GROUP BY 1") == [
        (1, 2)
    ]


@pytest.mark.parametrize("as_of", [None, "2025-06-30"])
def test_the_earliest_time_of_a_row_that_has_come_is_taken(sheet: Sheet, as_of: str | None) -> None:
    jobs = LEADS.replace("leads", "jobs").replace(
        'name = "{Name}"',
        'job_number = "{No}"\ntitle = "{Name}"\nstarted_at = "{Begun}"\ncompleted_at = "{Ended}"',
    )
    day = dt.date.fromisoformat(as_of) if as_of else None
    sheet.run(
        "No,Name,Begun,Ended\n1,a,2025-05-03 07:00,2025-05-04\n2,b,,2025-05-05\n3,c,2999-01-01,\n",
        jobs,
        as_of=day,
    )
    created = sheet.rows("SELECT (created_at AT TIME ZONE 'Europe/Berlin')::text FROM jobs ORDER BY id")
    assert created[:2] == [("2025-05-03 07:00:00",), ("2025-05-05 00:00:00",)]
    if as_of:
        assert created[2] == ("2025-06-29 00:00:00",)
    else:
        assert sheet.rows(f"SELECT {DAYS_AGO.format('created_at')} FROM jobs WHERE title = 'c'") == [(1,)]


def test_calls_without_times_are_not_of_today(sheet: Sheet) -> None:
    calls = LEADS.replace("leads", "call_log").replace('name = "{Name}"', 'topic = "{Name}"')
    sheet.run("No,Name\n1,Order\n", calls)
    assert sheet.rows(f"SELECT {DAYS_AGO.format('started_at')} FROM call_log") == [(1,)]

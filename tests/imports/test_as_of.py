"""An import as of a day in the middle of a month: what came later is not there yet."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.imports.sheet import Sheet, sheet

__all__ = ["sheet"]

TABLES = """
[tables.jobs]
file = "f"
external_id = "{No}"
distinct = "first"
[tables.jobs.columns]
job_number = "{No}"
title = "{No}"
created_at = "{Received}"
[tables.job_steps]
file = "f"
external_id = "{No}-{Step}"
[tables.job_steps.parents]
job = "{No}"
[tables.job_steps.columns]
step_order = "{Step}"
"""
TEXT = """No,Step,Received
1,1,2025-05-14
2,1,2025-05-15 23:59:59
3,1,2025-05-16
3,2,2025-05-16
4,1,2025-06-01
"""
JOBS = "SELECT external_id FROM jobs ORDER BY external_id"
STEPS = "SELECT external_id FROM job_steps ORDER BY external_id"


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def test_what_was_created_later_is_left_out_with_all_that_belongs_to_it(sheet: Sheet) -> None:
    summary = sheet.run(TEXT, TABLES, as_of=day("2025-05-15"))
    assert sheet.rows(JOBS) == [("1",), ("2",)]
    assert sheet.rows(STEPS) == [("1-1",), ("2-1",)]
    assert [(one.inserted, one.unchanged) for one in summary.tables] == [(2, 0), (2, 0)]
    assert [str(remark) for remark in summary.remarks] == [
        "jobs: 2 rows came after 2025-05-15 and were left out",
        "job_steps: 3 rows came after 2025-05-15 and were left out",
    ]
    sheet.run(TEXT, TABLES, as_of=day("2025-05-16"))
    assert sheet.rows(JOBS) == [("1",), ("2",), ("3",)]
    sheet.run(TEXT, TABLES)
    assert len(sheet.rows(JOBS)) == 4
    assert len(sheet.rows(STEPS)) == 5


def test_what_is_stored_already_stays_and_is_told(sheet: Sheet) -> None:
    sheet.run(TEXT, TABLES)
    summary = sheet.run(TEXT, TABLES, as_of=day("2025-05-15"))
    assert len(sheet.rows(JOBS)) == 4
    assert [str(remark) for remark in summary.remarks] == [
        "jobs: 2 rows came after 2025-05-15, are stored already and stay"
    ]


@pytest.mark.parametrize("later", ["keep", "leave_out"])
def test_a_mapping_may_keep_them(sheet: Sheet, later: str) -> None:
    tables = TABLES.replace('distinct = "first"', f'distinct = "first"\nlater = "{later}"')
    sheet.run(TEXT, tables, as_of=day("2025-05-15"))
    assert len(sheet.rows(JOBS)) == (4 if later == "keep" else 2)

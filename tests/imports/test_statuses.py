"""A status by times, by a word of the file, and by both; what people changed stays or is traced."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.imports.sheet import Sheet, sheet

__all__ = ["sheet"]

STEPS = """
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
title = "{No}"
status = { value = "{State}", values = { done = "completed", begun = "active", open = "draft", off = "cancelled" } }
started_at = "{Begun}"
completed_at = "{Ended}"
quantity = { value = "{Pieces}", when_status = ["completed", "cancelled"], until_then = "1" }
"""
HEAD = "No,State,Begun,Ended,Pieces\n"


@pytest.mark.parametrize(
    ("line", "as_of", "status", "quantity"),
    [
        ("done,,,5", None, "completed", 5),
        ("begun,,,5", None, "active", 1),
        (",2025-05-01,,5", None, "active", 1),
        ("open,2025-05-01,2025-05-02,5", None, "completed", 5),
        ("done,2025-05-01,,5", None, "completed", 5),
        ("off,2025-05-01,,5", None, "cancelled", 5),
        (",,,5", None, "draft", 1),
        # Events after the day have not happened, whatever their status is.
        ("done,2025-05-01,2025-05-09,5", "2025-05-03", "active", 1),
        ("off,2025-05-05,,5", "2025-05-03", "draft", 1),
        ("off,2025-05-01,,5", "2025-05-03", "cancelled", 5),
        ("done,2025-05-01,,5", "2025-05-03", "completed", 5),
    ],
)
def test_times_and_a_word_tell_the_status_together(
    sheet: Sheet, line: str, as_of: str | None, status: str, quantity: int
) -> None:
    sheet.run(f"{HEAD}1,{line}\n", STEPS, as_of=dt.date.fromisoformat(as_of) if as_of else None)
    assert sheet.rows("SELECT status, quantity FROM jobs") == [(status, quantity)]


def test_a_value_of_some_statuses_needs_no_stages(sheet: Sheet) -> None:
    start, end = STEPS.index("stages"), STEPS.index("[tables.jobs.columns]")
    sheet.run(f"{HEAD}1,done,,,5\n2,begun,,,5\n", STEPS[:start] + STEPS[end:])
    assert sheet.rows("SELECT status, quantity FROM jobs ORDER BY id") == [("completed", 5), ("active", 1)]


PRIORITY = """
[tables.jobs]
file = "f"
external_id = "{No}"
[tables.jobs.columns]
job_number = "{No}"
title = "{Title}"
priority = { value = "{Priority}", once = true }
"""


def test_what_is_set_once_is_left_to_people(sheet: Sheet) -> None:
    sheet.run("No,Title,Priority\n1,a,low\n", PRIORITY)
    sheet.rows("UPDATE jobs SET priority = 'urgent'")
    assert [one.updated for one in sheet.run("No,Title,Priority\n1,a,low\n", PRIORITY).tables] == [0]
    sheet.run("No,Title,Priority\n1,b,high\n2,c,high\n", PRIORITY)
    assert sheet.rows("SELECT title, priority FROM jobs ORDER BY id") == [("b", "urgent"), ("c", "high")]


def test_an_import_that_undoes_a_persons_edit_is_in_the_audit_of_the_record(sheet: Sheet) -> None:
    sheet.run("No,Title,Priority\n1,a,low\n2,a,low\n", PRIORITY)
    edit = """
        WITH edited AS (UPDATE jobs SET title = 'better' WHERE external_id = '1' RETURNING tenant_id, id)
        INSERT INTO audit_logs (tenant_id, action, entity, entity_id, changes)
        SELECT tenant_id, 'update', 'job', id, '{"title": ["a", "better"]}' FROM edited
    """
    sheet.rows(edit)
    sheet.run("No,Title,Priority\n1,a,low\n2,b,low\n", PRIORITY)
    traces = "SELECT changes -> 'title' FROM audit_logs WHERE entity = 'job' ORDER BY id"
    assert sheet.rows(traces) == [(["a", "better"],), (["better", "a"],)]

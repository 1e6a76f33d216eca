"""Mappings of several lines per key, and of dates."""

from __future__ import annotations

import datetime as dt

import pytest

from opsboard.imports.mapping_file import MappingError
from tests.imports.sheet import Sheet, sheet

__all__ = ["sheet"]

LOG = """case,act,start,end,qty,min
C1,Cut,2025-05-01 08:00,2025-05-01 09:00,5,60
C1,Drill,2025-05-01 10:00,2025-05-01 15:00,15,300
C2,Cut,2025-05-02 08:00,,7,0
C1,Check,2025-05-01 11:00,2025-05-01 12:00,9,60
"""
JOBS = """
[tables.jobs]
file = "f"
external_id = "{case}"
distinct = "first"
[tables.jobs.columns]
job_number = "{case}"
title = "{act}"
"""
BERLIN = dt.timezone(dt.timedelta(hours=2))


def at(day: int, hour: int) -> dt.datetime:
    return dt.datetime(2025, 5, day, hour, tzinfo=BERLIN)


@pytest.mark.parametrize(("distinct", "titles"), [("first", ["Cut", "Cut"]), ("last", ["Cut", "Check"])])
def test_the_first_or_the_last_line_of_a_key(sheet: Sheet, distinct: str, titles: list[str]) -> None:
    sheet.run(LOG, JOBS.replace('"first"', f'"{distinct}"'))
    assert sorted(sheet.rows("SELECT external_id, title FROM jobs")) == [("C1", titles[1]), ("C2", titles[0])]


def test_a_look_up_picks_the_last_line(sheet: Sheet) -> None:
    look_up = '[tables.jobs.lookups.l]\nfile = "f"\nkey = "case"\nequals = "{case}"\npick = "last"\n'
    tables = JOBS.replace("{act}", "{l.act}").replace(
        "[tables.jobs.columns]", look_up + "[tables.jobs.columns]"
    )
    sheet.run(LOG, tables)
    assert sorted(sheet.rows("SELECT external_id, title FROM jobs")) == [("C1", "Check"), ("C2", "Cut")]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ('completed_at = { max = "{end}" }', [at(1, 15), None]),
        ('started_at = { min = "{start}" }', [at(1, 8), at(2, 8)]),
        # As numbers, not as texts: 15 is more than 9.
        ('quantity = { max = "{qty}" }', [15, 7]),
        ('quantity = { min = "{qty}" }', [5, 7]),
        ('quantity = { sum = "{qty}" }', [29, 7]),
        ('quantity = { count = "{start}" }', [3, 1]),
        ('due_date = { max = "{start}", plus = "14 days" }', [dt.date(2025, 5, 15), dt.date(2025, 5, 16)]),
        ('due_date = { value = "{start}", plus = "1 month" }', [dt.date(2025, 6, 1), dt.date(2025, 6, 2)]),
        ('completed_at = { value = "{start}", plus = "{min} minutes" }', [at(1, 9), at(2, 8)]),
        ('completed_at = { value = "{start}", plus = "-1,5 hours" }', [at(1, 8), at(2, 8)]),
    ],
)
def test_what_is_made_of_all_lines_of_a_key_and_of_dates(
    sheet: Sheet, column: str, expected: list[object]
) -> None:
    sheet.run(LOG, JOBS + column)
    name = column.partition(" ")[0]
    found = [row[0] for row in sheet.rows(f"SELECT {name} FROM jobs ORDER BY external_id")]
    if "-1,5" in column:
        expected = [moment - dt.timedelta(hours=1, minutes=30) for moment in expected]  # type: ignore[operator]
    assert found == expected


def test_a_value_that_cannot_be_read_is_told_also_among_many(sheet: Sheet) -> None:
    for way in ("max", "min", "sum"):
        (told,) = sheet.told(LOG.replace(",9,", ",nine,"), JOBS + f'quantity = {{ {way} = "{{qty}}" }}')
        assert '"nine" is not a whole number' in told
    told = sheet.told(LOG, JOBS + 'due_date = { value = "{start}", plus = "{act}" }')
    assert [one.partition(":")[0] for one in told] == [
        "data.csv, line 2, start, act",
        "data.csv, line 4, start, act",
    ]


def test_days_are_those_of_the_calendar_when_clocks_change(sheet: Sheet) -> None:
    column = 'completed_at = {{ value = "{{start}}", plus = "{}" }}'
    for duration, hour in (("1 day", 8), ("24 hours", 7)):
        sheet.run("case,act,start\nC1,Cut,2025-10-25 08:00\n", JOBS + column.format(duration))
        (found,) = sheet.rows("SELECT completed_at FROM jobs")[0]
        assert found == dt.datetime(2025, 10, 26, hour, tzinfo=dt.timezone(dt.timedelta(hours=1)))


def test_lines_are_numbered_within_their_key(sheet: Sheet) -> None:
    steps = """
[tables.job_steps]
file = "f"
external_id = "{case}-{#n}"
numbered_by = "{case}"
where_not = { act = "Drill" }
[tables.job_steps.parents]
job = "{case}"
[tables.job_steps.columns]
step_order = "{#n}"
"""
    sheet.run(LOG, JOBS + steps)
    assert sorted(sheet.rows("SELECT external_id, step_order FROM job_steps")) == [
        ("C1-1", 1),
        ("C1-2", 2),
        ("C2-1", 1),
    ]


def test_lines_that_are_left_out(sheet: Sheet) -> None:
    sheet.run(
        LOG, JOBS.replace('distinct = "first"', 'distinct = "first"\nwhere_not = { case = ["C2", "X*"] }')
    )
    assert sheet.rows("SELECT external_id FROM jobs") == [("C1",)]
    # An empty value is no word, so that it stays unless it is named.
    tables = JOBS.replace('distinct = "first"', 'distinct = "first"\nwhere_not = { end = "*" }')
    sheet.rows("DELETE FROM jobs")
    sheet.run(LOG, tables)
    assert sheet.rows("SELECT external_id FROM jobs") == [("C2",)]


def test_one_table_is_filled_from_two_files(sheet: Sheet) -> None:
    (sheet.workshop.folder / "more.csv").write_text("no,step\nX1,1\nX2,1\n")
    more = """
[files.more]
path = "more.csv"
[tables.further_jobs]
table = "jobs"
file = "more"
external_id = "{no}"
[tables.further_jobs.columns]
job_number = "{no}"
title = "{no}"
[tables.job_steps]
file = "more"
external_id = "{no}-{step}"
[tables.job_steps.parents]
job = "{no}"
[tables.job_steps.columns]
step_order = "{step}"
"""
    summary = sheet.run(LOG, JOBS + more)
    assert [(one.table, one.inserted) for one in summary.tables] == [
        ("jobs", 2),
        ("jobs", 2),
        ("job_steps", 2),
    ]
    ((tables,),) = sheet.rows("SELECT changes -> 'tables' -> 'jobs' ->> 'inserted' FROM audit_logs")
    assert tables == "4"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            'title = "{act}"',
            'title = { max = "{act}" }',
            "columns.title.max: title is neither a number nor a date",
        ),
        ('distinct = "first"', "", 'columns.quantity.sum: needs distinct = "first" or "last"'),
        ('external_id = "{case}"', 'external_id = "{case}{#n}"', "numbered_by: is missing"),
        (
            'title = "{act}"',
            'title = { value = "{act}", plus = "1 day" }',
            "columns.title.plus: title is no date",
        ),
        ('"{qty}" }', '"{qty}", value = "1" }', "needs one of value"),
    ],
)
def test_what_makes_no_sense_is_told(sheet: Sheet, old: str, new: str, fault: str) -> None:
    tables = JOBS + 'quantity = { sum = "{qty}" }'
    assert old in tables
    with pytest.raises(MappingError) as refused:
        sheet.run(LOG, tables.replace(old, new))
    assert fault in str(refused.value)

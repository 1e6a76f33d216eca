"""Working hours and holidays in files: times of a day, shifts without length, and shifts that overlap."""

from __future__ import annotations

from tests.imports.sheet import Sheet, sheet

__all__ = ["sheet"]

HOURS = """
[tables.working_hours]
file = "f"
external_id = "{No}"
[tables.working_hours.columns]
weekday = "{Day}"
starts_at = "{From}"
ends_at = "{Until}"
"""
HOLIDAYS = """
[tables.holidays]
file = "f"
external_id = "{No}"
[tables.holidays.columns]
name = "{Name}"
first_day = "{First}"
last_day = "{Last}"
"""


def test_times_of_a_day_are_read_as_people_write_them(sheet: Sheet) -> None:
    sheet.run("No,Day,From,Until\n1,1,6:00,14:00:00\n2,7,22:00,06:00\n3,2,00:00,24:00\n", HOURS)
    stored = sheet.rows("SELECT weekday, starts_at::text, ends_at::text FROM working_hours ORDER BY id")
    assert stored == [(1, "06:00:00", "14:00:00"), (7, "22:00:00", "06:00:00"), (2, "00:00:00", "24:00:00")]


def test_what_is_no_time_or_no_shift_is_told_with_its_line(sheet: Sheet) -> None:
    told = sheet.told(
        "No,Day,From,Until\n1,8,06:00,14:00\n2,1,6,14:00\n3,1,06:00,25:00\n4,1,06:00,06:00\n", HOURS
    )
    assert told == [
        'data.csv, line 2, Day: "8" is not from 1 to 7, the range of weekday',
        'data.csv, line 3, From: "6" is not a time of day as 06:00 (for working_hours.starts_at)',
        'data.csv, line 4, Until: "25:00" is not a time of day as 06:00 (for working_hours.ends_at)',
        'data.csv, line 5, Until: "06:00" is starts_at; a whole day is from 00:00 to 24:00 (for working_hours.ends_at)',
    ]


def test_shifts_that_overlap_are_told_with_their_lines(sheet: Sheet) -> None:
    lines = "1,1,06:00,14:00\n2,1,13:00,22:00\n3,7,22:00,07:00\n4,3,06:00,14:00\n5,3,14:00,22:00\n6,9,06:00,14:00\n"
    assert sheet.told(f"No,Day,From,Until\n{lines}", HOURS) == [
        "data.csv, line 3, From: overlaps the shift on line 2",
        "data.csv, line 4, From: overlaps the shift on line 2",
        'data.csv, line 7, Day: "9" is not from 1 to 7, the range of weekday',
    ]
    assert sheet.rows("SELECT count(*) FROM working_hours") == [(0,)]


def test_a_shift_that_overlaps_a_stored_one_is_told(sheet: Sheet) -> None:
    sheet.run("No,Day,From,Until\n1,1,06:00,14:00\n2,2,06:00,14:00\n", HOURS)
    told = sheet.told("No,Day,From,Until\n1,1,06:00,10:00\n3,1,10:00,14:00\n4,2,13:59,15:00\n", HOURS)
    assert told == ["data.csv, line 4, From: overlaps a shift that is stored already"]


def test_shifts_of_two_machines_do_not_overlap_each_other(sheet: Sheet) -> None:
    machines = '\n[tables.machines]\nfile = "f"\nexternal_id = "{Machine}"\nwhere = { Machine = "*" }\n'
    hours = HOURS + '[tables.working_hours.parents]\nmachine = "{Machine}"\n'
    machines = machines.replace('where = { Machine = "*" }\n', "distinct = true\n")
    machines += '[tables.machines.columns]\nname = "{Machine}"\n'
    head = "No,Day,From,Until,Machine\n"
    told = sheet.told(
        f"{head}1,1,06:00,14:00,Saw\n2,1,06:00,14:00,Drill\n3,1,13:00,15:00,Saw\n", hours + machines
    )
    assert told == ["data.csv, line 4, From: overlaps the shift on line 2"]
    sheet.run(f"{head}1,1,06:00,14:00,Saw\n2,1,06:00,14:00,Drill\n", hours + machines)
    told = sheet.told(f"{head}9,1,13:00,15:00,Drill\n", hours + machines)
    assert told == ["data.csv, line 2, From: overlaps a shift that is stored already"]


def test_a_holiday_that_ends_before_it_begins_or_never_is_told(sheet: Sheet) -> None:
    lines = "1,New Year,2027-01-01,\n2,Summer,2027-08-14,2027-08-03\n3,Long,2027-01-01,2028-01-02\n"
    assert sheet.told(f"No,Name,First,Last\n{lines}", HOLIDAYS) == [
        'data.csv, line 3, Last: "2027-08-03" is before first_day (for holidays.last_day)',
        'data.csv, line 4, Last: "2028-01-02" is more than a year after first_day (for holidays.last_day)',
    ]
    sheet.run("No,Name,First,Last\n1,New Year,2027-01-01,\n", HOLIDAYS)
    assert sheet.rows("SELECT first_day::text, last_day FROM holidays") == [("2027-01-01", None)]

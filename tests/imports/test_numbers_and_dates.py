"""Numbers and dates as spreadsheets, databases and programs write them."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.imports.sheet import DUE, PIECES, Sheet, sheet

__all__ = ["sheet"]

QUANTITY = "SELECT quantity FROM jobs ORDER BY id"


@pytest.mark.parametrize(
    ("settings", "numbers"),
    [
        ("", {"1.0": 1, "12.": 12, "+3": 3, "0004": 4, "7.00": 7}),
        ('thousands = ","', {"1,250": 1250, "1,250,000.0": 1250000, "12": 12, "1250": 1250}),
        (
            'decimal = ","\nthousands = "."',
            {"1.250": 1250, "1.250,0": 1250, "3,000": 3, "12.500.000": 12500000},
        ),
        ('thousands = " "\ndecimal = ","', {"1 250": 1250, "1\u00a0250,00": 1250, "1\u202f250": 1250}),
        ('thousands = "\'"', {"1'250": 1250, "1\u2019250.0": 1250}),
        ('units = ["pcs", "m2"]', {"3.0 pcs": 3, "3pcs": 3, "4 PCS": 4, "5 m2": 5, "6": 6}),
    ],
)
def test_whole_numbers_are_read_as_the_mapping_says(
    sheet: Sheet, settings: str, numbers: dict[str, int]
) -> None:
    lines = "".join(f'{n};"{text}"\n' for n, text in enumerate(numbers))
    sheet.run("No;Pieces\n" + lines, PIECES, f'delimiter = ";"\n{settings}')
    assert [row[0] for row in sheet.rows(QUANTITY)] == list(numbers.values())


@pytest.mark.parametrize(
    ("settings", "number", "reason"),
    [
        (
            "",
            "1,250",
            'is not a whole number; thousands = "," or "." in the mapping says what its mark means',
        ),
        # A thousand, or one? Not for the importer to guess.
        (
            "",
            "1.000",
            'is not a whole number; thousands = "," or "." in the mapping says what its mark means',
        ),
        (
            "",
            "12,5",
            'is not a whole number; decimal = "," in the mapping reads a comma as the decimal mark',
        ),
        (
            "",
            "3 pcs",
            "is not a whole number; units = [...] in the mapping lists what may stand after a number",
        ),
        ('decimal = ","\nthousands = "."', "1.250,5", "is not a whole number"),
        ('thousands = ","', "1,25", None),
        ('thousands = ","', "12,50,000", None),
        ('units = ["pcs"]', "3 kg", None),
        ("", "1e5", None),
    ],
)
def test_what_is_no_whole_number_is_refused_with_the_setting_that_would_read_it(
    sheet: Sheet, settings: str, number: str, reason: str | None
) -> None:
    (told,) = sheet.told(f"No;Pieces\n1;{number}\n", PIECES, f'delimiter = ";"\n{settings}')
    assert told.startswith(f'data.csv, line 2, Pieces: "{number}" is not a whole number')
    assert told.endswith(" (for jobs.quantity)")
    assert reason is None or told == f'data.csv, line 2, Pieces: "{number}" {reason} (for jobs.quantity)'


def test_a_range_is_told_with_the_number_as_the_file_has_it(sheet: Sheet) -> None:
    told = sheet.told('No,Pieces\n1,"9,000,000,000"\n', PIECES, 'thousands = ","')
    assert told == [
        'data.csv, line 2, Pieces: "9,000,000,000" is not from 1 to 2147483647, the range of quantity'
    ]


NOON = dt.datetime(2025, 5, 3, 5, tzinfo=dt.UTC)  # 7 in Berlin


@pytest.mark.parametrize(
    ("settings", "texts"),
    [
        (
            "",
            [
                "2025-05-03 07:00",
                "2025-05-03T07:00:00",
                "2025-05-03T07:00",
                "2025-05-03 05:00:00+00",
                "2025-05-03 07:00:00.000+02:00",
                "2025-05-03 10:30+0530",
                "2025-05-03T05:00Z",
                "2025-5-3 7:00",
                "2025-05-03 07:00:00,0",
                "2025-05-03 05:00:00 UTC",
            ],
        ),
        ('dates = ["%d.%m.%y %H:%M"]', ["03.05.25 07:00", "3.5.25 7:00"]),
        (
            'dates = ["%m/%d/%Y %I:%M %p"]',
            ["5/3/2025 7:00 AM", "05/03/2025 07:00 am", "5/3/2025 7:00AM", "5/3/2025 7:00\u202fa.m."],
        ),
        (
            'dates = ["%d. %b %Y, %H:%M"]',
            ["3. Mai 2025, 07:00", "3. mayo 2025, 7:00", "03. mag. 2025, 07:00"],
        ),
        ('dates = ["%d %b %Y, %H:%M"]', ["3 May 2025, 07:00", "03 may 2025, 7:00"]),
        ('dates = ["iso", "excel"]', ["45780.2916666667", "45780,2916666667", "2025-05-03 07:00"]),
        ('dates = ["excel1904"]', ["44318.2916666667"]),
    ],
)
def test_dates_are_read_as_they_are_written(sheet: Sheet, settings: str, texts: list[str]) -> None:
    lines = "".join(f"{n};{text}\n" for n, text in enumerate(texts))
    sheet.run("No;Due\n" + lines, DUE, f'delimiter = ";"\n{settings}')
    stored = sheet.rows("SELECT created_at, due_date FROM jobs ORDER BY id")
    assert dict(zip(texts, stored, strict=True)) == dict.fromkeys(texts, (NOON, dt.date(2025, 5, 3)))


@pytest.mark.parametrize(
    ("text", "date_format", "expected"),
    [
        ("12:30 AM 1.2.69", "%I:%M %p %d.%m.%y", dt.datetime(1969, 2, 1, 0, 30)),
        ("12:30 PM 1.2.68", "%I:%M %p %d.%m.%y", dt.datetime(2068, 2, 1, 12, 30)),
        ("13:30 PM 1.2.68", "%I:%M %p %d.%m.%y", None),
        ("29 September 2024", "%d %b %Y", dt.datetime(2024, 9, 29)),
        ("29-Sept.-2024", "%d-%b-%Y", dt.datetime(2024, 9, 29)),
        ("1 août 2024", "%d %b %Y", dt.datetime(2024, 8, 1)),
        ("1. MÄRZ 2024", "%d. %b %Y", dt.datetime(2024, 3, 1)),
        ("3 Mayonnaise 2024", "%d %b %Y", None),
        ("60", "excel", dt.datetime(1900, 2, 28)),
        ("9999999", "excel", None),
    ],
)
def test_short_years_and_halves_of_the_day(
    sheet: Sheet, text: str, date_format: str, expected: dt.datetime | None
) -> None:
    sheet.rows("UPDATE tenants SET time_zone = 'UTC'")
    content = f"No;Due\n1;{text}\n"
    settings = f'delimiter = ";"\ndates = ["{date_format}"]'
    if expected is None:
        assert len(sheet.told(content, DUE, settings)) == 1
    else:
        sheet.run(content, DUE, settings)
        assert sheet.rows("SELECT created_at FROM jobs") == [(expected.replace(tzinfo=dt.UTC),)]


def test_the_number_of_a_day_is_named_as_such(sheet: Sheet) -> None:
    told = sheet.told("No,Due\n1,45780.29\n", DUE)
    assert '; dates = ["excel"] reads the number of a day as Excel counts (for jobs.created_at' in told[0]

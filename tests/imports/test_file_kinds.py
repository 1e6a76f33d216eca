"""Files as spreadsheets and programs save them: what is left beside the records, workbooks, UTF-16, JSON lines."""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import pytest
from openpyxl import Workbook

from opsboard.imports.mapping_file import MappingError
from tests.imports.sheet import PIECES, Sheet, sheet

__all__ = ["sheet"]

JOBS = "SELECT external_id, quantity FROM jobs ORDER BY id"
TWO = [("1", 5), ("2", 6)]


@pytest.mark.parametrize(
    "text",
    [
        "No;Pieces\r\n1;5\r\n;\r\n ;  \r\n2;6\r\n;\r\n;\r\n",
        "\r\n\r\nNo;Pieces\r\n1;5\r\n2;6\r\n",
        ";\r\n;;;\r\nNo;Pieces\r\n1;5\r\n;;;;;\r\n2;6\r\n",
        "\ufeffsep=;\r\nNo;Pieces\r\n1;5\r\n2;6\r\n",
        '"sep=;"\r\n\r\nNo;Pieces\r\n1;5\r\n2;6\r\n',
        "No;Pieces;;;\r\n1;5;;;\r\n2;6\r\n",
    ],
)
def test_what_a_spreadsheet_leaves_is_passed_over(sheet: Sheet, text: str) -> None:
    sheet.run(text, PIECES, 'delimiter = ";"')
    assert sheet.rows(JOBS) == TWO


def test_the_line_of_the_separator_says_the_delimiter_unless_the_mapping_does(sheet: Sheet) -> None:
    text = "sep=;\r\nNo;Pieces\r\n1;5\r\n2;6\r\n"
    sheet.run(text, PIECES)
    assert sheet.rows(JOBS) == TWO
    with pytest.raises(
        MappingError, match="line 1 says that the delimiter is ;, and the mapping that it is ,"
    ):
        sheet.run(text, PIECES, 'delimiter = ","')
    # As it had to be passed over before.
    sheet.run(text, PIECES, 'delimiter = ";"\nskip = 1')


def test_a_row_of_totals_is_named_passed_over_or_kept(sheet: Sheet) -> None:
    text = "No,Name,Pieces\n1,a,5\n2,b,6\nTotal,,11\n"
    (told,) = sheet.told(text, PIECES)
    assert told.startswith('data.csv, line 4: "Total,,11" is a row of totals; totals = "skip" in the mapping')
    sheet.run(text, PIECES, 'totals = "skip"')
    assert sheet.rows(JOBS) == TWO
    sheet.run(text, PIECES, 'totals = "keep"')
    assert sheet.rows(JOBS) == [*TWO, ("Total", 11)]


@pytest.mark.parametrize("word", ["Summe", "Gesamt:", "GRAND TOTAL", "Zwischensumme", "Subtotal", "Totale"])
def test_totals_have_many_names(sheet: Sheet, word: str) -> None:
    assert "is a row of totals" in sheet.told(f"No,Name,Pieces\n1,a,5\n,{word},11\n", PIECES)[0]


def test_a_business_called_total_is_no_sum(sheet: Sheet) -> None:
    sheet.run("No,Name,Pieces\nTotal,Lyon,5\nTotal,Paris,\n".replace("Total,Paris,", "Summe,1,2"), PIECES)
    assert sheet.rows(JOBS) == [("Total", 5), ("Summe", 2)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("is_said", [True, False])
def test_wide_encodings_are_read_by_their_mark(sheet: Sheet, encoding: str, is_said: bool) -> None:
    mark = "\ufeff" if encoding.endswith("e") and not is_said else ""
    content = (mark + "No\tPieces\r\nSchäfer €\t5\r\n").encode(encoding)
    said = f'\nencoding = "{encoding}"' if is_said else ""
    sheet.run(content, PIECES, 'delimiter = "\\t"' + said)
    assert sheet.rows(JOBS) == [("Schäfer €", 5)]


def test_a_wide_file_that_is_cut_off_is_told_of_its_last_line(sheet: Sheet) -> None:
    content = "No,Pieces\n1,5\n2,6\n".encode("utf-16")[:-3]
    assert [told.partition(":")[0] for told in sheet.told(content, PIECES)] == ["data.csv, line 3, Pieces"]


def workbook(*rows: list[Any], **sheets: list[list[Any]]) -> bytes:
    book = Workbook()
    for name, content in {"Orders": list(rows), **sheets}.items():
        page = book.active if name == "Orders" else book.create_sheet(name)
        assert page is not None
        page.title = name
        for row in content:
            page.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_workbook_is_read(sheet: Sheet) -> None:
    content = workbook(
        [],
        ["No", "Pieces", "Due", None],
        ["1", 5, dt.datetime(2025, 5, 3, 7, 0), None],
        [None, None, None, None],
        [2.0, 6.0, "03.05.2025 07:00"],
        ["Total", 11],
    )
    tables = PIECES + 'due_date = "{Due}"\ncreated_at = "{Due}"\n'
    sheet.run(content, tables, 'dates = ["%d.%m.%Y %H:%M"]\ndecimal = ","\ntotals = "skip"', path="data.xlsx")
    moment = dt.datetime(2025, 5, 3, 5, tzinfo=dt.UTC)
    assert sheet.rows("SELECT external_id, quantity, due_date, created_at FROM jobs ORDER BY id") == [
        ("1", 5, moment.date(), moment),
        ("2", 6, moment.date(), moment),
    ]


def test_a_sheet_is_chosen_and_its_faults_have_its_rows(sheet: Sheet) -> None:
    content = workbook(["x"], Other=[["No", "Pieces"], ["1", 5], ["2", "six"], ["3", 1.5]])
    assert sheet.told(content, PIECES, 'sheet = "Other"', path="data.xlsx") == [
        'data.xlsx, line 3, Pieces: "six" is not a whole number (for jobs.quantity)',
        'data.xlsx, line 4, Pieces: "1.5" is not a whole number (for jobs.quantity)',
    ]
    with pytest.raises(MappingError, match="has no sheet Third; it has Orders, Other"):
        sheet.run(content, PIECES, 'sheet = "Third"', path="data.xlsx")


@pytest.mark.parametrize("content", [b"No,Pieces\n", b"\xd0\xcf\x11\xe0" + b"\0" * 600, b""])
def test_what_is_no_workbook_is_refused(sheet: Sheet, content: bytes) -> None:
    with pytest.raises(MappingError, match=r"is no workbook that can be read|save it as \.xlsx"):
        sheet.run(content, PIECES, path="data.xlsx")


def test_json_lines_are_read_with_their_inner_members(sheet: Sheet) -> None:
    lines = [
        {"No": 1, "order": {"Pieces": 5, "due": None}},
        {"No": "2", "order": {"Pieces": 6.0, "due": "2025-05-03"}, "more": [1, True]},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    tables = PIECES.replace("{Pieces}", "{order.Pieces}") + 'due_date = "{order.due}"\ndescription = "{more}"'
    sheet.run(text, tables, path="data.jsonl")
    assert sheet.rows("SELECT external_id, quantity, due_date::text, description FROM jobs ORDER BY id") == [
        ("1", 5, None, None),
        ("2", 6, "2025-05-03", "[1, true]"),
    ]


def test_a_line_that_is_no_object_is_told(sheet: Sheet) -> None:
    told = sheet.told(
        '{"No": 1, "Pieces": 5}\n{"No": 2,\n[1]\n\n{"No": 3, "Pieces": 0}\n', PIECES, path="data.jsonl"
    )
    assert [line.partition(" is not ")[0].partition(":")[0] for line in told] == [
        "data.jsonl, line 2",
        "data.jsonl, line 3",
        "data.jsonl, line 5, Pieces",
    ]


def test_an_apostrophe_before_a_formula_is_an_exports_guard(sheet: Sheet) -> None:
    text = "No;Pieces\n'+49 30 5551234;1\n'Apostrophe;1\n''=1;1\n"
    sheet.run(text, PIECES, 'delimiter = ";"')
    titles = "SELECT title FROM jobs ORDER BY id"
    assert sheet.rows(titles) == [("+49 30 5551234",), ("'Apostrophe",), ("'=1",)]
    sheet.run(text.replace("+49", "+48"), PIECES, 'delimiter = ";"\nguards = false')
    assert ("'+48 30 5551234",) in sheet.rows(titles)


def test_what_psql_prints_is_read_as_it_is(sheet: Sheet) -> None:
    table = " No | Pieces \n----+--------\n 1  |      5\n 2  |      6\n(2 rows)\n\n"
    sheet.run(table, PIECES, 'delimiter = "|"')
    assert sheet.rows(JOBS) == TWO


def test_a_total_of_two_columns_is_no_record(sheet: Sheet) -> None:
    text = "No,Pieces\n1,5\n2,6\nGesamt,11\n"
    [told] = sheet.told(text, PIECES)
    assert told.startswith('data.csv, line 4: "Gesamt,11" is a row of totals')
    sheet.run(text, PIECES, 'totals = "skip"')
    assert sheet.rows(JOBS) == TWO


def test_large_numbers_of_a_workbook_have_no_exponent(sheet: Sheet) -> None:
    book = Workbook()
    for row in (["No", "Pieces"], [4006381333931, 5], [1.5e16, 6], [0.00001, 7]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    sheet.run(content.getvalue(), PIECES, path="data.xlsx")
    assert sheet.rows("SELECT job_number FROM jobs ORDER BY id") == [
        ("4006381333931",),
        ("15000000000000000",),
        ("0.00001",),
    ]

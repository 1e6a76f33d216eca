"""`--guess` on files as programs and people leave them: each is imported by the mapping it writes, unedited."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from openpyxl import Workbook

from opsboard.cli import opsboard
from opsboard.errors import CommandError
from opsboard.imports.guess.folder import guess_mapping
from opsboard.imports.mapping_file import parse_mapping
from opsboard.imports.run import run_import
from tests.imports.sheet import Sheet, sheet

__all__ = ["sheet"]

CUSTOMERS = (
    "Kundennr;Firma;E-Mail;Telefon;Straße\n"
    "K1;Müller & Söhne;mueller@example.com;+49 30 1234;Weg 1\n"
    "K2;Größe 5;;;\n"
)
ORDERS = (
    "Aufträge 2025;;;;;;\n"
    ";;;;;;\n"
    "Auftragsnr;Kunde;Artikel;Menge;Auftragsdatum;Liefertermin;Status\n"
    "A1;K1;Welle;1.250;03.05.2025;20.05.2025;erledigt\n"
    "A2;K2;Büchse;20,0;13.05.2025;;offen\n"
    "A3;K1;Bolzen;7;14.05.2025 07:30;31.05.2025;in Arbeit\n"
)


def guessed(sheet: Sheet, **files: str | bytes) -> str:
    """Guess a mapping of these files (their last _ is the dot of their name) and import them by it."""
    folder = sheet.workshop.folder
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        stem, _, ending = name.rpartition("_")
        path = folder / f"{stem}.{ending.replace('0', '.')}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return imported(sheet, folder)


def imported(sheet: Sheet, folder: Path) -> str:
    text = guess_mapping(folder)
    run_import(sheet.workshop.database.app_url, folder, parse_mapping(text), "mill")
    return text


def test_german_lists_with_a_title_decimal_commas_and_customers(sheet: Sheet) -> None:
    guessed(sheet, kunden_csv=CUSTOMERS.encode("cp1252"), auftraege_csv=ORDERS.encode("cp1252"))
    assert sheet.rows("SELECT name, email, phone, address FROM customers ORDER BY external_id") == [
        ("Müller & Söhne", "mueller@example.com", "+49 30 1234", "Weg 1"),
        ("Größe 5", None, None, None),
    ]
    assert sheet.rows(
        "SELECT j.job_number, c.external_id, j.title, j.quantity, j.status, j.due_date, "
        "(j.created_at AT TIME ZONE 'Europe/Berlin')::text "
        "FROM jobs AS j JOIN customers AS c ON c.id = j.customer_id ORDER BY j.job_number"
    ) == [
        ("A1", "K1", "Welle", 1250, "completed", dt.date(2025, 5, 20), "2025-05-03 00:00:00"),
        ("A2", "K2", "Büchse", 20, "draft", None, "2025-05-13 00:00:00"),
        ("A3", "K1", "Bolzen", 7, "active", dt.date(2025, 5, 31), "2025-05-14 07:30:00"),
    ]


@pytest.mark.parametrize(
    ("encoding", "delimiter", "ending"),
    [
        ("utf-8-sig", ",", "csv"),
        ("utf-16", "\t", "txt"),
        ("utf-16-le", ";", "csv"),
        ("cp1250", "|", "csv"),
        ("utf-8", "\t", "tsv"),
        ("cp850", ";", "csv"),
    ],
)
def test_encodings_and_delimiters(sheet: Sheet, encoding: str, delimiter: str, ending: str) -> None:
    lines = [
        ["Lead ID", "Company", "E-mail", "Source", "Created"],
        ["1", "Bäcker Öhm", "a@example.com", "web", "05/13/2025 1:05 PM"],
        ["2", f'Fox{delimiter} "Ltd"\nof Ayr', "b@example.com", "fair", "05/01/2025 11:30 AM"],
    ]
    rows = [
        delimiter.join(
            '"' + cell.replace('"', '""') + '"' if delimiter in cell or '"' in cell else cell for cell in line
        )
        for line in lines
    ]
    guessed(sheet, **{f"leads_{ending}": ("\r\n".join(rows) + "\r\n").encode(encoding)})
    assert sheet.rows(
        "SELECT name, email, source, (created_at AT TIME ZONE 'Europe/Berlin')::text FROM leads ORDER BY external_id"
    ) == [
        ("Bäcker Öhm", "a@example.com", "web", "2025-05-13 13:05:00"),
        (f'Fox{delimiter} "Ltd"\nof Ayr', "b@example.com", "fair", "2025-05-01 11:30:00"),
    ]


def workbook(sheets: dict[str, list[list[Any]]], merged: dict[str, list[str]]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
        for cells in merged.get(name, []):
            page.merge_cells(cells)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_workbook_with_merged_titles_totals_and_two_sheets(sheet: Sheet) -> None:
    content = workbook(
        {
            "Customers": [["No", "Name"], ["C1", "Fox"], ["C2", "Mill"]],
            "Orders": [
                ["Orders of the shop", None, None, None, None],
                [None, "Customer", None, "Dates", None],
                ["Order no", "Customer", "Pieces", "Ordered", "Due date"],
                [1001, "C1", 5.0, dt.datetime(2025, 5, 3, 7, 30), dt.date(2025, 6, 1)],
                [1002, "C2", 1200, dt.datetime(2025, 5, 4), None],
                [None, None, None, None, None],
                ["Total", None, 1205, None, None],
            ],
            "Notes": [["call Ann"]],
        },
        {"Orders": ["A1:E1", "B2:C2", "D2:E2"]},
    )
    text = guessed(sheet, shop_xlsx=content)
    assert 'totals = "skip"' in text
    assert sheet.rows(
        "SELECT j.job_number, c.name, j.quantity, j.due_date FROM jobs AS j "
        "JOIN customers AS c ON c.id = j.customer_id ORDER BY 1"
    ) == [("1001", "Fox", 5, dt.date(2025, 6, 1)), ("1002", "Mill", 1200, None)]


def test_headers_that_repeat_or_lack_a_name_and_empty_columns(sheet: Sheet) -> None:
    text = guessed(
        sheet,
        machines_csv="Code,Name,Name,,Hall,Empty,\nM1,Saw,Old saw,x,North,,\nM2,Mill,,,South,,\nM3,Lathe,,y,,,\n",
    )
    assert '"Name_2", "c4"' in text
    assert sheet.rows("SELECT external_id, name, location FROM machines ORDER BY 1") == [
        ("M1", "Saw", "North"),
        ("M2", "Mill", "South"),
        ("M3", "Lathe", None),
    ]


def test_a_file_without_a_header(sheet: Sheet) -> None:
    text = guessed(sheet, orders_csv="10001,Axle,2025-05-03 07:00:00\n10002,Bolt,2025-05-04 08:00:00\n")
    assert "no header" in text
    assert sheet.rows("SELECT job_number, created_at::date::text FROM jobs ORDER BY 1") == [
        ("10001", "2025-05-03"),
        ("10002", "2025-05-04"),
    ]


def test_dates_in_mixed_forms_and_names_for_no_value(sheet: Sheet) -> None:
    guessed(
        sheet,
        jobs_csv="Job No,Title,Due date,Created\n"
        "1,a,2025-06-01,03.05.2025\n2,b,?,2025-05-04\n3,c,24.06.2025,05.05.2025 10:15\n",
    )
    assert sheet.rows(
        "SELECT due_date::text, (created_at AT TIME ZONE 'Europe/Berlin')::text FROM jobs ORDER BY id"
    ) == [
        ("2025-06-01", "2025-05-03 00:00:00"),
        (None, "2025-05-04 00:00:00"),
        ("2025-06-24", "2025-05-05 10:15:00"),
    ]


def test_day_and_month_that_could_be_the_other_way_are_said_to_be_unsure(sheet: Sheet) -> None:
    text = guessed(sheet, jobs_csv="Job No,Title,Due date\n1,a,03/04/2025\n2,b,05/06/2025\n")
    assert "unsure: day and month could be the other way round" in text


def test_a_cut_file_is_told_and_the_others_are_guessed(sheet: Sheet) -> None:
    packed = gzip.compress("".join(f"{n},x{n}\n" for n in range(50_000)).encode())
    folder = sheet.workshop.folder
    for old in folder.iterdir():
        old.unlink()
    (folder / "customers.csv").write_text("Customer No,Name\n1,Ann\n2,Ben\n")
    (folder / "leads.csv.gz").write_bytes(packed[: len(packed) // 2])
    (folder / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    text = guess_mapping(folder)
    assert "cannot be unpacked" in text
    assert "# old.xls: is of a kind that is not read; save it as .xlsx or CSV" in text
    parse_mapping(text)


def test_json_lines_with_members_of_members(sheet: Sheet) -> None:
    lines = [
        {
            "id": 7,
            "name": "Ann",
            "contact": {"email": "ann@example.com"},
            "created_at": "2025-05-03T07:00:00+02:00",
        },
        {"id": 8, "name": "Ben", "contact": {"email": None}, "created_at": "2025-05-04T07:00:00+02:00"},
    ]
    guessed(sheet, leads_jsonl="".join(json.dumps(line) + "\n" for line in lines))
    assert sheet.rows("SELECT external_id, name, email FROM leads ORDER BY 1") == [
        ("7", "Ann", "ann@example.com"),
        ("8", "Ben", None),
    ]


def test_an_event_log_becomes_jobs_and_steps(sheet: Sheet) -> None:
    guessed(
        sheet,
        log_csv="case_id,activity,resource,timestamp\n"
        "1,saw,Ann,2025-05-03 07:00\n1,mill,Ben,2025-05-03 09:00\n"
        "2,saw,,2025-05-04 07:00\n2,mill,Ann,2025-05-05 07:00\n",
    )
    assert sheet.rows(
        "SELECT j.job_number, s.step_order, p.name, u.full_name FROM job_steps AS s JOIN jobs AS j ON j.id = s.job_id "
        "JOIN processes AS p ON p.id = s.process_id LEFT JOIN users AS u ON u.id = s.assigned_user_id ORDER BY 1, 2"
    ) == [("1", 1, "saw", "Ann"), ("1", 2, "mill", "Ben"), ("2", 1, "saw", None), ("2", 2, "mill", "Ann")]


def test_two_files_about_the_same_rows_are_joined(sheet: Sheet) -> None:
    guessed(
        sheet,
        employees_csv="EmployeeID,First Name,Last Name,Hire date\n1,Ann,Fox,2020-01-02\n2,Ben,Mill,2021-02-03\n",
        employee_mail_csv="EmployeeID,Email\n1,ann@example.com\n2,ben@example.com\n",
    )
    assert sheet.rows("SELECT email, full_name FROM users WHERE external_id IS NOT NULL ORDER BY 1") == [
        ("ann@example.com", "Ann Fox"),
        ("ben@example.com", "Ben Mill"),
    ]


def test_values_that_do_not_fit_are_left_out_with_a_reason(sheet: Sheet) -> None:
    text = guessed(sheet, jobs_csv="Job No,Title,Quantity\n1,a,5\n2,b,0\n3,c,7\n")
    assert "# quantity = \"{Quantity}\"  # left out: 1 values do not fit, as '0'" in text
    assert sheet.rows("SELECT count(*) FROM jobs") == [(3,)]


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"Total\n", b"\x00\xff\xfe\x00garbage\x00", b"x" * 3_000_000, b'"never closed\na,b\n'],
)
def test_files_that_are_none_give_no_mapping_and_no_error_of_the_program(
    sheet: Sheet, content: bytes
) -> None:
    for old in sheet.workshop.folder.iterdir():
        old.unlink()
    (sheet.workshop.folder / "something.csv").write_bytes(content)
    with pytest.raises(CommandError, match="like a table that can be filled"):
        guess_mapping(sheet.workshop.folder)


def test_the_command_prints_a_mapping_and_needs_neither_business_nor_database(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("Customer No,Name\n1,Ann\n2,Ben\n")
    result = CliRunner().invoke(
        opsboard, ["import", "--guess", str(tmp_path)], env={"DATABASE_URL": "postgresql://nowhere/x"}
    )
    assert result.exit_code == 0, result.output
    assert parse_mapping(result.output).tables["customers"].external_id == "{Customer No}"


def test_without_guess_the_command_still_needs_a_mapping_and_a_business(tmp_path: Path) -> None:
    for arguments in (["--tenant", "x"], ["--mapping", "x.toml"]):
        result = CliRunner().invoke(opsboard, ["import", str(tmp_path), *arguments])
        assert result.exit_code == 2
        assert "Missing option" in result.output


def test_a_printed_list_with_rules_between_its_rows(sheet: Sheet) -> None:
    rule = "-" * 40
    guessed(
        sheet,
        auftrag_txt=f"Auftragsliste Werk 1000\n{rule}\n|Auftrag   |Menge    |Start     |\n{rule}\n"
        f"|4711      |1.250,000|03.05.2025|\n|4712      |    7,000|13.05.2025|\n{rule}\n",
    )
    assert sheet.rows("SELECT job_number, quantity, started_at::date::text FROM jobs ORDER BY 1") == [
        ("4711", 1250, "2025-05-02"),
        ("4712", 7, "2025-05-12"),
    ]


def test_a_header_on_two_lines_is_joined(sheet: Sheet) -> None:
    content = workbook(
        {
            "Orders": [
                ["All orders", None, None, None, None],
                ["No", "Customer", None, "Dates", None],
                [None, "No", "Name", "Start", "Due"],
                [1, "K1", "Fox", dt.datetime(2025, 5, 3), dt.datetime(2025, 6, 3)],
                [2, "K2", "Mill", dt.datetime(2025, 5, 4), dt.datetime(2025, 6, 4)],
            ]
        },
        {"Orders": ["A1:E1", "B2:C2", "D2:E2", "A2:A3"]},
    )
    text = guessed(sheet, orders_xlsx=content)
    assert '["No", "Customer No", "Customer Name", "Dates Start", "Dates Due"]' in text
    assert sheet.rows(
        "SELECT j.job_number, c.external_id, j.due_date::text FROM jobs AS j "
        "JOIN customers AS c ON c.id = j.customer_id ORDER BY 1"
    ) == [("1", "K1", "2025-06-03"), ("2", "K2", "2025-06-04")]


def test_words_of_other_languages_for_yes_and_for_states(sheet: Sheet) -> None:
    guessed(
        sheet,
        personal_csv="Personalnr;Vorname;Nachname;E-Mail;Aktiv\n1;Änne;Öhm;a@example.com;ja\n2;Bo;Fuchs;;nein\n",
        pedidos_csv="Nº pedido;Producto;Estado\nP1;Eje;Terminado\nP2;Tuerca;Pendiente\nP3;Arbre;en cours\n",
    )
    assert sheet.rows(
        "SELECT full_name, is_active FROM users WHERE external_id IS NOT NULL ORDER BY external_id"
    ) == [
        ("Änne Öhm", True),
        ("Bo Fuchs", False),
    ]
    assert sheet.rows("SELECT status FROM jobs ORDER BY external_id") == [
        ("completed",),
        ("draft",),
        ("active",),
    ]


def test_issues_with_months_by_name_and_a_list_of_subscribers(sheet: Sheet) -> None:
    guessed(
        sheet,
        jira_csv="Issue key,Summary,Status,Created,Due Date\n"
        "OPS-1,Fix the saw,Done,03/May/25 7:00 AM,10/May/25 12:00 AM\nOPS-2,Paint,To Do,06/May/25 1:00 PM,\n",
    )
    assert sheet.rows(
        "SELECT job_number, status, (created_at AT TIME ZONE 'Europe/Berlin')::text, due_date::text "
        "FROM jobs ORDER BY 1"
    ) == [
        ("OPS-1", "completed", "2025-05-03 07:00:00", "2025-05-10"),
        ("OPS-2", "draft", "2025-05-06 13:00:00", None),
    ]
    guessed(
        sheet,
        subscribed_members_csv="Email Address,First Name,Last Name,MEMBER_RATING\n"
        "ann@example.com,Ann,Fox,2\nben@example.com,Ben,,5\n",
    )
    assert sheet.rows(
        "SELECT r.external_id, r.name, c.name FROM campaign_recipients AS r "
        "JOIN campaigns AS c ON c.id = r.campaign_id ORDER BY 1"
    ) == [
        ("ann@example.com", "Ann Fox", "subscribed_members"),
        ("ben@example.com", "Ben", "subscribed_members"),
    ]


def test_an_order_that_has_a_line_for_each_article_is_one_job(sheet: Sheet) -> None:
    guessed(
        sheet,
        orders_export_csv="Name,Financial Status,Created at,Lineitem name\n#1001,paid,2025-05-03 07:00:00 +0200,Axle\n"
        "#1001,,2025-05-03 07:00:00 +0200,Bolt\n#1002,pending,2025-05-05 07:00:00 +0200,Nut\n",
    )
    assert sheet.rows("SELECT job_number FROM jobs ORDER BY 1") == [("#1001",), ("#1002",)]


def unnamed_orders(days_to_the_end: list[int], begin: dt.date) -> str:
    """Number, article, pieces, begin, end, due day, and when the line was changed: the day of its end."""
    lines = []
    for number, days in enumerate(days_to_the_end):
        start = begin + dt.timedelta(days=number % 9)
        end, due = start + dt.timedelta(days=days), start + dt.timedelta(days=14)
        lines.append(f"{1000 + number}\t{700 + number % 7}\t{1 + number % 5}\t{start}\t{end}\t{due}\t{end}\n")
    return "".join(lines)


def test_dates_without_names_are_told_apart_by_how_they_lie_to_each_other(sheet: Sheet) -> None:
    text = guessed(sheet, workorder_csv=unnamed_orders([3 + n % 5 for n in range(40)], dt.date(2025, 3, 1)))
    assert 'due_date = "{c6}"  # unsure: always 14 days after created_at' in text
    assert 'completed_at = "{c5}"  # unsure: after created_at, never later than now' in text
    assert sheet.rows(
        "SELECT count(*), count(DISTINCT completed_at::date - created_at::date), min(status), max(status), "
        "count(DISTINCT due_date - created_at::date) FROM jobs"
    ) == [(40, 5, "completed", "completed", 1)]


def test_what_is_before_the_begin_or_in_the_future_is_no_end(sheet: Sheet) -> None:
    tomorrow = dt.date.today() + dt.timedelta(days=2)
    future = guessed(sheet, workorder_csv=unnamed_orders([3 + n % 5 for n in range(40)], tomorrow))
    assert "due_date" in future and "completed_at" not in future
    before = guessed(sheet, workorder_csv=unnamed_orders([n % 5 - 2 for n in range(40)], dt.date(2025, 3, 1)))
    assert "due_date" in before and "completed_at" not in before

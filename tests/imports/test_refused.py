"""Files with faults: nothing is stored, and every bad line is told with its line, column and reason."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from opsboard.imports.faults import Fault, ImportRejected
from tests.imports.workshop import ARTICLES, CLIENTS, FILES, MAPPING, OPERATIONS, ORDERS, Workshop


def test_a_bad_value_is_told_with_file_line_column_value_and_reason(workshop: Workshop) -> None:
    workshop.write(orders=ORDERS.replace("2024-03-09", "2024-02-30"))
    assert workshop.faults() == [
        Fault("orders.txt", 2, "Ended", "2024-02-30", f"{NO_DATE} (for jobs.completed_at)")
    ]


NO_DATE = "is not a date like 2025-05-03, 2025-05-03 07:00 or 2025-05-03T07:00:00+02:00"


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("Pieces", "ten", "is not a whole number (for jobs.quantity)"),
        ("Pieces", "0", "is not from 1 to 2147483647, the range of quantity"),
        ("Pieces", "2147483648", "is not from 1 to 2147483647, the range of quantity"),
        ("Pieces", "9" * 40, "is not a whole number (for jobs.quantity)"),
        ("Pieces", "1.5", "is not a whole number (for jobs.quantity)"),
        ("No", "", "is empty; it is the key of the row"),
        ("No", "x" * 300, "is longer than 200 characters"),
        ("Begun", "yesterday", f"{NO_DATE} (for jobs.started_at)"),
        ("Begun", "2024-13-01", f"{NO_DATE} (for jobs.started_at)"),
        ("Begun", "2023-02-29", f"{NO_DATE} (for jobs.started_at)"),
        ("Ended", "2024-03-02", "completed_at is before started_at"),
        ("Article", "Z", "no line of articles.csv has this Code"),
        ("Client", "C7", "there is no customer with this key"),
    ],
)
def test_each_kind_of_bad_value_is_refused(workshop: Workshop, column: str, value: str, reason: str) -> None:
    names = ["No", "Article", "Pieces", "Client", "Begun", "Ended", "Due"]
    cells = ["9", "A", "90", "C1", "2024-03-03", "2024-03-09", "2024-03-10"]
    cells[names.index(column)] = value
    workshop.write(orders=ORDERS + "\t".join(cells) + "\n")
    found = [(fault.file, fault.line, fault.column, fault.reason) for fault in workshop.faults()]
    assert ("orders.txt", 4, column, reason) in found
    assert {fault[1] for fault in found} == {4}


@pytest.mark.parametrize("value", ["a", "@b", "a@x.de;b@x.de", "Fox <a@x.de>"])
def test_what_is_no_address_is_a_fault_of_its_column(workshop: Workshop, value: str) -> None:
    workshop.write(clients=CLIENTS.replace("fox@example.com", value))
    assert workshop.faults() == [
        Fault("clients.csv", 2, "Mail", value, "is not an e-mail address (for customers.email)")
    ]


def test_all_faults_of_all_files_are_told_at_once(workshop: Workshop) -> None:
    places = workshop.wrong(
        orders=ORDERS.replace("\t10\t", "\tten\t").replace("2024-03-09", "soon"),
        operations=OPERATIONS.replace("1;2;", "1;two;") + "77;1;saw;\n",
        clients=CLIENTS.replace('"Fox, Ltd"', ""),
    )
    assert places == [
        ("orders.txt", 1, "Pieces"),
        ("orders.txt", 2, "Ended"),
        ("operations.csv", 3, "Step"),
        ("operations.csv", 5, "Order"),
        ("clients.csv", 2, "Name"),
    ]


def test_lines_that_copy_cannot_take_are_all_told(workshop: Workshop) -> None:
    places = workshop.wrong(
        orders=(
            b"1\tA\t10\tC1\t\t\t\n"  # good
            b"2\tA\t10\tC1\t\t\n"  # a column is missing
            b"3\tA\t10\tC1\t\t\t\t\n"  # one too many
            b"4\tA\t10\tC1\t\t\t\xe4\n"  # not UTF-8
            b"5\tA\t1\x000\tC1\t\t\t\n"  # NUL
            b"6\tA\t1\r0\tC1\t\t\t\n"  # carriage return
            b"7\tA\tnone\tC1\t\t\t\n"  # what SQL finds is told with them
            b"\n"
            b"8\tA\t10\tC1\t\t\t\n"
        ),
        operations="Order;Step;Centre;Done\n1;1;saw;2024-03-02\n",
    )
    assert places == [
        ("orders.txt", 2, ""),
        ("orders.txt", 3, ""),
        ("orders.txt", 4, "Due"),
        ("orders.txt", 5, "Pieces"),
        ("orders.txt", 6, ""),
        ("orders.txt", 7, "Pieces"),
    ]


def test_a_line_that_points_to_a_damaged_one_is_not_blamed(workshop: Workshop) -> None:
    assert workshop.wrong(orders=ORDERS.replace("2024-03-04\n", "2024-03-04\tmore\n")) == [
        ("orders.txt", 1, "")
    ]
    assert workshop.wrong(orders=ORDERS.replace("\t10\t", "\tten\t")) == [("orders.txt", 1, "Pieces")]
    assert workshop.wrong(articles=ARTICLES.replace("A,Axle", "A,Axle,")) == [("articles.csv", 2, "")]
    assert workshop.wrong(articles=ARTICLES.replace("A,Axle", "A")) == [("articles.csv", 2, "")]
    # True if the line would have been chosen cannot be told.
    chosen = MAPPING.replace(
        'external_id = "{No}"', 'external_id = "{No}"\nwhere = { Client = ["C1", "C2"] }'
    )
    assert replace(workshop, mapping=chosen).wrong(orders=ORDERS.replace("1\tA\t10\tC1", "1\tA\t10C1")) == [
        ("orders.txt", 1, "")
    ]


def test_a_key_lost_to_damage_is_hinted_at(workshop: Workshop) -> None:
    workshop.write(orders=ORDERS.replace("2\tB", "2B"))
    assert [str(fault) for fault in workshop.faults()] == [
        'orders.txt, line 2: "2B\\t20\\tC2\\t2024-03-03\\t2024-03-09\\t2024-03-10" has 6 columns instead of 7',
        'operations.csv, line 4, Order: "2" there is no job with this key; it may be on a damaged line of orders.txt',
    ]


def test_an_open_quote_damages_its_own_line_only(workshop: Workshop) -> None:
    clients = (
        'ClientNo,Name,Mail,Street,Town\nC1,"Fox,x,,\nC2,Mill,,,\nC3,,,,\nC4,"Fine\nName",,,\nC5,"a"b,,,\n'
    )
    assert workshop.wrong(clients=clients) == [
        ("clients.csv", 2, ""),
        ("clients.csv", 4, "Name"),
        ("clients.csv", 7, ""),
    ]


def test_keys_that_occur_twice_are_told_of_the_later_line(workshop: Workshop) -> None:
    workshop.write(
        orders=ORDERS + "2\tB\t20\tC2\t2024-03-03\t2024-03-09\t2024-03-10\n",
        articles=ARTICLES + "A,Another axle\n",
        operations=OPERATIONS + "1;02;saw;\n",
    )
    assert [str(fault) for fault in workshop.faults()] == [
        'orders.txt, line 4, No: "2" is the key of line 2',
        'operations.csv, line 5, Order, Step: "1, 2" job and step_order must differ; it is the same on line 3',
        'articles.csv, line 4, Code: "A" is looked up, and on line 2 too',
    ]


def test_rows_that_should_be_one_must_agree(workshop: Workshop) -> None:
    mapping = MAPPING.replace('name = "At {Centre}"', 'name = "At {Centre}"\ndescription = "{Order}"')
    found = [(fault.line, fault.reason) for fault in replace(workshop, mapping=mapping).faults()]
    assert found == [(4, "has other values on line 2")]


def test_a_number_that_a_stored_row_has_is_taken(workshop: Workshop) -> None:
    workshop.rows("INSERT INTO jobs (tenant_id, job_number, title) SELECT id, 'J-2', 'by hand' FROM tenants")
    assert [str(fault) for fault in workshop.faults()] == [
        'orders.txt, line 2, No: "J-2" job_number is taken by a job that is stored already'
    ]


def test_an_email_is_taken_whatever_its_case_is(workshop: Workshop) -> None:
    mapping = (
        "[files.staff]\npath = 'clients.csv'\n[tables.users]\nfile = 'staff'\nexternal_id = '{ClientNo}'\n"
        "[tables.users.columns]\nemail = '{Mail}'"
    )
    staff = replace(workshop, mapping=mapping)
    staff.write(clients="ClientNo,Mail\n1,a@x.org\n2,A@X.org\n3,B@x.org\n4,nobody\n5,\n")
    staff.rows("INSERT INTO users (tenant_id, email) SELECT id, 'b@X.org' FROM tenants")
    assert [(fault.line, fault.reason) for fault in staff.faults()] == [
        (3, "email must differ; it is the same on line 2"),
        (4, "email is taken by a user that is stored already"),
        (5, "is not an e-mail address (for users.email)"),
        (6, "is empty; email cannot be"),
    ]


def test_users_come_without_a_password(workshop: Workshop) -> None:
    mapping = (
        "[files.staff]\npath = 'clients.csv'\n[tables.users]\nfile = 'staff'\nexternal_id = '{No}'\n"
        "[tables.users.columns]\nemail = '{Mail}'\nis_active = '{In}'\n"
        "role = { value = '{Job}', values = { 'Head*' = 'manager', 'Clerk' = 'operator' } }"
    )
    staff = replace(workshop, mapping=mapping)
    staff.write(clients="No,Mail,Job,In\n1,a@x.org,Head of all,yes\n2,b@x.org,Clerk,F\n")
    staff.run()
    users = "SELECT email, role, is_active, password_hash FROM users ORDER BY id"
    assert staff.rows(users) == [("a@x.org", "manager", True, None), ("b@x.org", "operator", False, None)]
    staff.write(clients="No,Mail,Job,In\n1,a@x.org,Chief,maybe\n")
    assert [fault.reason for fault in staff.faults()] == [
        "is not among the values of the mapping for role",
        "is neither true nor false (for users.is_active)",
    ]


def test_the_first_hundred_are_told_and_all_are_in_the_report(workshop: Workshop) -> None:
    workshop.write(
        orders="".join(f"{n}\tA\tnone\t\t\t\t\n" for n in range(1, 251)),
        operations="Order;Step;Centre;Done\n",
    )
    with pytest.raises(ImportRejected) as refused:
        workshop.run()
    lines = str(refused.value).splitlines()
    assert lines[99].startswith("orders.txt, line 100, Pieces:")
    assert lines[100:] == [
        "... and 150 more",
        "250 faults on 250 lines; nothing was stored",
        f"all of them are in {workshop.report}",
    ]
    with workshop.report.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["line"]) for row in rows] == list(range(1, 251))
    assert rows[249] == {
        "file": "orders.txt",
        "line": "250",
        "column": "Pieces",
        "value": "none",
        "reason": "is not a whole number (for jobs.quantity)",
    }


def test_values_are_harmless_in_a_spreadsheet_and_on_a_terminal(workshop: Workshop) -> None:
    formula, escape = "=cmd|' /C calc'!A0", "\x1b[2J" + "x" * 100
    workshop.write(orders=f"1\tA\t{formula}\tC1\t\t\t\n2\tA\t{escape}\tC1\t\t\t\n3\tA\t-5\tC1\t\t\t\n")
    first = workshop.faults()
    assert "\x1b" not in str(first[1])
    both = "(for job_steps.quantity_done, jobs.quantity)"
    assert (
        str(first[1])
        == 'orders.txt, line 2, Pieces: "\\x1b[2J' + "x" * 56 + '..." is not a whole number ' + both
    )
    with workshop.report.open(newline="", encoding="utf-8") as file:
        values = [row["value"] for row in csv.DictReader(file)]
    assert values == ["'" + formula, escape, "'-5"]


def test_a_file_that_is_damaged_as_a_whole_is_refused(workshop: Workshop) -> None:
    without_mark = FILES["orders.txt"].encode("utf-16-le")
    workshop.write(orders=without_mark)
    assert {fault.line for fault in workshop.faults()} >= {1, 2, 3}


def test_a_wrong_value_of_another_file_is_told_of_its_line_there(workshop: Workshop) -> None:
    mapping = MAPPING.replace("{article.Name} x {Pieces}", "{article.Name}")
    named = replace(workshop, mapping=mapping)
    assert named.wrong(articles=ARTICLES.replace("A,Axle", "A,")) == [("articles.csv", 2, "Name")]
    # Where both files have a part in it, it is told of the row.
    assert workshop.wrong(articles=ARTICLES.replace("A,Axle", "A,")) == [
        ("orders.txt", 1, "article.Name, Pieces"),
        ("orders.txt", 3, "article.Name, Pieces"),
    ]

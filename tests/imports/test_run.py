"""Rows stored by an import and by its repetition."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import replace

import pytest

from opsboard.errors import CommandError
from opsboard.imports.storing import Stored
from tests.imports.workshop import CLIENTS, FILES, MAPPING, OPERATIONS, ORDERS, Workshop

JOBS = """
SELECT j.job_number, j.title, j.status, j.quantity, j.due_date, j.started_at::date, j.completed_at::date, c.name
FROM jobs AS j
LEFT JOIN customers AS c ON c.tenant_id = j.tenant_id AND c.id = j.customer_id
ORDER BY j.id
"""
STEPS = """
SELECT j.job_number, s.step_order, p.name, s.status, s.quantity_done
FROM job_steps AS s
JOIN jobs AS j ON j.tenant_id = s.tenant_id AND j.id = s.job_id
JOIN processes AS p ON p.tenant_id = s.tenant_id AND p.id = s.process_id
ORDER BY s.id
"""


def march(day: int) -> dt.date:
    return dt.date(2024, 3, day)


def test_rows_are_made_from_files_templates_and_lookups(workshop: Workshop) -> None:
    summary = workshop.run()
    assert summary.tables == [
        Stored("customers", 2, 0, 0),
        Stored("processes", 2, 0, 0),
        Stored("jobs", 3, 0, 0),
        Stored("job_steps", 3, 0, 0),
    ]
    assert workshop.rows("SELECT name, email, address FROM customers ORDER BY id") == [
        ("Fox, Ltd", "fox@example.com", "1 Hill, Ayr"),
        ('The "Old" Mill', None, "Mill\nLane"),
    ]
    assert workshop.rows(JOBS) == [
        ("J-1", "Axle x 10", "completed", 10, march(4), march(1), march(5), "Fox, Ltd"),
        ("J-2", "Bolt x 20", "completed", 20, march(10), march(3), march(9), 'The "Old" Mill'),
        ("J-3", "Axle x 30", "active", 30, None, march(20), None, None),
    ]
    assert workshop.rows(STEPS) == [
        ("J-1", 1, "At saw", "completed", 10),
        ("J-1", 2, "At mill", "completed", 10),
        ("J-2", 1, "At saw", "completed", 20),
    ]


def test_as_of_cuts_statuses_and_blanks_what_has_not_happened(workshop: Workshop) -> None:
    workshop.run(as_of="2024-03-05")
    assert [(row[2], row[5], row[6]) for row in workshop.rows(JOBS)] == [
        ("completed", march(1), march(5)),
        ("active", march(3), None),
        ("draft", None, None),
    ]
    assert [row[3:] for row in workshop.rows(STEPS)] == [("completed", 10), ("completed", 10), ("pending", 0)]
    assert workshop.rows("SELECT as_of FROM tenants WHERE slug = 'mill'") == [(march(5),)]
    workshop.run()
    assert workshop.rows("SELECT as_of FROM tenants WHERE slug = 'mill'") == [(None,)]
    assert [row[2] for row in workshop.rows(JOBS)] == ["completed", "completed", "active"]


def test_a_day_ends_in_the_time_zone_of_the_business(workshop: Workshop) -> None:
    workshop.add_tenant("auckland", "Pacific/Auckland")
    workshop.write(
        orders=ORDERS.replace("2024-03-05", "2024-03-05 23:59:59").replace("2024-03-20", "2024-03-06")
    )
    workshop.run(as_of="2024-03-05", tenant_slug="auckland")
    assert [row[2] for row in workshop.rows(JOBS)] == ["completed", "active", "draft"]
    # The draft would have started at the very moment the day ends.
    assert workshop.rows("SELECT started_at FROM jobs WHERE job_number = 'J-3'") == [(None,)]
    assert workshop.rows("SELECT started_at FROM jobs WHERE job_number = 'J-1'") == [
        (dt.datetime(2024, 2, 29, 11, tzinfo=dt.UTC),)
    ]
    assert workshop.rows("SELECT due_date FROM jobs WHERE job_number = 'J-1'") == [(march(4),)]


def test_a_second_run_doubles_and_rewrites_nothing(workshop: Workshop) -> None:
    workshop.run()
    versions = "SELECT id, xmin::text, updated_at FROM jobs UNION ALL SELECT id, xmin::text, updated_at FROM job_steps"
    before = workshop.rows(versions)
    summary = workshop.run()
    assert [(one.inserted, one.updated) for one in summary.tables] == [(0, 0)] * 4
    assert workshop.rows(versions) == before


def test_a_second_run_from_a_system_with_other_forms_finds_its_rows(workshop: Workshop) -> None:
    names = CLIENTS.replace("C1", "K\u00e91").replace("Fox, Ltd", "F\u00f6x").replace("fox@", "F\u00f6x@")
    forms = [unicodedata.normalize("NFD", names).replace("Mail", "\u200bMail"), names]
    mapping = MAPPING.replace("Street", "Stra\u00dfe").replace("Town", "Stadt \u00e9")
    for number, content in enumerate(forms):
        header = content.replace("Street", "Stra\u00dfe").replace("Town", "Stadt e\u0301")
        orders = ORDERS.replace("C1", unicodedata.normalize("NFC" if number == 0 else "NFD", "K\u00e91"))
        workshop.write(clients=header, orders=orders)
        tables = {one.table: one for one in replace(workshop, mapping=mapping).run().tables}
        assert tables["customers"].inserted == (2 if number == 0 else 0)
        assert tables["customers"].updated == tables["jobs"].updated == 0
    assert workshop.rows("SELECT external_id, name, email FROM customers ORDER BY id LIMIT 1") == [
        ("K\u00e91", "F\u00f6x", "F\u00f6x@example.com")
    ]


def test_a_second_run_updates_changed_rows_and_adds_new_ones(workshop: Workshop) -> None:
    workshop.run()
    workshop.rows("UPDATE jobs SET priority = 'urgent' WHERE job_number = 'J-2'")
    workshop.write(orders=ORDERS.replace("\t20\t", "\t25\t") + "4\tB\t1\tC1\t\t\t\n")
    tables = {one.table: one for one in workshop.run().tables}
    assert tables["jobs"] == Stored("jobs", 1, 1, 2)
    # Its step takes the pieces from the order.
    assert tables["job_steps"] == Stored("job_steps", 0, 1, 2)
    assert workshop.rows("SELECT title, priority FROM jobs WHERE job_number = 'J-2'") == [
        ("Bolt x 25", "urgent")
    ]


def test_a_dry_run_counts_and_stores_nothing(workshop: Workshop) -> None:
    before = workshop.counts()
    summary = workshop.run(dry_run=True, as_of="2024-03-05")
    assert [one.inserted for one in summary.tables] == [2, 2, 3, 3]
    assert workshop.counts() == before
    assert workshop.rows("SELECT as_of FROM tenants") == [(None,)]


def test_the_import_is_written_into_the_audit_log(workshop: Workshop) -> None:
    workshop.run(as_of="2024-03-05")
    ((action, entity, user, changes),) = workshop.rows(
        "SELECT action, entity, user_id, changes FROM audit_logs"
    )
    assert (action, entity, user, changes["as_of"]) == ("import", "tenant", None, "2024-03-05")
    assert changes["tables"]["jobs"] == {"inserted": 3, "updated": 0, "unchanged": 0}
    assert changes["files"]["orders.txt"] == 3


def test_two_businesses_with_the_same_files_do_not_meet(workshop: Workshop) -> None:
    workshop.add_tenant("other")
    workshop.run()
    workshop.write(clients="ClientNo,Name,Mail,Street,Town\nC9,New,,,\n", orders=ORDERS.replace("C1", "C9"))
    # C2 is a customer of the other business only.
    assert [fault.column for fault in workshop.faults(tenant_slug="other")] == ["Client"]
    workshop.write()
    workshop.run(tenant_slug="other")
    assert workshop.counts()["jobs"] == 6
    crossing = """
        SELECT count(*)
        FROM jobs AS j
        JOIN customers AS c ON c.id = j.customer_id
        WHERE c.tenant_id <> j.tenant_id
    """
    assert workshop.rows(crossing) == [(0,)]


def test_parents_of_an_earlier_import_are_found(workshop: Workshop) -> None:
    workshop.run()
    workshop.write(clients="ClientNo,Name,Mail,Street,Town\n", operations=OPERATIONS + "3;7;mill;\n")
    assert {one.table: one.inserted for one in workshop.run().tables}["job_steps"] == 1
    assert workshop.rows(JOBS)[0][7] == "Fox, Ltd"


def test_dates_of_another_format_and_numbers_in_words_are_read(workshop: Workshop) -> None:
    mapping = MAPPING.replace(
        'due_date = "{Due}"', 'due_date = { value = "{Due}", dates = ["%d.%m.%Y", "%m/%d/%Y"] }'
    ).replace(
        'quantity = "{Pieces}"',
        'quantity = { value = "{Pieces}", values = { "a dozen*" = "12", "*" = "1" } }',
    )
    workshop.write(
        orders="1\tA\tA dozen\tC1\t\t\t3/31/2024\n2\tA\ta dozen or so\tC1\t\t\t1.4.2024\n3\tB\t\t\t\t\t\n",
        operations="Order;Step;Centre;Done\n",
    )
    with_default = mapping.replace('"*" = "1" } }', '"*" = "1" }, default = "7" }')
    replace(workshop, mapping=with_default.replace("{article.Name} x {Pieces}", "{article.Name}")).run()
    assert workshop.rows("SELECT quantity, due_date FROM jobs ORDER BY id") == [
        (1, march(31)),
        (12, dt.date(2024, 4, 1)),
        (7, None),
    ]


def test_lines_are_chosen_by_their_values(workshop: Workshop) -> None:
    mapping = MAPPING.replace(
        'external_id = "{No}"', 'external_id = "{No}"\nwhere = { Client = ["C1", ""] }'
    ).replace(
        'file = "operations"\nexternal_id = "{Order}-{Step}"',
        'file = "operations"\nexternal_id = "{Order}-{Step}"\nwhere = { Order = "1" }',
    )
    replace(workshop, mapping=mapping).run()
    assert [row[0] for row in workshop.rows(JOBS)] == ["J-1", "J-3"]
    assert [row[0] for row in workshop.rows(STEPS)] == ["J-1", "J-1"]


def test_files_may_have_a_byte_order_mark_crlf_and_another_encoding(workshop: Workshop) -> None:
    mapping = MAPPING.replace('path = "articles.csv"', 'path = "articles.csv"\nencoding = "cp1252"')
    workshop.write(
        articles="Code,Name\r\nA,Öse\r\nB,Œuf €\r\n".encode("cp1252"),
        clients=b"\xef\xbb\xbf" + FILES["clients.csv"].replace("\n", "\r\n").encode(),
    )
    replace(workshop, mapping=mapping).run()
    assert [row[1] for row in workshop.rows(JOBS)] == ["Öse x 10", "Œuf € x 20", "Öse x 30"]
    assert workshop.rows("SELECT address FROM customers ORDER BY id")[1] == ("Mill\nLane",)


def test_an_unknown_business_is_refused(workshop: Workshop) -> None:
    with pytest.raises(CommandError, match="there is no business 'nobody'"):
        workshop.run(tenant_slug="nobody")


def test_a_second_import_of_the_business_waits_its_turn_and_then_says_so(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        __import__("opsboard.imports.run", fromlist=["SETTINGS"]).SETTINGS, "lock_timeout", "50ms"
    )
    with workshop.connect() as other:
        other.autocommit = False
        other.cursor().execute("SELECT FROM tenants WHERE slug = 'mill' FOR NO KEY UPDATE")
        with pytest.raises(CommandError, match="another import for mill is running"):
            workshop.run()
    workshop.run()


def test_the_service_reads_and_writes_while_an_import_holds_its_locks(workshop: Workshop) -> None:
    with workshop.connect() as importing:
        importing.autocommit = False
        importing.cursor().execute("SELECT FROM tenants WHERE slug = 'mill' FOR NO KEY UPDATE")
        insert = "INSERT INTO customers (tenant_id, name) SELECT id, 'new' FROM tenants WHERE slug = 'mill'"
        workshop.rows(f"SET lock_timeout = '2s'; {insert}")
    assert workshop.counts()["customers"] == 1


def test_it_runs_on_every_supported_server(any_database: object, workshop: Workshop) -> None:
    other = replace(workshop, database=any_database)  # type: ignore[arg-type]
    other.add_tenant("mill")
    other.run(as_of="2024-03-05")
    assert [row[2] for row in other.rows(JOBS)] == ["completed", "active", "draft"]


def test_texts_that_are_no_value_and_the_first_of_several_lines(workshop: Workshop) -> None:
    mapping = (
        MAPPING.replace('key = "Code"', 'key = "Code"\npick = "first"')
        .replace('path = "articles.csv"', 'path = "articles.csv"\nnull = ["n/a"]')
        .replace('title = "{article.Name}', 'description = "{article.Note}"\ntitle = "{article.Name}')
    )
    workshop.write(articles="Code,Name,Note\nA,Axle,n/a\nB,Bolt,N/A\nA,Another,x\nB,Best,\n")
    replace(workshop, mapping=mapping).run()
    assert workshop.rows("SELECT title, description FROM jobs ORDER BY id") == [
        ("Axle x 10", None),
        ("Bolt x 20", "N/A"),
        ("Axle x 30", None),
    ]


def test_only_the_star_stands_for_anything_in_a_value_map(workshop: Workshop) -> None:
    values = r"""{ '_' = "low", '100%' = "high", 'a\*' = "urgent" }"""
    priority = f'priority = {{ value = "{{Article}}", values = {values}, otherwise = "normal" }}'
    mapping = MAPPING.replace('quantity = "{Pieces}"', f'quantity = "{{Pieces}}"\n{priority}')
    articles = ["A", "_", "100%", "1000", "a\\b", "ab"]
    workshop.write(
        orders="".join(f"{n}\t{code}\t1\t\t\t\t\n" for n, code in enumerate(articles)),
        articles="Code,Name\n" + "".join(f"{code},x\n" for code in articles),
        operations="Order;Step;Centre;Done\n",
    )
    replace(workshop, mapping=mapping).run()
    assert [row[0] for row in workshop.rows("SELECT priority FROM jobs ORDER BY id")] == [
        "normal", "low", "high", "normal", "urgent", "normal",
    ]  # fmt: skip

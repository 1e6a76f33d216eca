"""Own fields: what a file says of a record and no column is for is kept, shown and exported."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest

from opsboard.imports.mapping_file import MappingError, parse_mapping
from opsboard.imports.run import run_import
from opsboard.imports.targets import TARGETS
from tests.application import Application, running_application
from tests.clusters import Cluster, fresh_database
from tests.features.test_exports import as_superuser
from tests.imports.sheet import Sheet, sheet
from tests.seed import Business

__all__ = ["sheet"]

OWN = """
[tables.{table}.columns.own_fields.members]
Colour = "{{Colour}}"
"Drawing no" = "D-{{Drawing}}"
"""
JOBS = """
[tables.jobs]
file = "f"
external_id = "{No}"
[tables.jobs.columns]
job_number = "{No}"
title = "{No}"
""" + OWN.format(table="jobs")
LEADS = """
[files.f]
path = "leads.csv"
[tables.leads]
file = "f"
external_id = "{No}"
[tables.leads.columns]
name = "{No}"
""" + OWN.format(table="leads")
FIELDS = "SELECT external_id, own_fields FROM jobs ORDER BY external_id"


def test_columns_without_a_home_are_kept_and_changed_by_a_later_import(sheet: Sheet) -> None:
    sheet.run('No,Colour,Drawing\n1,red,7\n2,,\n3,"say ""a"" \\ {b}",\n', JOBS)
    assert sheet.rows(FIELDS) == [
        ("1", {"Colour": "red", "Drawing no": "D-7"}),
        ("2", {}),
        ("3", {"Colour": 'say "a" \\ {b}'}),
    ]
    again = sheet.run("No,Colour,Drawing\n1,red,7\n2,blue,\n3,,\n", JOBS).tables[0]
    assert (again.inserted, again.updated, again.unchanged) == (0, 2, 1)
    assert sheet.rows(FIELDS)[1:] == [("2", {"Colour": "blue"}), ("3", {})]


def test_a_mapping_without_them_leaves_them_as_they_are(sheet: Sheet) -> None:
    sheet.run("No,Colour,Drawing\n1,red,7\n", JOBS)
    sheet.run("No,Colour,Drawing\n1,red,7\n", JOBS.partition("[tables.jobs.columns.own_fields")[0])
    assert sheet.rows(FIELDS) == [("1", {"Colour": "red", "Drawing no": "D-7"})]


def test_too_much_text_and_what_is_no_object_are_told(sheet: Sheet) -> None:
    told = sheet.told(f"No,Colour,Drawing\n1,{'x' * 20_000},\n", JOBS)
    assert "is longer than 20,000 characters, the most of own_fields" in told[0]
    whole = JOBS.partition("[tables.jobs.columns.own_fields")[0] + 'own_fields = "{Own}"\n'
    told = sheet.told('No;Own\n1;{"a": "b"}\n2;{"a": 1}\n3;[]\n4;x\n', whole, 'delimiter = ";"\nquote = ""')
    assert len(told) == 3
    assert all("is not an object of JSON with texts as its members" in line for line in told)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ('title = { members = { a = "{No}" } }', "members are what own fields have"),
        ('own_fields = { first_of = ["{No}"] }', "needs members, or a value with an object of JSON"),
        ("own_fields = { members = {} }", "members"),
        (
            "own_fields = { members = { " + ", ".join(f'n{n} = "{{No}}"' for n in range(51)) + " } }",
            "members",
        ),
    ],
)
def test_members_are_for_own_fields_only_and_not_too_many(wrong: str, words: str) -> None:
    base = (
        '[files.f]\npath = "f.csv"\n[tables.jobs]\nfile = "f"\nexternal_id = "{No}"\n[tables.jobs.columns]\n'
    )
    title = "" if wrong.startswith("title") else 'title = "x"\n'
    with pytest.raises(MappingError, match=words):
        parse_mapping(f'{base}job_number = "{{No}}"\n{title}{wrong}\n')


def test_they_are_shown_and_exported_and_hidden_where_people_are_reached(
    own_app: Application, tmp_path: Path
) -> None:
    (tmp_path / "leads.csv").write_text("No,Colour,Drawing\nZebra,=red,7\n")
    run_import(own_app.database.app_url, tmp_path, parse_mapping(LEADS), own_app.alpha.slug)
    own_app.poll_changes()
    own = {"Colour": "=red", "Drawing no": "D-7"}
    admin, operator = own_app.client(), own_app.client("operator")
    listed: Any = admin.get("/api/leads?q=Zebra").json
    [item] = listed["items"]
    assert item["own_fields"] == own
    assert admin.get(f"/api/leads/{item['id']}").json["own_fields"] == own  # type: ignore[index]
    assert operator.get(f"/api/leads/{item['id']}").json["own_fields"] is None  # type: ignore[index]
    text = admin.get("/api/leads/export?q=Zebra").get_data(as_text=True)
    [row] = csv.DictReader(io.StringIO(text, newline=""))
    assert row["own_fields"] == '{"Colour": "=red", "Drawing no": "D-7"}'
    changed: Any = admin.patch(f"/api/leads/{item['id']}", json={"name": "L one"}).json
    assert changed["own_fields"] == own


# Table -> the list that shows it; {id}: of what belongs to a row of another list.
LISTS = {
    "customers": "customers", "users": "users", "processes": "processes", "machines": "machines", "jobs": "jobs",
    "job_steps": "job-steps", "leads": "leads", "campaigns": "campaigns", "suppressions": "suppressions",
    "contacts": "contacts", "call_log": "calls", "response_approvals": "workflow-approvals",
    "campaign_recipients": "campaigns/{id}/recipients", "approval_queue": "workflow-approvals/pending",
    "approval_history": "workflow-approvals/{id}/history", "workflows": "workflow-monitoring/workflows",
    "workflow_execution_monitoring": "workflow-monitoring/history", "notifications": "notifications",
    "audit_logs": "audit", "routings": "routings", "routing_steps": "routings", "reasons": "reasons",
    "work_records": "work", "machine_stops": "stops",
}  # fmt: skip
# Table -> where in an item of that list, if not in the item itself.
INSIDE: dict[str, tuple[str | int, ...]] = {
    "approval_queue": ("queue_entry", "own_fields"), "routing_steps": ("steps", 0, "own_fields"),
}  # fmt: skip
# Table -> why an import cannot give its rows own fields.
WITHOUT: dict[str, str] = {
    "role_process_permissions": "a permission is a role and a process, and nothing else",
    "working_hours": "a shift is a day of the week and two times, and nothing else",
    "holidays": "a holiday is days with a name, and nothing else",
}
# Lists of what has no page of its own.
NO_DETAIL = {"campaign_recipients", "approval_history", "workflows", "workflow_execution_monitoring", "notifications",
    "audit_logs",
}  # fmt: skip
FILL = "UPDATE {table} SET own_fields = jsonb_build_object('Of', %(table)s, 'Text', '=1') WHERE tenant_id = %(tenant)s"


@pytest.fixture(scope="module")
def known(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Application]:
    """Businesses, one of which knows more of every row."""
    name, alpha, beta = seeded
    with (
        fresh_database(cluster, name) as database,
        running_application(database, alpha, beta) as application,
        as_superuser(application) as cursor,
    ):
        for table in TARGETS.keys() - WITHOUT.keys():
            cursor.execute(FILL.format(table=table), {"table": table, "tenant": alpha.id})
        yield application


@pytest.mark.parametrize("table", TARGETS)
def test_every_table_that_an_import_can_fill_has_them(known: Application, table: str) -> None:
    has_them = "own_fields" in {column.name for column in TARGETS[table].columns}
    assert has_them != (table in WITHOUT), "own fields, or the reason why not in WITHOUT"
    if not has_them:
        return
    client, area = known.client(), LISTS[table].partition("/{id}")[0]
    first: Any = client.get(f"/api/{area}?page_size=1").json
    path = LISTS[table].format(id=first["items"][0]["id"])
    # The oldest, because exports leave entries in the audit log.
    oldest = "sort=created_at" if table == "audit_logs" else ""
    listed: Any = client.get(f"/api/{path}?page_size=1&{oldest}").json
    inside = INSIDE.get(table, ("own_fields",))
    own, [item] = {"Of": table, "Text": "=1"}, listed["items"]
    assert reduce(getitem, inside, item) == own
    lines = client.get(f"/api/{path}/export?format=jsonl&{oldest}").get_data(as_text=True).splitlines()
    assert reduce(getitem, inside, json.loads(lines[0])) == own
    text = client.get(f"/api/{path}/export?{oldest}").get_data(as_text=True)
    row = next(csv.DictReader(io.StringIO(text, newline="")))
    if table == "routing_steps":  # in a cell with all steps
        assert reduce(getitem, inside[1:], json.loads(row["steps"])) == own
    else:
        assert json.loads(row[".".join(map(str, inside))]) == own
    detail: Any = client.get(f"/api/{path.removesuffix('/pending')}/{item['id']}")
    assert (detail.status_code == 404) == (table in NO_DETAIL)
    if table not in NO_DETAIL:
        assert reduce(getitem, inside, detail.json) == own
    other: Any = known.client("admin", known.beta).get(f"/api/{area}?page_size=1&{oldest}").json
    assert reduce(getitem, inside, other["items"][0]) == {}


def test_the_history_of_a_request_has_them_with_the_request(known: Application) -> None:
    listed: Any = known.client().get("/api/workflow-approvals?page_size=1").json
    whole: Any = known.client().get(f"/api/workflow-approvals/{listed['items'][0]['id']}").json
    assert {line["own_fields"]["Of"] for line in whole["history"]} == {"approval_history"}


def test_a_change_by_people_leaves_and_answers_them(own_app: Application) -> None:
    own = {"Text": "=1", "Of": "notifications"}
    with as_superuser(own_app) as cursor:
        cursor.execute(
            FILL.format(table="notifications"), {"table": "notifications", "tenant": own_app.alpha.id}
        )
    client = own_app.client()
    [item, *_] = client.get("/api/notifications").json["items"]  # type: ignore[index]
    assert client.post(f"/api/notifications/{item['id']}/read").json["own_fields"] == own  # type: ignore[index]
    entry = {"channel": "email", "address": "nobody@north.example"}
    assert client.post("/api/suppressions", json=entry).json["own_fields"] == {}  # type: ignore[index]
    begun: Any = client.post("/api/workflow-monitoring/executions", json={"workflow": "Zebra"}).json
    assert begun["own_fields"] == {}

"""Tables that only grow and tables cut by month: a second import adds what is new and rewrites no history."""

from __future__ import annotations

from dataclasses import replace

import psycopg2
import psycopg2.errors
import pytest

from tests.imports.desk import AUDIT, LINES, MAPPING, RUNS, TABLES, Desk, desk
from tests.imports.sheet import Sheet, sheet

__all__ = ["desk", "sheet"]

MORE = LINES + "2,2,Ann,closed,Bea,2024-04-04 08:00\n"


def test_each_line_is_there_once_and_a_second_import_changes_nothing(desk: Desk) -> None:
    counts = {
        "users": 4, "response_approvals": 2, "approval_queue": 2, "approval_history": 4, "workflows": 2,
        "workflow_execution_monitoring": 4, "notifications": 2, "audit_logs": 4,
    }  # fmt: skip
    assert desk.run() == {table: (count, 0, 0) for table, count in counts.items()}
    before = {table: rows for table, rows in desk.contents().items() if table != "audit_logs"}
    assert desk.run() == {table: (0, 0, count) for table, count in counts.items()}
    assert {table: desk.contents()[table] for table in before} == before


def test_lines_that_came_later_are_added_to_what_is_there(desk: Desk) -> None:
    desk.run()
    again = desk.run(MORE)
    assert again["approval_history"] == again["audit_logs"] == (1, 0, 4)
    assert again["notifications"] == (1, 0, 2)
    # The run that the new line ends was going on until now.
    assert again["workflow_execution_monitoring"] == (1, 1, 3)
    assert desk.workshop.rows(RUNS) == [
        ("1 1", "completed", "2024-03-01", "2024-03-02"),
        ("2 1", "completed", "2024-03-01", "2024-04-04"),
        ("1 2", "completed", "2024-03-02", "2024-04-03"),
        ("1 3", "running", "2024-04-03", None),
        ("2 2", "running", "2024-04-04", None),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [("2,1,Bob,open", "2,1,Bob,closed"), ("Cy,2024-03-01", "Cy,2024-02-01"), ("2,1,Bob", "2,1,Ann")],
    ids=["another value", "another time, in another month", "another person"],
)
def test_history_that_would_be_rewritten_is_refused_line_by_line(desk: Desk, old: str, new: str) -> None:
    desk.run()
    assert [tuple(fault)[1:] for fault in desk.faults(MORE.replace(old, new))] == [
        (3, "Ticket, No", "2 1", "is stored with other values; approval_history only grows"),
        (3, "Ticket, No", "2 1", "is stored with other values; audit_logs only grows"),
    ]


def test_an_execution_may_change_and_move_to_another_month(desk: Desk) -> None:
    mapping = (
        MAPPING[: MAPPING.index("[tables.response_approvals]")]
        + MAPPING[MAPPING.index("[tables.workflows]") : MAPPING.index("[tables.notifications]")]
    )
    desk = replace(desk, mapping=mapping)
    desk.run()
    ids = desk.workshop.rows("SELECT id FROM workflow_execution_monitoring ORDER BY id")
    moved = LINES.replace("Cy,2024-04-03 08:00", "Cy,2031-01-01 00:00")
    assert desk.run(moved)["workflow_execution_monitoring"] == (0, 2, 2)
    assert desk.workshop.rows("SELECT id FROM workflow_execution_monitoring ORDER BY id") == ids
    assert desk.workshop.rows(RUNS)[3] == ("1 3", "running", "2031-01-01", None)
    assert desk.run(moved)["workflow_execution_monitoring"] == (0, 0, 4)


def test_the_same_keys_of_another_business_are_other_rows(desk: Desk) -> None:
    first = desk.run()
    desk.workshop.add_tenant("other")
    query = "SELECT t.* FROM {} AS t WHERE t.tenant_id = (SELECT min(id) FROM tenants) ORDER BY 1, 2"
    before = [desk.workshop.rows(query.format(table)) for table in TABLES]
    desk.workshop.rows("UPDATE tenants SET slug = CASE slug WHEN 'mill' THEN 'first' ELSE 'mill' END")
    assert desk.run() == first
    assert [desk.workshop.rows(query.format(table)) for table in TABLES] == before


def test_the_services_own_entries_are_left_alone(desk: Desk) -> None:
    desk.workshop.rows(
        "INSERT INTO audit_logs (tenant_id, action, entity, entity_id) SELECT id, 'create', 'job', 1 FROM tenants"
    )
    desk.run()
    desk.run()
    assert desk.workshop.rows("SELECT count(*) FROM audit_logs WHERE external_id IS NULL") == [(3,)]
    assert desk.workshop.rows("SELECT count(*) FROM audit_logs WHERE entity = 'job'") == [(1,)]


def test_rollups_agree_after_history_came_in(desk: Desk) -> None:
    desk.run()
    desk.run(MORE)
    query = "SELECT d.* FROM tenants AS t CROSS JOIN LATERAL rollup_differences(t.id) AS d"
    assert desk.workshop.rows(query) == []


def test_a_dry_run_stores_no_history(desk: Desk) -> None:
    desk.summary(dry_run=True)
    assert all(not rows for rows in desk.contents().values())


def test_it_runs_on_every_supported_server(any_database: object, desk: Desk) -> None:
    other = replace(desk, workshop=replace(desk.workshop, database=any_database))  # type: ignore[arg-type]
    other.workshop.add_tenant("mill")
    other.run()
    assert set(other.run(MORE)) == set(TABLES)
    assert other.workshop.rows(AUDIT)[-1] == (
        "2 2",
        "change",
        2,
        {"state": ["open", "closed"], "owner": ["Cy", "Bea"]},
    )


@pytest.mark.parametrize("table", ["approval_history", "workflow_execution_monitoring", "audit_logs"])
def test_what_is_stored_is_found_by_an_index_and_is_there_once(desk: Desk, table: str) -> None:
    desk.run()
    names = (
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns "
        "WHERE table_name = %s AND table_schema = 'public' AND column_name <> 'id'"
    )
    ((columns,),) = desk.workshop.rows(names, [table])
    with desk.workshop.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN SELECT id FROM {table} WHERE tenant_id = 1 AND external_id = '1 1'")
        plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "external_id" in plan.partition("Index Cond")[2], plan
        again = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} WHERE external_id = '1 1'"
        with pytest.raises(psycopg2.errors.UniqueViolation):
            cursor.execute(again)


def test_changes_may_be_an_object_of_json(sheet: Sheet) -> None:
    tables = """
[tables.audit_logs]
file = "f"
external_id = "{No}"
[tables.audit_logs.columns]
action = "update"
entity = "job"
changes = "{Changes}"
"""
    text = 'No;Changes\n1;"{""title"": [""a"", null]}"\n'
    sheet.run(text, tables, 'delimiter = ";"')
    assert sheet.rows("SELECT changes FROM audit_logs WHERE external_id = '1'") == [({"title": ["a", None]},)]
    told = sheet.told(text + "2;{\n3;[1]\n4;1e999999\n", tables, 'delimiter = ";"')
    assert [line.split(",")[1].split(":")[0] for line in told if "object of JSON" in line] == [
        " line 3",
        " line 4",
        " line 5",
    ]

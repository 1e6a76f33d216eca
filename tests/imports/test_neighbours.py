"""Rows made from several lines: what was before and what came next, one for each column, the first of each key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsboard.imports.mapping_file import MappingError, parse_mapping
from tests.imports.desk import AUDIT, LINES, MAPPING, RUNS, Desk, desk

__all__ = ["desk"]


def test_an_audit_entry_tells_what_was_before_and_what_is(desk: Desk) -> None:
    desk.run()
    assert desk.workshop.rows(AUDIT) == [
        ("1 1", "open", 1, {"state": [None, "open"]}),
        ("2 1", "open", 2, {"state": [None, "open"], "owner": [None, "Cy"]}),
        ("1 2", "change", 1, {"owner": [None, "Cy"]}),
        ("1 3", "change", 1, {"state": ["open", "closed"]}),
    ]


def test_one_user_for_each_column_and_person_and_the_first_line_of_each_key(desk: Desk) -> None:
    desk.run()
    assert sorted(desk.workshop.rows("SELECT email, full_name FROM users")) == [
        ("Owner-Cy@desk.example", "Cy"),
        ("Who-Al@desk.example", "Al"),
        ("Who-Ann@desk.example", "Ann"),
        ("Who-Bob@desk.example", "Bob"),
    ]
    told = "SELECT title, created_at::date::text FROM notifications ORDER BY id"
    assert desk.workshop.rows(told) == [
        ("Ticket 2 is yours", "2024-03-01"),
        ("Ticket 1 is yours", "2024-03-02"),
    ]


STATES = st.sampled_from(["open", "closed"])
TICKETS = st.lists(st.tuples(st.integers(1, 4), STATES), min_size=1, max_size=25)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tickets=TICKETS)
def test_neighbours_are_those_a_loop_over_the_lines_finds(desk: Desk, tickets: list[tuple[int, str]]) -> None:
    lines = [
        f"{ticket},{n},Ann,{state},?,2024-03-01 08:{n:02}\n" for n, (ticket, state) in enumerate(tickets)
    ]
    for table in ("workflow_execution_monitoring", "audit_logs", "approval_history"):
        desk.workshop.rows(f"TRUNCATE {table}")
    desk.run("".join(lines))
    last: dict[int, str] = {}
    opened: set[int] = set()
    audit = []
    for n, (ticket, state) in enumerate(tickets):
        changes = {} if last.get(ticket) == state else {"state": [last.get(ticket), state]}
        audit.append((f"{ticket} {n}", "change" if ticket in opened else "open", ticket, changes))
        last[ticket] = state
        opened |= {ticket} if state == "open" else set()
    assert desk.workshop.rows(AUDIT) == audit
    after = [ticket for ticket, _ in tickets]
    runs = [
        (f"{ticket} {n}", "completed" if ticket in after[n + 1 :] else "running")
        for n, ticket in enumerate(after)
    ]
    assert [row[:2] for row in desk.workshop.rows(RUNS)] == runs


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('equals = "{Ticket}"\npick = "next"', 'key = "No"\nequals = "{Ticket}"\npick = "next"',
         "lookups.end: needs a key, unless"),
        ('equals = "{Ticket}"\npick = "next"', 'equals = "{#each}"\npick = "next"',
         "lookups.end.equals: lines are neighbours by columns of their own only"),
        ('each = ["Who", "Owner"]\n', "", "log.csv has no #column"),
        ('each = ["Who", "Owner"]', 'each = ["Who", "Boss"]', "each: log.csv has no Boss"),
        ('repeated = ["Ticket"', 'repeated = ["Ticked"', "files.log.remarks[2]: log.csv has no Ticked"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_told(desk: Desk, old: str, new: str, fault: str) -> None:
    assert old in MAPPING
    with pytest.raises(MappingError) as refused:
        replace(desk, mapping=MAPPING.replace(old, new, 1)).run()
    assert any(fault in told for told in refused.value.faults), refused.value.faults


def test_remarks_tell_how_many_lines_are_so(desk: Desk) -> None:
    remarks = desk.summary(
        LINES + "3,1,Amy,open,?,2024-05-01 08:00\n3,2,Amy,open,?,2024-05-01 08:00\n"
    ).remarks
    assert [str(remark) for remark in remarks] == [
        "log.csv: 1 of 6 lines: done by nobody",
        "log.csv: 4 of 6 lines: of Ann or Al",
        "log.csv: 1 of 6 lines: with a state told before",
    ]
    ((changes,),) = desk.workshop.rows("SELECT changes FROM audit_logs WHERE action = 'import'")
    assert changes["remarks"] == [str(remark) for remark in remarks]


def test_a_remark_without_a_condition_is_of_all_lines(desk: Desk) -> None:
    mapping = MAPPING.replace('where = { State = "lost" }\n', "")
    assert str(replace(desk, mapping=mapping).summary().remarks[-1]) == "log.csv: all 4 lines: never so"
    assert parse_mapping(mapping).files["log"].remarks[-1].where == {}


def test_lines_without_a_key_are_nobodys_neighbours(desk: Desk) -> None:
    lookup = '[tables.audit_logs.lookups.before]\nfile = "log"\nequals = '
    mapping = MAPPING.replace(lookup + '"{Ticket}"', lookup + '"{Owner}"')
    assert mapping != MAPPING
    replace(desk, mapping=mapping).run("1,1,Ann,open,?,2024-03-01 08:00\n2,1,Ann,closed,?,2024-03-01 09:00\n")
    assert [row[3] for row in desk.workshop.rows(AUDIT)] == [
        {"state": [None, "open"]},
        {"state": [None, "closed"]},
    ]

"""A service desk in one CSV file: tickets as they were after each change, made into every kind of history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from opsboard.imports.faults import Fault, ImportRejected
from opsboard.imports.mapping_file import parse_mapping
from opsboard.imports.run import Summary, run_import
from tests.imports.workshop import Workshop

MAPPING = """
[files.log]
path = "log.csv"
null = ["", "?"]
dates = ["%Y-%m-%d %H:%M"]
[[files.log.remarks]]
says = "done by nobody"
where = { Who = "" }
[[files.log.remarks]]
says = "of Ann or Al"
where = { Who = "A*" }
[[files.log.remarks]]
says = "with a state told before"
repeated = ["Ticket", "State", "Owner"]
[[files.log.remarks]]
says = "never so"
where = { State = "lost" }

[tables.users]
file = "log"
each = ["Who", "Owner"]
external_id = "{#column} {#each}"
distinct = true
[tables.users.columns]
email = "{#column}-{#each}@desk.example"
full_name = "{#each}"

[tables.response_approvals]
file = "log"
external_id = "{Ticket}"
distinct = "first"
[tables.response_approvals.columns]
subject = "Ticket {Ticket}"
created_at = "{At}"

[tables.approval_queue]
file = "log"
external_id = "{Ticket}"
distinct = "first"
[tables.approval_queue.parents]
approval = "{Ticket}"
[tables.approval_queue.columns]
entered_at = "{At}"

[tables.approval_history]
file = "log"
external_id = "{Ticket} {No}"
[tables.approval_history.parents]
approval = "{Ticket}"
acted_by = "Who {Who}"
[tables.approval_history.columns]
action = "{State}"
to_status = "pending"
created_at = "{At}"

[tables.workflows]
file = "log"
external_id = "{State}"
distinct = true
[tables.workflows.columns]
name = "{State}"

[tables.workflow_execution_monitoring]
file = "log"
external_id = "{Ticket} {No}"
[tables.workflow_execution_monitoring.lookups.end]
file = "log"
equals = "{Ticket}"
pick = "next"
[tables.workflow_execution_monitoring.parents]
workflow = "{State}"
[tables.workflow_execution_monitoring.columns]
status = { value = "{end.At}", values = { "*" = "completed" }, default = "running" }
step = "{Ticket}"
started_at = "{At}"
finished_at = "{end.At}"

[tables.notifications]
file = "log"
external_id = "{Ticket} {Owner}"
distinct = "first"
where = { Owner = "*" }
[tables.notifications.parents]
user = "Owner {Owner}"
[tables.notifications.columns]
kind = "ticket"
title = "Ticket {Ticket} is yours"
created_at = "{At}"

[tables.audit_logs]
file = "log"
external_id = "{Ticket} {No}"
[tables.audit_logs.lookups.before]
file = "log"
equals = "{Ticket}"
pick = "previous"
[tables.audit_logs.lookups.opened]
file = "log"
equals = "{Ticket}"
pick = "previous"
where = { State = "open" }
[tables.audit_logs.parents]
user = "Who {Who}"
[tables.audit_logs.columns]
action = { value = "{opened.At}", values = { "*" = "change" }, default = "open" }
entity = "ticket"
entity_id = "{Ticket}"
created_at = "{At}"
changes.differences = { state = ["{before.State}", "{State}"], owner = ["{before.Owner}", "{Owner}"] }
"""
HEAD = "Ticket,No,Who,State,Owner,At\n"
LINES = (
    "1,1,Ann,open,?,2024-03-01 08:00\n"
    "2,1,Bob,open,Cy,2024-03-01 09:00\n"
    "1,2,?,open,Cy,2024-03-02 08:00\n"
    "1,3,Al,closed,Cy,2024-04-03 08:00\n"
)
TABLES = (
    "users", "response_approvals", "approval_queue", "approval_history", "workflows",
    "workflow_execution_monitoring", "notifications", "audit_logs",
)  # fmt: skip
AUDIT = "SELECT external_id, action, entity_id, changes FROM audit_logs WHERE entity = 'ticket' ORDER BY id"
RUNS = """
    SELECT external_id, status, started_at::date::text, finished_at::date::text
    FROM workflow_execution_monitoring
    ORDER BY id
"""


@dataclass(frozen=True)
class Desk:
    """The desk's file and the business "mill" that it is imported into."""

    workshop: Workshop
    mapping: str = MAPPING

    def run(self, lines: str = LINES) -> dict[str, tuple[int, int, int]]:
        """Import these lines: of each table how many rows were inserted, updated and unchanged."""
        return {one.table: (one.inserted, one.updated, one.unchanged) for one in self.summary(lines).tables}

    def summary(self, lines: str = LINES, **options: Any) -> Summary:
        (self.workshop.folder / "log.csv").write_text(HEAD + lines)
        mapping = parse_mapping(self.mapping)
        return run_import(self.workshop.database.app_url, self.workshop.folder, mapping, "mill", **options)

    def faults(self, lines: str) -> list[Fault]:
        """Import lines that must be refused and leave nothing."""
        before = self.contents()
        with pytest.raises(ImportRejected) as refused:
            self.summary(lines)
        assert self.contents() == before
        return refused.value.rejection.first

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        return {table: self.workshop.rows(f"SELECT t.* FROM {table} AS t ORDER BY 2, 1") for table in TABLES}


@pytest.fixture
def desk(workshop: Workshop) -> Desk:
    """A service desk, with nothing imported yet."""
    return Desk(workshop)

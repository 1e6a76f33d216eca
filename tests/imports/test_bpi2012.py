"""A bank's real approvals: requests, queue, history and executions equal what plain Python finds in the raw log."""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from opsboard.imports.mapping_file import load_mapping
from opsboard.imports.run import Summary, run_import
from tests.clusters import FreshDatabase
from tests.imports.logs import LINES, folder_of, rows

ROOT = Path(__file__).parents[2]
FOLDER = ROOT.parent / "shared" / "data" / "bpi2012"
LOG = FOLDER / "bpi2012_events.csv.gz"
DECISIONS = {"A_APPROVED": "approved", "A_DECLINED": "rejected", "A_CANCELLED": "rejected"}
# In the zone of the log, whose offset changed with the clocks in October.
TIME = "to_char({} AT TIME ZONE 'Europe/Amsterdam', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS')"

pytestmark = pytest.mark.skipif(not LOG.exists(), reason=f"the log of BPI Challenge 2012 is not in {FOLDER}")


def import_log(database: FreshDatabase, folder: Path) -> Summary:
    mapping = load_mapping(ROOT / "docs" / "import" / "bpi2012.toml")
    return run_import(database.app_url, folder, mapping, "bank")


def read(log: Path) -> list[dict[str, str]]:
    with gzip.open(log, "rt", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("lines_imported", LINES)
def test_the_whole_log_is_there_and_a_second_import_changes_nothing(
    database: FreshDatabase, tmp_path: Path, lines_imported: int | None
) -> None:
    rows(
        database,
        "INSERT INTO tenants (slug, name, time_zone) VALUES ('bank', 'Bank', 'Europe/Amsterdam')",
    )
    folder = folder_of(LOG, lines_imported, tmp_path)
    events = read(folder / LOG.name)
    summary = import_log(database, folder)
    check_requests(database, events)
    check_history(database, events)
    check_executions(database, events)
    check_remarks(summary, events)
    if lines_imported is None:
        check_numbers(database, summary)
    again = import_log(database, folder)
    assert [(one.inserted, one.updated) for one in again.tables] == [(0, 0)] * 6
    assert [one.unchanged for one in again.tables] == [one.inserted for one in summary.tables]
    differences = "SELECT d.* FROM tenants AS t CROSS JOIN LATERAL rollup_differences(t.id) AS d"
    assert rows(database, differences) == []


def check_requests(database: FreshDatabase, events: list[dict[str, str]]) -> None:
    """Each application, with its decision, and its place in the queue."""
    first = {event["case_id"]: event for event in reversed(events)}
    decided = {event["case_id"]: event for event in events if event["activity"] in DECISIONS}
    wanted = {}
    for case, event in first.items():
        end = decided.get(case)
        wanted[case] = (
            f"Application {case} for {event['amount_req']}",
            DECISIONS[end["activity"]] if end else "pending",
            event["resource"],
            end["resource"] if end else None,
            event["timestamp"][:23],
            end["timestamp"][:23] if end else None,
            "done" if end else "waiting",
            end["timestamp"][:23] if end else None,
        )
    found = rows(
        database,
        f"""
        SELECT a.external_id, a.subject, a.status, r.external_id, d.external_id, {TIME.format("a.created_at")},
            {TIME.format("a.decided_at")}, q.status, {TIME.format("q.left_at")}
        FROM response_approvals AS a
        JOIN approval_queue AS q ON q.approval_id = a.id
        JOIN users AS r ON r.id = a.requested_by
        LEFT JOIN users AS d ON d.id = a.decided_by
        """,
    )
    assert {case: tuple(rest) for case, *rest in found} == wanted


def check_history(database: FreshDatabase, events: list[dict[str, str]]) -> None:
    """Each event of an application or an offer, with the status it found and left."""
    status: dict[str, str] = {}
    wanted = []
    for event in events:
        if event["activity"].startswith("W_"):
            continue
        before = status.get(event["case_id"])
        after = DECISIONS.get(event["activity"], before or "pending")
        status[event["case_id"]] = after
        wanted.append((event["case_id"], before, after, event["resource"] or None, event["timestamp"][:23]))
    found = rows(
        database,
        f"""
        SELECT a.external_id, h.from_status, h.to_status, u.external_id, {TIME.format("h.created_at")}
        FROM approval_history AS h
        JOIN response_approvals AS a ON a.id = h.approval_request_id
        LEFT JOIN users AS u ON u.id = h.acted_by
        ORDER BY h.id
        """,
    )
    assert found == wanted
    actions = dict(rows(database, "SELECT action, count(*) FROM approval_history GROUP BY action"))
    raw = Counter(event["activity"] for event in events if not event["activity"].startswith("W_"))
    assert (len(actions), sorted(actions.values())) == (len(raw), sorted(raw.values()))


def check_executions(database: FreshDatabase, events: list[dict[str, str]]) -> None:
    """Each time work was begun, until the next time it was completed."""
    ends: dict[tuple[str, str], list[tuple[str, str | None]]] = defaultdict(list)
    wanted = []
    for event in reversed(events):
        work = (event["case_id"], event["activity"])
        if event["transition"] == "START":
            end = ends[work][-1] if ends[work] else None
            time, by = end or (None, None)
            wanted.append(
                (
                    event["activity"],
                    f"Application {work[0]}",
                    event["timestamp"][:23],
                    time,
                    event["resource"] or None,
                    by,
                )
            )
        elif event["transition"] == "COMPLETE":
            ends[work].append((event["timestamp"][:23], event["resource"] or None))
    found = rows(
        database,
        f"""
        SELECT w.description, x.step, {TIME.format("x.started_at")}, {TIME.format("x.finished_at")},
            x.own_fields ->> 'Begun by', x.own_fields ->> 'Completed by'
        FROM workflow_execution_monitoring AS x
        JOIN workflows AS w ON w.id = x.workflow_id
        ORDER BY x.id DESC
        """,
    )
    assert found == wanted
    kinds = {event["activity"] for event in events if event["activity"].startswith("W_")}
    assert {name for (name,) in rows(database, "SELECT description FROM workflows")} == kinds


def check_remarks(summary: Summary, events: list[dict[str, str]]) -> None:
    """Remarks of the source are reported with their numbers."""
    begun = [event for event in events if event["transition"] == "START"]
    done = [e for e in events if e["transition"] == "COMPLETE" and e["activity"].startswith("W_")]
    # One that is about no line is not made.
    counts = [
        sum(not event["resource"] for event in events),
        sum(event["resource"] == "112" for event in events),
        sum(bool(event["resource"]) for event in events),
        len(begun) - len({(event["case_id"], event["activity"]) for event in begun}),
        len(done) - len({(event["case_id"], event["activity"]) for event in done}),
        sum(event["activity"].startswith("W_") for event in events),
        sum(event["transition"] == "SCHEDULE" for event in events),
        sum(event["activity"] == "A_CANCELLED" for event in events),
    ]
    assert [remark.lines for remark in summary.remarks] == [count for count in counts if count]
    assert {remark.of for remark in summary.remarks} == {len(events)}


def check_numbers(database: FreshDatabase, summary: Summary) -> None:
    """The numbers that the log's publisher gives."""

    def counts(table: str, column: str) -> dict[str, int]:
        return dict(rows(database, f"SELECT {column}, count(*) FROM {table} GROUP BY {column}"))

    requests = counts("response_approvals", "status")
    assert requests == {"rejected": 7635 + 2807, "approved": 2246, "pending": 399}
    actions = counts("approval_history", "action")
    assert (actions["approve"], actions["reject"], actions["cancel"]) == (2246, 7635, 2807)
    assert sum(actions.values()) == 92_093
    assert counts("workflow_execution_monitoring", "status") == {"completed": 71_373, "running": 3}
    assert [(remark.of, remark.lines) for remark in summary.remarks[:2]] == [
        (262_200, 18_010),
        (262_200, 45_687),
    ]

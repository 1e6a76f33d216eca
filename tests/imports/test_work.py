"""Records of work and stops of machines from files, and values that a table refuses together."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.imports.sheet import Sheet, sheet

__all__ = ["sheet"]

SHOP = """
[tables.users]
file = "f"
external_id = "{Worker}"
distinct = "first"
columns = { email = "{Worker}@shop.invalid" }
[tables.machines]
file = "f"
external_id = "{Machine}"
distinct = "first"
columns = { name = "{Machine}" }
[tables.jobs]
file = "f"
external_id = "{Job}"
distinct = "first"
columns = { job_number = "{Job}", title = "{Job}" }
[tables.job_steps]
file = "f"
external_id = "{Job}-{Op}"
distinct = "first"
parents = { job = "{Job}" }
columns = { step_order = "{Op}" }
"""
WORK = (
    SHOP
    + """
[tables.work_records]
file = "f"
external_id = "{No}"
[tables.work_records.parents]
step = "{Job}-{Op}"
worker = "{Worker}"
machine = "{Machine}"
[tables.work_records.columns]
started_at = "{From}"
ended_at = "{To}"
quantity_good = { value = "{Good}", default = "0" }
quantity_rejected = { value = "{Bad}", default = "0" }
reject_reason = "{Why}"
"""
)
STOPS = (
    SHOP
    + """
[tables.machine_stops]
file = "f"
external_id = "{No}"
[tables.machine_stops.parents]
machine = "{Machine}"
[tables.machine_stops.columns]
reason = { value = "{Why}", default = "unknown" }
started_at = "{From}"
ended_at = "{To}"
"""
)
HEAD = "No,Job,Op,Worker,Machine,From,To,Good,Bad,Why\n"
RECORDS = """
SELECT k.external_id, s.external_id, u.email, m.name, (k.started_at AT TIME ZONE 'Europe/Berlin')::text,
    k.ended_at - k.started_at, k.quantity_good, k.quantity_rejected, k.reject_reason
FROM work_records AS k JOIN job_steps AS s ON s.id = k.step_id JOIN users AS u ON u.id = k.user_id
LEFT JOIN machines AS m ON m.id = k.machine_id ORDER BY k.external_id
"""
OPEN = "SELECT external_id, ended_at IS NULL, quantity_good, reject_reason FROM work_records ORDER BY 1"


def line(number: int, begin: str, end: str = "", good: str = "", bad: str = "", why: str = "") -> str:
    return f"{number},J1,10,Ann,Saw,{begin},{end},{good},{bad},{why}\n"


def test_work_is_stored_with_its_step_worker_machine_times_and_pieces(sheet: Sheet) -> None:
    text = HEAD + line(1, "2025-05-03 07:00", "2025-05-03 09:30", "12", "2", "burr")
    # The night that clocks are put back: from 02:45 to the second 02:15.
    text += line(2, "2025-10-26 02:45", "2025-10-26 02:15", "5") + line(3, "2025-11-03 07:00")
    sheet.run(text, WORK)
    row = ("J1-10", "Ann@shop.invalid", "Saw")
    minutes = dt.timedelta(minutes=1)
    assert sheet.rows(RECORDS) == [
        ("1", *row, "2025-05-03 07:00:00", 150 * minutes, 12, 2, "burr"),
        ("2", *row, "2025-10-26 02:45:00", 30 * minutes, 5, 0, None),
        ("3", *row, "2025-11-03 07:00:00", None, 0, 0, None),
    ]
    again = sheet.run(text, WORK)
    assert not any(one.inserted or one.updated for one in again.tables)


def test_what_is_open_may_end_and_the_next_begin_in_one_import(sheet: Sheet) -> None:
    sheet.run(HEAD + line(1, "2025-05-03 07:00"), WORK)
    # Whichever line comes first.
    ended, begun = line(1, "2025-05-03 07:00", "2025-05-03 08:00", "3"), line(2, "2025-05-03 09:00")
    sheet.run(HEAD + begun + ended, WORK)
    assert sheet.rows(OPEN) == [("1", False, 3, None), ("2", True, 0, None)]
    sheet.run(HEAD + line(3, "2025-05-03 09:00", "2025-05-03 09:10"), WORK)
    assert sheet.told(HEAD + line(4, "2025-05-04 07:00"), WORK) == [
        'data.csv, line 2, Job, Op, Worker: "J1-10, Ann" step and worker of what has not ended is taken by a '
        "work record that is stored already"
    ]
    two = line(4, "2025-05-04 07:00") + line(5, "2025-05-04 07:00")
    sheet.rows("DELETE FROM work_records")
    assert sheet.told(HEAD + two, WORK) == [
        'data.csv, line 3, Job, Op, Worker: "J1-10, Ann" step and worker of what has not ended must differ; '
        "it is the same on line 2"
    ]


def test_on_an_earlier_day_nothing_is_known_of_the_end(sheet: Sheet) -> None:
    text = HEAD + line(1, "2025-05-03 07:00", "2025-05-03 09:30", "12", "2", "burr")
    text += line(2, "2025-05-03 22:00", "2025-05-04 06:00", "7", "1", "dent") + line(3, "2025-05-04 07:00")
    summary = sheet.run(text, WORK, as_of=dt.date(2025, 5, 3))
    assert "work_records: 1 rows came after 2025-05-03 and were left out" in map(str, summary.remarks)
    assert sheet.rows(OPEN) == [("1", False, 12, "burr"), ("2", True, 0, None)]
    sheet.run(text, WORK)
    assert sheet.rows(OPEN) == [("1", False, 12, "burr"), ("2", False, 7, "dent"), ("3", True, 0, None)]


def test_stops_are_stored_and_one_machine_has_one_open_stop(sheet: Sheet) -> None:
    text = (
        HEAD
        + line(1, "2025-05-03 07:00", "2025-05-03 09:30", why="no material")
        + line(2, "2025-05-04 07:00")
    )
    sheet.run(text, STOPS)
    assert sheet.rows(
        "SELECT k.external_id, m.name, k.reason, k.ended_at - k.started_at FROM machine_stops AS k "
        "JOIN machines AS m ON m.id = k.machine_id ORDER BY 1"
    ) == [("1", "Saw", "no material", dt.timedelta(minutes=150)), ("2", "Saw", "unknown", None)]
    assert sheet.told(HEAD + line(3, "2025-05-05 07:00"), STOPS) == [
        'data.csv, line 2, Machine: "Saw" machine of what has not ended is taken by a machine stop that is stored '
        "already"
    ]


REQUESTS = """
[tables.response_approvals]
file = "f"
external_id = "{No}"
[tables.response_approvals.columns]
subject = "{No}"
status = "{State}"
decided_at = "{Time}"
"""
QUEUE = """
[tables.response_approvals]
file = "f"
external_id = "{No}"
columns = { subject = "{No}" }
[tables.approval_queue]
file = "f"
external_id = "{No}"
[tables.approval_queue.parents]
approval = "{No}"
[tables.approval_queue.columns]
status = "{State}"
left_at = "{Time}"
"""
RUNS = """
[tables.workflows]
file = "f"
external_id = "w{No}"
[tables.workflows.columns]
name = "{No}"
[tables.workflow_execution_monitoring]
file = "f"
external_id = "{No}"
[tables.workflow_execution_monitoring.parents]
workflow = "w{No}"
[tables.workflow_execution_monitoring.columns]
status = "{State}"
finished_at = "{Time}"
"""


ENDED_BEFORE = "2025-05-03 09:00", "2025-05-03 07:00"
STATUS = "does not go with the status: rows that are {} have none, all others have one"


@pytest.mark.parametrize(
    ("text", "tables", "faults"),
    [
        (
            HEAD + line(1, *ENDED_BEFORE),
            WORK,
            ['2, To: "2025-05-03 07:00" is before started_at (for work_records.ended_at)'],
        ),
        (
            HEAD + line(1, "2025-05-03 09:00", good="5"),
            WORK,
            ["2, To: is empty, and pieces belong to work that has ended (for work_records.ended_at)"],
        ),
        (
            HEAD + line(1, *ENDED_BEFORE),
            STOPS,
            ['2, To: "2025-05-03 07:00" is before started_at (for machine_stops.ended_at)'],
        ),
        (
            "No,State,Time\n1,pending,2025-05-03\n2,approved,\n3,pending,\n4,rejected,2025-05-03\n",
            REQUESTS,
            [
                f'2, Time: "2025-05-03" {STATUS.format("pending")} (for response_approvals.decided_at)',
                f"3, Time: {STATUS.format('pending')} (for response_approvals.decided_at)",
            ],
        ),
        (
            "No,State,Time\n1,waiting,2025-05-03\n2,done,\n3,waiting,\n",
            QUEUE,
            [
                f'2, Time: "2025-05-03" {STATUS.format("waiting")} (for approval_queue.left_at)',
                f"3, Time: {STATUS.format('waiting')} (for approval_queue.left_at)",
            ],
        ),
        (
            "No,State,Time\n1,running,2025-05-03\n2,failed,\n3,running,\n",
            RUNS,
            [
                f'2, Time: "2025-05-03" {STATUS.format("running")} (for workflow_execution_monitoring.finished_at)',
                f"3, Time: {STATUS.format('running')} (for workflow_execution_monitoring.finished_at)",
            ],
        ),
    ],
    ids=["end before begin", "pieces without an end", "stop", "requests", "queue", "runs"],
)
def test_values_that_contradict_each_other_are_faults_of_their_line(
    sheet: Sheet, text: str, tables: str, faults: list[str]
) -> None:
    assert sheet.told(text, tables) == [f"data.csv, line {fault}" for fault in faults]


def test_a_line_with_another_fault_is_not_said_to_contradict_itself(sheet: Sheet) -> None:
    [fault] = sheet.told(HEAD + line(1, "2025-05-03 09:00", "soon", good="5"), WORK)
    assert '"soon" is not a date' in fault


def test_pieces_need_a_column_for_the_end(sheet: Sheet) -> None:
    pieces = "\n".join(one for one in WORK.splitlines() if not one.startswith("ended_at"))
    [fault] = sheet.told(HEAD + line(1, "2025-05-03 07:00", good="5"), pieces)
    assert fault == (
        "data.csv, line 2, No: is empty, and pieces belong to work that has ended (for work_records.ended_at)"
    )

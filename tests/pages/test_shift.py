"""A shift of three people through the terminal: what is stored is what they did, by piece, minute and reason."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.application import Application
from tests.pages.browser import Visit
from tests.pages.conftest import Visiting
from tests.pages.test_work import PREPARE, offline, run

# Two phones and a desk.
PEOPLE = {"operator": "phone", "admin": "phone", "manager": "light"}
REASONS = ("burr", "scratch")
PIECES = 60
STEPS = """
WITH person AS (
    SELECT min(id) AS id FROM users WHERE tenant_id = %(tenant)s AND role = %(role)s AND is_active
),
machine AS (
    INSERT INTO machines (tenant_id, name) VALUES (%(tenant)s, %(machine)s) RETURNING id
),
job AS (
    INSERT INTO jobs (tenant_id, job_number, title, status, quantity)
    SELECT %(tenant)s, %(role)s || '-' || n, 'Shift', 'active', %(pieces)s FROM generate_series(1, %(jobs)s) AS n
    RETURNING id
)
INSERT INTO job_steps (tenant_id, job_id, step_order, machine_id, assigned_user_id)
SELECT %(tenant)s, job.id, 1, machine.id, person.id FROM job CROSS JOIN machine CROSS JOIN person
"""
RECORDS = """
SELECT
    u.role, j.job_number, k.quantity_good, k.quantity_rejected, coalesce(x.name, k.reject_reason), k.started_at,
    k.ended_at
FROM work_records AS k
JOIN users AS u ON u.id = k.user_id
JOIN job_steps AS s ON s.id = k.step_id
JOIN jobs AS j ON j.id = s.job_id
LEFT JOIN reasons AS x ON x.tenant_id = k.tenant_id AND x.id = k.reject_reason_id
WHERE k.tenant_id = %(tenant)s
ORDER BY k.started_at
"""
OF_STEPS = """
SELECT j.job_number, s.status, s.quantity_done, s.quantity_rejected
FROM job_steps AS s
JOIN jobs AS j ON j.id = s.job_id
WHERE s.tenant_id = %(tenant)s AND j.title = 'Shift'
"""
FORGET = """
UPDATE work_records SET started_at = now() - interval '14 hours'
WHERE tenant_id = %(tenant)s AND ended_at IS NULL AND step_id IN (
    SELECT s.id FROM job_steps AS s JOIN jobs AS j ON j.id = s.job_id WHERE j.job_number = %(job)s
)
"""


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass
class Record:
    """What one person did: from one moment to another, each known to lie between two."""

    role: str
    job: str
    began: tuple[dt.datetime, dt.datetime]
    ended: tuple[dt.datetime, dt.datetime] | None = None
    good: int = 0
    rejected: int = 0
    reason: str | None = None
    minutes: int | None = None
    """As a manager corrected it."""


@dataclass
class Worker:
    """A person at a page, and what they have to do."""

    role: str
    visit: Visit
    jobs: list[str]
    current: Record | None = None
    is_away: bool = False
    machine_stands: bool = False

    @property
    def page(self) -> Page:
        return self.visit.page

    def button(self, verb: str, job: str) -> Locator:
        return self.page.get_by_role("button", name=f"{verb} Step 1 of {job}", exact=True)

    def leave_the_spot(self) -> None:
        """Until the finger or the pointer is elsewhere, the pressed row stays as it is."""
        if PEOPLE[self.role] == "phone":
            self.page.get_by_role("heading", name="My work").tap()
        else:
            self.page.mouse.move(0, 9)
            self.page.mouse.move(0, 0)

    def leave_until(self, is_shown: Callable[[], bool]) -> None:
        """The row is held when the press has been answered, which may be after the pointer has left."""
        for _ in range(100):
            self.leave_the_spot()
            if is_shown():
                return
            self.page.wait_for_timeout(200)
        raise AssertionError(f"{self.role}: {self.page.locator('main').inner_text()}")


@dataclass
class Shift:
    """All that was done."""

    records: list[Record] = field(default_factory=list)
    finished: set[str] = field(default_factory=set)
    stops: int = 0
    problems: int = 0
    done: Counter[str] = field(default_factory=Counter)

    def pieces(self, job: str) -> tuple[int, int]:
        of_job = [record for record in self.records if record.job == job]
        return sum(record.good for record in of_job), sum(record.rejected for record in of_job)


def start(shift: Shift, worker: Worker, is_double: bool) -> None:
    job = worker.jobs[0]
    has_begun = any(record.job == job for record in shift.records)
    button = worker.button("Go on" if has_begun else "Start", job)
    before = now()
    if is_double:
        button.dblclick()
    else:
        button.click()
    worker.leave_until(lambda: worker.button("Finish", job).count() == 1)
    worker.current = Record(worker.role, job, (before, now()))
    shift.records.append(worker.current)


def end(shift: Shift, worker: Worker, verb: str, good: int, rejected: int, reason: str) -> None:
    record = worker.current
    assert record is not None
    before = now()
    worker.button(verb, record.job).click()
    sheet = worker.page.get_by_role("dialog")
    sheet.get_by_label("Good pieces", exact=True).fill(str(good))
    sheet.get_by_label("Rejected pieces", exact=True).fill(str(rejected))
    record.good, record.rejected = good, rejected
    if rejected:
        sheet.get_by_label("Why rejected?").fill(reason)
        record.reason = reason
    sheet.get_by_role("button", name=verb, exact=True).click()
    if verb == "Finish":
        shift.finished.add(worker.jobs.pop(0))
        worker.leave_until(lambda: worker.button("Finish", record.job).count() == 0)
    else:
        worker.leave_until(lambda: worker.button("Go on", record.job).count() == 1)
    record.ended = (before, now())
    worker.current = None


def stop_or_run(shift: Shift, worker: Worker) -> None:
    name = f"machine of {worker.role}"
    if worker.machine_stands:
        worker.page.get_by_role("button", name=f"{name} runs again").first.click()
        worker.leave_until(lambda: worker.page.get_by_role("button", name=f"{name} stands still").count() > 0)
    else:
        worker.page.get_by_role("button", name=f"{name} stands still").first.click()
        worker.page.get_by_label("Why?").fill("no material")
        worker.page.get_by_role("dialog").get_by_role("button", name="Report").click()
        worker.leave_until(lambda: worker.page.get_by_role("button", name=f"{name} runs again").count() > 0)
        shift.stops += 1
    worker.machine_stands = not worker.machine_stands


def report(shift: Shift, worker: Worker) -> None:
    worker.page.get_by_role("button", name="Report a problem").first.click()
    dialog = worker.page.get_by_role("dialog")
    dialog.get_by_label("What is the problem?").fill(f"Problem {shift.problems}")
    dialog.get_by_role("button", name="Report", exact=True).click()
    expect(worker.page.get_by_role("dialog")).to_have_count(0)
    shift.problems += 1
    worker.leave_the_spot()


def come_or_go(worker: Worker) -> None:
    """Minutes without a network: what was pressed meanwhile is sent when it is back."""
    offline(worker.page, not worker.is_away)
    worker.is_away = not worker.is_away
    if not worker.is_away:
        worker.leave_until(lambda: worker.page.get_by_role("region", name="Not sent yet").count() == 0)


def act(shift: Shift, worker: Worker, dice: random.Random) -> None:
    """One deed; what needs the server at once is not done without it."""
    kinds = ["end", "end", "end"] if worker.current else ["start", "start", "start"]
    if PEOPLE[worker.role] == "phone":
        kinds.append("network")
    if not worker.is_away:
        kinds += ["machine", "problem"]
    # Each kind comes once before any comes again.
    kind = dice.choice([kind for kind in kinds if not shift.done[kind]] or kinds)
    shift.done[kind] += 1
    if kind == "start":
        start(shift, worker, is_double=dice.random() < 0.3)
    elif kind == "end":
        verb = dice.choice(["Pause", "Finish"]) if len(worker.jobs) > 1 else "Pause"
        end(shift, worker, verb, dice.randint(0, 9), dice.choice([0, 0, 1, 2]), dice.choice(REASONS))
    elif kind == "network":
        come_or_go(worker)
    elif kind == "machine":
        stop_or_run(shift, worker)
    else:
        report(shift, worker)


def forget_and_correct(app: Application, shift: Shift, worker: Worker, manager: Worker) -> None:
    """A record that was left open over the night counts what a manager says."""
    if worker.current is None:
        start(shift, worker, is_double=False)
    record = worker.current
    assert record is not None
    run(app, FORGET, job=record.job)
    end(shift, worker, "Finish", 3, 0, "")
    manager.visit.open_board("#/work")
    left = manager.page.get_by_role("region", name="Forgotten work").get_by_role("listitem")
    left.get_by_role("button", name="Correct", exact=False).click()
    dialog = manager.page.get_by_role("dialog")
    dialog.get_by_label("Minutes worked").fill("450")
    dialog.get_by_label("Why?").fill("went home")
    dialog.get_by_role("button", name="Correct", exact=True).click()
    manager.leave_until(lambda: left.count() == 0)
    record.minutes = 450


@pytest.mark.parametrize("actions", [25, pytest.param(200, marks=pytest.mark.slow)])
def test_a_shift_is_stored_as_it_was_worked(own_visit: Visiting, own_app: Application, actions: int) -> None:
    run(own_app, PREPARE, title="Bracket")
    run(own_app, "UPDATE job_steps SET status = 'completed' WHERE tenant_id = %(tenant)s")
    run(own_app, "DELETE FROM problems WHERE tenant_id = %(tenant)s")
    run(own_app, "DELETE FROM machine_stops WHERE tenant_id = %(tenant)s")
    dice, shift, workers = random.Random(15), Shift(), []
    for role, look in PEOPLE.items():
        count = 4 + actions // 4
        run(own_app, STEPS, role=role, machine=f"machine of {role}", pieces=PIECES, jobs=count)
        visit = own_visit(role, look)
        visit.expected = ["ERR_INTERNET_DISCONNECTED", "ERR_NETWORK"]
        visit.open_board("#/work")
        workers.append(Worker(role, visit, [f"{role}-{n}" for n in range(1, count + 1)]))
    for _ in range(actions):
        act(shift, dice.choice(workers), dice)
    for worker in workers:
        if worker.is_away:
            come_or_go(worker)
    forget_and_correct(own_app, shift, workers[0], workers[2])
    for worker in workers:
        if worker.current:
            end(shift, worker, "Finish", 1, 0, "")
    assert {"start", "end", "network", "machine", "problem"} <= shift.done.keys()
    assert_stored(own_app, shift)
    assert_summed(own_app, shift)


def assert_stored(app: Application, shift: Shift) -> None:
    found = run(app, RECORDS)
    told = [(r.role, r.job, r.good, r.rejected, r.reason) for r in shift.records]
    assert sorted(map(str, (row[:5] for row in found))) == sorted(map(str, told))
    by_key = {(row[0], row[1], row[5]): row for row in found}
    for record in shift.records:
        if record.minutes is not None:
            (row,) = [
                row
                for row in found
                if row[1] == record.job and row[5] < record.began[0] - dt.timedelta(hours=13)
            ]
            # The page knows the beginning by the millisecond.
            assert abs(row[6] - row[5] - dt.timedelta(minutes=record.minutes)) <= dt.timedelta(milliseconds=1)
            continue
        assert record.ended is not None
        began = [
            key for key in by_key if key[:2] == (record.role, record.job) and lies_in(key[2], record.began)
        ]
        assert len(began) == 1, record
        assert lies_in(by_key[began[0]][6], record.ended), record
    for job, status, good, rejected in run(app, OF_STEPS):
        is_begun = any(record.job == job for record in shift.records)
        expected = "completed" if job in shift.finished else "in_progress" if is_begun else "pending"
        assert (job, status, good, rejected) == (job, expected, *shift.pieces(job))
    counts = "SELECT count(*) FROM {} WHERE tenant_id = %(tenant)s"
    for table, expected_rows in (("machine_stops", shift.stops), ("problems", shift.problems)):
        assert run(app, counts.format(table)) == [(expected_rows,)], table


def lies_in(moment: dt.datetime, bounds: tuple[dt.datetime, dt.datetime]) -> bool:
    """The page knows the time by the millisecond."""
    return bounds[0] - dt.timedelta(milliseconds=1) <= moment <= bounds[1]


def assert_summed(app: Application, shift: Shift) -> None:
    """The sums of the service are those of the records, by person, machine and reason."""
    app.poll_changes()
    client = app.client("manager")
    today: Any = client.get("/api/work/summary").json
    first = dt.date.fromisoformat(today["date_to"]) - dt.timedelta(days=2)
    found: Any = client.get(f"/api/work/summary?date_from={first}&date_to={today['date_to']}").json
    records = run(app, RECORDS)
    for name, rows in {
        "all": records,
        **{role: [r for r in records if r[0] == role] for role in PEOPLE},
    }.items():
        if name == "all":
            sums = found["all"]
        else:
            (sums,) = [one for one in found["machines"] if one["name"] == f"machine of {name}"]
        seconds = sum((row[6] - row[5]).total_seconds() for row in rows)
        assert (sums["records"], sums["quantity_good"], sums["quantity_rejected"]) == (
            len(rows), sum(row[2] for row in rows), sum(row[3] for row in rows),
        )  # fmt: skip
        assert sums["seconds"] == pytest.approx(seconds, abs=1), name
    rejected: Counter[str | None] = Counter()
    for record in shift.records:
        rejected[record.reason] += record.rejected
    of_reasons: Any = client.get("/api/work/rejects").json
    expected = {reason: pieces for reason, pieces in rejected.items() if pieces}
    assert {one["name"]: one["quantity_rejected"] for one in of_reasons["reasons"]} == expected

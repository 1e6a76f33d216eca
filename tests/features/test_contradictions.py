"""States that contradict each other: told in the answer of the write, or refused where the business wants that."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest

from tests.application import Application, running_application
from tests.clusters import fresh_database

NEW_JOB = """
INSERT INTO jobs (tenant_id, job_number, title, status, quantity)
VALUES (%(tenant)s, 'X-' || gen_random_uuid(), 'x', %(status)s, 10) RETURNING id
"""
NEW_STEPS = """
INSERT INTO job_steps (tenant_id, job_id, step_order, status, machine_id)
SELECT %(tenant)s, %(job)s, n, (%(steps)s::text[])[n], (
    SELECT min(id) FROM machines WHERE tenant_id = %(tenant)s AND status = %(machine)s
)
FROM generate_series(1, cardinality(%(steps)s::text[])) AS n
RETURNING id
"""


@dataclass
class Floor:
    """A business whose jobs are made to measure."""

    app: Application

    def rows(self, sql: str, **values: Any) -> list[Any]:
        url = self.app.database.superuser_url
        with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(sql, {"tenant": self.app.alpha.id, **values})
            return [row[0] for row in cursor.fetchall()] if cursor.description else []

    def job(self, status: str, *steps: str, machine: str = "active") -> tuple[int, list[int]]:
        """A job of 10 pieces, and its steps in these states, all on one machine."""
        (job_id,) = self.rows(NEW_JOB, status=status)
        return job_id, self.rows(NEW_STEPS, job=job_id, steps=list(steps), machine=machine)

    def refuse(self) -> None:
        self.rows("UPDATE business_settings SET contradictions = 'refuse' WHERE tenant_id = %(tenant)s")

    def patch(self, path: str, role: str = "admin", **change: Any) -> Any:
        return self.app.client(role).patch(f"/api/{path}", json=change)

    def bulk(self, area: str, ids: list[int], status: str) -> Any:
        answer = self.app.client().post(f"/api/{area}/bulk-status", json={"ids": ids, "status": status})
        assert (answer.status_code, answer.headers["X-Queries"]) == (200, "1")
        return answer.json


@pytest.fixture(scope="module")
def module_floor(cluster: Any, seeded: Any) -> Any:
    name, alpha, beta = seeded
    with fresh_database(cluster, name) as database, running_application(database, alpha, beta) as app:
        yield Floor(app)


@pytest.fixture
def floor(module_floor: Floor) -> Floor:
    module_floor.rows("UPDATE business_settings SET contradictions = 'warn' WHERE tenant_id = %(tenant)s")
    return module_floor


def codes(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json
    assert all(
        set(warning) == {"code", "message"} and warning["message"] for warning in answer.json["warnings"]
    )
    return [warning["code"] for warning in answer.json["warnings"]]


# The job, its steps, which step is changed how, and what contradicts what.
OF_STEPS: list[tuple[str, list[str], int, dict[str, Any], list[str]]] = [
    ("active", ["pending"], 0, {"status": "in_progress"}, []),
    ("active", ["completed", "skipped", "pending"], 2, {"status": "in_progress"}, []),
    ("active", ["in_progress"], 0, {"status": "completed", "quantity_done": 10, "quantity_rejected": 2}, []),
    ("active", ["pending", "in_progress"], 1, {"status": "completed"}, []),
    ("draft", ["pending"], 0, {"quantity_done": 0}, []),
    ("draft", ["pending"], 0, {"status": "skipped"}, []),
    ("draft", ["pending"], 0, {"status": "in_progress"}, ["job_not_active"]),
    ("on_hold", ["pending"], 0, {"status": "completed"}, ["job_not_active"]),
    ("draft", ["pending", "pending"], 1, {"status": "in_progress"}, ["job_not_active", "step_out_of_order"]),
    ("active", ["in_progress", "pending"], 1, {"status": "in_progress"}, ["step_out_of_order"]),
    ("active", ["completed", "completed"], 0, {"status": "pending"}, ["step_out_of_order"]),
    ("active", ["completed", "pending"], 0, {"status": "pending"}, []),
    ("completed", ["completed"], 0, {"status": "pending"}, ["job_ended"]),
    ("active", ["in_progress"], 0, {"quantity_done": 999_999}, ["more_done_than_ordered"]),
    ("active", ["in_progress"], 0, {"quantity_rejected": 10}, ["more_rejected_than_done"]),
    ("active", ["in_progress"], 0, {"quantity_done": 3, "quantity_rejected": 3}, []),
]  # fmt: skip


@pytest.mark.parametrize(("job", "steps", "place", "change", "expected"), OF_STEPS)
def test_a_step_that_contradicts_warns_or_is_refused(
    floor: Floor, job: str, steps: list[str], place: int, change: dict[str, Any], expected: list[str]
) -> None:
    _, ids = floor.job(job, *steps)
    answer = floor.patch(f"job-steps/{ids[place]}", **change)
    assert codes(answer) == expected
    assert {name: answer.json[name] for name in change} == change
    floor.refuse()
    _, ids = floor.job(job, *steps)
    before = floor.app.client().get(f"/api/job-steps/{ids[place]}").json
    refused = floor.patch(f"job-steps/{ids[place]}", **change)
    assert refused.status_code == (409 if expected else 200)
    if expected:
        assert refused.json["code"] == "conflict"
        assert refused.json["detail"] == " ".join(w["message"] for w in answer.json["warnings"])
        assert floor.app.client().get(f"/api/job-steps/{ids[place]}").json == before


def test_a_change_of_something_else_is_not_told_of_what_was_there_before(floor: Floor) -> None:
    _, (step,) = floor.job("draft", "pending")
    floor.rows(
        """UPDATE job_steps SET quantity_done = 50, quantity_rejected = 70, status = 'in_progress'
           WHERE id = %(id)s""",
        id=step,
    )
    floor.refuse()
    me = floor.rows("SELECT min(id) FROM users WHERE tenant_id = %(tenant)s AND is_active")[0]
    assert codes(floor.patch(f"job-steps/{step}", assigned_user_id=me)) == []


@pytest.mark.parametrize("state", ["inactive", "maintenance"])
def test_work_does_not_start_on_a_machine_that_stands_still(floor: Floor, state: str) -> None:
    _, (step,) = floor.job("active", "pending", machine=state)
    (still,) = floor.rows(
        "SELECT min(id) FROM machines WHERE tenant_id = %(tenant)s AND status = %(s)s", s=state
    )
    (runs,) = floor.rows("SELECT min(id) FROM machines WHERE tenant_id = %(tenant)s AND status = 'active'")
    assert codes(floor.patch(f"job-steps/{step}", machine_id=runs)) == []
    # To plan work on a machine that is being repaired is no contradiction, on one that is gone it is.
    assert codes(floor.patch(f"job-steps/{step}", machine_id=still)) == (
        ["machine_not_active"] if state == "inactive" else []
    )
    assert codes(floor.patch(f"job-steps/{step}", status="in_progress")) == ["machine_not_active"]
    assert codes(floor.patch(f"job-steps/{step}", machine_id=runs)) == []
    assert codes(floor.patch(f"job-steps/{step}", machine_id=still)) == ["machine_not_active"]


def test_a_process_that_is_no_longer_used(floor: Floor) -> None:
    _, (step,) = floor.job("active", "pending")
    (process,) = floor.rows(
        "INSERT INTO processes (tenant_id, name, is_active) VALUES (%(tenant)s, 'old', false) RETURNING id"
    )
    floor.rows("UPDATE job_steps SET process_id = %(p)s WHERE id = %(s)s", p=process, s=step)
    assert codes(floor.patch(f"job-steps/{step}", status="in_progress")) == ["process_inactive"]


@pytest.mark.parametrize(
    ("job", "steps", "change", "expected"),
    [
        ("active", ["completed", "skipped"], {"status": "completed"}, []),
        ("active", ["completed", "pending"], {"status": "completed"}, ["job_has_open_steps"]),
        ("active", ["in_progress"], {"status": "cancelled"}, []),
        ("active", ["in_progress"], {"status": "draft"}, ["job_has_begun"]),
        ("active", ["pending"], {"status": "draft"}, []),
        ("completed", ["pending"], {"status": "completed", "title": "again"}, []),
        ("active", ["completed"], {"quantity": 4}, ["more_done_than_ordered"]),
        ("active", ["completed"], {"quantity": 6}, []),
    ],
)
def test_a_job_that_contradicts_its_steps(
    floor: Floor, job: str, steps: list[str], change: dict[str, Any], expected: list[str]
) -> None:
    job_id, ids = floor.job(job, *steps)
    floor.rows("UPDATE job_steps SET quantity_done = 5 WHERE id = %(id)s", id=ids[0])
    floor.refuse()
    answer = floor.patch(f"jobs/{job_id}", **change)
    assert answer.status_code == (409 if expected else 200)
    floor.rows("UPDATE business_settings SET contradictions = 'warn' WHERE tenant_id = %(tenant)s")
    assert codes(floor.patch(f"jobs/{job_id}", **change)) == expected


def test_a_machine_that_goes_while_work_waits_for_it(floor: Floor) -> None:
    (machine,) = floor.rows("INSERT INTO machines (tenant_id, name) VALUES (%(tenant)s, 'm') RETURNING id")
    job_id, _ = floor.job("active", "pending", "in_progress", "completed")
    floor.rows("UPDATE job_steps SET machine_id = %(m)s WHERE job_id = %(j)s", m=machine, j=job_id)
    assert codes(floor.patch(f"machines/{machine}", status="maintenance")) == []
    answer = floor.patch(f"machines/{machine}", status="inactive")
    assert codes(answer) == ["machine_has_work"]
    assert answer.json["warnings"][0]["message"].startswith("2 steps")
    floor.patch(f"machines/{machine}", status="active")
    floor.refuse()
    assert floor.patch(f"machines/{machine}", status="inactive").status_code == 409
    assert floor.bulk("machines", [machine], "inactive")["refused"] == 1
    assert floor.patch(f"jobs/{job_id}", status="cancelled").status_code == 200
    assert codes(floor.patch(f"machines/{machine}", status="inactive")) == []


def test_bulk_changes_tell_of_each_row(floor: Floor) -> None:
    _, draft = floor.job("draft", "pending", "pending")
    _, fine = floor.job("active", "pending", "pending")
    _, (late,) = floor.job("cancelled", "pending")
    found = floor.bulk("job-steps", [*draft, *fine, late], "completed")
    told = {row["id"]: (row["result"], [w["code"] for w in row["warnings"]]) for row in found["results"]}
    # Those that are completed together are not out of order.
    assert told == {
        **{step: ("updated", ["job_not_active"]) for step in draft},
        **{step: ("updated", []) for step in fine},
        late: ("refused", []),
    }
    jobs = [floor.job("active", "pending")[0], floor.job("active", "skipped")[0]]
    assert [len(row["warnings"]) for row in floor.bulk("jobs", jobs, "completed")["results"]] == [1, 0]
    floor.refuse()
    jobs = [floor.job("active", "pending")[0], floor.job("active", "skipped")[0]]
    found = floor.bulk("jobs", jobs, "completed")
    assert [(row["result"], bool(row["reason"])) for row in found["results"]] == [
        ("refused", True), ("updated", False),
    ]  # fmt: skip


@pytest.mark.parametrize("role", ["admin", "manager", "operator"])
@pytest.mark.parametrize("job", ["completed", "cancelled"])
def test_no_work_is_started_for_a_job_that_has_ended(floor: Floor, job: str, role: str) -> None:
    """Whatever the business says of contradictions; what is in progress may be completed, and what waits skipped."""
    _, (waits, runs, done) = floor.job(job, "pending", "in_progress", "completed")
    for change in ("in_progress", "completed"):
        answer = floor.patch(f"job-steps/{waits}", role, status=change)
        assert (answer.status_code, answer.json["code"]) == (409, "conflict")
        assert job in answer.json["detail"]
    assert floor.patch(f"job-steps/{done}", role, status="in_progress").status_code == 409
    assert floor.patch(f"job-steps/{runs}", role, status="completed").status_code == 200
    assert floor.patch(f"job-steps/{waits}", role, status="skipped").status_code == 200


def test_what_waits_is_the_same_everywhere_when_jobs_end(floor: Floor) -> None:
    """The person's tasks, their lists, the load of a machine and the queue of a process, by numbers and by rows."""
    admin, operator = floor.app.client(), floor.app.client("operator")
    me = operator.get("/api/auth/me").json["id"]  # type: ignore[index]
    (machine,) = floor.rows("INSERT INTO machines (tenant_id, name) VALUES (%(tenant)s, 'q') RETURNING id")
    (process,) = floor.rows("INSERT INTO processes (tenant_id, name) VALUES (%(tenant)s, 'q') RETURNING id")
    jobs = [floor.job("active", "completed", "in_progress", "pending", "pending")[0] for _ in range(3)]
    floor.rows(
        """UPDATE job_steps SET assigned_user_id = %(me)s, machine_id = %(m)s, process_id = %(p)s
           WHERE job_id = ANY(%(j)s)""",
        me=me, m=machine, p=process, j=jobs,
    )  # fmt: skip

    def told() -> tuple[int, ...]:
        tasks: Any = operator.get("/api/dashboard/stats").json["tasks"]  # type: ignore[index]
        for name in ("pending", "in_progress"):
            page: Any = operator.get(tasks["links"][name] + "&page_size=100").json
            assert page["total"] == len(page["items"]) == tasks[name]
        load: Any = admin.get(f"/api/machines/{machine}").json["load"]  # type: ignore[index]
        queue: Any = admin.get(f"/api/jobs/promise-date?process_ids={process}").json["processes"]  # type: ignore[index]
        mine: Any = operator.get("/api/job-steps?mine=true&page_size=100").json
        assert mine["total"] == len(mine["items"])
        waits: Any = admin.get(f"/api/job-steps?waiting=true&assigned_user_id={me}&page_size=100").json
        assert waits["total"] == len(waits["items"]) == tasks["pending"] + tasks["in_progress"]
        return (
            tasks["pending"],
            tasks["in_progress"],
            load["pending"],
            load["in_progress"],
            queue[0]["steps_ahead"],
        )

    before = told()
    assert before[2:] == (6, 3, 9)
    floor.patch(f"jobs/{jobs[0]}", status="cancelled")
    assert told() == (before[0] - 2, before[1] - 1, 4, 2, 6)
    floor.bulk("jobs", jobs, "completed")
    assert told() == (before[0] - 6, before[1] - 3, 0, 0, 0)
    assert admin.get(f"/api/jobs/{jobs[0]}/lateness-risk").json["steps_left"] == 0  # type: ignore[index]
    floor.bulk("jobs", jobs, "on_hold")
    assert told() == before

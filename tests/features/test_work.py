"""Work on steps: begun, paused, handed over, finished, entered by hand, corrected; pieces and times that follow."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.application import Application
from tests.waiting import eventually

PATH = "/api/work"
NEW_STEP = """
WITH job AS (
    INSERT INTO jobs (tenant_id, job_number, title, status, quantity)
    VALUES (%s, 'W-1', 'w', 'active', 100) RETURNING tenant_id, id
)
INSERT INTO job_steps (tenant_id, job_id, step_order) SELECT tenant_id, id, 1 FROM job RETURNING id
"""


def run(app: Application, sql: str, *values: Any) -> list[Any]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection:
        cursor = connection.cursor()
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def app(own_app: Application) -> Application:
    run(own_app, "DELETE FROM work_records")
    run(own_app, "DELETE FROM role_process_permissions")
    return own_app


@pytest.fixture
def step(app: Application) -> int:
    """A pending step of nobody, the first of an active job of 100 pieces."""
    ((step_id,),) = run(app, NEW_STEP, app.alpha.id)
    return int(step_id)


def begin(app: Application, step: int, role: str = "operator", expected: int = 201, **more: Any) -> Any:
    answer = app.client(role).post(PATH, json={"step_id": step, **more})
    assert answer.status_code == expected, answer.get_data(as_text=True)
    return answer.json


def end(app: Application, record: int, role: str = "operator", expected: int = 200, **more: Any) -> Any:
    answer = app.client(role).post(f"{PATH}/{record}/end", json=more)
    assert answer.status_code == expected, answer.get_data(as_text=True)
    return answer.json


def step_of(app: Application, step: int) -> Any:
    return app.client().get(f"/api/job-steps/{step}").json


def user(app: Application, role: str) -> int:
    return int(
        run(app, "SELECT id FROM users WHERE tenant_id = %s AND role = %s ORDER BY id", app.alpha.id, role)[
            0
        ][0]
    )


def ago(**of: float) -> str:
    return (dt.datetime.now(dt.UTC) - dt.timedelta(**of)).isoformat()


def test_a_step_is_worked_on_with_a_pause(app: Application, step: int) -> None:
    first = begin(app, step)
    assert (first["step"]["status"], first["ended_at"], first["seconds"], first["is_forgotten"]) == (
        "in_progress", None, None, False,
    )  # fmt: skip
    found = step_of(app, step)
    assert found["started_at"] and found["assigned_user"]["id"] == user(app, "operator")
    paused = end(app, first["id"], quantity_good=7, quantity_rejected=2, reject_reason="scratched")
    assert paused["seconds"] is not None and paused["step"]["status"] == "in_progress"
    second = begin(app, step)
    done = end(app, second["id"], quantity_good=3, finish=True, note="the last ones")
    assert done["step"]["status"] == "completed"
    found = step_of(app, step)
    assert (found["quantity_done"], found["quantity_rejected"], found["status"]) == (10, 2, "completed")
    assert found["completed_at"]
    listed: Any = app.client().get(f"{PATH}?step_id={step}").json
    assert [item["id"] for item in listed["items"]] == [second["id"], first["id"]] and listed["total"] == 2
    assert app.client().get(f"{PATH}?step_id={step}&open=true").json["total"] == 0  # type: ignore[index]
    history = run(
        app,
        "SELECT action FROM audit_logs WHERE entity = 'work_record' AND entity_id = %s ORDER BY id",
        first["id"],
    )
    assert history == [("create",), ("update",)]


def test_several_work_on_one_step_and_finishing_it_ends_the_work_of_all(app: Application, step: int) -> None:
    mine, theirs = begin(app, step), begin(app, step, "manager")
    assert step_of(app, step)["assigned_user"]["id"] == user(app, "operator")
    end(app, mine["id"], quantity_good=5, finish=True)
    other: Any = app.client().get(f"{PATH}/{theirs['id']}").json
    assert other["ended_at"] and (other["quantity_good"], other["quantity_rejected"]) == (0, 0)
    assert step_of(app, step)["quantity_done"] == 5


def test_nobody_works_twice_at_once_on_a_step(app: Application, step: int) -> None:
    begin(app, step)
    assert "already" in begin(app, step, expected=409)["detail"]
    with ThreadPoolExecutor(4) as pool:
        run(app, "DELETE FROM work_records")
        codes = list(
            pool.map(lambda _: app.client().post(PATH, json={"step_id": step}).status_code, range(4))
        )
    assert sorted(codes) == [201, 409, 409, 409]
    assert run(app, "SELECT count(*) FROM work_records WHERE ended_at IS NULL") == [(1,)]


def test_pieces_of_many_at_once_add_up(app: Application, step: int) -> None:
    workers = [
        row[0]
        for row in run(app, "SELECT id FROM users WHERE tenant_id = %s AND is_active LIMIT 5", app.alpha.id)
    ]
    records = [begin(app, step, "admin", worker_id=worker)["id"] for worker in workers]
    with ThreadPoolExecutor(5) as pool:
        list(
            pool.map(lambda record: end(app, record, "admin", quantity_good=2, quantity_rejected=1), records)
        )
    found = step_of(app, step)
    assert (found["quantity_done"], found["quantity_rejected"]) == (10, 5)


def test_work_ends_once(app: Application, step: int) -> None:
    record = begin(app, step)["id"]
    end(app, record, quantity_good=1)
    assert "ended already" in end(app, record, expected=409, quantity_good=1)["detail"]
    assert step_of(app, step)["quantity_done"] == 1


def test_a_step_is_handed_over(app: Application, step: int) -> None:
    record = begin(app, step)["id"]
    end(app, record, hand_over_to=user(app, "manager"))
    assert step_of(app, step)["assigned_user"]["id"] == user(app, "manager")
    record = begin(app, step, "manager")["id"]
    end(app, record, "manager", hand_over_to=None)
    assert step_of(app, step)["assigned_user"] is None


def test_forgotten_work_counts_when_somebody_says_when_it_ended(app: Application, step: int) -> None:
    record = begin(app, step, started_at=ago(hours=13))["id"]
    assert app.client().get(f"{PATH}/{record}").json["is_forgotten"]  # type: ignore[index]
    ended = end(app, record, ended_at=ago(hours=5), quantity_good=4)
    assert ended["seconds"] == pytest.approx(8 * 3600, abs=60) and not ended["is_forgotten"]


@pytest.mark.parametrize("said", [{}, {"ended_at": {"minutes": 1}}])
def test_forgotten_work_counts_its_longest_time_until_a_manager_corrects_it(
    app: Application, step: int, said: dict[str, Any]
) -> None:
    record = begin(app, step, started_at=ago(hours=15))["id"]
    ended = end(
        app, record, quantity_good=2, finish=True, **{name: ago(**value) for name, value in said.items()}
    )
    assert (ended["seconds"], ended["is_forgotten"]) == (12 * 3600, True)
    listed: Any = app.client("manager").get(f"{PATH}?forgotten=true").json
    assert [item["id"] for item in listed["items"]] == [record]
    change = {"ended_at": ago(hours=7), "correction": "left at the end of the shift"}
    corrected: Any = app.client("manager").patch(f"{PATH}/{record}", json=change).json
    assert corrected["seconds"] == pytest.approx(8 * 3600, abs=60) and not corrected["is_forgotten"]
    eventually(
        "the list is of now",
        lambda: app.client("manager").get(f"{PATH}?forgotten=true").json["total"] == 0,  # type: ignore[index]
    )


def test_who_finishes_a_step_does_not_make_a_night_of_what_another_forgot(
    app: Application, step: int
) -> None:
    forgotten = begin(app, step, "manager", started_at=ago(hours=30))["id"]
    end(app, begin(app, step)["id"], finish=True)
    other: Any = app.client().get(f"{PATH}/{forgotten}").json
    assert (other["seconds"], other["is_forgotten"]) == (12 * 3600, True)


def test_a_manager_says_when_long_work_ended(app: Application, step: int) -> None:
    record = begin(app, step, started_at=ago(hours=15))["id"]
    ended = end(app, record, "manager", ended_at=ago(hours=1))
    assert ended["seconds"] == pytest.approx(14 * 3600, abs=60) and not ended["is_forgotten"]
    # An open one is corrected as well.
    record = begin(app, step, started_at=ago(hours=15))["id"]
    change = {"ended_at": ago(hours=10), "correction": "forgotten"}
    corrected: Any = app.client("manager").patch(f"{PATH}/{record}", json=change).json
    assert corrected["seconds"] == pytest.approx(5 * 3600, abs=60) and not corrected["is_forgotten"]


def test_a_scanned_step_is_shown_with_the_work(app: Application, step: int) -> None:
    client = app.client("operator")
    job = step_of(app, step)["job"]["id"]
    run(app, "UPDATE job_steps SET assigned_user_id = %s WHERE id = %s", user(app, "manager"), step)

    def scanned(query: str) -> Any:
        answer = client.get(f"{PATH}/next?{query}")
        assert answer.status_code == 200, answer.json
        return answer.json["scanned"]  # type: ignore[index]

    for query in (f"step_id={step}", f"job_id={job}"):
        assert (scanned(query)["step_id"], scanned(query)["status"]) == (step, "pending")
    assert step in [item["step_id"] for item in client.get(f"{PATH}/next?step_id={step}").json["next"]]  # type: ignore[index]
    assert scanned(f"step_id={2**40}") is None
    end(app, begin(app, step, "manager")["id"], "manager", finish=True)
    eventually("the answer is of now", lambda: scanned(f"job_id={job}")["status"] == "completed")


@pytest.mark.parametrize(
    ("role", "change", "status"),
    [
        ("operator", {"worker_id": "manager"}, 403),
        ("manager", {"worker_id": "operator"}, 201),
        ("operator", {"step_id": 2**40}, 404),
        ("operator", {"started_at": "2099-01-01T00:00:00Z"}, 400),
    ],
)
def test_who_may_begin_what(app: Application, step: int, role: str, change: Any, status: int) -> None:
    if isinstance(change.get("worker_id"), str):
        change = {"worker_id": user(app, change["worker_id"])}
    answer = app.client(role).post(PATH, json={"step_id": step, **change})
    assert answer.status_code == status, answer.json


def test_a_process_that_is_closed_to_a_role_is_closed_to_its_work(app: Application, step: int) -> None:
    run(
        app,
        "UPDATE job_steps SET process_id = (SELECT min(id) FROM processes WHERE tenant_id = %s) WHERE id = %s",
        app.alpha.id,
        step,
    )
    run(
        app,
        "INSERT INTO role_process_permissions (tenant_id, role, process_id)"
        " SELECT tenant_id, 'manager', process_id FROM job_steps WHERE id = %s",
        step,
    )
    assert "role" in begin(app, step, expected=403)["detail"]
    assert run(app, "SELECT count(*) FROM work_records") == [(0,)]
    begin(app, step, "manager")


@pytest.mark.parametrize("status", ["completed", "skipped"])
def test_what_is_finished_is_not_begun(app: Application, step: int, status: str) -> None:
    run(app, "UPDATE job_steps SET status = %s WHERE id = %s", status, step)
    assert status in begin(app, step, expected=409)["detail"]


def test_the_work_of_others_is_ended_by_managers_alone(app: Application, step: int) -> None:
    record = begin(app, step, "manager")["id"]
    end(app, record, "operator", expected=403)
    end(app, record, "admin")


def test_work_is_entered_by_hand(app: Application, step: int) -> None:
    entered = app.client("operator").post(
        f"{PATH}/by-hand",
        json={"step_id": step, "started_at": ago(hours=3), "minutes": 90, "quantity_good": 6},
    )
    assert entered.status_code == 201, entered.json
    assert (entered.json["seconds"], entered.json["step"]["status"]) == (5400, "in_progress")  # type: ignore[index]
    assert step_of(app, step)["quantity_done"] == 6
    # Also for a step that is finished, and while somebody works on it.
    run(app, "UPDATE job_steps SET status = 'completed' WHERE id = %s", step)
    again = app.client("operator").post(
        f"{PATH}/by-hand", json={"step_id": step, "started_at": ago(hours=1), "minutes": 30}
    )
    assert (again.status_code, step_of(app, step)["status"]) == (201, "completed")


@pytest.mark.parametrize(
    "change",
    [
        {"minutes": None},
        {"minutes": 180},
        {"minutes": 0},
        {"minutes": 20000},
        {"quantity_good": -1},
        {"reject_reason": "without rejects"},
        {"started_at": None},
    ],
)
def test_what_is_entered_by_hand_must_fit(app: Application, step: int, change: dict[str, Any]) -> None:
    body = {"step_id": step, "started_at": ago(hours=2), "minutes": 30, **change}
    answer = app.client().post(
        f"{PATH}/by-hand", json={name: value for name, value in body.items() if value is not None}
    )
    assert answer.status_code == 400, answer.json
    assert run(app, "SELECT count(*) FROM work_records") == [(0,)]


def test_a_manager_corrects_with_a_reason_and_the_step_follows(app: Application, step: int) -> None:
    record = begin(app, step)["id"]
    end(app, record, quantity_good=10, quantity_rejected=1)
    client = app.client("manager")
    assert client.patch(f"{PATH}/{record}", json={"quantity_good": 8}).status_code == 400
    change = {
        "quantity_good": 8,
        "quantity_rejected": 0,
        "started_at": ago(hours=2),
        "correction": "counted again",
    }
    answer = client.patch(f"{PATH}/{record}", json=change)
    assert answer.status_code == 200, answer.json
    assert answer.json["corrected_by"]["id"] == user(app, "manager")  # type: ignore[index]
    found = step_of(app, step)
    assert (found["quantity_done"], found["quantity_rejected"]) == (8, 0)
    assert app.client("operator").patch(f"{PATH}/{record}", json=change).status_code == 403
    wrong = client.patch(f"{PATH}/{record}", json={"ended_at": ago(hours=3), "correction": "x"})
    assert wrong.status_code == 409


def test_worked_time_is_summed_by_day_in_the_time_zone_of_the_business(app: Application, step: int) -> None:
    run(app, "UPDATE tenants SET time_zone = 'Europe/Berlin' WHERE id = %s", app.alpha.id)
    worker = user(app, "operator")
    insert = """
        INSERT INTO work_records (tenant_id, step_id, user_id, started_at, ended_at, quantity_good, quantity_rejected)
        VALUES (%s, %s, %s, %s, %s, %s, 0)
    """
    # Over midnight; over the hour that the clock shows twice; one that goes on.
    run(app, insert, app.alpha.id, step, worker, "2026-03-02 22:00+01", "2026-03-03 06:00+01", 8)
    run(app, insert, app.alpha.id, step, worker, "2026-10-25 00:00+02", "2026-10-25 06:00+01", 7)
    run(app, insert, app.alpha.id, step, worker, "2026-03-02 12:00+01", None, 0)

    def summary(first: str, last: str, by: str = "people") -> list[tuple[int, int]]:
        answer: Any = app.client().get(f"{PATH}/summary?date_from={first}&date_to={last}")
        assert answer.status_code == 200, answer.json
        found = [(item["seconds"], item["quantity_good"]) for item in answer.json[by]]
        whole = answer.json["all"]
        assert (whole["seconds"], whole["quantity_good"]) == (
            sum(s for s, _ in found),
            sum(q for _, q in found),
        )
        return found

    assert summary("2026-03-02", "2026-03-02") == [(2 * 3600, 0)]
    assert summary("2026-03-03", "2026-03-03") == [(6 * 3600, 8)]
    assert summary("2026-03-01", "2026-03-31", "processes") == [(8 * 3600, 8)]
    assert summary("2026-10-25", "2026-10-25", "machines") == [(7 * 3600, 7)]
    assert summary("2026-03-04", "2026-03-05") == []
    assert app.client().get(f"{PATH}/summary?date_from=2026-03-02&date_to=2026-03-01").status_code == 400
    assert app.client().get(f"{PATH}/summary?date_from=2024-03-02&date_to=2026-03-01").status_code == 400


def test_the_work_of_somebody_in_the_order_in_which_it_is_to_be_done(app: Application, step: int) -> None:
    client = app.client("operator")
    me = user(app, "operator")
    run(app, "UPDATE job_steps SET assigned_user_id = NULL, status = 'completed', completed_at = now()")
    job = "(SELECT job_id FROM job_steps WHERE id = %s)"
    second = f"""
        INSERT INTO job_steps (tenant_id, job_id, step_order, assigned_user_id)
        SELECT tenant_id, id, 2, %s FROM jobs WHERE id = {job} RETURNING id
    """
    ((later,),) = run(app, second, me, step)
    run(app, "UPDATE job_steps SET status = 'pending' WHERE id = %s", step)

    def places() -> dict[str, list[int]]:
        answer: Any = client.get(f"{PATH}/next").json
        return {place: [item["step_id"] for item in answer[place]] for place in ("now", "next", "later")}

    eventually("the answer is of now", lambda: places() == {"now": [], "next": [step], "later": [later]})
    record = begin(app, step)["id"]
    eventually("the answer is of now", lambda: places() == {"now": [step], "next": [], "later": [later]})
    end(app, record)
    eventually("the answer is of now", lambda: places() == {"now": [], "next": [step], "later": [later]})
    end(app, begin(app, step)["id"], finish=True)
    eventually("the answer is of now", lambda: places() == {"now": [], "next": [later], "later": []})
    run(app, f"UPDATE jobs SET status = 'on_hold' WHERE id = {job}", step)
    eventually("the answer is of now", lambda: places() == {"now": [], "next": [], "later": [later]})
    run(app, f"UPDATE jobs SET status = 'cancelled' WHERE id = {job}", step)
    eventually("the answer is of now", lambda: places() == {"now": [], "next": [], "later": []})

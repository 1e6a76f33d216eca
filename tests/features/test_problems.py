"""Problems: reported at a step or machine, notified, answered, closed; a step that is held is not begun."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.application import Application
from tests.features.test_work import NEW_STEP, begin, run, user
from tests.waiting import eventually

PATH = "/api/problems"


@pytest.fixture
def step(own_app: Application) -> int:
    run(own_app, "DELETE FROM problems")
    run(own_app, "DELETE FROM notifications")
    run(own_app, "DELETE FROM role_process_permissions")
    ((step_id,),) = run(own_app, NEW_STEP, own_app.alpha.id)
    return int(step_id)


def report(app: Application, expected: int = 201, role: str = "operator", **body: Any) -> Any:
    answer = app.client(role).post(PATH, json={"kind": "material", "description": "2 mm, not 3", **body})
    assert answer.status_code == expected, answer.get_data(as_text=True)
    return answer.json


def notified(app: Application) -> set[int]:
    return {row[0] for row in run(app, "SELECT user_id FROM notifications WHERE kind = 'problem'")}


def test_a_problem_is_reported_answered_and_closed(own_app: Application, step: int) -> None:
    run(
        own_app,
        "UPDATE job_steps SET machine_id = (SELECT min(id) FROM machines WHERE tenant_id = %s) WHERE id = %s",
        own_app.alpha.id,
        step,
    )
    problem = report(own_app, step_id=step)
    assert (problem["status"], problem["step"]["id"], problem["holds_step"]) == ("open", step, False)
    assert problem["machine"] and problem["job"]["job_number"] == "W-1"
    managers = (
        "SELECT id FROM users WHERE tenant_id = %s AND role <> 'operator' AND is_active AND NOT is_service"
    )
    assert notified(own_app) == {row[0] for row in run(own_app, managers, own_app.alpha.id)}
    manager = own_app.client("manager")
    link = manager.get("/api/notifications?unread=true").json["items"][0]["link"]  # type: ignore[index]
    assert [item["id"] for item in manager.get(f"/api{link}").json["items"]] == [problem["id"]]  # type: ignore[index]
    assert (
        own_app.client("operator").post(f"{PATH}/{problem['id']}/answer", json={"answer": "x"}).status_code
        == 403
    )
    answered: Any = manager.post(f"{PATH}/{problem['id']}/answer", json={"answer": "New sheets at two."}).json
    assert (answered["status"], answered["answered_by"]["id"]) == ("answered", user(own_app, "manager"))
    assert user(own_app, "operator") in notified(own_app)
    closed: Any = own_app.client("operator").post(f"{PATH}/{problem['id']}/close", json={}).json
    assert (closed["status"], closed["answer"], closed["closed_by"]["id"]) == (
        "closed", "New sheets at two.", user(own_app, "operator"),
    )  # fmt: skip
    for verb in ("close", "answer"):
        assert manager.post(f"{PATH}/{problem['id']}/{verb}", json={"answer": "again"}).status_code == 409
    history = "SELECT action FROM audit_logs WHERE entity = 'problem' AND entity_id = %s ORDER BY id"
    assert run(own_app, history, problem["id"]) == [("create",), ("update",), ("update",)]


def test_nobody_begins_a_step_that_a_problem_holds(own_app: Application, step: int) -> None:
    first = report(own_app, step_id=step, holds_step=True)
    second = report(own_app, step_id=step, holds_step=True, kind="tool")
    assert "held" in begin(own_app, step, expected=409)["detail"]
    patched: Any = (
        own_app.client("manager").patch(f"/api/job-steps/{step}", json={"status": "in_progress"}).json
    )
    assert "step_held" in [warning["code"] for warning in patched["warnings"]]
    run(own_app, "UPDATE job_steps SET status = 'pending', started_at = NULL WHERE id = %s", step)
    manager = own_app.client("manager")
    manager.post(f"{PATH}/{first['id']}/close", json={})
    begin(own_app, step, expected=409)
    assert manager.post(f"{PATH}/{second['id']}/close", json={"answer": "sharpened"}).status_code == 200
    begin(own_app, step)


def test_a_held_step_comes_later_and_says_why(own_app: Application, step: int) -> None:
    client = own_app.client("operator")
    run(own_app, "UPDATE job_steps SET assigned_user_id = %s WHERE id = %s", user(own_app, "operator"), step)
    problem = report(own_app, step_id=step, holds_step=True)

    def place() -> str:
        answer: Any = client.get("/api/work/next").json
        found = [
            name for name in ("now", "next", "later") for item in answer[name] if item["step_id"] == step
        ]
        return found[0]

    eventually("the step is held", lambda: place() == "later")
    answer: Any = client.get("/api/work/next").json
    held = next(item for item in answer["later"] if item["step_id"] == step)
    assert held["held_by"] == {"id": problem["id"], "kind": "material", "description": "2 mm, not 3"}
    own_app.client("manager").post(f"{PATH}/{problem['id']}/close", json={})
    eventually("the step is free", lambda: place() == "next")


def test_open_problems_are_counted_on_the_board(own_app: Application, step: int) -> None:
    client = own_app.client("manager")
    report(own_app, step_id=step)
    problem = report(own_app, step_id=step)
    report(own_app, step_id=step)
    client.post(f"{PATH}/{problem['id']}/answer", json={"answer": "soon"})

    def counted() -> tuple[int, int]:
        found: Any = client.get("/api/dashboard/stats").json
        return found["problems"]["open"], found["problems"]["answered"]

    eventually("the numbers are of now", lambda: counted() == (2, 1))
    links = client.get("/api/dashboard/stats").json["problems"]["links"]  # type: ignore[index]
    assert [client.get(links[name]).json["total"] for name in ("open", "answered")] == [2, 1]  # type: ignore[index]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"machine_id": 1, "holds_step": True}, 400),
        ({"machine_id": 2**40}, 409),
        ({"step_id": 2**40}, 409),
        ({"machine_id": 1, "kind": "weather"}, 400),
        ({"machine_id": 1, "description": " "}, 400),
    ],
)
def test_what_is_reported_must_fit(
    own_app: Application, step: int, body: dict[str, Any], status: int
) -> None:
    report(own_app, expected=status, **body)
    assert run(own_app, "SELECT count(*) FROM problems") == [(0,)] and notified(own_app) == set()


def test_others_do_not_close_it_and_one_of_many_does(own_app: Application, step: int) -> None:
    problem = report(own_app, step_id=step, role="manager")
    assert own_app.client("operator").post(f"{PATH}/{problem['id']}/close", json={}).status_code == 403

    def close(_: int) -> int:
        return own_app.client("admin").post(f"{PATH}/{problem['id']}/close", json={}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(close, range(4))) == [200, 409, 409, 409]

"""Steps of a job: sent with it, added later, put in another order, removed; and what must not be done to them."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest
from flask.testing import FlaskClient

from tests.application import Application
from tests.features.test_machines_and_processes import beside
from tests.rollups.conftest import DIFFERENCES


def differences(app: Application) -> list[Any]:
    """The counts that a recount of both businesses contradicts."""
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(DIFFERENCES)
        return cursor.fetchall()


def audit(client: FlaskClient, action: str) -> list[dict[str, Any]]:
    """The entries of steps that were added, changed or removed."""
    found: Any = client.get("/api/audit?entity=job_step&page_size=100").json
    return [entry for entry in found["items"] if entry["action"] == action]


def ids(client: FlaskClient, area: str) -> list[int]:
    found: Any = client.get(f"/api/{area}?page_size=100&fields=id").json
    return [item["id"] for item in found["items"]]


def new_job(client: FlaskClient, **members: Any) -> int:
    made: Any = client.post("/api/jobs", json={"title": "Bracket", **members})
    assert made.status_code == 201, made.json
    job: int = made.json["id"]
    return job


def steps_of(client: FlaskClient, job: int) -> list[dict[str, Any]]:
    found: Any = client.get(f"/api/jobs/{job}").json
    assert found["progress"]["steps"] == len(found["steps"])
    assert client.get(f"/api/jobs/{job}/steps").json == {"id": job, "steps": found["steps"]}
    steps: list[dict[str, Any]] = found["steps"]
    return steps


def order(client: FlaskClient, job: int) -> list[str | None]:
    """The steps by their instructions, and that their orders ascend."""
    steps = steps_of(client, job)
    orders = [step["step_order"] for step in steps]
    assert orders == sorted(set(orders))
    return [step["instructions"] for step in steps]


def named(client: FlaskClient, *names: str) -> list[dict[str, Any]]:
    process = ids(client, "processes")[0]
    return [{"process_id": process, "instructions": name} for name in names]


def test_a_job_is_made_with_its_steps_in_one_statement(own_app: Application) -> None:
    client = own_app.client("manager")
    process, machine, person = ids(client, "processes")[1], ids(client, "machines")[0], own_user(client)
    sent = {
        "process_id": process,
        "machine_id": machine,
        "assigned_user_id": person,
        "setup_minutes": 20,
        "seconds_per_piece": 90,
        "instructions": "Deburr all edges.",
    }
    made: Any = client.post("/api/jobs", json={"title": "A", "steps": [sent, {"process_id": process}]})
    assert (made.status_code, made.headers["X-Queries"]) == (201, "1")
    assert made.json["progress"] == {"steps": 2, "done": 0}
    first, second = steps_of(client, made.json["id"])
    assert (first["step_order"], second["step_order"]) == (1, 2)
    assert (first["process"]["id"], first["machine"]["id"], first["assigned_user"]["id"]) == (
        process,
        machine,
        person,
    )
    shown = {name: first[name] for name in ("setup_minutes", "seconds_per_piece", "instructions")}
    assert shown == {name: sent[name] for name in shown}
    assert (second["machine"], second["assigned_user"], second["seconds_per_piece"]) == (None, None, None)
    assert differences(own_app) == []


def own_user(client: FlaskClient) -> int:
    me: Any = client.get("/api/auth/me").json
    person: int = me["id"]
    return person


def test_a_job_is_copied_without_progress_and_people(own_app: Application) -> None:
    client = own_app.client("manager")
    source: Any = client.get("/api/jobs?status=completed&page_size=1").json["items"][0]  # type: ignore[index]
    job = new_job(client, copy_of_id=source["id"])
    old, new = steps_of(client, source["id"]), steps_of(client, job)
    assert [step["process"] for step in new] == [step["process"] for step in old]
    assert [step["machine"] for step in new] == [step["machine"] for step in old]
    assert {step["status"] for step in new} == {"pending"} and {step["assigned_user"] for step in new} == {
        None
    }
    assert client.post("/api/jobs", json={"title": "A", "copy_of_id": 2**40}).status_code == 409
    assert differences(own_app) == []


@pytest.mark.parametrize(
    "members",
    [
        {"copy_of_id": 1, "routing_id": 1},
        {"steps": [{"process_id": 1}], "copy_of_id": 1},
        {"steps": [{"process_id": 1}], "status": "completed"},
        {"steps": [{"machine_id": 1}]},
        {"steps": [{"process_id": 1, "seconds_per_piece": -1}]},
    ],
)
def test_what_contradicts_itself_is_refused(app: Application, members: dict[str, Any]) -> None:
    assert app.client().post("/api/jobs", json={"title": "A", **members}).status_code == 400


def test_a_process_that_is_not_there_leaves_no_job(own_app: Application) -> None:
    client = own_app.client()
    before: Any = client.get("/api/jobs").json
    refused: Any = client.post("/api/jobs", json={"title": "A", "steps": [{"process_id": 2**40}]})
    assert refused.status_code in (409, 422) and "process_id" in refused.json["detail"]
    assert client.get("/api/jobs").json["total"] == before["total"]  # type: ignore[index]


def test_steps_are_added_at_a_place_or_at_the_end(own_app: Application) -> None:
    client = own_app.client("manager")
    job = new_job(client, steps=named(client, "a", "b"))
    made: Any = client.post(f"/api/jobs/{job}/steps", json={"steps": named(client, "y", "z")})
    assert made.status_code == 201 and [step["instructions"] for step in made.json["steps"]] == [
        "a",
        "b",
        "y",
        "z",
    ]
    made = client.post(f"/api/jobs/{job}/steps", json={"steps": named(client, "m", "n"), "position": 2})
    assert made.json["steps"] == steps_of(client, job)
    assert order(client, job) == ["a", "m", "n", "b", "y", "z"]
    client.post(f"/api/jobs/{job}/steps", json={"steps": named(client, "first"), "position": 1})
    client.post(f"/api/jobs/{job}/steps", json={"steps": named(client, "last"), "position": 99})
    assert order(client, job) == ["first", "a", "m", "n", "b", "y", "z", "last"]
    assert len(audit(client, "create")) == 6
    assert differences(own_app) == []


def test_a_job_without_steps_gets_its_first_one(own_app: Application) -> None:
    client = own_app.client("manager")
    job = new_job(client)
    client.post(f"/api/jobs/{job}/steps", json={"steps": named(client, "a"), "position": 5})
    assert order(client, job) == ["a"]


def test_a_step_is_put_at_each_place(own_app: Application) -> None:
    client = own_app.client("manager")
    model = ["a", "b", "c", "d"]
    job = new_job(client, steps=named(client, *model))
    for moved in range(4):
        for target in range(1, 6):
            step = steps_of(client, job)[moved]
            answer: Any = client.post(f"/api/job-steps/{step['id']}/move", json={"position": target})
            model.insert(target - 1, model.pop(moved))
            assert order(client, job) == model
            assert answer.json == {"id": job, "steps": steps_of(client, job), "warnings": []}
    assert differences(own_app) == []


def test_a_step_is_removed_while_it_waits(own_app: Application) -> None:
    client = own_app.client("manager")
    job = new_job(client, status="active", steps=named(client, "a", "b", "c"))
    first, second, _ = steps_of(client, job)
    assert client.delete(f"/api/job-steps/{second['id']}").json == {"id": second["id"], "job_id": job}
    assert order(client, job) == ["a", "c"]
    assert [step["step_order"] for step in steps_of(client, job)] == [1, 2]
    assert client.get(f"/api/job-steps/{second['id']}").status_code == 404
    client.patch(f"/api/job-steps/{first['id']}", json={"status": "in_progress"})
    assert client.delete(f"/api/job-steps/{first['id']}").status_code == 409
    assert client.post(f"/api/job-steps/{first['id']}/move", json={"position": 2}).status_code == 409
    assert order(client, job) == ["a", "c"]
    (entry,) = audit(client, "delete")
    assert entry["changes"]["job_id"] == [job, None]
    assert differences(own_app) == []


def test_a_step_before_one_that_has_begun_is_a_warning_or_refused(own_app: Application) -> None:
    client = own_app.client()
    job = new_job(client, status="active", steps=named(client, "a", "b"))
    first, second = steps_of(client, job)
    client.patch(f"/api/job-steps/{first['id']}", json={"status": "in_progress"})
    moved: Any = client.post(f"/api/job-steps/{second['id']}/move", json={"position": 1}).json
    assert [warning["code"] for warning in moved["warnings"]] == ["step_out_of_order"]
    added: Any = client.post(f"/api/jobs/{job}/steps", json={"steps": named(client, "c"), "position": 1}).json
    assert [warning["code"] for warning in added["warnings"]] == ["step_out_of_order"]
    hours = {
        "locale": "en",
        "currency": "EUR",
        "opens_at": "08:00",
        "closes_at": "17:00",
        "auto_reply": False,
    }
    client.put("/api/settings", json={**hours, "contradictions": "refuse"})
    refused = client.post(f"/api/jobs/{job}/steps", json={"steps": named(client, "d"), "position": 1})
    assert refused.status_code == 409
    assert order(client, job) == ["c", "b", "a"]


def test_a_job_that_has_ended_and_people_who_are_inactive_get_no_steps(own_app: Application) -> None:
    client = own_app.client()
    ended: Any = client.get("/api/jobs?status=completed&page_size=1").json["items"][0]  # type: ignore[index]
    step = named(client, "a")[0]
    assert client.post(f"/api/jobs/{ended['id']}/steps", json={"steps": [step]}).status_code == 409
    inactive: Any = client.get("/api/users?is_active=false&page_size=1").json["items"][0]  # type: ignore[index]
    given = {**step, "assigned_user_id": inactive["id"]}
    assert client.post("/api/jobs", json={"title": "A", "steps": [given]}).status_code == 409
    job = new_job(client)
    assert client.post(f"/api/jobs/{job}/steps", json={"steps": [given]}).status_code == 409
    assert steps_of(client, job) == []


def test_an_operator_changes_neither_steps_nor_their_instructions(own_app: Application) -> None:
    manager, operator = own_app.client("manager"), own_app.client("operator")
    process = ids(manager, "processes")[1]
    job = new_job(manager, status="active", steps=[{"process_id": process}])
    (step,) = steps_of(manager, job)
    path = f"/api/job-steps/{step['id']}"
    assert (
        operator.post(f"/api/jobs/{job}/steps", json={"steps": [{"process_id": process}]}).status_code == 403
    )
    assert operator.post(f"{path}/move", json={"position": 1}).status_code == 403
    assert operator.delete(path).status_code == 403
    assert operator.patch(path, json={"instructions": "Faster."}).status_code == 403
    assert operator.patch(path, json={"status": "in_progress"}).status_code == 200
    changed: Any = manager.patch(
        path, json={"setup_minutes": 5, "seconds_per_piece": 6, "instructions": "Slow."}
    )
    members = ("setup_minutes", "seconds_per_piece", "instructions")
    assert [changed.json[name] for name in members] == [5, 6, "Slow."]


def test_a_step_on_which_work_is_recorded_is_not_removed(own_app: Application) -> None:
    client = own_app.client("manager")
    job = new_job(client, status="active", steps=named(client, "a", "b"))
    step = steps_of(client, job)[0]
    url = own_app.database.superuser_url
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO work_records (tenant_id, step_id, user_id, started_at, ended_at) "
            "VALUES (%s, %s, %s, now() - interval '1 hour', now())",
            (own_app.alpha.id, step["id"], own_user(client)),
        )
    assert client.delete(f"/api/job-steps/{step['id']}").status_code == 409
    assert order(client, job) == ["a", "b"]


def test_of_two_changes_of_a_job_s_steps_at_one_moment_the_second_is_told(own_app: Application) -> None:
    """The second statement waits for the row of the job, and does not see the steps that the first one has made."""
    client = own_app.client("manager")
    job = new_job(client, steps=named(client, "a", "b"))
    last = steps_of(client, job)[1]["id"]
    more = {"steps": named(client, "c")}
    url = own_app.database.superuser_url
    for send in (
        lambda: client.post(f"/api/jobs/{job}/steps", json=more),
        lambda: client.post(f"/api/job-steps/{last}/move", json={"position": 1}),
        lambda: client.delete(f"/api/job-steps/{last}"),
    ):
        with closing(psycopg2.connect(url)) as other, closing(psycopg2.connect(url)) as watcher:
            with other.cursor() as cursor:
                cursor.execute("UPDATE jobs SET title = 'Meanwhile' WHERE id = %s", (job,))
            assert beside(watcher, other, send).status_code == 409
    assert order(client, job) == ["a", "b"]
    assert differences(own_app) == []

"""Routings: a job made from one, their steps replaced, and jobs that keep theirs; reasons."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from tests.application import Application
from tests.features.test_steps_of_jobs import differences, ids, new_job, steps_of


def new_routing(client: FlaskClient, *instructions: str) -> dict[str, Any]:
    process, machine = ids(client, "processes")[1], ids(client, "machines")[0]
    steps = [
        {"process_id": process, "machine_id": machine, "setup_minutes": 15, "instructions": text}
        for text in instructions
    ]
    made: Any = client.post("/api/routings", json={"name": "Bracket", "steps": steps})
    assert made.status_code == 201, made.json
    routing: dict[str, Any] = made.json
    return routing


def test_a_job_is_made_from_a_routing_in_one_statement(own_app: Application) -> None:
    client = own_app.client("manager")
    routing = new_routing(client, "Cut.", "Bend.")
    made: Any = client.post("/api/jobs", json={"title": "A", "routing_id": routing["id"]})
    assert (made.status_code, made.headers["X-Queries"], made.json["progress"]["steps"]) == (201, "1", 2)
    steps = steps_of(client, made.json["id"])
    members = ("step_order", "process", "machine", "setup_minutes", "seconds_per_piece", "instructions")
    assert [[step[name] for name in members] for step in steps] == [
        [step[name] for name in members] for step in routing["steps"]
    ]
    assert client.post("/api/jobs", json={"title": "A", "routing_id": 2**40}).status_code == 409
    entry: Any = client.get(f"/api/audit?entity=job&entity_id={made.json['id']}").json["items"][0]  # type: ignore[index]
    assert entry["changes"]["routing_id"] == [None, routing["id"]]
    assert differences(own_app) == []


def test_steps_of_a_routing_are_replaced_and_jobs_keep_theirs(own_app: Application) -> None:
    client = own_app.client("manager")
    routing = new_routing(client, "Cut.", "Bend.", "Weld.")
    path, process = f"/api/routings/{routing['id']}", routing["steps"][0]["process"]["id"]
    job = new_job(client, routing_id=routing["id"])
    changed: Any = client.patch(path, json={"steps": [{"process_id": process, "seconds_per_piece": 150}]})
    assert [(step["instructions"], step["seconds_per_piece"]) for step in changed.json["steps"]] == [
        (None, 150)
    ]
    assert client.get(path).json == changed.json
    renamed: Any = client.patch(path, json={"name": "Other"})
    assert renamed.json["steps"] == changed.json["steps"]
    longer = [{"process_id": process, "instructions": str(number)} for number in range(5)]
    changed = client.patch(path, json={"steps": longer})
    assert [step["instructions"] for step in changed.json["steps"]] == list("01234")
    assert client.get(path).json == changed.json
    assert client.delete(path).status_code == 200
    assert client.get(path).status_code == 404
    assert [step["instructions"] for step in steps_of(client, job)] == ["Cut.", "Bend.", "Weld."]
    entries: Any = client.get(f"/api/audit?entity=routing&entity_id={routing['id']}&sort=created_at").json
    assert [sorted(entry["changes"]) for entry in entries["items"]] == [
        ["name", "steps"], ["steps"], ["name"], ["steps"], ["name", "steps"],
    ]  # fmt: skip


def test_an_operator_reads_routings_and_reasons_and_changes_none(own_app: Application) -> None:
    routing = new_routing(own_app.client("manager"), "Cut.")
    operator = own_app.client("operator")
    assert operator.get(f"/api/routings/{routing['id']}").json == routing
    assert operator.post("/api/routings", json={"name": "Mine"}).status_code == 403
    assert operator.delete(f"/api/routings/{routing['id']}").status_code == 403
    assert operator.post("/api/reasons", json={"kind": "stop", "name": "Mine"}).status_code == 403


def test_reasons_have_one_name_for_each_kind(own_app: Application) -> None:
    client = own_app.client("manager")
    made: Any = client.post("/api/reasons", json={"kind": "reject", "name": "Scratched"})
    assert made.status_code == 201
    again: Any = client.post("/api/reasons", json={"kind": "reject", "name": "SCRATCHED"})
    assert again.status_code in (409, 422) and "already" in again.json["detail"]
    assert client.post("/api/reasons", json={"kind": "hold", "name": "Scratched"}).status_code == 201
    path = made.headers["Location"]
    changed: Any = client.patch(path, json={"name": "Scratches", "description": "Deeper than 0.1 mm."})
    assert (changed.json["name"], changed.json["kind"]) == ("Scratches", "reject")
    listed: Any = client.get("/api/reasons?kind=reject&q=scratch").json
    assert [item["id"] for item in listed["items"]] == [made.json["id"]]
    assert client.delete(path).json == {"id": made.json["id"], "kind": "reject", "name": "Scratches"}
    assert client.get(path).status_code == 404

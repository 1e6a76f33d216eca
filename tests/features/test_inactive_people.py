"""Inactive users get no work; their earlier work is counted, listed and can be reassigned."""

from __future__ import annotations

from typing import Any

import pytest

from tests.application import Application

STEPS = "/api/job-steps?status=pending&waiting=true&page_size=1"


@pytest.fixture
def inactive(own_app: Application) -> int:
    found: Any = own_app.client().get("/api/users?is_active=false&page_size=1").json
    return int(found["items"][0]["id"])


def test_nothing_is_assigned_to_somebody_who_is_inactive(own_app: Application, inactive: int) -> None:
    client = own_app.client()
    step: Any = client.get(STEPS).json["items"][0]  # type: ignore[index]
    lead: Any = client.post("/api/leads", json={"name": "x"}).json
    before = {path: client.get(f"/api/{path}").json["total"] for path in ("leads", "workflow-approvals")}  # type: ignore[index]
    refused = [
        client.patch(f"/api/job-steps/{step['id']}", json={"assigned_user_id": inactive}),
        client.post("/api/leads", json={"name": "x", "assigned_user_id": inactive}),
        client.patch(f"/api/leads/{lead['id']}", json={"assigned_user_id": inactive}),
        client.post("/api/workflow-approvals", json={"subject": "x", "assigned_user_id": inactive}),
    ]
    for answer in refused:
        told: Any = answer.json
        assert (answer.status_code, told["code"]) == (409, "conflict")
        assert "inactive" in told["detail"]
    assert before == {path: client.get(f"/api/{path}").json["total"] for path in before}  # type: ignore[index]
    active: Any = client.get("/api/users?is_active=true&role=operator&page_size=1").json["items"][0]["id"]  # type: ignore[index]
    assert client.patch(f"/api/leads/{lead['id']}", json={"assigned_user_id": active}).status_code == 200
    assert client.post("/api/leads", json={"name": "x", "assigned_user_id": active}).status_code == 201
    assert (
        client.post("/api/workflow-approvals", json={"subject": "x", "assigned_user_id": active}).status_code
        == 201
    )


def test_what_somebody_had_before_is_counted_and_listed(own_app: Application) -> None:
    admin = own_app.client()
    person: Any = admin.get("/api/users?is_active=true&role=operator&page_size=1").json["items"][0]  # type: ignore[index]
    assert person["work_left"] is None
    me = person["id"]
    step: Any = admin.get(STEPS).json["items"][0]  # type: ignore[index]
    admin.patch(f"/api/job-steps/{step['id']}", json={"assigned_user_id": me})
    admin.post("/api/leads", json={"name": "x", "assigned_user_id": me})
    admin.post("/api/leads", json={"name": "x", "assigned_user_id": me, "status": "lost"})
    admin.post("/api/workflow-approvals", json={"subject": "x", "assigned_user_id": me})
    before: Any = admin.get("/api/dashboard/stats").json["users"]  # type: ignore[index]
    told: Any = admin.patch(f"/api/users/{me}", json={"is_active": False}).json
    left = told["work_left"]
    assert left["steps"] >= 1 and left["leads"] >= 1 and left["approvals"] == 1
    assert admin.get(f"/api/users/{me}").json["work_left"] == left  # type: ignore[index]
    for name in ("steps", "leads", "approvals"):
        page: Any = admin.get(left["links"][name]).json
        assert page["total"] == left[name]
    listed: Any = admin.get("/api/users?is_active=false&page_size=100").json
    assert left in [item["work_left"] for item in listed["items"]]
    after: Any = admin.get("/api/dashboard/stats").json["users"]  # type: ignore[index]
    assert after["steps_of_inactive"] == before["steps_of_inactive"] + left["steps"]
    of_all: Any = admin.get(after["links"]["steps_of_inactive"]).json
    assert of_all["total"] == after["steps_of_inactive"]
    # It is not stuck: it can be given to somebody else, and changed otherwise meanwhile.
    assert admin.patch(f"/api/job-steps/{step['id']}", json={"quantity_done": 0}).status_code == 200
    assert admin.patch(f"/api/job-steps/{step['id']}", json={"assigned_user_id": None}).status_code == 200
    assert admin.get(f"/api/users/{me}").json["work_left"]["steps"] == left["steps"] - 1  # type: ignore[index]

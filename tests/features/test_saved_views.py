"""Saved views: one's own and everybody's, one default, and who may change them."""

from __future__ import annotations

from typing import Any

from tests.application import Application


def save(app: Application, role: str, status: int = 201, **members: Any) -> dict[str, Any]:
    body = {"area": "jobs", "name": "Urgent", "query": "priority=urgent", **members}
    answer = app.client(role).post("/api/saved-views", json=body)
    assert answer.status_code == status, answer.get_data(as_text=True)
    made: dict[str, Any] = answer.json  # type: ignore[assignment]
    return made


def names(app: Application, role: str, area: str = "jobs") -> list[str]:
    answer: Any = app.client(role).get(f"/api/saved-views?area={area}").json
    return [view["name"] for view in answer["items"] if "canary" not in view["name"]]


def test_a_view_is_its_owners_until_it_is_shown_to_everybody(own_app: Application) -> None:
    view = save(own_app, "manager")
    assert (names(own_app, "manager"), names(own_app, "operator")) == (["Urgent"], [])
    path = f"/api/saved-views/{view['id']}"
    assert own_app.client("operator").get(path).status_code == 404
    assert own_app.client("manager").patch(path, json={"is_shared": True}).status_code == 200
    own_app.poll_changes()
    assert names(own_app, "operator") == ["Urgent"]
    for role, status in (("operator", 403), ("admin", 200)):
        assert own_app.client(role).patch(path, json={"name": f"by {role}"}).status_code == status
    assert own_app.client("operator").delete(path).status_code == 403
    assert own_app.client("manager").delete(path).status_code == 200
    assert names(own_app, "manager") == []


def test_an_operator_saves_views_for_nobody_else(own_app: Application) -> None:
    save(own_app, "operator", 403, is_shared=True)
    view = save(own_app, "operator")
    answer = own_app.client("operator").patch(f"/api/saved-views/{view['id']}", json={"is_shared": True})
    assert answer.status_code == 403


def test_a_name_is_there_once_and_a_list_has_one_default(own_app: Application) -> None:
    first = save(own_app, "manager", is_default=True)
    save(own_app, "manager", 409)
    save(own_app, "manager", area="customers", is_default=True)
    second = save(own_app, "manager", name="Late", query="overdue=true", is_default=True)

    def defaults() -> list[int]:
        answer: Any = own_app.client("manager").get("/api/saved-views?area=jobs").json
        return [view["id"] for view in answer["items"] if view["is_default"]]

    assert defaults() == [second["id"]]
    changed = own_app.client("manager").patch(f"/api/saved-views/{first['id']}", json={"is_default": True})
    assert changed.status_code == 200
    assert defaults() == [first["id"]]


def test_an_export_has_headings_for_people(own_app: Application) -> None:
    for headings, first in (("", "id,job_number,title"), ("&headings=words", "Id,Job number,Title")):
        assert heading(own_app, f"fields=id,job_number,title{headings}") == first
    assert (
        heading(own_app, "fields=customer,due_date&headings=words") == "Customer: id,Customer: name,Due date"
    )


def heading(app: Application, query: str) -> str:
    return app.client().get(f"/api/jobs/export?{query}").get_data(as_text=True).splitlines()[0]

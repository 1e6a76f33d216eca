"""Machines and processes are added and changed, and admins say which roles may work on a process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.application import Application
from tests.waiting import eventually


def audit(app: Application, entity: str, entity_id: int) -> list[dict[str, Any]]:
    found: Any = app.client().get(f"/api/audit?entity={entity}&entity_id={entity_id}&sort=created_at")
    items: list[dict[str, Any]] = found.json["items"]
    return items


def test_a_machine_is_added_changed_and_counted(own_app: Application) -> None:
    client = own_app.client("manager")
    before: Any = client.get("/api/machines?status=maintenance").json
    made: Any = client.post("/api/machines", json={"name": "Laser 2", "status": "maintenance"})
    assert (made.status_code, made.json["is_active"], made.json["location"]) == (201, False, None)
    assert made.headers["Location"] == f"/api/machines/{made.json['id']}"
    after: Any = client.get("/api/machines?status=maintenance").json
    assert after["total"] == before["total"] + 1
    stats: Any = client.get("/api/dashboard/stats").json
    assert stats["machines"]["total"] == client.get("/api/machines").json["total"]  # type: ignore[index]
    changed: Any = client.patch(made.headers["Location"], json={"location": "Hall 2", "status": "active"})
    assert (changed.json["location"], changed.json["status"]) == ("Hall 2", "active")
    assert [entry["action"] for entry in audit(own_app, "machine", made.json["id"])] == ["create", "update"]


@pytest.mark.parametrize("path", ["/api/machines", "/api/processes"])
def test_an_operator_adds_none(app: Application, path: str) -> None:
    assert app.client("operator").post(path, json={"name": "Mine"}).status_code == 403


def test_a_process_is_added_with_the_roles_that_may_work_on_it(own_app: Application) -> None:
    admin = own_app.client()
    allowed = [{"role": "operator", "can_operate": False}, {"role": "manager", "can_operate": True}]
    made: Any = admin.post("/api/processes", json={"name": "Welding", "permissions": allowed})
    assert made.status_code == 201
    assert made.json["permissions"] == allowed[::-1]
    path = made.headers["Location"]
    assert admin.get(path).json == made.json
    changed: Any = admin.patch(path, json={"permissions": [{"role": "operator"}]})
    assert changed.json["permissions"] == [{"role": "operator", "can_operate": True}]
    renamed: Any = admin.patch(path, json={"name": "TIG welding"})
    assert renamed.json["permissions"] == changed.json["permissions"]
    opened: Any = admin.patch(path, json={"permissions": []})
    assert opened.json["permissions"] == admin.get(path).json["permissions"] == []  # type: ignore[index]
    entries = audit(own_app, "process", made.json["id"])
    assert [list(entry["changes"]) for entry in entries[1:]] == [["permissions"], ["name"], ["permissions"]]


def test_only_an_admin_changes_permissions(own_app: Application) -> None:
    manager = own_app.client("manager")
    sent = {"name": "Milling", "permissions": [{"role": "manager"}]}
    before: Any = manager.get("/api/processes").json
    assert manager.post("/api/processes", json=sent).status_code == 403
    assert manager.get("/api/processes").json["total"] == before["total"]  # type: ignore[index]
    made: Any = manager.post("/api/processes", json={"name": "Milling"})
    path = made.headers["Location"]
    assert manager.patch(path, json={"permissions": [{"role": "manager"}]}).status_code == 403
    # Those it has already are no change.
    assert manager.patch(path, json={"permissions": [], "name": "Fine milling"}).status_code == 200


def test_a_role_twice_is_refused(app: Application) -> None:
    twice = [{"role": "manager"}, {"role": "manager", "can_operate": False}]
    answer: Any = app.client().post("/api/processes", json={"name": "A", "permissions": twice})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "permissions")


def test_a_process_with_work_left_warns(own_app: Application) -> None:
    admin = own_app.client()
    step: Any = admin.get("/api/job-steps?waiting=true&page_size=1").json["items"][0]  # type: ignore[index]
    answer: Any = admin.patch(f"/api/processes/{step['process']['id']}", json={"is_active": False})
    assert [warning["code"] for warning in answer.json["warnings"]] == ["process_has_work"]


def test_of_two_changes_of_permissions_at_one_moment_the_second_is_told(own_app: Application) -> None:
    """The second statement waits for the first one's row, and does not see the permissions that it has made."""
    admin = own_app.client()
    made: Any = admin.post("/api/processes", json={"name": "Milling"}).json
    url = own_app.database.superuser_url
    with closing(psycopg2.connect(url)) as other, closing(psycopg2.connect(url)) as watcher:
        with other.cursor() as cursor:
            cursor.execute("UPDATE processes SET name = 'Turning' WHERE id = %s", (made["id"],))
            cursor.execute(
                "INSERT INTO role_process_permissions (tenant_id, role, process_id) VALUES (%s, 'manager', %s)",
                (own_app.alpha.id, made["id"]),
            )
        sent = {"permissions": [{"role": "operator"}]}
        answer = beside(watcher, other, lambda: admin.patch(f"/api/processes/{made['id']}", json=sent))
    assert answer.status_code == 409
    now: Any = admin.get(f"/api/processes/{made['id']}").json
    assert (now["name"], now["permissions"]) == ("Turning", [{"role": "manager", "can_operate": True}])


def beside(watcher: Any, other: Any, send: Callable[[], Any]) -> Any:
    """The answer to a change that waits for the open transaction of another connection, which then commits."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

    def is_waiting() -> bool:
        with watcher, watcher.cursor() as cursor:
            cursor.execute(waits)
            return bool(cursor.fetchone()[0])

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(send)
        eventually("the change waits", is_waiting)
        other.commit()
        return answer.result()

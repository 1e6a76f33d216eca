"""An archived record is in no list, count or search, and is readable where it is referred to."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.application import Application

# Area -> (what to add, what to change so that it may be archived, a word of it)
RECORDS: dict[str, tuple[dict[str, object], dict[str, object], str]] = {
    "customers": ({"name": "Quokka Works", "email": "desk@quokka.example"}, {}, "quokka"),
    "contacts": ({"name": "Quokka Sand"}, {}, "quokka"),
    "leads": ({"name": "Quokka Inc"}, {}, "quokka"),
    "machines": ({"name": "Quokka press"}, {"status": "inactive"}, "quokka"),
    "processes": ({"name": "Quokka drilling"}, {"is_active": False}, "quokka"),
    "routings": ({"name": "Quokka bracket"}, {}, "quokka"),
    "users": (
        {"email": "quokka@alpha.example", "full_name": "Quokka Reed", "role": "operator"},
        {"is_active": False},
        "quokka",
    ),
    "jobs": ({"title": "Quokka plate", "job_number": "QK-1"}, {"status": "completed"}, "quokka"),
}


def add(app: Application, area: str) -> str:
    """Add a record that may be archived; its address."""
    client = app.client()
    body, change, _ = RECORDS[area]
    made: Any = client.post(f"/api/{area}", json=body)
    assert made.status_code == 201, made.json
    path: str = made.headers["Location"]
    if change:
        assert client.patch(path, json=change).status_code == 200
    return path


def listed(app: Application, address: str) -> tuple[set[int], int]:
    """The ids of a list, which are on one page, and its total."""
    page: Any = app.client().get(f"{address}{'&' if '?' in address else '?'}page_size=100").json
    assert not page["has_next"]
    return {item["id"] for item in page["items"]}, page["total"]


def assert_board_agrees(app: Application) -> None:
    app.poll_changes()
    stats: Any = app.client().get("/api/dashboard/stats").json
    for section in (one for one in stats.values() if isinstance(one, dict)):
        for name, link in section["links"].items():
            total = app.client().get(link).json["total"]  # type: ignore[index]
            assert section[name] == total, (name, link)
    health: Any = app.client().get("/api/health/rollups").json
    assert health["status"] == "ok", health


@pytest.mark.parametrize("area", RECORDS)
def test_an_archived_record_is_in_no_list_count_or_search_until_it_is_restored(
    own_app: Application, area: str
) -> None:
    client, word = own_app.client(), RECORDS[area][2]
    before = listed(own_app, f"/api/{area}")
    path = add(own_app, area)
    record_id = int(path.rpartition("/")[2])
    assert listed(own_app, f"/api/{area}?archived=false") == (before[0] | {record_id}, before[1] + 1)
    archived: Any = client.post(f"{path}/archive")
    assert archived.status_code == 200 and archived.json["archived_at"]
    assert listed(own_app, f"/api/{area}") == before
    assert listed(own_app, f"/api/{area}?archived=true") == ({record_id}, 1)
    assert client.get(path).json["archived_at"] == archived.json["archived_at"]  # type: ignore[index]
    assert client.get(f"/api/search?q={word}").json["groups"] == []  # type: ignore[index]
    assert listed(own_app, f"/api/{area}?q={word}") == (set(), 0)
    exported = client.get(f"/api/{area}/export?archived=true").get_data(as_text=True)
    assert len(exported.splitlines()) == 2 and "archived_at" in exported
    assert_board_agrees(own_app)
    again: Any = client.post(f"{path}/archive")
    assert again.json == archived.json
    restored: Any = client.post(f"{path}/restore")
    assert restored.json == {"id": record_id, "archived_at": None}
    assert listed(own_app, f"/api/{area}") == (before[0] | {record_id}, before[1] + 1)
    assert record_id in listed(own_app, f"/api/{area}?q={word}")[0]
    assert_board_agrees(own_app)
    entity = {"processes": "process"}.get(area, area[:-1])
    entries: Any = client.get(f"/api/audit?entity={entity}&entity_id={record_id}&sort=created_at").json
    assert [entry["action"] for entry in entries["items"]][-2:] == ["archive", "restore"]


@pytest.mark.parametrize("area", RECORDS)
def test_archiving_is_for_those_who_manage(own_app: Application, area: str) -> None:
    path = add(own_app, area)
    assert own_app.client("operator").post(f"{path}/archive").status_code == 403
    allowed = own_app.client("manager").post(f"{path}/archive").status_code
    assert allowed == (403 if area == "users" else 200)
    assert own_app.client("operator").post(f"{path}/restore").status_code == 403


def test_what_is_in_use_is_not_archived_and_what_is_used_again_is_listed_again(own_app: Application) -> None:
    client = own_app.client()
    job: Any = client.post("/api/jobs", json={"title": "Open", "status": "active"})
    path = job.headers["Location"]
    refused: Any = client.post(f"{path}/archive")
    assert (refused.status_code, refused.json["detail"]) == (409, "Complete or cancel this job first.")
    client.patch(path, json={"status": "cancelled"})
    assert client.post(f"{path}/archive").status_code == 200
    client.post("/api/jobs/bulk-status", json={"ids": [job.json["id"]], "status": "active"})
    assert client.get(path).json["archived_at"] is None  # type: ignore[index]
    assert job.json["id"] in listed(own_app, "/api/jobs?status=active&q=Open")[0]
    machine: Any = client.post("/api/machines", json={"name": "Press 9"}).json
    process: Any = client.post("/api/processes", json={"name": "Pressing"}).json
    client.post(f"{path}/steps", json={"steps": [{"process_id": process["id"], "machine_id": machine["id"]}]})
    assert client.patch(path, json={"status": "completed"}).status_code == 200
    assert client.post(f"{path}/archive").status_code == 200
    used = (
        (f"/api/machines/{machine['id']}", {"status": "inactive"}, {"status": "active"}),
        (f"/api/processes/{process['id']}", {"is_active": False}, {"is_active": True}),
    )
    for address, idle, busy in used:
        assert client.post(f"{address}/archive").json["detail"].endswith(" inactive first.")  # type: ignore[index]
        client.patch(address, json=idle)
        assert client.post(f"{address}/archive").status_code == 200
        assert client.patch(address, json=busy).json["archived_at"] is None  # type: ignore[index]
        client.patch(address, json=idle)
        client.post(f"{address}/archive")
    step: Any = client.get(path).json["steps"][0]  # type: ignore[index]
    assert (step["machine"]["name"], step["process"]["name"]) == ("Press 9", "Pressing")
    assert_board_agrees(own_app)


def test_a_person_who_is_active_again_is_listed_again(own_app: Application) -> None:
    path = add(own_app, "users")
    client = own_app.client()
    client.post(f"{path}/archive")
    back: Any = client.patch(path, json={"is_active": True})
    assert (back.status_code, back.json["archived_at"]) == (200, None)
    active: Any = client.post(f"{path}/archive")
    assert (active.status_code, active.json["detail"]) == (409, "Deactivate this person first.")


def test_an_archived_lead_is_claimed_by_nobody(own_app: Application) -> None:
    client = own_app.client()
    path = add(own_app, "leads")
    client.post(f"{path}/archive")
    while claimed := client.post("/api/leads/claim", json={"count": 50}).json["items"]:  # type: ignore[index]
        assert int(path.rpartition("/")[2]) not in [lead["id"] for lead in claimed]


def test_counts_are_exact_whatever_is_written_to_archived_rows(own_app: Application) -> None:
    statements = (
        "UPDATE {0} SET archived_at = now() WHERE tenant_id = %s",
        "UPDATE {0} SET external_id = 'other-' || id WHERE tenant_id = %s",
        "UPDATE {0} SET archived_at = NULL WHERE tenant_id = %s AND id %% 2 = 0",
        "UPDATE {0} SET archived_at = archived_at + interval '1 day' WHERE tenant_id = %s",
    )
    with closing(psycopg2.connect(own_app.database.superuser_url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(
            "UPDATE leads SET status = 'lost' WHERE id %% 3 = 0 AND tenant_id = %s", (own_app.alpha.id,)
        )
        for table in RECORDS:
            for statement in statements:
                cursor.execute(statement.format(table), (own_app.alpha.id,))
        cursor.execute("UPDATE leads SET status = 'won' WHERE tenant_id = %s", (own_app.alpha.id,))
        cursor.execute(
            "UPDATE jobs SET status = 'draft', due_date = now() WHERE tenant_id = %s", (own_app.alpha.id,)
        )
        cursor.execute(
            "INSERT INTO jobs (tenant_id, job_number, title, archived_at)"
            " SELECT %s, 'A-' || i, 'Old', CASE WHEN i %% 2 = 0 THEN now() END FROM generate_series(1, 9) AS i",
            (own_app.alpha.id,),
        )
        assert_board_agrees(own_app)
        cursor.execute(
            "DELETE FROM jobs WHERE tenant_id = %s AND job_number LIKE 'A-%%'", (own_app.alpha.id,)
        )
    assert_board_agrees(own_app)
    open_jobs: Any = own_app.client().get("/api/jobs/at-risk").json
    assert open_jobs["total"] == len(open_jobs["items"])


def test_a_row_that_is_stored_archived_ends_the_kept_answers(own_app: Application) -> None:
    assert listed(own_app, "/api/customers?archived=true") == (set(), 0)
    with closing(psycopg2.connect(own_app.database.superuser_url)) as connection, connection:
        cursor = connection.cursor()
        cursor.execute(
            "INSERT INTO customers (tenant_id, name, archived_at) VALUES (%s, 'Old', now()) RETURNING id",
            (own_app.alpha.id,),
        )
        (made,) = cursor.fetchone() or (0,)
        cursor.execute("SELECT table_name FROM changes WHERE xid = pg_current_xact_id()")
        assert ("customers",) in cursor.fetchall()
    assert made

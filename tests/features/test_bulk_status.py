"""Bulk changes of status: one statement, a result for each id, the rules of the single change."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.application import Application, run
from tests.contract.routes import ids_of


def bulk(app: Application, path: str, ids: list[int], status: str, role: str = "admin") -> Any:
    answer = app.client(role).post(f"/api/{path}/bulk-status", json={"ids": ids, "status": status})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.headers["X-Queries"] == "1"
    return answer.json


def test_each_id_has_its_result_in_the_order_given(own_app: Application) -> None:
    drafts = [row for (row,) in run(own_app, "SELECT id FROM jobs WHERE tenant_id = 1 AND status = 'draft'")]
    (active,) = run(own_app, "SELECT min(id) FROM jobs WHERE tenant_id = 1 AND status = 'active'")[0]
    foreign = ids_of(own_app, own_app.beta)["job_id"]
    given = [drafts[2], foreign, active, drafts[0], drafts[2], 2**62, foreign, active]
    found = bulk(own_app, "jobs", given, "active")
    assert [result["id"] for result in found["results"]] == given
    assert [result["result"] for result in found["results"]] == [
        "updated", "not_found", "unchanged", "updated", "duplicate", "not_found", "duplicate", "duplicate",
    ]  # fmt: skip
    assert {name: found[name] for name in ("updated", "unchanged", "refused", "not_found", "duplicate")} == {
        "updated": 2, "unchanged": 1, "refused": 0, "not_found": 2, "duplicate": 3,
    }  # fmt: skip
    assert run(own_app, "SELECT status FROM jobs WHERE id = %s", foreign) == [("draft",)]


@pytest.mark.parametrize(
    ("path", "table", "entity", "statuses"),
    [
        ("jobs", "jobs", "job", ("draft", "active", "on_hold", "completed", "cancelled")),
        ("job-steps", "job_steps", "job_step", ("pending", "in_progress", "completed", "skipped")),
        ("machines", "machines", "machine", ("active", "maintenance", "inactive")),
    ],
)
def test_many_at_once_are_what_each_alone_would_be(
    own_app: Application, path: str, table: str, entity: str, statuses: tuple[str, ...]
) -> None:
    """The first half is changed by the bulk, the second one by one: columns and audit entries are alike."""
    columns = "status, started_at IS NULL, completed_at IS NULL" if table != "machines" else "status"
    for status in statuses:
        ids = [
            row for (row,) in run(own_app, f"SELECT id FROM {table} WHERE tenant_id = 1 ORDER BY id LIMIT 10")
        ]
        last = run(own_app, "SELECT max(id) FROM audit_logs")[0][0]
        before = dict(run(own_app, f"SELECT id, status FROM {table} WHERE tenant_id = 1"))
        found = bulk(own_app, path, ids[:5], status)
        for row_id in ids[5:]:
            assert own_app.client().patch(f"/api/{path}/{row_id}", json={"status": status}).status_code == 200
        after = run(own_app, f"SELECT {columns} FROM {table} WHERE id = ANY(%s) ORDER BY id", ids)
        assert {row[0] for row in after} == {status}
        changed = [row_id for row_id in ids if before[row_id] != status]
        assert found["updated"] == len([row_id for row_id in ids[:5] if row_id in changed])
        audited = run(
            own_app,
            "SELECT entity, entity_id, changes -> 'status', user_id FROM audit_logs WHERE id > %s ORDER BY entity_id",
            last,
        )
        assert audited == [(entity, row_id, [before[row_id], status], 1) for row_id in changed]
        if status == "completed":
            assert {row[1:] for row in after} == {(False, False)}


def test_steps_that_a_role_may_not_work_on_are_refused_each_with_its_reason(own_app: Application) -> None:
    (mine,) = run(own_app, "SELECT id FROM users WHERE email = 'operator@alpha.example'")[0]
    rows = run(
        own_app,
        "SELECT s.id, s.status, s.assigned_user_id IS DISTINCT FROM %s AND s.assigned_user_id IS NOT NULL, EXISTS ("
        "SELECT FROM role_process_permissions AS p WHERE p.process_id = s.process_id) "
        "FROM job_steps AS s WHERE s.tenant_id = 1 ORDER BY s.id DESC LIMIT 60",
        mine,
    )
    found = bulk(own_app, "job-steps", [row[0] for row in rows], "skipped", role="operator")
    reasons = {result["id"]: (result["result"], result["reason"]) for result in found["results"]}
    for row_id, _, of_another, closed in rows:
        expected = (
            ("refused", "Your role may not work on this process.") if closed
            else ("refused", "This step is assigned to somebody else.") if of_another
            else ("updated", None)
        )  # fmt: skip
        assert reasons[row_id] == expected
    assert found["updated"] > 0 and found["refused"] > found["updated"]
    skipped = run(own_app, "SELECT count(*) FROM job_steps WHERE status = 'skipped' AND tenant_id = 1")
    assert skipped == [(found["updated"],)]


def test_what_cannot_be_asked_is_400_and_operators_change_no_jobs(own_app: Application) -> None:
    client = own_app.client()
    for body in (
        {"ids": [], "status": "active"}, {"ids": list(range(1, 1002)), "status": "active"}, {"ids": [1]},
        {"ids": [0], "status": "active"}, {"ids": [2**63], "status": "active"}, {"ids": [1], "status": "done"},
        {"ids": "1", "status": "active"}, {"ids": [1], "status": "active", "title": "x"},
        {"ids": [None], "status": "active"},
    ):  # fmt: skip
        assert client.post("/api/jobs/bulk-status", json=body).status_code == 400, body
    forbidden = own_app.client("operator").post(
        "/api/jobs/bulk-status", json={"ids": [1], "status": "active"}
    )
    assert forbidden.status_code == 403


def test_counts_follow_and_a_thousand_rows_are_one_statement(own_app: Application) -> None:
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO jobs (tenant_id, job_number, title) SELECT 1, 'B-' || n, 'b' "
            "FROM generate_series(1, 1000) AS n RETURNING id"
        )
        ids = [row for (row,) in cursor.fetchall()]
        connection.commit()
    client = own_app.client()
    before: Any = client.get("/api/jobs?status=on_hold&page_size=1").json
    assert bulk(own_app, "jobs", ids[::-1], "on_hold")["updated"] == 1000
    after: Any = client.get("/api/jobs?status=on_hold&page_size=1").json
    assert after["total"] == before["total"] + 1000
    assert client.get("/api/health/rollups").json["differences"] == []  # type: ignore[index]

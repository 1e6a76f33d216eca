"""Webhooks: registered by admins, told in the transaction of the change, signed, logged and sent again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any, get_args

import psycopg2
import pytest

from opsboard.commands.background import sending
from opsboard.config import load_config
from opsboard.db.embedded import Cluster
from opsboard.features.health.alert_watch import AlertWatch
from opsboard.features.webhooks.events import EventType, schema_of
from opsboard.features.webhooks.signing import sign
from opsboard.web.request_ids import trace_id
from tests.application import SECRET, Application
from tests.features.receivers import (
    application_for_webhooks,
    deliverer,
    environment,
    forget_webhooks,
    let_time_pass,
    new_job,
    receiver,
    register,
    retitle,
    statuses,
    verify,
)
from tests.features.test_work import run
from tests.seed import Business
from tests.waiting import eventually

PATH = "/api/webhooks"


@pytest.fixture(scope="module")
def shared_app(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Application]:
    with application_for_webhooks(cluster, seeded) as application:
        yield application


@pytest.fixture
def app(shared_app: Application) -> Application:
    forget_webhooks(shared_app)
    return shared_app


def test_the_secret_is_shown_once_and_stored_nowhere(app: Application) -> None:
    made = register(app, "https://erp.example/hook", description="ERP")
    assert made["secret"].startswith("whsec_")
    shown = app.client().get(f"{PATH}/{made['id']}")
    assert "secret" not in (shown.json or {}) and shown.json["url"] == "https://erp.example/hook"  # type: ignore[index]
    everything = run(app, "SELECT w::text FROM webhooks AS w") + run(
        app, "SELECT a::text FROM audit_logs AS a"
    )
    everything += run(app, "SELECT k::text FROM idempotency_keys AS k")
    assert made["secret"].removeprefix("whsec_") not in str(everything)


def test_a_repeated_registration_gives_the_same_secret(app: Application) -> None:
    given = {"url": "https://erp.example/hook"}
    first, second = (
        app.client().post(PATH, json=given, headers={"Idempotency-Key": "a webhook"}) for _ in range(2)
    )
    assert first.json == second.json and first.json["secret"]  # type: ignore[index]
    assert app.client().get(PATH).json["total"] == 1  # type: ignore[index]


def test_a_change_is_told_with_what_it_was_before(app: Application) -> None:
    with receiver() as found:
        made = register(app, found.url, events=["job.status_changed"])
        job = new_job(app)
        answer = app.client().patch(f"/api/jobs/{job}", json={"status": "active"})
        assert deliverer(app).run_once()["delivered"] == 1
    (event,) = found.events
    assert (event["type"], event["data"]["id"], event["data"]["status"]) == (
        "job.status_changed",
        job,
        "active",
    )
    assert event["changes"]["status"] == ["draft", "active"]
    assert event["request_id"] == answer.headers["X-Request-Id"]
    headers, body = found.requests[0]
    assert verify(made["secret"], headers, body)
    assert not verify(made["secret"], headers, body.replace(b"active", b"draft1"))
    assert headers["webhook-id"] == event["id"]
    schema_of(event["type"]).model_validate_json(body, strict=False)


def test_a_delivery_is_part_of_the_trace_of_the_change(app: Application) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    with receiver() as found:
        register(app, found.url, events=["job.status_changed"])
        job = new_job(app)
        header = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
        app.client().patch(f"/api/jobs/{job}", json={"status": "active"}, headers=header)
        app.client().patch(f"/api/jobs/{job}", json={"status": "on_hold"})
        assert deliverer(app).run_once()["delivered"] >= 1
        deliverer(app).run_once()
    of_the_trace, of_none = [headers.get("traceparent") for headers, _ in found.requests]
    assert trace_id(of_the_trace) == trace and of_none is None


def test_events_of_every_area_are_told_and_fit_their_schemas(app: Application) -> None:
    client, found = app.client(), register(app, "https://erp.example/hook", events=[])
    run(app, "DELETE FROM machine_stops")
    run(app, "DELETE FROM role_process_permissions")
    job: Any = client.post("/api/jobs", json={"title": "Bracket"}).json
    client.patch(f"/api/jobs/{job['id']}", json={"title": "Bracket, cut"})
    client.patch(f"/api/jobs/{job['id']}", json={"status": "active"})
    (process,) = run(app, "SELECT min(id) FROM processes WHERE tenant_id = %s", app.alpha.id)[0]
    steps: Any = client.post(
        f"/api/jobs/{job['id']}/steps", json={"steps": [{"process_id": process}] * 2}
    ).json
    assert steps, "no steps were added"
    ids = [row[0] for row in run(app, "SELECT id FROM job_steps WHERE job_id = %s ORDER BY id", job["id"])]
    client.patch(f"/api/job-steps/{ids[0]}", json={"instructions": "Deburr"})
    client.patch(f"/api/job-steps/{ids[0]}", json={"status": "in_progress"})
    client.delete(f"/api/job-steps/{ids[1]}")
    lead: Any = client.post("/api/leads", json={"name": "Ada", "email": "ada@example.com"}).json
    client.patch(f"/api/leads/{lead['id']}", json={"notes": "Calls back", "category": "metal"})
    client.post("/api/leads/claim", json={"count": 1})
    client.patch(f"/api/leads/{lead['id']}", json={"status": "contacted"})
    approval: Any = client.post("/api/workflow-approvals", json={"subject": "Answer"}).json
    approve = f"/api/workflow-approvals/{approval['id']}/decision"
    assert client.post(approve, json={"decision": "approve"}).status_code == 200
    (machine,) = run(
        app, "SELECT min(id) FROM machines WHERE tenant_id = %s AND status = 'active'", app.alpha.id
    )[0]
    stop: Any = client.post("/api/stops", json={"machine_id": machine, "reason": "jam"}).json
    client.post(f"/api/stops/{stop['id']}/end", json={})

    for archived in (f"/api/jobs/{job['id']}", f"/api/leads/{lead['id']}"):
        client.patch(archived, json={"status": "cancelled" if "jobs" in archived else "lost"})
        for action in ("archive", "restore"):
            answer = client.post(f"{archived}/{action}")
            assert answer.status_code == 200, answer.get_data(as_text=True)
    admin, other = run(
        app, "SELECT min(id), max(id) FROM users WHERE tenant_id = %s AND is_active", app.alpha.id
    )[0]
    client.post("/api/workflow-approvals", json={"subject": "Another", "assigned_user_id": other})
    assert client.post(f"/api/users/{other}/hand-over", json={"to_user_id": admin}).status_code == 200

    rows = run(
        app, "SELECT event_type, subject, body FROM deliveries WHERE webhook_id = %s ORDER BY id", found["id"]
    )
    told = {row[0] for row in rows}
    assert told == set(get_args(EventType)) - {"alert.fired", "alert.cleared", "board.digest"}
    for event_type, _, body in rows:
        schema_of(event_type).model_validate_json(body)
    assert "Ada" not in str(rows) and "ada@example.com" not in str(rows)


def test_a_change_that_is_rolled_back_is_not_told(app: Application) -> None:
    found = register(app, "https://erp.example/hook")
    url = app.database.app_url
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(app.alpha.id),))
        cursor.execute(
            "INSERT INTO audit_logs (tenant_id, action, entity, entity_id, request_id)"
            " SELECT tenant_id, 'update', 'job', min(id), 'r' FROM jobs GROUP BY tenant_id"
        )
        cursor.execute("SELECT count(*) FROM deliveries")
        assert cursor.fetchone() == (1,)
        connection.rollback()
    assert statuses(app, found["id"]) == []


def test_what_is_imported_or_done_by_the_command_line_is_no_event(app: Application) -> None:
    found = register(app, "https://erp.example/hook")
    entry = "INSERT INTO audit_logs (tenant_id, action, entity, entity_id) VALUES (%s, 'update', 'job', 1)"
    with (
        closing(psycopg2.connect(app.database.app_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(app.alpha.id),))
        cursor.execute(entry, (app.alpha.id,))
    assert statuses(app, found["id"]) == []


def test_no_business_hears_of_another(app: Application) -> None:
    register(app, "https://erp.example/hook", events=[])
    app.client(business=app.beta).post("/api/jobs", json={"title": "Secret"})
    assert run(app, "SELECT count(*) FROM deliveries") == [(0,)]
    assert app.client(business=app.beta).get(PATH).json["total"] == 0  # type: ignore[index]


def test_a_writer_pays_nothing_but_a_look_where_nobody_listens(app: Application) -> None:
    """The statement is the same one, and no row is written beside those of before."""
    answer = app.client().post("/api/jobs", json={"title": "Bracket"})
    assert answer.headers["X-Queries"] == "1"
    assert run(app, "SELECT count(*) FROM deliveries") == [(0,)]
    with closing(psycopg2.connect(app.database.app_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(app.alpha.id),))
        cursor.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) INSERT INTO audit_logs (tenant_id, action, entity, entity_id, request_id)"
            " VALUES (%s, 'update', 'job', 1, 'r')",
            (app.alpha.id,),
        )
        ((plan,),) = cursor.fetchall()
    (trigger,) = [one for one in plan[0]["Triggers"] if one["Trigger Name"] == "audit_logs_publish"]
    assert trigger["Calls"] == 1


def test_a_rotation_signs_with_both_secrets_until_it_ends(app: Application) -> None:
    with receiver() as found:
        old = register(app, found.url)
        new: Any = app.client().post(f"{PATH}/{old['id']}/rotate-secret", json={"overlap_hours": 2}).json
        assert new["secret"] != old["secret"] and new["old_secret_until"]
        new_job(app)
        deliverer(app).run_once()
        headers, body = found.requests[0]
        assert verify(old["secret"], headers, body) and verify(new["secret"], headers, body)
        run(app, "UPDATE webhooks SET old_secret_until = now() - interval '1 second'")
        new_job(app)
        deliverer(app).run_once()
        headers, body = found.requests[1]
        assert not verify(old["secret"], headers, body) and verify(new["secret"], headers, body)


def test_a_new_secret_key_changes_no_secret_while_the_old_one_is_accepted(app: Application) -> None:
    other = "another secret of the tests, long enough, too"
    with receiver() as found:
        made = register(app, found.url)
        new_job(app)
        deliverer(app, SECRET_KEY=other, SECRET_KEYS=SECRET).run_once()
        assert verify(made["secret"], *found.requests[0])
        new_job(app)
        assert deliverer(app, SECRET_KEY=other).run_once()["waiting"] == 1
        detail = app.client().get(f"{PATH}/deliveries").json["items"][0]  # type: ignore[index]
        assert "rotate the secret" in detail["last_error"] and len(found.requests) == 1


def test_a_ping_comes_whatever_events_are_wanted(app: Application) -> None:
    with receiver() as found:
        made = register(app, found.url, events=["board.digest"])
        answer = app.client().post(f"{PATH}/{made['id']}/ping")
        assert (answer.status_code, answer.json["status"]) == (201, "waiting")  # type: ignore[index]
        deliverer(app, DIGEST_HOUR="23").run_once()
        ping = [event for event in found.events if event["type"] == "webhook.ping"]
        assert ping[0]["data"] == {"webhook_id": made["id"]}
        log: Any = app.client().get(answer.headers["Location"]).json
        assert (log["status"], log["attempts"], log["last_status"]) == ("delivered", 1, 204)
        assert log["attempt_log"][0]["error"] is None and log["body"]["id"] == ping[0]["id"]


def test_a_replay_has_the_same_id_and_body(app: Application) -> None:
    with receiver() as found:
        register(app, found.url)
        new_job(app)
        deliverer(app).run_once()
        (first,) = app.client().get(f"{PATH}/deliveries").json["items"]  # type: ignore[index]
        again: Any = app.client().post(f"{PATH}/deliveries/{first['id']}/replay").json
        assert (again["replay_of"], again["event_id"]) == (first["id"], first["event_id"])
        deliverer(app).run_once()
    assert found.requests[0][1] == found.requests[1][1]
    assert found.requests[0][0]["webhook-id"] == found.requests[1][0]["webhook-id"]


def test_what_waits_is_tried_at_once_when_somebody_asks(app: Application) -> None:
    with receiver() as found:
        found.behave = lambda event: 500
        made = register(app, found.url)
        new_job(app)
        assert deliverer(app).run_once()["waiting"] == 1
        found.behave = lambda event: 200
        assert deliverer(app).run_once() == {"delivered": 0, "waiting": 0, "failed": 0}
        (waiting,) = app.client().get(f"{PATH}/deliveries?status=waiting").json["items"]  # type: ignore[index]
        assert app.client().post(f"{PATH}/deliveries/{waiting['id']}/replay").status_code == 201
        assert deliverer(app).run_once()["delivered"] == 1
        assert statuses(app, made["id"]) == ["delivered"]


def test_only_admins_see_and_change_webhooks(app: Application) -> None:
    made = register(app, "https://erp.example/hook")
    for role in ("manager", "operator"):
        client = app.client(role)
        for path in (PATH, f"{PATH}/{made['id']}", f"{PATH}/deliveries", f"{PATH}/deliveries/export"):
            assert client.get(path).status_code == 403, path
        assert client.post(PATH, json={"url": "https://x.example"}).status_code == 403
        assert client.post(f"{PATH}/{made['id']}/ping").status_code == 403


def test_every_change_of_a_webhook_is_in_the_audit_log(app: Application) -> None:
    made = register(app, "https://erp.example/hook")
    client, path = app.client(), f"{PATH}/{made['id']}"
    client.patch(path, json={"is_active": False})
    assert client.post(f"{path}/ping").status_code == 409
    client.post(f"{path}/rotate-secret")
    client.delete(path)
    found = "SELECT action FROM audit_logs WHERE entity = 'webhook' AND entity_id = %s ORDER BY id"
    assert [row[0] for row in run(app, found, made["id"])] == ["create", "update", "update", "delete"]


def test_deliveries_can_be_exported_and_counted_by_status(app: Application) -> None:
    register(app, "https://erp.example/hook")
    new_job(app)
    text = app.client().get(f"{PATH}/deliveries/export?format=csv").get_data(as_text=True)
    assert "job.created" in text
    assert app.client().get(f"{PATH}/deliveries?status=waiting").json["total"] == 1  # type: ignore[index]


def test_old_deliveries_are_removed_and_those_that_wait_are_not(app: Application) -> None:
    found = register(app, "https://erp.example/hook")
    for _ in range(3):
        new_job(app)
    run(app, "UPDATE webhooks SET is_active = false")
    run(
        app,
        "UPDATE deliveries SET created_at = now() - interval '31 days' WHERE id > (SELECT min(id) FROM deliveries)",
    )
    run(
        app,
        "UPDATE deliveries SET status = 'failed', finished_at = now() WHERE id = (SELECT max(id) FROM deliveries)",
    )
    deliverer(app, DELIVERY_DAYS="32").run_once()
    assert statuses(app, found["id"]) == ["waiting", "waiting", "failed"]
    deliverer(app).run_once()
    assert statuses(app, found["id"]) == ["waiting", "waiting"]


def test_a_webhook_that_is_given_another_address_is_tried_at_once(app: Application) -> None:
    with receiver() as found:
        found.behave = lambda event: 500
        made = register(app, found.url)
        job = new_job(app)
        retitle(app, job, "later")
        deliverer(app).run_once()
        assert app.client().get(f"{PATH}/{made['id']}").json["is_failing"] is True  # type: ignore[index]
        with receiver() as better:
            app.client().patch(f"{PATH}/{made['id']}", json={"url": better.url})
            assert deliverer(app).run_once()["delivered"] == 2
    assert better.subjects() == [(job, "Bracket"), (job, "later")]


def test_the_daily_digest_is_the_board_itself_and_comes_once(app: Application) -> None:
    with receiver() as found:
        made = register(app, found.url, events=["board.digest"])
        assert deliverer(app, DIGEST_HOUR="0").run_once()["delivered"] == 1
        assert deliverer(app, DIGEST_HOUR="0").run_once()["delivered"] == 0
        board: Any = app.client().get("/api/dashboard/stats").json
        (event,) = found.events
        assert event["data"]["board"]["jobs"] == board["jobs"]
        assert event["data"]["board"].keys() == board.keys()
        assert event["data"]["business"].endswith("works")
        assert verify(made["secret"], *found.requests[0])
        (row,) = app.client().get(f"{PATH}/deliveries").json["items"]  # type: ignore[index]
        app.client().post(f"{PATH}/deliveries/{row['id']}/replay")
        assert deliverer(app, DIGEST_HOUR="0").run_once()["delivered"] == 1


def test_a_signature_is_that_of_the_standard() -> None:
    """The example of the Standard Webhooks specification's libraries."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == expected


def test_a_job_and_its_event_are_there_both_or_neither(app: Application) -> None:
    """The title of the job that is told is that of the row, not of what came later."""
    register(app, "https://erp.example/hook")
    job = new_job(app, "first")
    retitle(app, job, "second")
    bodies = [json.loads(row[0]) for row in run(app, "SELECT body FROM deliveries ORDER BY id")]
    assert [body["data"]["title"] for body in bodies] == ["first", "second"]
    assert bodies[1]["changes"]["title"] == ["first", "second"]
    let_time_pass(app)


def test_the_runner_of_journeys_sends_as_well(app: Application) -> None:
    with receiver() as found:
        register(app, found.url)
        with sending(load_config(environment(app), None), Event(), 0.05):
            new_job(app)
            eventually("the event came", lambda: len(found.events) == 1)


def test_alerts_are_told_to_those_who_run_the_service(app: Application) -> None:
    """Once when one fires, once when it is over, in the transaction that stores it."""
    mine = register(app, "https://erp.example/alerts", events=["alert.fired", "alert.cleared"])
    others = app.client(business=app.beta).post("/api/webhooks", json={"url": "https://beta.example/"})
    assert others.status_code == 201
    watch = AlertWatch(app.services.lookout, lambda: "w", operators=[app.alpha.id])
    condition = {
        "rule": "OpsboardPoolBusy",
        "subject": "",
        "value": 0.9,
        "lasts": 0,
        "summary": "90.0% are in use",
    }
    for conditions in ([condition], [condition], [], []):
        watch._tell(conditions)
    rows = run(app, "SELECT webhook_id, event_type, subject, body FROM deliveries ORDER BY id")
    assert [row[:3] for row in rows] == [
        (mine["id"], "alert.fired", "alert/OpsboardPoolBusy/"),
        (mine["id"], "alert.cleared", "alert/OpsboardPoolBusy/"),
    ]
    fired, cleared = (json.loads(row[3]) for row in rows)
    assert (fired["data"]["severity"], fired["data"]["summary"]) == ("warning", "90.0% are in use")
    assert cleared["data"]["value"] is None
    for event in (fired, cleared):
        schema_of(event["type"]).model_validate(event)


def test_the_description_of_the_api_has_every_event(app: Application) -> None:
    spec = app.spec
    assert spec["webhooks"].keys() == {*get_args(EventType), "webhook.ping"}
    schema = spec["components"]["schemas"]["JobEvent"]
    assert {"type", "id", "timestamp", "data", "changes"} <= schema["properties"].keys()
    assert spec["components"]["schemas"]["JobData"]["properties"]["status"]


def test_metrics_tell_what_waits_and_since_when(app: Application) -> None:
    register(app, "https://erp.example/hook")
    new_job(app)
    run(app, "UPDATE deliveries SET created_at = now() - interval '90 seconds'")
    text = app.client(None).get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).get_data(as_text=True)
    (line,) = [
        line for line in text.splitlines() if line.startswith("opsboard_deliveries_oldest_waiting_seconds ")
    ]
    assert float(line.split()[1]) >= 90


def test_the_example_of_the_docs_checks_a_delivery(app: Application) -> None:
    text = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    example = re.search(r"<!-- example:begin -->\n```python\n(.*?)```", text, re.DOTALL)
    assert example
    names: dict[str, Any] = {}
    exec(example[1], names)
    with receiver() as found:
        made = register(app, found.url)
        new_job(app)
        deliverer(app, DIGEST_HOUR="23").run_once()
    headers, body = found.requests[0]
    assert names["is_genuine"](made["secret"], headers, body)
    assert not names["is_genuine"](made["secret"], headers, body + b" ")
    old = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 400)}
    assert not names["is_genuine"](made["secret"], old, body)
    assert all(
        f"`{event}`" in text or f"`.{event.partition('.')[2]}`" in text for event in get_args(EventType)
    )


def test_the_page_offers_every_event() -> None:
    script = Path(__file__).parents[2] / "apps/api/opsboard/features/pages/static/webhooks.js"
    offered = re.search(r"const EVENTS = \[(.*?)\];", script.read_text(encoding="utf-8"), re.DOTALL)
    assert offered and tuple(re.findall(r'"([^"]+)"', offered[1])) == get_args(EventType)

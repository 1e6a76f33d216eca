"""Idempotency-Key on every write there is: the same answer again, done once, whatever happens in between."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.db.connection import PooledConnection
from opsboard.fleet.maintenance import Maintenance
from opsboard.web.idempotency import fingerprint
from tests.application import Application
from tests.contract.routes import routes
from tests.contract.test_every_route import assert_problem


def count(app: Application, sql: str) -> int:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        found: int = (cursor.fetchone() or (0,))[0]
        return found


def do(app: Application, sql: str) -> None:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        connection.commit()


def jobs_named(app: Application, title: str) -> int:
    return count(app, f"SELECT count(*) FROM jobs WHERE title = '{title}'")


def test_every_write_sent_again_is_answered_again_and_done_once(own_app: Application) -> None:
    client, checked = own_app.client(), 0
    for route in routes(own_app):
        view = own_app.flask.view_functions[route.endpoint]
        if route.method == "GET" or getattr(view, "takes_no_key", False):
            continue
        headers = {"Idempotency-Key": f'"{route.method} {route.rule}"'}
        first = client.open(route.path, method=route.method, json=route.body, headers=headers)
        assert first.status_code in (200, 201), route
        assert "Idempotency-Replayed" not in first.headers
        before = count(own_app, "SELECT count(*) FROM audit_logs")
        second = client.open(route.path, method=route.method, json=route.body, headers=headers)
        assert second.headers.get("Idempotency-Replayed") == "true", f"{route} must answer by command()"
        assert (second.status_code, second.data) == (first.status_code, first.data), route
        for name in ("Location", "Content-Type", "Cache-Control"):
            assert second.headers.get(name) == first.headers.get(name), route
        assert count(own_app, "SELECT count(*) FROM audit_logs") == before, f"{route} was done twice"
        checked += 1
    assert checked > 10


def test_another_request_with_the_same_key_is_422(own_app: Application) -> None:
    client, headers = own_app.client(), {"Idempotency-Key": "k"}
    assert client.post("/api/jobs", json={"title": "A"}, headers=headers).status_code == 201
    for path, body in (("/api/jobs", {"title": "B"}), ("/api/customers", {"name": "A"})):
        assert_problem(client.post(path, json=body, headers=headers), 422, "idempotency_key_misused")
    assert jobs_named(own_app, "B") == 0


def test_a_key_is_ones_own(own_app: Application) -> None:
    headers = {"Idempotency-Key": "shared"}
    for client in (own_app.client(), own_app.client("manager"), own_app.client("admin", own_app.beta)):
        answer = client.post("/api/jobs", json={"title": "Mine"}, headers=headers)
        assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (201, False)
    assert jobs_named(own_app, "Mine") == 3


def test_each_key_has_the_answer_of_its_own_write(own_app: Application) -> None:
    """Two users, two keys, four writes; each, sent again, has its own answer."""
    writes = [
        (role, key, own_app.client(role), {"title": f"{role} {key}"})
        for role in ("admin", "manager")
        for key in ("first", "second")
    ]
    first = [
        client.post("/api/jobs", json=body, headers={"Idempotency-Key": key})
        for _, key, client, body in writes
    ]
    assert [answer.status_code for answer in first] == [201] * 4
    for (_, key, client, body), answer in zip(writes, first, strict=True):
        again = client.post("/api/jobs", json=body, headers={"Idempotency-Key": key})
        assert (again.status_code, again.data) == (201, answer.data)


def test_what_makes_two_requests_the_same(app: Application) -> None:
    seen = set()
    for method, path, body, tag in (
        ("POST", "/api/jobs", "a", None), ("POST", "/api/jobs", "b", None), ("PATCH", "/api/jobs", "a", None),
        ("POST", "/api/jobs/1", "a", None), ("POST", "/api/jobs?x=1", "a", None),
        ("PATCH", "/api/jobs", "a", '"1"'), ("PATCH", "/api/jobs", "a", '"2"'),
    ):  # fmt: skip
        headers = {"If-Match": tag} if tag else {}
        with app.flask.test_request_context(path, method=method, data=body, headers=headers):
            seen.add(fingerprint())
    assert len(seen) == 7


@pytest.mark.parametrize("key", ["", " ", '"', '""', '"a', "ä", "x" * 256, "a\tb"])
def test_what_is_no_key_is_400_and_nothing_is_done(own_app: Application, key: str) -> None:
    answer = own_app.client().post("/api/jobs", json={"title": "No"}, headers={"Idempotency-Key": key})
    assert_problem(answer, 400, "invalid_input")
    assert answer.json["errors"][0]["field"] == "Idempotency-Key"  # type: ignore[index]
    assert jobs_named(own_app, "No") == 0


def test_quotes_around_a_key_do_not_matter(own_app: Application) -> None:
    first = own_app.client().post("/api/jobs", json={"title": "Q"}, headers={"Idempotency-Key": '"a\\"b"'})
    second = own_app.client().post("/api/jobs", json={"title": "Q"}, headers={"Idempotency-Key": 'a"b'})
    assert second.headers["Idempotency-Replayed"] == "true" and second.data == first.data


def test_a_refusal_is_answered_again_even_when_its_reason_has_gone(own_app: Application) -> None:
    client = own_app.client()
    mine = count(own_app, "SELECT id FROM users WHERE email = 'admin@alpha.example'")
    number = count(own_app, "SELECT job_number FROM jobs WHERE tenant_id = 1 LIMIT 1")
    for method, path, body, status in (
        ("POST", "/api/jobs", {"title": "Taken", "job_number": number}, 409),
        ("PATCH", f"/api/users/{mine}", {"is_active": False}, 409),
        ("PATCH", f"/api/jobs/{2**62}", {"title": "x"}, 404),
    ):
        headers = {"Idempotency-Key": f"refused {path}"}
        first = client.open(path, method=method, json=body, headers=headers)
        assert first.status_code == status
        do(own_app, "UPDATE jobs SET job_number = 'free ' || id")
        second = client.open(path, method=method, json=body, headers=headers)
        assert (second.status_code, second.data) == (first.status_code, first.data)
        assert second.headers["Idempotency-Replayed"] == "true"
        assert second.mimetype == "application/problem+json"


def test_of_many_at_the_same_moment_one_is_done_and_all_have_its_answer(own_app: Application) -> None:
    token = own_app.token()
    gate, answers = threading.Barrier(6), []

    def send() -> None:
        client = own_app.flask.test_client()
        gate.wait(20)
        headers = {"Idempotency-Key": "together", "Authorization": f"Bearer {token}"}
        answers.append(client.post("/api/jobs", json={"title": "Together"}, headers=headers))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {(answer.status_code, answer.data) for answer in answers} == {(201, answers[0].data)}
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert jobs_named(own_app, "Together") == 1


def test_who_waits_too_long_for_the_same_key_is_told_to_ask_again(own_app: Application) -> None:
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO idempotency_keys (tenant_id, user_id, key, fingerprint) "
            "SELECT 1, id, 'slow', 'f' FROM users WHERE email = 'admin@alpha.example'"
        )
        headers = {"Idempotency-Key": "slow"}
        answer = own_app.client().post("/api/jobs", json={"title": "Slow"}, headers=headers)
        assert_problem(answer, 409, "idempotency_key_in_use")
        assert int(answer.headers["Retry-After"]) >= 1
        connection.rollback()
    assert own_app.client().post("/api/jobs", json={"title": "Slow"}, headers=headers).status_code == 201
    assert jobs_named(own_app, "Slow") == 1


@pytest.mark.parametrize("after_messages", [0, 1, 2, 3])
@pytest.mark.parametrize("lost", ["before it is sent", "after it is done"])
def test_a_connection_lost_at_any_point_leaves_the_write_done_once(
    own_app: Application, monkeypatch: pytest.MonkeyPatch, after_messages: int, lost: str
) -> None:
    client, headers = own_app.client(), {"Idempotency-Key": "lost"}
    run, sent = PooledConnection.run_clean, [0]

    def dying(self: PooledConnection, sql: str, params: Any = None) -> Any:
        if "lock_timeout" not in sql and "idempotency_keys" not in sql:
            return run(self, sql, params)
        sent[0] += 1
        if sent[0] != after_messages + 1:
            return run(self, sql, params)
        if lost == "after it is done":
            run(self, sql, params)
        self.peer.shut()
        return run(self, "SELECT 1")

    monkeypatch.setattr(PooledConnection, "run_clean", dying)
    statuses = [
        client.post("/api/jobs", json={"title": "Lost"}, headers=headers).status_code for _ in range(3)
    ]
    assert statuses[-1] == 201 and set(statuses) == {201, 503}
    assert jobs_named(own_app, "Lost") == 1


def test_a_replay_leaves_no_line_in_the_log_of_postgres(own_app: Application) -> None:
    log = own_app.database.cluster.data / "server.log"
    client, secret = own_app.client(), "a customer's telephone number 0171"
    for path, body in (("/api/jobs", {"title": secret}), ("/api/customers", {"name": secret})):
        for replayed in (None, "true"):
            answer = client.post(path, json=body, headers={"Idempotency-Key": f"logged {path}"})
            assert (answer.status_code, answer.headers.get("Idempotency-Replayed")) == (201, replayed)
    do(own_app, "DO $$ BEGIN RAISE LOG 'the end of the test of replays'; END $$")
    written = log.read_text()
    assert "the end of the test of replays" in written
    assert secret not in written and "idempotency_keys_pkey" not in written


def test_keys_of_yesterday_are_pruned_and_others_are_not(own_app: Application) -> None:
    for key in ("old", "young"):
        own_app.client().post("/api/jobs", json={"title": key}, headers={"Idempotency-Key": key})
    do(own_app, "UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'")
    maintenance = Maintenance(own_app.services.database)
    maintenance.run_once()
    assert count(own_app, "SELECT count(*) FROM idempotency_keys WHERE key = 'old'") == 0
    assert count(own_app, "SELECT count(*) FROM idempotency_keys WHERE key = 'young'") == 1
    again = own_app.client().post("/api/jobs", json={"title": "old"}, headers={"Idempotency-Key": "old"})
    assert again.status_code == 201 and "Idempotency-Replayed" not in again.headers

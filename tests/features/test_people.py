"""People are invited, changed, deactivated with their work handed over; a business keeps an admin."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.auth.links import PASSWORD, Link, read_token, write_token
from tests.application import SECRET, Application, run
from tests.waiting import eventually

GOOD = "tall trees in march"


def invite(app: Application, email: str = "kim@north.example", role: str = "operator", **more: Any) -> Any:
    made = app.client().post("/api/users", json={"email": email, "full_name": "Kim", "role": role, **more})
    assert made.status_code == 201, made.json
    return made.json


def accept(app: Application, token: str, password: str = GOOD) -> Any:
    return app.flask.test_client().post(
        "/api/auth/password-link/accept", json={"token": token, "password": password}
    )


def look(app: Application, token: str) -> int:
    return app.flask.test_client().post("/api/auth/password-link", json={"token": token}).status_code


def test_somebody_invited_sets_a_password_once_and_signs_in(own_app: Application) -> None:
    kim = invite(own_app)
    assert (kim["has_password"], kim["is_service"], kim["password_link"]["kind"]) == (
        False,
        False,
        "invitation",
    )
    token = kim["invitation"]["token"]
    assert kim["invitation"]["url"] == f"http://localhost/set-password#{token}"
    assert own_app.sign_in("kim@north.example", GOOD).status_code == 401
    person: Any = own_app.flask.test_client().post("/api/auth/password-link", json={"token": token}).json
    assert (person["email"], person["tenant"]) == ("kim@north.example", "alpha")
    for password in ("short", "1234567890", "kim@north.example"):
        refused = accept(own_app, token, password)
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (400, "password")
    assert accept(own_app, token).json == {"email": "kim@north.example", "tenant": "alpha"}
    assert accept(own_app, token).status_code == look(own_app, token) == 410
    assert own_app.sign_in("kim@north.example", GOOD).status_code == 200
    shown: Any = own_app.client().get(f"/api/users/{kim['id']}").json
    assert (shown["has_password"], shown["password_link"]) == (True, None)
    entries = run(
        own_app, "SELECT action, user_id FROM audit_logs WHERE entity_id = %s ORDER BY id", kim["id"]
    )
    assert [entry for entry in entries if entry[0] == "password"] == [("password", kim["id"])]


def test_the_token_is_nowhere_but_in_the_answer(own_app: Application) -> None:
    client, headers = own_app.client(), {"Idempotency-Key": "invited"}
    body = {"email": "kim@north.example", "role": "operator"}
    first = client.post("/api/users", json=body, headers=headers)
    token: str = first.json["invitation"]["token"]  # type: ignore[index]
    again = client.post("/api/users", json=body, headers=headers)
    assert again.data == first.data and again.headers["Idempotency-Replayed"] == "true"
    for table in ("password_links", "idempotency_keys", "audit_logs", "users"):
        (everything,) = run(own_app, f"SELECT string_agg(t::text, '') FROM {table} AS t")[0]
        assert token not in everything and token.rpartition(".")[2] not in everything
    assert "invitation" not in client.get(first.headers["Location"]).json  # type: ignore[operator]


def test_a_link_ends_when_it_is_revoked_replaced_or_its_person_is_deactivated(own_app: Application) -> None:
    client, kim = own_app.client(), invite(own_app)
    path, first = f"/api/users/{kim['id']}/password-link", kim["invitation"]["token"]
    second: Any = client.post(path).json
    assert (second["kind"], look(own_app, first), look(own_app, second["token"])) == (
        "invitation",
        410,
        200,
    )
    assert client.delete(path).json["revoked_at"] is not None  # type: ignore[index]
    assert accept(own_app, second["token"]).status_code == 410
    assert client.get(path).status_code == client.delete(path).status_code == 404
    third: Any = client.post(path).json
    done: Any = client.patch(f"/api/users/{kim['id']}", json={"is_active": False}).json
    assert done["password_link"] is None and accept(own_app, third["token"]).status_code == 410
    assert client.post(path).status_code == 409
    client.patch(f"/api/users/{kim['id']}", json={"is_active": True})
    assert accept(own_app, third["token"]).status_code == 410
    assert accept(own_app, client.post(path).json["token"]).status_code == 200  # type: ignore[index]


def test_a_reset_link_ends_sign_ins_and_a_password_set_otherwise_ends_the_link(own_app: Application) -> None:
    client, token = own_app.client(), own_app.token("operator")
    me: Any = own_app.client("operator").get("/api/auth/me").json
    path = f"/api/users/{me['id']}/password-link"
    link: Any = client.post(path).json
    assert link["kind"] == "reset"
    assert accept(own_app, link["token"]).status_code == 200
    with_it = {"Authorization": f"Bearer {token}"}
    asks = own_app.flask.test_client()
    eventually("it has ended", lambda: asks.get("/api/auth/me", headers=with_it).status_code == 401)
    other: Any = client.post(path).json
    run(own_app, "UPDATE users SET password_hash = 'changed by the command line' WHERE id = %s", me["id"])
    assert accept(own_app, other["token"]).status_code == 410


def test_tokens_that_we_did_not_make_send_no_statement_and_expired_ones_are_410(
    own_app: Application,
) -> None:
    token = invite(own_app)["invitation"]["token"]
    link = read_token(SECRET, token, PASSWORD)
    asked = own_app.services.database.pool.get_stats()["requests_num"]
    for wrong in ("x", token[:-4], write_token(SECRET, link), write_token("x" * 40, link, PASSWORD)):
        assert look(own_app, wrong) == accept(own_app, wrong).status_code == 404
    assert look(own_app, write_token(SECRET, link._replace(expires_at=1), PASSWORD)) == 410
    assert own_app.services.database.pool.get_stats()["requests_num"] == asked
    elsewhere = Link(own_app.beta.id, link.link_id, link.expires_at)
    assert look(own_app, write_token(SECRET, elsewhere, PASSWORD)) == 410


def test_of_two_who_use_a_link_at_once_one_wins(own_app: Application) -> None:
    token, answers, gate = invite(own_app)["invitation"]["token"], [], threading.Barrier(2)

    def use(password: str) -> None:
        gate.wait(20)
        answers.append(accept(own_app, token, password).status_code)

    threads = [threading.Thread(target=use, args=(f"tall trees in {month}",)) for month in ("may", "june")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == [200, 410]


def test_an_address_is_taken_once_in_any_case_and_by_admins_alone(own_app: Application) -> None:
    invite(own_app)
    client = own_app.client()
    taken = client.post("/api/users", json={"email": "KIM@north.example", "role": "admin"})
    assert (taken.status_code, taken.json["code"]) == (409, "conflict")  # type: ignore[index]
    assert client.post("/api/users", json={"email": "no address", "role": "admin"}).status_code == 400
    for role in ("manager", "operator"):
        refused = own_app.client(role).post("/api/users", json={"email": "a@b.example", "role": "operator"})
        assert refused.status_code == 403


def test_a_service_account_has_no_password_and_no_link(own_app: Application) -> None:
    robot = invite(own_app, "robot@north.example", is_service=True)
    assert (robot["is_service"], robot["invitation"], robot["password_link"]) == (True, None, None)
    refused = own_app.client().post(f"/api/users/{robot['id']}/password-link")
    assert refused.status_code == 409
    with pytest.raises(psycopg2.errors.CheckViolation):
        run(own_app, "UPDATE users SET password_hash = 'x' WHERE id = %s", robot["id"])
    handed = own_app.client().post(
        f"/api/users/{robot['id'] - 1}/hand-over", json={"to_user_id": robot["id"]}
    )
    assert handed.status_code in (404, 409)


def admins(app: Application, number: int) -> list[Any]:
    """Further admins who can sign in, each with a client of their own."""
    found = []
    for place in range(number):
        person = invite(app, f"admin{place}@north.example", "admin")
        accept(app, person["invitation"]["token"])
        signed: Any = app.sign_in(person["email"], GOOD).json
        client = app.flask.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {signed['access_token']}"
        found.append((person["id"], client))
    return found


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "manager"}])
def test_the_last_admin_stays_one(own_app: Application, change: dict[str, Any]) -> None:
    me: Any = own_app.client().get("/api/auth/me").json["id"]  # type: ignore[index]
    assert own_app.client().patch(f"/api/users/{me}", json=change).status_code == 409
    invited = invite(own_app, role="admin")
    robot = invite(own_app, "robot@north.example", "admin", is_service=True)
    # Neither somebody who was only invited nor a program could make somebody an admin again.
    for caller in (invited["id"], robot["id"]):
        token = own_app.services.sign_in.tokens.issue(own_app.alpha.id, caller, "admin", 1)
        client = own_app.flask.test_client()
        refused: Any = client.patch(
            f"/api/users/{me}", json=change, headers={"Authorization": f"Bearer {token}"}
        )
        assert (refused.status_code, "last admin" in refused.json["detail"]) == (409, True)
    ((_, other),) = admins(own_app, 1)
    assert other.patch(f"/api/users/{me}", json=change).status_code == 200


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("way", ["change", "hand over"])
def test_two_admins_who_end_each_other_at_once_leave_one(
    own_app: Application, way: str, conditional: bool
) -> None:
    """Both hold: the waiting one sees the other's change, and there is no deadlock."""
    if conditional and way == "hand over":
        return
    me: Any = own_app.client().get("/api/auth/me").json["id"]  # type: ignore[index]
    ((other, client),) = admins(own_app, 1)
    pairs = [(own_app.client(), other), (client, me)]
    for each, _ in pairs:
        each.get("/api/auth/me")
    gate, answers = threading.Barrier(2), []

    def end(client: Any, person: int) -> None:
        headers = {"If-Match": client.get(f"/api/users/{person}").headers["ETag"]} if conditional else {}
        gate.wait(20)
        if way == "change":
            path, body = f"/api/users/{person}", {"is_active": False}
            answers.append(client.patch(path, json=body, headers=headers).status_code)
        else:
            body = {"to_user_id": None, "deactivate": True}
            answers.append(client.post(f"/api/users/{person}/hand-over", json=body).status_code)

    threads = [threading.Thread(target=end, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    # The loser is refused as the last admin, or as somebody whose sign-in has ended.
    assert answers.count(200) == 1 and set(answers) <= {200, 401, 409}
    count = "SELECT count(*) FROM users WHERE tenant_id = %s AND role = 'admin' AND is_active"
    assert run(own_app, count, own_app.alpha.id) == [(1,)]


def test_a_change_that_waited_for_another_sees_what_it_did(own_app: Application) -> None:
    """The same without chance: the first change is done and not yet committed while the second begins."""
    me: Any = own_app.client().get("/api/auth/me").json["id"]  # type: ignore[index]
    ((other, client),) = admins(own_app, 1)
    answers: list[Any] = []
    with closing(psycopg2.connect(own_app.database.superuser_url)) as first, first.cursor() as cur:
        cur.execute("SELECT FROM tenants WHERE id = %s FOR NO KEY UPDATE", (own_app.alpha.id,))
        cur.execute("UPDATE users SET role = 'manager' WHERE id = %s", (other,))
        second = threading.Thread(
            target=lambda: answers.append(client.patch(f"/api/users/{me}", json={"is_active": False}))
        )
        second.start()
        while second.is_alive() and not run(
            own_app,
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
        ):
            pass
        assert second.is_alive(), "it did not wait"
        first.commit()
        second.join(30)
    assert (answers[0].status_code, "last admin" in answers[0].json["detail"]) == (409, True)


def person_with_work(app: Application) -> Any:
    client = app.client()
    person: Any = client.get("/api/users?is_active=true&role=operator&page_size=1").json["items"][0]  # type: ignore[index]
    step: Any = client.get("/api/job-steps?status=pending&waiting=true&page_size=1").json["items"][0]  # type: ignore[index]
    client.patch(f"/api/job-steps/{step['id']}", json={"assigned_user_id": person["id"]})
    client.post("/api/leads", json={"name": "x", "assigned_user_id": person["id"]})
    client.post("/api/leads", json={"name": "x", "assigned_user_id": person["id"], "status": "lost"})
    client.post("/api/workflow-approvals", json={"subject": "x", "assigned_user_id": person["id"]})
    return person


def test_all_work_is_handed_over_in_one_step(own_app: Application) -> None:
    client, person = own_app.client(), person_with_work(own_app)
    work: Any = client.get(f"/api/users/{person['id']}/work").json
    assert min(work["steps"], work["leads"], work["approvals"]) >= 1
    for name in ("steps", "leads", "approvals"):
        assert client.get(work["links"][name]).json["total"] == work[name]  # type: ignore[index]
    to: Any = client.get("/api/auth/me").json["id"]  # type: ignore[index]
    before: Any = client.get(f"/api/users/{to}/work").json
    noted = run(own_app, "SELECT count(*) FROM audit_logs")[0][0]
    done: Any = client.post(
        f"/api/users/{person['id']}/hand-over", json={"to_user_id": to, "deactivate": True}
    ).json
    assert {name: done[name] for name in ("steps", "leads", "approvals")} == {
        name: work[name] for name in ("steps", "leads", "approvals")
    }
    assert done["is_active"] is False
    after: Any = client.get(f"/api/users/{to}/work").json
    for name in ("steps", "leads", "approvals"):
        assert after[name] == before[name] + work[name]
    left: Any = client.get(f"/api/users/{person['id']}").json["work_left"]  # type: ignore[index]
    assert (left["steps"], left["leads"], left["approvals"]) == (0, 0, 0)
    changed = work["steps"] + work["leads"] + work["approvals"] + 1
    assert run(own_app, "SELECT count(*) FROM audit_logs")[0][0] == noted + changed
    assert run(own_app, "SELECT count(*) FROM rollup_differences(%s)", own_app.alpha.id) == [(0,)]


def test_work_goes_to_an_active_person_or_to_nobody(own_app: Application) -> None:
    client, person = own_app.client(), person_with_work(own_app)
    inactive: Any = client.get("/api/users?is_active=false&page_size=1").json["items"][0]["id"]  # type: ignore[index]
    foreign = run(own_app, "SELECT min(id) FROM users WHERE tenant_id = %s", own_app.beta.id)[0][0]
    path = f"/api/users/{person['id']}/hand-over"
    before: Any = client.get(f"/api/users/{person['id']}/work").data
    for to in (inactive, foreign, person["id"], 2**40):
        assert client.post(path, json={"to_user_id": to, "deactivate": True}).status_code == 409
    assert client.get(f"/api/users/{person['id']}/work").data == before
    assert client.get(f"/api/users/{person['id']}").json["is_active"] is True  # type: ignore[index]
    assert client.post(path, json={}).status_code == 400
    done: Any = client.post(path, json={"to_user_id": None}).json
    assert done["steps"] >= 1 and done["is_active"] is True
    assert client.get(f"/api/users/{person['id']}/work").json["steps"] == 0  # type: ignore[index]

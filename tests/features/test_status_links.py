"""Links to a job's status: who may make, list and revoke them, and that their tokens are told once and kept nowhere."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from flask.testing import FlaskClient

from opsboard.auth.links import read_token
from tests.application import SECRET, Application, running_application


def first_job(client: FlaskClient) -> int:
    found: int = client.get("/api/jobs?sort=job_number&page_size=1").json["items"][0]["id"]  # type: ignore[index]
    return found


def make_link(client: FlaskClient, job_id: int, **how: Any) -> dict[str, Any]:
    answer = client.post(f"/api/jobs/{job_id}/status-links", **how)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made: dict[str, Any] = answer.json  # type: ignore[assignment]
    return made


def token_of(made: dict[str, Any]) -> str:
    token: str = made["url"].removeprefix("http://localhost/status/")
    return token


@pytest.mark.parametrize(
    ("how", "days"), [({}, 60), ({"json": {}}, 60), ({"json": {"expires_in_days": 365}}, 365)]
)
def test_a_link_ends_by_itself_after_its_days(own_app: Application, how: dict[str, Any], days: int) -> None:
    client = own_app.client("manager")
    made = make_link(client, first_job(client), **how)
    ends, begins = (dt.datetime.fromisoformat(made[name]) for name in ("expires_at", "created_at"))
    assert dt.timedelta(days=days) - dt.timedelta(seconds=1) < ends - begins <= dt.timedelta(days=days)
    assert made["is_active"] and made["created_by"]["name"] == f"{own_app.alpha.canary} manager"
    link = read_token(SECRET, token_of(made))
    assert link == (own_app.alpha.id, made["id"], ends.timestamp())


@pytest.mark.parametrize("days", [0, -1, 366, 1.5, "x", None])
def test_days_out_of_bounds_are_refused(app: Application, days: object) -> None:
    client = app.client()
    answer = client.post(f"/api/jobs/{first_job(client)}/status-links", json={"expires_in_days": days})
    assert answer.status_code == 400


def test_an_operator_neither_makes_nor_sees_nor_revokes(app: Application) -> None:
    path = f"/api/jobs/{first_job(app.client())}/status-links"
    link = app.client().get(path).json["items"][0]["id"]  # type: ignore[index]
    operator = app.client("operator")
    for answer in (
        operator.post(path), operator.get(path), operator.get(f"{path}/export"), operator.get(f"{path}/{link}"),
        operator.delete(f"{path}/{link}"),
    ):  # fmt: skip
        assert answer.status_code == 403


def test_links_are_listed_newest_first_without_their_tokens(own_app: Application) -> None:
    client = own_app.client()
    job = first_job(client)
    made = make_link(client, job)
    answer = client.get(f"/api/jobs/{job}/status-links")
    items = answer.json["items"]  # type: ignore[index]
    assert items[0] == {name: value for name, value in made.items() if name != "url"}
    assert [item["is_active"] for item in items] == [True, False, True, True]
    one = client.get(f"/api/jobs/{job}/status-links/{made['id']}")
    export = client.get(f"/api/jobs/{job}/status-links/export")
    for told in (answer, one, export):
        assert token_of(made).partition(".")[2] not in told.get_data(as_text=True)


def test_a_revoked_link_stays_in_the_list_and_revoking_again_changes_nothing(own_app: Application) -> None:
    client = own_app.client("manager")
    job = first_job(client)
    path = f"/api/jobs/{job}/status-links/{make_link(client, job)['id']}"
    first = client.delete(path)
    assert first.status_code == 200 and not first.json["is_active"]  # type: ignore[index]
    assert client.delete(path).json == first.json == client.get(path).json


def test_making_and_revoking_are_noted_each_once(own_app: Application) -> None:
    client = own_app.client()
    job = first_job(client)
    made = make_link(client, job)
    for _ in range(2):
        client.delete(f"/api/jobs/{job}/status-links/{made['id']}")
    entries: Any = client.get(f"/api/audit?entity=job_status_link&entity_id={made['id']}").json
    assert [entry["action"] for entry in entries["items"]] == ["update", "create"]
    assert entries["items"][0]["changes"].keys() == {"revoked_at"}
    assert entries["items"][1]["changes"] == {"job_id": [None, job]}


def test_a_link_of_another_job_is_not_found_under_this_one(own_app: Application) -> None:
    client = own_app.client()
    jobs = [item["id"] for item in client.get("/api/jobs?page_size=2").json["items"]]  # type: ignore[index]
    made = make_link(client, jobs[0])
    for method in ("GET", "DELETE"):
        answer = client.open(f"/api/jobs/{jobs[1]}/status-links/{made['id']}", method=method)
        assert answer.status_code == 404
    assert client.get(f"/api/jobs/{jobs[0]}/status-links/{made['id']}").json["is_active"]  # type: ignore[index]


def test_sent_again_with_its_key_there_is_one_link_and_the_same_address(own_app: Application) -> None:
    client = own_app.client()
    job = first_job(client)
    first, second = (make_link(client, job, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first == second
    assert client.get(f"/api/jobs/{job}/status-links").json["total"] == 4  # type: ignore[index]


def test_no_row_of_the_database_holds_a_token(own_app: Application) -> None:
    client = own_app.client()
    made = make_link(client, first_job(client), headers={"Idempotency-Key": "k"})
    seen = 0
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        for table in ("idempotency_keys", "audit_logs", "job_status_links", "changes"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} AS t")
            text = (cursor.fetchone() or ("",))[0]
            seen += f'"job_id" : {made["job_id"]}' in text.replace('""', '"')
            assert token_of(made) not in text and token_of(made).partition(".")[2] not in text
    assert seen, "the stored answer of the write must be among the rows examined"


def test_the_address_of_a_link_is_the_public_one_and_not_the_callers_word(own_app: Application) -> None:
    with running_application(
        own_app.database, own_app.alpha, own_app.beta, public_url="https://ops.example"
    ) as public:
        answer = public.client().post("/api/jobs/1/status-links", base_url="http://evil.example")
        assert answer.json["url"].startswith("https://ops.example/status/")  # type: ignore[index]

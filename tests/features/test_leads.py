"""Leads: the queue that several work on at once, the timeline that follows the status, search and filters."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from flask.testing import FlaskClient

from tests.application import Application, run


def enter(client: FlaskClient, **members: Any) -> dict[str, Any]:
    answer = client.post("/api/leads", json={"name": "Somebody", **members})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made: dict[str, Any] = answer.json  # type: ignore[assignment]
    return made


def claim(client: FlaskClient, count: int) -> list[int]:
    answer = client.post("/api/leads/claim", json={"count": count})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [lead["id"] for lead in answer.json["items"]]  # type: ignore[index]


def names(client: FlaskClient, query: str) -> list[str]:
    return [lead["name"] for lead in client.get(f"/api/leads?{query}").json["items"]]  # type: ignore[index]


def fill(application: Application, count: int) -> None:
    """A queue of just so many unprocessed leads."""
    run(application, "UPDATE leads SET status = 'new'")
    run(
        application,
        "INSERT INTO leads (tenant_id, name, claimable_at) "
        "SELECT %s, 'queued ' || n, now() - interval '1 day' + n * interval '1 second' "
        "FROM generate_series(1, %s) AS n",
        application.alpha.id,
        count,
    )


def test_a_new_lead_waits_in_the_queue_and_its_timeline_begins(own_app: Application) -> None:
    client = own_app.client()
    lead = enter(client, name="Ada", phone="(030) 12-34", source="fair", category="metal")
    assert (lead["status"], lead["is_processed"], lead["processed_at"]) == ("unprocessed", False, None)
    assert "Ada" in names(client, "status=unprocessed&page_size=100")
    timeline = client.get(f"/api/leads/{lead['id']}/timeline").json
    assert [(item["from_status"], item["to_status"]) for item in timeline["items"]] == [(None, "unprocessed")]  # type: ignore[index]
    for query in ("q=ad", "q=030123", "category=metal", "source=fair&status=unprocessed,new"):
        assert names(client, query) == ["Ada"], query


def test_each_change_of_status_is_on_the_timeline_once_and_the_times_follow(own_app: Application) -> None:
    client = own_app.client()
    lead = enter(client)
    for status in ("contacted", "contacted", "won", "unprocessed"):
        lead = client.patch(f"/api/leads/{lead['id']}", json={"status": status}).json  # type: ignore[assignment]
        assert (lead["processed_at"] is None) == (status == "unprocessed")
        assert (lead["closed_at"] is None) == (status != "won")
    client.patch(f"/api/leads/{lead['id']}", json={"notes": "rang twice"})
    path = f"/api/leads/{lead['id']}/timeline?page_size=2"
    first: Any = client.get(path + "&cursor=").json
    second: Any = client.get(path + f"&cursor={first['next_cursor']}").json
    ways = [(item["from_status"], item["to_status"]) for item in first["items"] + second["items"]]
    assert ways == [
        ("won", "unprocessed"),
        ("contacted", "won"),
        ("unprocessed", "contacted"),
        (None, "unprocessed"),
    ]
    assert second["items"][-1]["changed_by"]["name"] == f"{own_app.alpha.canary} admin"
    assert second["next_cursor"] is None


def test_the_timeline_of_no_lead_is_not_found_and_costs_one_statement(app: Application) -> None:
    client = app.client()
    answer = client.get("/api/leads/999999/timeline")
    assert (answer.status_code, answer.headers["X-Queries"]) == (404, "1")


def test_a_claim_is_the_oldest_leads_and_ends_by_itself(own_app: Application) -> None:
    fill(own_app, 5)
    mine, theirs = own_app.client("manager"), own_app.client("operator")
    first = claim(mine, 3)
    assert first == sorted(first) and len(first) == 3
    assert len(claim(theirs, 10)) == 2 and claim(theirs, 10) == []
    assert mine.get(f"/api/leads/{first[0]}").json["claimed_by"]["name"].endswith("manager")  # type: ignore[index]
    refused = theirs.patch(f"/api/leads/{first[0]}", json={"status": "new"})
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")  # type: ignore[index]
    run(own_app, "UPDATE leads SET claimable_at = now() - interval '1 second' WHERE id = ANY(%s)", first[:2])
    assert claim(theirs, 10) == first[:2]
    done = theirs.patch(f"/api/leads/{first[0]}", json={"status": "new"}).json
    assert done["claimed_by"] is None and done["is_processed"]  # type: ignore[index]


def test_what_another_worker_is_taking_at_this_moment_is_passed_over(own_app: Application) -> None:
    fill(own_app, 4)
    with closing(psycopg2.connect(own_app.database.superuser_url)) as taker, taker.cursor() as cursor:
        cursor.execute("SELECT id FROM leads WHERE NOT is_processed AND tenant_id = %s ORDER BY id LIMIT 2 FOR UPDATE",
                       (own_app.alpha.id,))  # fmt: skip
        locked = {lead for (lead,) in cursor.fetchall()}
        got = claim(own_app.client(), 10)
        assert len(got) == 2 and not locked & set(got)
        taker.rollback()
    assert set(claim(own_app.client(), 10)) == locked


def share_out(application: Application, leads: int, workers: int) -> list[list[int]]:
    """Return the leads of each worker; all claim a few at a time until the queue is empty."""
    fill(application, leads)
    clients = [application.client("operator") for _ in range(workers)]
    got: list[list[int]] = [[] for _ in clients]
    start = threading.Barrier(workers)

    def work(number: int) -> None:
        start.wait(10)
        while taken := claim(clients[number], 3):
            got[number] += taken

    threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return got


@pytest.mark.parametrize("leads", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_workers_who_claim_at_once_share_the_queue_without_a_lead_twice(
    own_app: Application, leads: int
) -> None:
    got = share_out(own_app, leads, workers=3)
    # A worker that found the rest locked went home; what it passed over others have taken or will.
    everything = sorted(lead for part in got for lead in part) + claim(own_app.client(), 100)
    assert len(everything) == len(set(everything)) == leads
    audited = run(own_app, "SELECT count(*) FROM audit_logs WHERE action = 'claim'")
    assert audited == [(leads,)]


def test_an_operator_works_on_their_own_leads_and_gives_them_to_nobody(own_app: Application) -> None:
    admin, operator = own_app.client(), own_app.client("operator")
    ((me,),) = run(own_app, "SELECT id FROM users WHERE email = %s", own_app.alpha.email("operator"))
    ((other,),) = run(own_app, "SELECT id FROM users WHERE email = %s", own_app.alpha.email("manager"))
    theirs, mine = enter(admin, assigned_user_id=other), enter(admin, assigned_user_id=me)
    assert operator.post("/api/leads", json={"name": "x"}).status_code == 403
    assert operator.patch(f"/api/leads/{theirs['id']}", json={"status": "lost"}).status_code == 403
    assert operator.patch(f"/api/leads/{mine['id']}", json={"assigned_user_id": other}).status_code == 403
    assert operator.patch(f"/api/leads/{mine['id']}", json={"status": "lost"}).status_code == 200
    assert mine["id"] in [lead["id"] for lead in operator.get("/api/leads?mine=true").json["items"]]  # type: ignore[index]

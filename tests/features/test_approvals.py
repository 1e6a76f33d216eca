"""Approvals: one statement for a request with all that belongs to it, and one decision however many decide at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.application import Application, run

PATH = "/api/workflow-approvals"
# Requests whose status, place in the queue, history and answer to the lead do not say the same.
CONTRADICTIONS = """
SELECT a.id
FROM response_approvals AS a
JOIN approval_queue AS q ON q.tenant_id = a.tenant_id AND q.approval_id = a.id
CROSS JOIN LATERAL (
    SELECT
        count(*) AS lines,
        count(*) FILTER (WHERE h.from_status = 'pending') AS decisions,
        (array_agg(h.to_status ORDER BY h.id DESC))[1] AS last_status,
        (array_agg(h.acted_by ORDER BY h.id DESC))[1] AS last_actor
    FROM approval_history AS h
    WHERE h.tenant_id = a.tenant_id AND h.approval_request_id = a.id
) AS h
CROSS JOIN LATERAL (
    SELECT count(*) AS answers FROM auto_responses AS o WHERE o.tenant_id = a.tenant_id AND o.approval_id = a.id
) AS o
WHERE a.id = ANY(%s)
    AND (
        h.lines <> 2
        OR h.decisions <> 1
        OR h.last_status <> a.status
        OR h.last_actor <> a.decided_by
        OR q.status <> 'done'
        OR q.left_at <> a.decided_at
        OR o.answers <> (a.status = 'approved')::integer
    )
"""


def ask(client: FlaskClient, **members: Any) -> int:
    answer = client.post(PATH, json={"subject": "May this go out?", **members})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made: int = answer.json["id"]  # type: ignore[index]
    return made


def decide(
    client: FlaskClient, request: int, decision: str, comment: str | None = "so it is"
) -> TestResponse:
    return client.post(f"{PATH}/{request}/decision", json={"decision": decision, "comment": comment})


def some_lead(application: Application) -> int:
    ((lead,),) = run(application, "SELECT min(id) FROM leads WHERE tenant_id = %s", application.alpha.id)
    return int(lead)


def test_a_request_goes_its_way_from_queue_to_answer(own_app: Application) -> None:
    operator, manager = own_app.client("operator"), own_app.client("manager")
    lead = some_lead(own_app)
    request = ask(operator, lead_id=lead, response="We can do that.", due_at="2020-01-01T00:00:00Z")
    waiting: Any = manager.get(f"{PATH}/pending?page_size=100").json
    ours = next(item for item in waiting["items"] if item["id"] == request)
    assert (ours["next_action"], ours["age_hours"], ours["queue_entry"]["is_overdue"]) == (
        "escalate",
        0,
        True,
    )
    assert decide(operator, request, "approve").status_code == 403
    assert decide(manager, request, "request_changes", "Say when.").json["status"] == "changes_requested"  # type: ignore[index]
    assert manager.get(f"{PATH}/{request}").json["next_action"] == "resubmit"  # type: ignore[index]
    sent = operator.patch(f"{PATH}/{request}", json={"response": "We can do that by May."})
    assert (sent.status_code, sent.json["status"]) == (200, "pending")  # type: ignore[index]
    assert decide(manager, request, "approve", None).status_code == 200
    whole: Any = manager.get(f"{PATH}/{request}")
    assert whole.headers["X-Queries"] == "1"
    steps = [(entry["action"], entry["from_status"], entry["to_status"]) for entry in whole.json["history"]]
    assert steps == [
        ("request", None, "pending"),
        ("request_changes", "pending", "changes_requested"),
        ("resubmit", "changes_requested", "pending"),
        ("approve", "pending", "approved"),
    ]
    assert whole.json["history"][1]["comment"] == "Say when."
    assert whole.json["queue_entry"]["status"] == "done" and whole.json["lead"]["id"] == lead
    out: Any = manager.get(f"{PATH}/auto-responses?lead_id={lead}&status=queued").json
    assert [item["response"] for item in out["items"] if item["approval_id"] == request] == [
        "We can do that by May."
    ]


def test_what_belongs_to_a_request_is_never_multiplied(own_app: Application) -> None:
    manager = own_app.client("manager")
    request = ask(manager)
    for _ in range(20):
        decide(manager, request, "request_changes")
        manager.patch(f"{PATH}/{request}", json={"subject": "Again"})
    whole: Any = manager.get(f"{PATH}/{request}").json
    assert len(whole["history"]) == len({entry["id"] for entry in whole["history"]}) == 41
    paged: Any = manager.get(f"{PATH}/{request}/history?page_size=100").json
    assert [entry["id"] for entry in paged["items"]] == [entry["id"] for entry in reversed(whole["history"])]


def test_who_comes_late_is_told_who_decided(own_app: Application) -> None:
    admin, manager = own_app.client("admin"), own_app.client("manager")
    request = ask(admin)
    assert decide(manager, request, "reject").status_code == 200
    late = decide(admin, request, "approve")
    assert (late.status_code, late.json["code"]) == (409, "conflict")  # type: ignore[index]
    assert late.json["detail"].startswith(f"Decided already: rejected by {own_app.alpha.canary} manager at ")  # type: ignore[index]
    assert admin.patch(f"{PATH}/{request}", json={"response": "x"}).status_code == 409


def test_a_rejection_and_a_wish_for_changes_need_a_reason(app: Application) -> None:
    for decision in ("reject", "request_changes"):
        answer = decide(app.client(), 1, decision, None)
        assert (answer.status_code, answer.json["code"]) == (400, "invalid_input")  # type: ignore[index]


def test_pending_says_what_to_do_next(own_app: Application) -> None:
    admin = own_app.client()
    run(
        own_app,
        "UPDATE response_approvals SET status = 'rejected', decided_at = now() WHERE status = 'pending'",
    )
    ((me,),) = run(own_app, "SELECT id FROM users WHERE email = %s", own_app.alpha.email("admin"))
    requests = [ask(admin), ask(admin, assigned_user_id=me), ask(admin, due_at="2020-01-01T00:00:00Z")]
    run(
        own_app,
        "UPDATE response_approvals SET created_at = now() - interval '27.5 hours' WHERE id = %s",
        requests[1],
    )
    items: Any = admin.get(f"{PATH}/pending").json["items"]  # type: ignore[index]
    assert [(item["id"], item["next_action"], item["age_hours"]) for item in items] == [
        (requests[1], "decide", 27),
        (requests[0], "assign", 0),
        (requests[2], "escalate", 0),
    ]


@pytest.mark.parametrize("rounds", [15, pytest.param(200, marks=pytest.mark.slow)])
def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(own_app: Application, rounds: int) -> None:
    deciders = {"admin": own_app.client("admin"), "manager": own_app.client("manager")}
    lead = some_lead(own_app)
    requests = [ask(deciders["admin"], lead_id=lead) for _ in range(rounds)]
    answers: dict[str, list[TestResponse]] = {role: [] for role in deciders}
    start = threading.Barrier(2)

    def work(role: str, decision: str) -> None:
        for request in requests:
            start.wait(30)
            answers[role].append(decide(deciders[role], request, decision))

    pairs = [
        threading.Thread(target=work, args=pair) for pair in (("admin", "approve"), ("manager", "reject"))
    ]
    for thread in pairs:
        thread.start()
    for thread in pairs:
        thread.join(300)
    won = {"admin": 0, "manager": 0}
    for one, other in zip(answers["admin"], answers["manager"], strict=True):
        assert sorted((one.status_code, other.status_code)) == [200, 409]
        winner, loser = ("admin", other) if one.status_code == 200 else ("manager", one)
        won[winner] += 1
        assert f"by {own_app.alpha.canary} {winner} at" in loser.json["detail"]  # type: ignore[index]
    assert sum(won.values()) == rounds
    assert run(own_app, CONTRADICTIONS, requests) == []


def test_a_contradiction_would_be_seen(own_app: Application) -> None:
    admin = own_app.client()
    request = ask(admin, lead_id=some_lead(own_app))
    decide(admin, request, "approve")
    assert run(own_app, CONTRADICTIONS, [request]) == []
    run(own_app, "UPDATE response_approvals SET status = 'rejected' WHERE id = %s", request)
    assert run(own_app, CONTRADICTIONS, [request]) == [(request,)]


def answer_of(application: Application, manager: FlaskClient) -> int:
    """An answer that waits to go out."""
    request = ask(manager, lead_id=some_lead(application), response="Yes.")
    decide(manager, request, "approve")
    ((answer,),) = run(application, "SELECT id FROM auto_responses WHERE approval_id = %s", request)
    return int(answer)


def end(client: FlaskClient, answer: int, status: str) -> TestResponse:
    return client.post(f"{PATH}/auto-responses/{answer}/outcome", json={"status": status})


def test_an_answer_that_went_out_says_so_once(own_app: Application) -> None:
    manager = own_app.client("manager")
    answer = answer_of(own_app, manager)
    assert end(own_app.client("operator"), answer, "sent").status_code == 403
    failed: Any = end(manager, answer, "failed")
    assert (failed.status_code, failed.json["status"], failed.json["sent_at"]) == (200, "failed", None)
    sent: Any = end(manager, answer, "sent")
    assert (sent.json["status"], sent.headers["X-Queries"]) == ("sent", "1")
    assert sent.json["sent_at"] is not None
    again = end(manager, answer, "sent")
    assert (again.status_code, again.get_data()) == (200, sent.get_data())
    listed: Any = manager.get(f"{PATH}/auto-responses?status=sent&page_size=100").json
    assert sent.json in listed["items"]
    for other in ("failed", "cancelled"):
        late: Any = end(manager, answer, other)
        assert (late.status_code, late.json["detail"]) == (409, "The answer is sent already.")
    noted = run(
        own_app,
        "SELECT changes -> 'status' FROM audit_logs WHERE entity = 'auto_response' AND entity_id = %s ORDER BY id",
        answer,
    )
    assert noted == [(["queued", "failed"],), (["failed", "sent"],)]
    assert end(manager, 2**62, "sent").status_code == 404


def test_what_was_cancelled_does_not_go_out(own_app: Application) -> None:
    manager = own_app.client("manager")
    answer = answer_of(own_app, manager)
    assert end(manager, answer, "cancelled").status_code == 200
    late: Any = end(manager, answer, "sent")
    assert (late.status_code, late.json["detail"]) == (409, "The answer is cancelled already.")
    assert end(manager, answer, "queued").status_code == 400

"""A step is taken once, in its order, within the cap; loops and lost contacts are ended."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from typing import Any

import psycopg2
import pytest

from opsboard.db.tenancy import bound
from opsboard.features.journeys.runner import sql
from tests.application import Application
from tests.features.journeys import (
    EDGES,
    NODES,
    add_customers,
    empty,
    enter,
    later,
    lose_the_proof,
    make_journey,
    node_of,
    one,
    rows,
    run_once,
)

CHAIN = ("start", "first", "second", "third", "exit")


def chain(**members: Any) -> dict[str, Any]:
    """Three messages, one right after the other."""
    message = {"type": "message", "config": {"channel": "email", "body": "Hello"}}
    return {
        "nodes": [
            {"name": "start", "type": "start"},
            *({"name": name, **message} for name in CHAIN[1:-1]),
            {"name": "exit", "type": "exit"},
        ],
        "edges": [{"from": a, "to": b} for a, b in pairwise(CHAIN)],
        **members,
    }


def history(application: Application, contact: int) -> list[tuple[str, int]]:
    """Node and round of all that was done for a contact, oldest first, by the API."""
    answer = application.client().get(
        f"/api/journeys/executions?contact_id={contact}&sort=created_at&page_size=100"
    )
    return [(item["node"]["name"], item["round"]) for item in answer.json["items"]]  # type: ignore[index]


def contact_of(application: Application, contact: int) -> dict[str, Any]:
    found: dict[str, Any] = application.client().get(f"/api/journeys/contacts/{contact}").json  # type: ignore[assignment]
    return found


def execute(application: Application, journey: dict[str, Any], node: str, **body: int) -> Any:
    return application.client("manager").post(
        f"/api/journeys/{journey['id']}/nodes/{node_of(journey, node)}/execute", json=body
    )


def test_a_contact_goes_through_the_rounds_to_the_exit(own_app: Application) -> None:
    empty(own_app)
    journey = make_journey(own_app)
    (contact,) = enter(own_app, journey, add_customers(own_app, 1))
    once = [("hello", 1), ("rest", 1)]
    assert run_once(own_app) == {"taken": 3, "executed": 3, "deferred": 0, "completed": 0, "failed": 0}
    assert history(own_app, contact) == [("start", 1), *once]
    assert run_once(own_app)["taken"] == 0, "it rests"
    for _ in range(3):
        later(own_app, 3600)
        run_once(own_app)
    assert history(own_app, contact) == [
        ("start", 1), *once, ("enough", 1), ("hello", 2), ("rest", 2), ("enough", 2), ("hello", 3), ("rest", 3),
        ("enough", 3), ("tell", 3), ("exit", 3),
    ]  # fmt: skip
    found = contact_of(own_app, contact)
    assert (found["status"], found["current"]["node"]["name"], found["previous"]["node"]["name"]) == (
        "completed", "exit", "tell",
    )  # fmt: skip
    assert one(own_app, "SELECT count(*) FROM journey_messages") == 3
    managers = (
        "SELECT array_agg(u.role) FROM notifications AS n JOIN users AS u ON u.id = n.user_id "
        "WHERE n.kind = 'journey'"
    )
    assert one(own_app, managers) == ["manager"]


def test_executing_a_node_shows_this_and_the_one_before_in_one_statement_and_once(
    own_app: Application,
) -> None:
    journey = make_journey(own_app)
    (contact,) = enter(own_app, journey, add_customers(own_app, 1))
    first = execute(own_app, journey, "start", contact_id=contact)
    assert (first.status_code, first.headers["X-Queries"]) == (200, "1")
    assert (first.json["outcome"], first.json["previous"]) == ("executed", None)
    second = execute(own_app, journey, "hello", contact_id=contact, round=1)
    assert second.headers["X-Queries"] == "1"
    assert second.json["previous"] == first.json["current"]
    assert second.json["contact"]["node"]["name"] == "rest"
    again = execute(own_app, journey, "hello", contact_id=contact, round=1)
    assert again.json["outcome"] == "repeated"
    assert (again.json["current"], again.json["previous"]) == (
        second.json["current"],
        second.json["previous"],
    )
    assert execute(own_app, journey, "rest", contact_id=contact).json["outcome"] == "executed"
    waiting = execute(own_app, journey, "enough", contact_id=contact)
    assert (waiting.json["outcome"], waiting.json["current"]) == ("waiting", None)
    assert (
        one(own_app, "SELECT count(*) FROM journey_messages WHERE journey_contact_id = %(id)s", id=contact)
        == 1
    )
    assert len(history(own_app, contact)) == 3
    audited = "SELECT count(*) FROM audit_logs WHERE action = 'execute' AND entity_id = %(id)s"
    assert one(own_app, audited, id=contact) == 3


def test_what_cannot_be_executed_is_a_conflict_that_says_why(own_app: Application) -> None:
    journey = make_journey(own_app)
    (contact,) = enter(own_app, journey, add_customers(own_app, 1))

    def refused(node: str = "start", **body: int) -> str:
        answer = execute(own_app, journey, node, contact_id=contact, **body)
        assert answer.status_code == 409, answer.get_data(as_text=True)
        return str(answer.json["detail"])

    assert refused("exit") == "The contact is at start, not at this node."
    assert refused(round=2) == "The contact is in round 1."
    client, path = own_app.client(), f"/api/journeys/{journey['id']}"
    client.patch(f"{path}/contacts", json={"contact_ids": [contact], "status": "paused"})
    assert refused() == "The contact is paused."
    client.patch(path, json={"status": "paused"})
    assert refused() == "The journey is paused."
    other = make_journey(own_app)
    answer = execute(own_app, other, "start", contact_id=contact)
    assert answer.status_code == 404, "a contact of another journey"


def test_many_who_execute_the_same_at_once_do_it_once_and_are_shown_the_same(own_app: Application) -> None:
    journey = make_journey(own_app)
    contacts = enter(own_app, journey, add_customers(own_app, 5))
    with ThreadPoolExecutor(8) as pool:
        for contact in contacts:
            for node in ("start", "hello"):
                answers = [
                    answer.json
                    for answer in pool.map(
                        lambda _, c=contact, n=node: execute(own_app, journey, n, contact_id=c), range(8)
                    )
                ]
                assert Counter(answer["outcome"] for answer in answers) == {"executed": 1, "repeated": 7}
                assert len({answer["current"]["id"] for answer in answers}) == 1
    assert one(own_app, "SELECT count(*) FROM journey_messages WHERE recipient LIKE '%%@crowd.example'") == 5


def test_the_cap_defers_to_the_moment_the_window_is_free(own_app: Application) -> None:
    empty(own_app)
    journey = make_journey(own_app, **chain(messages_per_hour=2))
    (contact,) = enter(own_app, journey, add_customers(own_app, 1))
    assert run_once(own_app)["deferred"] == 1
    assert history(own_app, contact) == [("start", 1), ("first", 1), ("second", 1)]
    due = (
        "SELECT c.due_at = min(m.created_at) + interval '1 hour' FROM journey_contacts AS c "
        "JOIN journey_messages AS m ON m.journey_contact_id = c.id GROUP BY c.due_at"
    )
    assert one(own_app, due) is True
    # Asked by hand, and with the row made due: the cap is the cap.
    rows(own_app, "UPDATE journey_contacts SET due_at = now()")
    assert execute(own_app, journey, "third", contact_id=contact).json["outcome"] == "deferred"
    assert run_once(own_app)["executed"] == 0
    later(own_app, 3601)
    assert run_once(own_app)["completed"] == 1
    assert one(own_app, "SELECT count(*) FROM journey_messages") == 3


def test_who_waited_for_a_faster_one_counts_their_message_too(own_app: Application) -> None:
    """A statement that waited for the row sees the row as it is now, and all else as it was."""
    empty(own_app)
    journey = lose_the_proof(own_app, "start>hello hello>hello")
    rows(own_app, "UPDATE journeys SET messages_per_hour = 1 WHERE id = %(id)s", id=journey)
    made: dict[str, Any] = own_app.client().get(f"/api/journeys/{journey}").json  # type: ignore[assignment]
    (contact,) = enter(own_app, made, add_customers(own_app, 1))
    execute(own_app, made, "start", contact_id=contact)
    values = {
        "tenant_id": own_app.alpha.id, "user_id": 1, "role": "admin", "request_id": "r", "journey_id": journey,
        "node_id": node_of(made, "hello"), "contact_id": contact, "round": None, "messages_per_hour": 4,
        "loop_window": 60.0, "statement_timeout": "30s",
    }  # fmt: skip
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with (
        closing(psycopg2.connect(own_app.database.app_url)) as faster,
        faster.cursor() as cursor,
        ThreadPoolExecutor(1) as pool,
    ):
        cursor.execute(bound(sql.execute_node.name, sql.execute_node.sql), values)
        answer = pool.submit(execute, own_app, made, "hello", contact_id=contact)
        ends = time.monotonic() + 8
        while one(own_app, waiting) == 0:
            assert time.monotonic() < ends, "nobody waits for the row"
            time.sleep(0.01)
        faster.commit()
        assert answer.result().json["outcome"] == "deferred"
    assert one(own_app, "SELECT count(*) FROM journey_messages") == 1


def test_the_cap_of_the_settings_holds_where_the_journey_says_nothing(own_app: Application) -> None:
    empty(own_app)
    lose_the_proof(own_app, "start>a a>b b>c c>d d>e e>f f>a")
    rows(
        own_app,
        "INSERT INTO journey_contacts (tenant_id, journey_id, customer_id, node_id) SELECT n.tenant_id, n.journey_id, "
        "%(customer)s, n.id FROM journey_nodes AS n WHERE n.type = 'start'",
        customer=add_customers(own_app, 1)[0],
    )
    run_once(own_app)
    assert one(own_app, "SELECT count(*) FROM journey_messages") == 4
    assert own_app.services.config.journey_messages_per_hour == 4


def test_who_has_no_address_is_skipped_and_goes_on(own_app: Application) -> None:
    empty(own_app)
    journey = make_journey(own_app, **chain())
    (customer,) = add_customers(own_app, 1)
    rows(own_app, "UPDATE customers SET email = NULL WHERE id = %(id)s", id=customer)
    (contact,) = enter(own_app, journey, [customer])
    assert run_once(own_app)["completed"] == 1
    assert one(own_app, "SELECT count(*) FROM journey_messages") == 0
    listed = own_app.client().get(f"/api/journeys/executions?contact_id={contact}&sort=created_at").json
    assert listed is not None
    assert [(item["outcome"], item["executed_at"] is None, item["detail"]) for item in listed["items"]] == [
        ("executed", False, None),
        *[("skipped", True, "The customer has no email.")] * 3,
        ("executed", False, None),
    ]
    done = own_app.client().get(f"/api/journeys/executions?contact_id={contact}&sort=-executed_at").json
    assert done is not None and len(done["items"]) == 2


def test_who_is_on_the_suppression_list_gets_no_message_and_goes_on(own_app: Application) -> None:
    empty(own_app)
    journey = make_journey(own_app, **chain())
    (customer,) = add_customers(own_app, 1)
    rows(own_app, "UPDATE customers SET email = 'Kim@x.example' WHERE id = %(id)s", id=customer)
    entry = {"channel": "email", "address": "kim@X.example", "reason": "complained"}
    assert own_app.client().post("/api/suppressions", json=entry).status_code == 201
    (contact,) = enter(own_app, journey, [customer])
    assert run_once(own_app)["completed"] == 1
    assert one(own_app, "SELECT count(*) FROM journey_messages") == 0
    details = rows(
        own_app,
        "SELECT DISTINCT detail FROM journey_node_executions WHERE journey_contact_id = %(id)s AND outcome = 'skipped'",
        id=contact,
    )
    assert details == [("The customer's email is on the suppression list (complained).",)]


@pytest.mark.parametrize(
    ("condition", "branch"),
    [
        ({"field": "email", "operator": "is_set"}, "yes"),
        ({"field": "phone", "operator": "is_set"}, "no"),
        ({"field": "phone", "operator": "is_not_set"}, "yes"),
        ({"field": "name", "operator": "equals", "value": "C 1"}, "yes"),
        ({"field": "name", "operator": "equals", "value": "c"}, "no"),
        ({"field": "email", "operator": "begins_with", "value": "C1@"}, "yes"),
        ({"field": "phone", "operator": "begins_with", "value": "5"}, "no"),
        ({"field": "round", "value": 1}, "yes"),
        ({"field": "round", "value": 2}, "no"),
    ],
)
def test_a_condition_sends_by_what_is_known_of_the_customer(
    own_app: Application, condition: dict[str, Any], branch: str
) -> None:
    nodes = [NODES[0], {"name": "if", "type": "condition", "config": condition}]
    nodes += [{"name": name, "type": "exit"} for name in ("yes", "no")]
    edges = [{"from": "start", "to": "if"}, *({"from": "if", "to": b, "branch": b} for b in ("yes", "no"))]
    empty(own_app)
    journey = make_journey(own_app, nodes=nodes, edges=edges)
    (contact,) = enter(own_app, journey, add_customers(own_app, 1))
    run_once(own_app)
    assert history(own_app, contact)[-1] == (branch, 1)


def test_three_times_within_the_window_is_a_loop_and_ends_it(own_app: Application) -> None:
    empty(own_app)
    journey = lose_the_proof(own_app, "start>hello hello>hello")
    rows(own_app, "UPDATE journeys SET messages_per_hour = 1000 WHERE id = %(id)s", id=journey)
    made = own_app.client().get(f"/api/journeys/{journey}").json
    assert made is not None
    (contact,) = enter(own_app, made, add_customers(own_app, 1))
    assert run_once(own_app)["failed"] == 1
    assert history(own_app, contact) == [("start", 1), ("hello", 1), ("hello", 2), ("hello", 3)]
    found = contact_of(own_app, contact)
    assert (found["status"], found["failure"], found["round"]) == ("failed", "loop", 4)


def test_who_rests_a_minute_on_the_way_is_not_taken_for_a_loop(own_app: Application) -> None:
    empty(own_app)
    config: dict[str, dict[str, Any]] = {"rest": {"seconds": 60}, "enough": {"field": "round", "value": 6}}
    nodes = [{**node, "config": config.get(node["name"], node.get("config", {}))} for node in NODES]
    journey = make_journey(own_app, nodes=nodes, edges=EDGES, messages_per_hour=1000)
    (contact,) = enter(own_app, journey, add_customers(own_app, 1))
    for _ in range(6):
        run_once(own_app)
        later(own_app, 60)
    run_once(own_app)
    assert contact_of(own_app, contact)["status"] == "completed"
    assert one(own_app, "SELECT count(*) FROM journey_messages") == 6


def test_who_comes_round_too_often_is_ended(own_app: Application) -> None:
    empty(own_app)
    journey = make_journey(own_app, max_rounds=2)
    (contact,) = enter(own_app, journey, add_customers(own_app, 1))
    for _ in range(4):
        run_once(own_app)
        later(own_app, 3600)
    found = contact_of(own_app, contact)
    assert (found["status"], found["failure"], found["round"]) == ("failed", "rounds", 2)
    assert one(own_app, "SELECT count(*) FROM journey_messages") == 2


def test_who_has_no_way_on_is_ended_and_not_tried_for_ever(own_app: Application) -> None:
    empty(own_app)
    journey = make_journey(own_app)
    (contact,) = enter(own_app, journey, add_customers(own_app, 1))
    rows(own_app, "DELETE FROM journey_edges")
    assert run_once(own_app)["failed"] == 1
    assert contact_of(own_app, contact)["failure"] == "lost"


def test_a_key_that_is_taken_already_moves_the_contact_on_without_doing_it_again(
    own_app: Application,
) -> None:
    """The second lock: even if somebody puts a contact back to where it was."""
    empty(own_app)
    journey = make_journey(own_app, **chain())
    (contact,) = enter(own_app, journey, add_customers(own_app, 1))
    run_once(own_app)
    rows(
        own_app,
        "UPDATE journey_contacts SET status = 'active', node_id = %(node)s, due_at = now(), finished_at = NULL",
        node=node_of(journey, "third"),
    )
    run_once(own_app)
    assert contact_of(own_app, contact)["status"] == "completed"
    assert one(own_app, "SELECT count(*) FROM journey_messages") == 3
    assert history(own_app, contact)[-2:] == [("exit", 1), ("exit", 2)]


def test_a_paused_journey_and_a_paused_contact_take_no_step(own_app: Application) -> None:
    empty(own_app)
    journey = make_journey(own_app)
    first, second = enter(own_app, journey, add_customers(own_app, 2))
    client, path = own_app.client(), f"/api/journeys/{journey['id']}"
    client.patch(f"{path}/contacts", json={"contact_ids": [first], "status": "paused"})
    client.patch(path, json={"status": "paused"})
    assert run_once(own_app)["taken"] == 0
    client.patch(path, json={"status": "active"})
    run_once(own_app)
    assert (len(history(own_app, first)), len(history(own_app, second))) == (0, 3)


def test_a_message_is_marked_as_sent_once(own_app: Application) -> None:
    empty(own_app)
    journey = make_journey(own_app)
    enter(own_app, journey, add_customers(own_app, 1))
    run_once(own_app)
    client = own_app.client()
    (message,) = client.get("/api/journeys/messages?unsent=true").json["items"]  # type: ignore[index]
    sent = client.post(f"/api/journeys/messages/{message['id']}/sent").json
    assert sent is not None and sent["sent_at"]
    assert client.post(f"/api/journeys/messages/{message['id']}/sent").json == sent
    assert client.get("/api/journeys/messages?unsent=true").json["total"] == 0  # type: ignore[index]

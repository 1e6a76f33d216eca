"""Journeys by the API: created, refused with the path, changed, deleted; cached answers end everywhere."""

from __future__ import annotations

import time
from typing import Any

import psycopg2
import pytest

from tests.application import Application, running_application
from tests.features.journeys import EDGES, NODES, add_customers, enter, make_journey, node_of, one, rows


def test_a_journey_comes_back_as_it_was_sent(own_app: Application) -> None:
    made = make_journey(own_app)
    found: dict[str, Any] = own_app.client().get(f"/api/journeys/{made['id']}").json  # type: ignore[assignment]
    assert [(node["name"], node["type"]) for node in found["nodes"]] == [
        (node["name"], node["type"]) for node in NODES
    ]
    assert found["nodes"][2]["config"] == {"seconds": 3600}
    assert sorted((edge["from"], edge["to"], edge["branch"]) for edge in found["edges"]) == sorted(
        (edge["from"], edge["to"], edge.get("branch", "next")) for edge in EDGES
    )
    plain = own_app.client().post("/api/journeys", json={"name": "Plain"}).json
    assert [node["name"] for node in plain["nodes"]] == ["start", "exit"]  # type: ignore[index]


def test_a_cycle_without_a_wait_is_refused_with_its_path(own_app: Application) -> None:
    edges = [edge for edge in EDGES if edge["from"] != "hello"] + [{"from": "hello", "to": "enough"}]
    nodes = [node for node in NODES if node["name"] != "rest"]
    edges = [edge for edge in edges if edge["from"] != "rest"]
    for method, path in (
        ("POST", "/api/journeys"),
        ("PATCH", f"/api/journeys/{make_journey(own_app)['id']}"),
    ):
        before = one(own_app, "SELECT count(*) FROM journeys")
        answer = own_app.client().open(
            path, method=method, json={"name": "x", "nodes": nodes, "edges": edges}
        )
        assert (answer.status_code, answer.json["code"]) == (422, "unsound_journey")  # type: ignore[index]
        assert answer.json["errors"] == [  # type: ignore[index]
            {
                "field": "nodes",
                "message": "There is no wait on the way hello > enough > hello: it would be run through at once.",
                "path": ["hello", "enough", "hello"],
            }
        ]
        assert one(own_app, "SELECT count(*) FROM journeys") == before


def test_a_way_to_another_journey_is_refused_by_the_service_and_by_the_keys(own_app: Application) -> None:
    first, second = make_journey(own_app), make_journey(own_app)
    edges = [*EDGES[:-1], {"from": "tell", "to": "exit of the other"}]
    answer = own_app.client().patch(f"/api/journeys/{first['id']}", json={"nodes": NODES, "edges": edges})
    assert answer.status_code == 422
    assert "exit of the other is no node of this journey" in answer.json["detail"]  # type: ignore[index]
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        rows(
            own_app,
            "UPDATE journey_edges SET to_node_id = %(there)s WHERE journey_id = %(here)s AND branch = 'yes'",
            here=first["id"],
            there=node_of(second, "exit"),
        )


@pytest.mark.parametrize(
    ("node", "field"),
    [
        ({"name": "n", "type": "wait", "config": {"seconds": 59}}, "seconds"),
        ({"name": "n", "type": "wait"}, "config"),
        ({"name": "n", "type": "message", "config": {"body": ""}}, "body"),
        ({"name": "n", "type": "message", "config": {"body": "b", "channel": "fax"}}, "channel"),
        ({"name": "n", "type": "condition", "config": {"field": "round", "value": "many"}}, "value"),
        ({"name": "n", "type": "condition", "config": {"field": "password", "operator": "is_set"}}, "config"),
        ({"name": "n", "type": "jump"}, "nodes"),
        ({"name": "n", "type": "exit", "config": {"x": 1}}, "x"),
    ],
)  # fmt: skip
def test_a_node_that_does_not_fit_its_type_is_400(app: Application, node: dict[str, Any], field: str) -> None:
    answer = app.client().post("/api/journeys", json={"name": "x", "nodes": [node], "edges": []})
    assert answer.status_code == 400
    assert field in answer.get_data(as_text=True)


def test_nodes_of_a_known_name_stay_the_same_and_others_come_and_go(own_app: Application) -> None:
    journey = make_journey(own_app)
    nodes = [{**node, "config": {"seconds": 7200}} if node["name"] == "rest" else node for node in NODES]
    nodes = [node for node in nodes if node["name"] != "tell"] + [{"name": "bye", "type": "exit"}]
    edges = [edge for edge in EDGES if edge["from"] != "tell" and edge.get("branch") != "yes"]
    edges += [{"from": "enough", "to": "bye", "branch": "yes"}]
    answer = own_app.client().patch(f"/api/journeys/{journey['id']}", json={"nodes": nodes, "edges": edges})
    assert answer.status_code == 422, "exit is left without a way to it"
    nodes = [node for node in nodes if node["name"] != "exit"]
    answer = own_app.client().patch(f"/api/journeys/{journey['id']}", json={"nodes": nodes, "edges": edges})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    changed: dict[str, Any] = answer.json  # type: ignore[assignment]
    assert node_of(changed, "rest") == node_of(journey, "rest")
    assert {node["name"] for node in changed["nodes"]} == {"start", "hello", "rest", "enough", "bye"}
    assert changed == own_app.client().get(f"/api/journeys/{journey['id']}").json
    stored = one(own_app, "SELECT count(*) FROM journey_edges WHERE journey_id = %(id)s", id=journey["id"])
    assert stored == len(changed["edges"]) == 5


def test_a_node_that_contacts_are_at_cannot_be_left_out(own_app: Application) -> None:
    journey = make_journey(own_app)
    enter(own_app, journey, add_customers(own_app, 1))
    rows(
        own_app,
        "UPDATE journey_contacts SET node_id = %(node)s WHERE journey_id = %(id)s",
        node=node_of(journey, "tell"),
        id=journey["id"],
    )
    nodes = [node for node in NODES if node["name"] != "tell"]
    edges = [edge for edge in EDGES if edge["from"] != "tell" and edge.get("branch") != "yes"]
    edges += [{"from": "enough", "to": "exit", "branch": "yes"}]
    answer = own_app.client().patch(f"/api/journeys/{journey['id']}", json={"nodes": nodes, "edges": edges})
    assert (answer.status_code, answer.json["detail"]) == (  # type: ignore[index]
        409, "Contacts are at a node that would go; wait until they left it.",
    )  # fmt: skip


def test_nodes_without_edges_are_refused(own_app: Application) -> None:
    journey = make_journey(own_app)
    answer = own_app.client().patch(f"/api/journeys/{journey['id']}", json={"nodes": NODES})
    assert answer.status_code == 400


def test_customers_enter_in_bulk_once_and_each_is_told(own_app: Application) -> None:
    journey, (first, second) = make_journey(own_app), add_customers(own_app, 2)
    (foreign,) = rows(own_app, "SELECT min(id) FROM customers WHERE tenant_id = %(t)s", t=own_app.beta.id)[0]
    path = f"/api/journeys/{journey['id']}/contacts"
    client = own_app.client()
    assert client.post(path, json={"customer_ids": [first]}).json["added"] == 1  # type: ignore[index]
    answer = client.post(path, json={"customer_ids": [second, first, foreign, second]}).json
    assert answer is not None
    assert [(item["customer_id"], item["outcome"]) for item in answer["items"]] == [
        (second, "added"), (first, "there"), (foreign, "unknown"),
    ]  # fmt: skip
    listed = client.get(f"/api/journeys/contacts?journey_id={journey['id']}&status=active").json
    assert listed is not None
    assert {(item["customer"]["id"], item["node"]["name"]) for item in listed["items"]} == {
        (first, "start"), (second, "start"),
    }  # fmt: skip


def test_many_contacts_change_their_status_at_once_and_each_is_told(own_app: Application) -> None:
    journey = make_journey(own_app)
    a, b, c = enter(own_app, journey, add_customers(own_app, 3))
    rows(own_app, "UPDATE journey_contacts SET status = 'completed' WHERE id = %(id)s", id=c)
    client, path = own_app.client(), f"/api/journeys/{journey['id']}/contacts"

    def change(status: str, *ids: int) -> list[tuple[int, str, str | None]]:
        answer = client.patch(path, json={"contact_ids": list(ids), "status": status})
        assert answer.headers["X-Queries"] == "1"
        return [
            (item["contact_id"], item["outcome"], item["status"])
            for item in answer.json["items"]  # type: ignore[index]
        ]

    assert change("paused", b, a) == [(b, "changed", "paused"), (a, "changed", "paused")]
    assert change("active", a, c, 10**9) == [
        (a, "changed", "active"), (c, "finished", "completed"), (10**9, "unknown", None),
    ]  # fmt: skip
    assert change("removed", a, b) == [(a, "changed", "removed"), (b, "changed", "removed")]
    assert change("active", a) == [(a, "finished", "removed")]


def test_an_active_journey_is_not_deleted_and_a_paused_one_goes_with_all_of_its_own(
    own_app: Application,
) -> None:
    client = own_app.client()
    (journey,) = rows(own_app, "SELECT min(id) FROM journeys WHERE tenant_id = %(t)s", t=own_app.alpha.id)[0]
    assert one(own_app, "SELECT count(*) FROM journey_node_executions WHERE journey_id = %(id)s", id=journey)
    answer = client.delete(f"/api/journeys/{journey}")
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")  # type: ignore[index]
    assert client.patch(f"/api/journeys/{journey}", json={"status": "paused"}).status_code == 200
    assert client.delete(f"/api/journeys/{journey}").status_code == 200
    assert client.get(f"/api/journeys/{journey}").status_code == 404
    for table in ("journey_nodes", "journey_edges", "journey_contacts", "journey_node_executions"):
        assert one(own_app, f"SELECT count(*) FROM {table} WHERE journey_id = %(id)s", id=journey) == 0
    orphans = (
        "SELECT count(*) FROM journey_step_keys AS k "
        "WHERE NOT EXISTS (SELECT FROM journey_contacts AS c WHERE c.id = k.journey_contact_id)"
    )
    assert one(own_app, orphans) == 0


def test_a_node_is_kept_for_five_minutes_and_ends_with_a_change_on_every_worker(
    own_app: Application,
) -> None:
    journey = make_journey(own_app)
    path = f"/api/journeys/{journey['id']}/nodes/{node_of(journey, 'rest')}"
    assert own_app.services.config.cache_ttl_journey_nodes == 300
    with running_application(own_app.database, own_app.alpha, own_app.beta) as other:
        clients = [own_app.client(), other.client()]

        def asked(client: Any) -> tuple[str, int, Any]:
            answer = client.get(path)
            return answer.headers["X-Cache"], int(answer.headers["X-Queries"]), answer.json

        def settled(client: Any) -> None:
            ends = time.monotonic() + 20
            while asked(client)[0] != "HIT":
                assert time.monotonic() < ends
                time.sleep(0.02)

        for client in clients:
            settled(client)
        assert asked(clients[1])[:2] == ("HIT", 0)
        # A contact that moves on is nothing to a node.
        enter(own_app, journey, add_customers(own_app, 1))
        assert asked(clients[0])[:2] == ("HIT", 0)
        nodes = [{**node, "config": {"seconds": 60}} if node["name"] == "rest" else node for node in NODES]
        clients[0].patch(
            f"/api/journeys/{journey['id']}", json={"nodes": nodes, "edges": EDGES, "status": "draft"}
        )
        assert asked(clients[0])[2]["config"] == {"seconds": 60}, "its own worker at once"
        ends = time.monotonic() + 20
        while asked(clients[1])[2]["config"] != {"seconds": 60}:
            assert time.monotonic() < ends
            time.sleep(0.02)
        clients[0].delete(f"/api/journeys/{journey['id']}")
        while clients[1].get(path).status_code != 404:
            assert time.monotonic() < ends
            time.sleep(0.02)


def test_changes_are_audited(own_app: Application) -> None:
    journey = make_journey(own_app)
    own_app.client().patch(f"/api/journeys/{journey['id']}", json={"status": "paused"})
    listed = own_app.client().get(f"/api/audit?entity=journey&entity_id={journey['id']}").json
    assert listed is not None
    assert [(item["action"], item["changes"].get("status")) for item in listed["items"]] == [
        ("update", ["active", "paused"]), ("create", None),
    ]  # fmt: skip

"""Duplicates are suggested, merged with all that refers to them, and separated again."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.application import Application
from tests.features.test_archive import assert_board_agrees


def add(app: Application, area: str, **members: object) -> int:
    made: Any = app.client().post(f"/api/{area}", json=members)
    assert made.status_code == 201, made.json
    return int(made.json["id"])


def execute(app: Application, statement: str, *values: object) -> list[Any]:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection:
        cursor = connection.cursor()
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def suggested(app: Application, kind: str, record_id: int) -> dict[int, list[str]]:
    found: Any = app.client("manager").get(f"/api/merges/{kind}/suggestions?record_id={record_id}")
    assert found.status_code == 200, found.json
    return {one["record"]["id"]: one["reasons"] for item in found.json["items"] for one in item["duplicates"]}


@pytest.mark.parametrize("kind", ["customers", "contacts", "leads"])
def test_records_of_one_address_number_or_name_are_suggested(own_app: Application, kind: str) -> None:
    first = add(own_app, kind, name="Müller Stahlbau", email="buero@mueller.example", phone="+49 171 5550123")
    address = add(own_app, kind, name="Stahlbau", email="Buero@Mueller.example")
    number = add(own_app, kind, name="M. Bau", phone="0171 / 555 01 23")
    name = add(own_app, kind, name="MULLER  stahlbau")
    add(own_app, kind, name="Mueller Holzbau", phone="0171 5550124")
    expected = {address: ["email"], number: ["phone"]}
    if own_app.client().get(f"/api/{kind}/{name}").json["name"] == "MULLER  stahlbau":  # type: ignore[index]
        execute(own_app, f"UPDATE {kind} SET name = 'MULLER stahlbau' WHERE id = %s", name)
    assert suggested(own_app, kind, first) == {**expected, name: ["name"]}
    every: Any = own_app.client().get(f"/api/merges/{kind}/suggestions").json
    mine = [item for item in every["items"] if item["record"]["id"] == first]
    assert [one["record"]["id"] for one in mine[0]["duplicates"]] == [address, number, name]
    own_app.client().post(f"/api/{kind}/{number}/archive")
    assert number not in suggested(own_app, kind, first)
    assert own_app.client("operator").get(f"/api/merges/{kind}/suggestions").status_code == 403


def test_all_records_are_looked_at_in_parts(own_app: Application) -> None:
    execute(
        own_app,
        "INSERT INTO customers (tenant_id, name) SELECT %s, 'Name ' || i %% 1050 FROM generate_series(1, 1100) AS i",
        own_app.alpha.id,
    )
    pairs, after = 0, 0
    while after is not None:
        part: Any = own_app.client().get(f"/api/merges/customers/suggestions?after_id={after}").json
        pairs += sum(item["record"]["name"].startswith("Name ") for item in part["items"])
        after = part["next_id"]
    assert pairs == 50


def test_a_customer_is_merged_with_all_that_refers_to_it_and_separated_again(own_app: Application) -> None:
    client = own_app.client("manager")
    kept = add(own_app, "customers", name="Reed", email="desk@reed.example", phone="1")
    merged = add(own_app, "customers", name="Reed Ltd", email="info@reed.example", address="Pier 4")
    job = add(own_app, "jobs", title="Gear", customer_id=merged)
    contact = add(own_app, "contacts", name="Kim", customer_id=merged)
    lead = add(own_app, "leads", name="Kim", customer_id=merged)
    own = add(own_app, "jobs", title="Shaft", customer_id=kept)
    journeys = execute(
        own_app,
        "SELECT min(journey_id), max(journey_id) FROM journey_nodes WHERE tenant_id = %s",
        own_app.alpha.id,
    )[0]
    for journey, customer in ((journeys[0], kept), (journeys[0], merged), (journeys[1], merged)):
        execute(
            own_app,
            "INSERT INTO journey_contacts (tenant_id, journey_id, customer_id, status, node_id, finished_at)"
            " SELECT n.tenant_id, n.journey_id, %s, 'completed', min(n.id), now() FROM journey_nodes AS n"
            " WHERE n.tenant_id = %s AND n.journey_id = %s GROUP BY n.tenant_id, n.journey_id",
            customer,
            own_app.alpha.id,
            journey,
        )
    before: Any = client.get(f"/api/customers/{kept}").json
    made: Any = client.post(
        "/api/merges/customers", json={"kept_id": kept, "merged_id": merged, "take": ["name", "address"]}
    )
    assert made.status_code == 201, made.json
    assert made.json["moved"] == {"jobs": 1, "contacts": 1, "leads": 1, "journey_contacts": 1}
    found: Any = client.get(f"/api/customers/{kept}").json
    assert (found["name"], found["email"], found["address"], found["phone"]) == (
        "Reed Ltd",
        "desk@reed.example",
        "Pier 4",
        "1",
    )
    assert found["jobs"]["total"] == 2
    for address in (f"/api/jobs/{job}", f"/api/contacts/{contact}", f"/api/leads/{lead}"):
        assert client.get(address).json["customer"] == {"id": kept, "name": "Reed Ltd"}  # type: ignore[index]
    assert client.get(f"/api/customers/{merged}").json["archived_at"]  # type: ignore[index]
    assert_board_agrees(own_app)
    refused: Any = client.post(f"/api/customers/{merged}/restore")
    assert (refused.status_code, refused.json["detail"]) == (
        409,
        "This record was merged into another one; undo the merge.",
    )
    # Values that were changed again since stay as they are.
    client.patch(f"/api/leads/{lead}", json={"customer_id": None})
    client.patch(f"/api/customers/{kept}", json={"address": "Pier 5"})
    path = f"/api/merges/customers/{made.json['id']}/undo"
    undone: Any = client.post(path)
    assert undone.status_code == 200 and undone.json["undone_at"]
    assert client.get(f"/api/jobs/{job}").json["customer"]["id"] == merged  # type: ignore[index]
    assert client.get(f"/api/jobs/{own}").json["customer"]["id"] == kept  # type: ignore[index]
    assert client.get(f"/api/contacts/{contact}").json["customer"]["id"] == merged  # type: ignore[index]
    assert client.get(f"/api/leads/{lead}").json["customer"] is None  # type: ignore[index]
    found = client.get(f"/api/customers/{kept}").json
    assert (found["name"], found["address"]) == (before["name"], "Pier 5")
    assert client.get(f"/api/customers/{merged}").json["archived_at"] is None  # type: ignore[index]
    again: Any = client.post(path)
    assert (again.status_code, again.json["detail"]) == (409, "This merge has been undone.")
    assert_board_agrees(own_app)
    entries: Any = client.get(f"/api/audit?entity=customer&entity_id={kept}&sort=created_at").json["items"]  # type: ignore[index]
    assert [entry["action"] for entry in entries] == ["create", "merge", "update", "unmerge"]
    assert entries[1]["changes"]["name"] == ["Reed", "Reed Ltd"]
    assert entries[1]["changes"]["merged_id"] == [None, merged]


def test_contacts_and_leads_are_merged_with_what_refers_to_them(own_app: Application) -> None:
    client = own_app.client("manager")
    kept, merged = (add(own_app, "contacts", name=name) for name in ("Kim", "Kim S."))
    for contact, channel in ((kept, "sms"), (merged, "sms"), (merged, "email")):
        assert (
            client.post("/api/conversations", json={"contact_id": contact, "channel": channel}).status_code
            == 201
        )
    made: Any = client.post("/api/merges/contacts", json={"kept_id": kept, "merged_id": merged}).json
    assert made["moved"] == {"conversations": 1}
    found: Any = client.get(f"/api/contacts/{kept}").json
    assert [one["channel"] for one in found["conversations"]] == ["email", "sms"]
    assert client.post(f"/api/merges/contacts/{made['id']}/undo").status_code == 200
    assert len(client.get(f"/api/contacts/{merged}").json["conversations"]) == 2  # type: ignore[index]
    kept, merged = (add(own_app, "leads", name=name, status="new") for name in ("Bo", "Bo R."))
    execute(
        own_app,
        "INSERT INTO response_approvals (tenant_id, lead_id, subject) VALUES (%s, %s, 'Offer')",
        own_app.alpha.id,
        merged,
    )
    made = client.post(
        "/api/merges/leads", json={"kept_id": kept, "merged_id": merged, "take": ["name"]}
    ).json
    assert made["moved"] == {"response_approvals": 1} and made["kept"]["name"] == "Bo R."
    assert_board_agrees(own_app)
    assert client.post(f"/api/merges/contacts/{made['id']}/undo").status_code == 404
    assert client.post(f"/api/merges/leads/{made['id']}/undo").status_code == 200
    assert client.get(f"/api/leads/{kept}").json["name"] == "Bo"  # type: ignore[index]
    assert_board_agrees(own_app)


def test_what_cannot_be_merged_or_undone_says_why(own_app: Application) -> None:
    client = own_app.client()
    one, two, three = (add(own_app, "customers", name=name) for name in ("A", "B", "C"))

    def merge(kept_id: int, merged_id: int) -> Any:
        return client.post("/api/merges/customers", json={"kept_id": kept_id, "merged_id": merged_id})

    assert merge(one, one).json["detail"] == "A record is not merged into itself."
    assert merge(one, 10**9).status_code == 404
    body = {"kept_id": one, "merged_id": two, "take": ["password_hash"]}
    assert client.post("/api/merges/customers", json=body).status_code == 400
    assert own_app.client("operator").post("/api/merges/customers", json=body).status_code == 403
    first: Any = merge(two, one).json
    assert merge(two, one).json["detail"] == "One of the two is archived; restore it first."
    second: Any = merge(three, two).json
    refused: Any = client.post(f"/api/merges/customers/{first['id']}/undo").json
    assert refused["detail"].startswith("The record that was kept is archived")
    execute(own_app, "UPDATE merges SET created_at = now() - interval '31 days' WHERE id = %s", second["id"])
    refused = client.post(f"/api/merges/customers/{second['id']}/undo").json
    assert refused["detail"] == "A merge can be undone for 30 days."
    # After that the empty record may come back.
    assert client.post(f"/api/customers/{two}/restore").status_code == 200
    listed: Any = client.get(f"/api/merges?kind=customers&kept_id={three}").json
    assert [item["merged"]["name"] for item in listed["items"]] == ["B"]


def test_anonymising_the_kept_record_leaves_no_name_of_the_merged_ones(own_app: Application) -> None:
    client = own_app.client()
    names = ("Zuri Quill", "Zuri Quillworth", "Z. Quillsby")
    ids = [
        add(own_app, "customers", name=name, email=f"zq{place}@quill.example")
        for place, name in enumerate(names)
    ]
    client.post("/api/merges/customers", json={"kept_id": ids[1], "merged_id": ids[0], "take": ["email"]})
    merge: Any = client.post(
        "/api/merges/customers", json={"kept_id": ids[2], "merged_id": ids[1], "take": ["name"]}
    )
    answer = client.post(
        f"/api/customers/{ids[2]}/anonymise", json={"confirm": "anonymise", "name": "Zuri Quillworth"}
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    columns = execute(
        own_app,
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type IN ('text', 'jsonb')",
    )
    for table, column in columns:
        left = execute(own_app, f"SELECT count(*) FROM {table} WHERE {column}::text ~* 'quill|zq[0-9]'")
        assert left == [(0,)], (table, column)
    refused: Any = client.post(f"/api/merges/customers/{merge.json['id']}/undo")
    assert (refused.status_code, refused.json["detail"]) == (
        409,
        "A record of this merge has been anonymised.",
    )

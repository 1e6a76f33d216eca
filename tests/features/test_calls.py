"""Calls and what they say of customers: lists by status and day, and one statement for a page of customers."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.application import Application, run


def test_a_call_is_noted_and_completed_later(own_app: Application) -> None:
    client = own_app.client("operator")
    customer = client.get("/api/customers").json["items"][0]["id"]  # type: ignore[index]
    answer = client.post(
        "/api/calls", json={"status": "in_progress", "customer_id": customer, "to_number": "555 9"}
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    place = answer.headers["Location"]
    assert answer.json["user"]["name"] == f"{own_app.alpha.canary} operator"  # type: ignore[index]
    change = {"status": "completed", "outcome": "Orders ten", "duration_seconds": 95, "rating": 5}
    assert client.patch(place, json=change).status_code == 200
    kept: Any = client.get(place).json
    assert {name: kept[name] for name in change} == change
    entries: Any = own_app.client().get(f"/api/audit?entity=call&entity_id={kept['id']}").json
    assert [entry["action"] for entry in entries["items"]] == ["update", "create"]


@pytest.mark.parametrize(
    "wrong",
    [{"status": "sung"}, {"rating": 6}, {"duration_seconds": -1}, {"started_at": "2026-01-01T00:00:00"}],
)
def test_what_is_no_call_is_refused(app: Application, wrong: dict[str, Any]) -> None:
    assert app.client().post("/api/calls", json={"status": "missed"} | wrong).status_code == 400


def test_calls_are_found_by_status_and_day(app: Application) -> None:
    client = app.client()
    everything: Any = client.get("/api/calls?page_size=100").json
    assert everything["total"] == len(everything["items"]) == 53
    statuses = Counter(item["status"] for item in everything["items"])
    for status, count in statuses.items():
        assert client.get(f"/api/calls?status={status}").json["total"] == count  # type: ignore[index]
    day = everything["items"][20]["created_at"][:10]
    found: Any = client.get(f"/api/calls?status=missed,busy&created_from={day}&page_size=100").json
    wanted = [
        item["id"]
        for item in everything["items"]
        if item["status"] in ("missed", "busy") and item["created_at"][:10] >= day
    ]
    assert [item["id"] for item in found["items"]] == wanted
    assert found["total"] == len(wanted) > 0


def known(app: Application, path: str = "/api/intelligence/customers?page_size=100") -> list[dict[str, Any]]:
    app.services.store.clear()
    answer = app.client().get(path)
    assert (answer.status_code, answer.headers["X-Queries"]) == (200, "1")
    items: list[dict[str, Any]] = answer.json["items"]  # type: ignore[index]
    return items


def test_what_is_known_of_customers_is_what_their_lists_say(app: Application) -> None:
    client = app.client()
    with_both = 0
    for customer in known(app):
        for name, newest in (("leads", "latest_lead"), ("calls", "last_call")):
            listed: Any = client.get(customer["links"][name] + "&sort=-created_at").json
            assert listed["total"] == customer[f"{name}_count"], customer
            first = listed["items"][0]["id"] if listed["items"] else None
            assert (customer[newest] or {}).get("id") == first
        with_both += bool(customer["latest_lead"] and customer["last_call"])
    assert with_both > 2


def test_another_business_is_not_known(app: Application) -> None:
    names = [customer["name"] for customer in known(app)]
    assert len(names) == 12
    assert all(app.alpha.canary in name for name in names)


def test_customers_without_a_lead_or_call_are_there_too(own_app: Application) -> None:
    run(own_app, "DELETE FROM call_log")
    run(own_app, "UPDATE leads SET customer_id = NULL")
    customers = known(own_app)
    assert len(customers) == 12
    for customer in customers:
        assert (customer["leads_count"], customer["calls_count"]) == (0, 0)
        assert (customer["latest_lead"], customer["last_call"]) == (None, None)


@pytest.mark.parametrize("customers", [50, 1000])
def test_one_statement_knows_many_customers(own_app: Application, customers: int) -> None:
    """50 on a page, and 1,000 over ten pages with one statement each."""
    tenant = own_app.alpha.id
    run(own_app, "DELETE FROM call_log")
    run(
        own_app,
        "INSERT INTO customers (tenant_id, name) SELECT %s, 'many ' || n FROM generate_series(1, %s) AS n",
        tenant, customers,
    )  # fmt: skip
    run(
        own_app,
        "INSERT INTO call_log (tenant_id, customer_id, created_at) "
        "SELECT c.tenant_id, c.id, now() - n * interval '1 day' "
        "FROM customers AS c CROSS JOIN generate_series(1, 3) AS n WHERE c.name LIKE 'many %%' AND c.tenant_id = %s",
        tenant,
    )
    client = own_app.client()
    path = f"/api/intelligence/customers?q=many&page_size={min(customers, 100)}"
    answer = client.get(path)
    pages, seen = 0, 0
    while True:
        assert answer.headers["X-Queries"] == "1"
        page: Any = answer.json
        pages += 1
        seen += len(page["items"])
        assert {item["calls_count"] for item in page["items"]} == {3}
        if not page["next_cursor"]:
            break
        answer = client.get(f"{path}&cursor={page['next_cursor']}")
    assert (pages, seen) == (-(-customers // 100), customers)

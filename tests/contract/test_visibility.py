"""No answer shows an operator hidden data: over every route, list, export and search."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.application import Application
from tests.contract.routes import routes
from tests.contract.samples import areas

ADDRESSES = {name: area.addresses for name, area in areas().items() if area.addresses}
MEMBERS = {member for entry in ADDRESSES.values() for member in entry.members}
# Their own account.
OWN_ACCOUNT = {"auth.me"}


def reached(answer: Any) -> Iterator[tuple[str, Any]]:
    """The members that say how somebody can be reached, wherever they are, with the thing they are of."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            if name in MEMBERS and value is not None:
                yield name, answer
            yield from reached(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from reached(value)


def answers(app: Application, role: str) -> Iterator[tuple[str, Any]]:
    for route in routes(app):
        if route.method != "GET" or route.open_to_all or (route.roles and role not in route.roles):
            continue
        is_export = route.rule.endswith("/export")
        answer = app.client(role).get(route.path + ("?format=jsonl" if is_export else ""))
        if answer.status_code != 200 or not (is_export or answer.is_json):
            continue
        text = answer.get_data(as_text=True)
        yield route.endpoint, [json.loads(line) for line in text.splitlines()] if is_export else answer.json


def is_own(endpoint: str, thing: dict[str, Any], me: int) -> bool:
    if endpoint.startswith("calls"):
        return (thing["user"] or {}).get("id") == me
    return endpoint.startswith("leads") and me in [
        (thing[name] or {}).get("id") for name in ("assigned_user", "claimed_by")
    ]


def test_no_route_tells_an_operator_how_somebody_is_reached(own_app: Application) -> None:
    operator = own_app.client("operator")
    me: Any = operator.get("/api/auth/me").json["id"]  # type: ignore[index]
    claimed: Any = operator.post("/api/leads/claim", json={"count": 1}).json
    assert claimed["items"][0]["email"] or claimed["items"][0]["phone"], "their own they see"
    told = []
    for endpoint, answer in answers(own_app, "operator"):
        told += [(endpoint, name) for name, thing in reached(answer)
                 if endpoint not in OWN_ACCOUNT and not is_own(endpoint, thing, me)]  # fmt: skip
    assert told == []
    seen = {
        endpoint.partition(".")[0] for endpoint, answer in answers(own_app, "manager") if [*reached(answer)]
    }
    assert ADDRESSES.keys() <= seen, "or this shows nothing"
    assert [name for _, answer in answers(own_app, "operator") for name, _ in reached(answer)], "own ones"


def test_an_operator_sees_their_own_leads_and_finds_nobody_by_an_address(own_app: Application) -> None:
    admin, operator = own_app.client(), own_app.client("operator")
    me: Any = operator.get("/api/auth/me").json["id"]  # type: ignore[index]
    mine = {"name": "mine", "email": "mine@works.example", "phone": "555 0777", "assigned_user_id": me}
    for path, body in (
        ("leads", {**mine, "assigned_user_id": None}),
        ("customers", {"name": "mine", "email": "mine@works.example", "phone": "555 0777"}),
        ("contacts", {"name": "mine", "email": "mine@works.example", "phone": "555 0777"}),
    ):
        made = admin.post(f"/api/{path}", json=body)
        assert made.status_code == 201
        for q in ("mine@w", "5550777"):
            found = [client.get(f"/api/{path}?q={q}").json["total"] for client in (admin, operator)]  # type: ignore[index]
            assert found == [1, 0], (path, q)
        assert operator.get(f"/api/{path}?q=mine").json["total"] >= 1  # type: ignore[index]
        alien: Any = operator.get(f"/api/{path}/{made.json['id']}").json  # type: ignore[index]
        assert (alien["email"], alien["phone"]) == (None, None)
    assert operator.get("/api/conversations/messages?to_number=555 1").json["items"] == []  # type: ignore[index]
    lead: Any = admin.post("/api/leads", json=mine).json
    own: Any = operator.get(f"/api/leads/{lead['id']}").json
    assert (own["email"], own["phone"]) == (mine["email"], mine["phone"])
    written: Any = operator.patch(f"/api/leads/{lead['id']}", json={"assigned_user_id": None})
    assert written.status_code == 403 or written.json["email"] is None


def test_the_table_of_the_docs_is_the_table_of_the_code() -> None:
    text = (Path(__file__).parents[2] / "docs" / "roles.md").read_text(encoding="utf-8")
    for area, entry in ADDRESSES.items():
        members = ", ".join(f"`{member}`" for member in entry.members)
        rows = [line for line in text.splitlines() if line.startswith(f"| {members} of ")]
        line = next(line for line in rows if area in line)
        assert (f"of {entry.own}" in line) if entry.own else line.endswith("| no |")

"""The link of a screen: it reads the areas of the wall that it was made for, and nothing else, until it ends."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.application import Application, run, running_application
from tests.features.test_api_tokens import ask, make
from tests.waiting import eventually
from tests.web.ways import Ways, bearer

WALL = "/api/wall"
MEMBERS = {"jobs": {"jobs"}, "late": {"late"}, "machines": {"machines"}, "sell": {"leads", "approvals"}}
COMMON = {"business", "areas", "today", "as_of"}


def link(app: Application, *areas: str, **more: Any) -> Any:
    return make(app, "wall", **({"areas": areas} if areas else {}), **more)


def test_a_link_shows_its_areas_and_nothing_else(own_app: Application) -> None:
    made = link(own_app, "machines", "late")
    assert made["areas"] == ["late", "machines"]
    answer: Any = ask(own_app, made["token"], WALL)
    assert answer.status_code == 200
    assert set(answer.json) == COMMON | {"late", "machines"}
    assert set(ask(own_app, made["token"], f"{WALL}?areas=late").json) == COMMON | {"late"}
    for areas in ("jobs", "late,jobs", "sell"):
        refused: Any = ask(own_app, made["token"], f"{WALL}?areas={areas}")
        assert refused.status_code == 403 and "late, machines" in refused.json["detail"]
    for path in (
        "/api/jobs",
        "/api/dashboard/stats",
        f"/api/batch?paths={WALL}",
        "/api/auth/me",
        "/api/tokens",
    ):
        assert ask(own_app, made["token"], path).status_code == 403, path
    assert ask(own_app, made["token"], "/metrics").status_code == 403
    everything: Any = ask(own_app, link(own_app)["token"], WALL).json
    assert set(everything) == COMMON.union(*MEMBERS.values())


def test_links_of_one_admin_share_no_answer_of_another_area(own_app: Application) -> None:
    """The same address, the same user, from the cache, on both paths."""
    ways = Ways(own_app)
    tokens = {area: link(own_app, area)["token"] for area in MEMBERS}
    for _ in range(3):
        for area, token in tokens.items():
            answer: Any = ways.ask_slow(WALL, headers=bearer(token)).json
            assert set(answer) == COMMON | MEMBERS[area], area
    token = tokens["jobs"]
    eventually("it is kept", lambda: ways.goes_long(WALL, headers=bearer(token)) is None)
    fast: Any = ways.ask_fast(WALL, headers=bearer(token))
    assert (set(fast.json), fast.headers["X-Cache"]) == (COMMON | {"jobs"}, "HIT")


@pytest.mark.parametrize("role", ["admin", "manager", "operator"])
def test_the_numbers_are_those_of_the_board_and_of_the_lists(app: Application, role: str) -> None:
    client = app.client(role)
    wall: Any = client.get(WALL).json
    stats: Any = client.get("/api/dashboard/stats").json
    for group in ("jobs", "leads", "approvals"):
        assert wall[group].items() <= {**stats[group]}.items(), group
    late: Any = client.get("/api/jobs?overdue=true&sort=due_date&page_size=8").json
    assert [job["job_number"] for job in wall["late"]] == [job["job_number"] for job in late["items"]]
    assert all(job["days_late"] > 0 for job in wall["late"]) and wall["late"]
    machines: Any = client.get("/api/machines?page_size=100").json
    loads = {item["name"]: (item["status"], item["load"]["pending"]) for item in machines["items"]}
    assert {m["name"]: (m["status"], m["pending"]) for m in wall["machines"]} == loads
    assert "customer" not in client.get(WALL).get_data(as_text=True)


def test_only_an_admin_makes_a_link_and_it_is_shown_once(own_app: Application) -> None:
    body = {"name": "Hall 2", "scopes": ["wall"], "areas": ["jobs"], "expires_in_days": 365}
    for role in ("manager", "operator"):
        assert own_app.client(role).post("/api/tokens", json=body).status_code == 403
    for change in (
        {"areas": []}, {"areas": ["users"]}, {"expires_in_days": 366}, {"scopes": ["read"]},
    ):  # fmt: skip
        assert own_app.client().post("/api/tokens", json={**body, **change}).status_code == 400, change
    made = make(own_app, "wall", areas=["jobs"], expires_in_days=365)
    address = urlsplit(made["url"])
    assert (address.path, address.query) == ("/wall", "")
    assert parse_qs(address.fragment) == {"token": [made["token"]]}
    assert make(own_app, "read")["url"] is None
    listed: Any = own_app.client().get("/api/tokens").json
    (item,) = [item for item in listed["items"] if item["id"] == made["id"]]
    assert item["areas"] == ["jobs"] and not {"token", "url"} & item.keys()


def test_a_revoked_link_ends_on_every_worker(own_app: Application) -> None:
    made, other = link(own_app, "jobs"), link(own_app, "jobs")
    with running_application(own_app.database, own_app.alpha, own_app.beta) as worker:
        for app in (own_app, worker):
            assert ask(app, made["token"], WALL).status_code == 200
            assert ask(app, made["token"], WALL).headers["X-Cache"] == "HIT"
        assert own_app.client().delete(f"/api/tokens/{made['id']}").status_code == 200
        for app in (own_app, worker):
            eventually("its end", lambda app=app: ask(app, made["token"], WALL).status_code == 401)
            assert ask(app, other["token"], WALL).status_code == 200


def test_the_link_of_one_business_shows_nothing_of_another(own_app: Application) -> None:
    (name,) = run(own_app, "SELECT name FROM tenants WHERE id = %s", own_app.alpha.id)[0]
    shown: Any = ask(own_app, link(own_app)["token"], WALL).json
    assert shown["business"]["name"] == name
    run(own_app, "UPDATE api_tokens SET expires_at = now() WHERE areas IS NOT NULL")
    own_app.services.sign_in.api_tokens._known.clear()
    assert ask(own_app, make(own_app, "read")["token"], WALL).status_code == 200

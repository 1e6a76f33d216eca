"""Lists: both ways of paging, sorts, filters and search."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from flask import g
from flask.testing import FlaskClient

from opsboard.auth.identity import Identity
from opsboard.db.queries import Query, load_queries
from opsboard.errors import InvalidInput
from opsboard.features.jobs.routes import ListJobs
from opsboard.web.listing import list_page
from tests.application import Application

LISTS = {
    "/api/jobs": "jobs", "/api/jobs/at-risk": "jobs.list_at_risk",
    "/api/job-steps": "job_steps", "/api/customers": "customers", "/api/machines": "machines",
    "/api/processes": "processes", "/api/users": "users", "/api/notifications": "notifications", "/api/audit": "audit",
    "/api/leads": "leads", "/api/workflow-approvals": "workflow_approvals",
    "/api/campaigns": "campaigns",
    "/api/documents": "documents",
    "/api/contacts": "contacts", "/api/calls": "calls",
    "/api/conversations": "conversations", "/api/intelligence/customers": "intelligence",
    "/api/journeys": "journeys.list_journeys", "/api/journeys/contacts": "journeys.list_contacts",
    "/api/journeys/executions": "journeys.list_executions", "/api/journeys/messages": "journeys.list_messages",
    "/api/workflow-monitoring/history": "workflow_monitoring",
}  # fmt: skip


def list_query(name: str) -> Query:
    """An area's list or, where it has several, the one that is named or has the area's name."""
    area, _, one = name.partition(".")
    lists = {query.name: query for query in load_queries(f"opsboard.features.{area}") if query.base}
    return lists.get(f"{area}.{one or f'list_{area}'}") or next(iter(lists.values()))


def sorts(name: str) -> list[str]:
    return [sign + column for column in list_query(name).sorts for sign in ("", "-")]


EVERY_SORT = [(path, sort) for path, area in LISTS.items() for sort in sorts(area)]


def pages(client: FlaskClient, path: str, follow: str = "next_cursor") -> Iterator[dict[str, Any]]:
    """The pages of a list, one cursor after the other."""
    answer: dict[str, Any] = client.get(path).json  # type: ignore[assignment]
    yield answer
    base = path.split("?")[0]
    while answer[follow]:
        answer = client.get(f"{base}?{path.partition('?')[2]}&cursor={answer[follow]}").json  # type: ignore[assignment]
        yield answer


def ids(answer: dict[str, Any]) -> list[int]:
    return [item["id"] for item in answer["items"]]


@pytest.mark.parametrize(("path", "sort"), EVERY_SORT)
def test_cursors_and_pages_give_the_same_rows_forward_and_back(
    app: Application, path: str, sort: str
) -> None:
    client = app.client()
    total = client.get(f"{path}?sort={sort}").json["total"]  # type: ignore[index]
    size = min(max(2, total // 4), 100)  # at most
    by_number: list[int] = []
    number = 1
    while True:
        answer: dict[str, Any] = client.get(f"{path}?sort={sort}&page_size={size}&page={number}").json  # type: ignore[assignment]
        by_number += ids(answer)
        assert answer["has_previous"] == (number > 1)
        if not answer["has_next"]:
            break
        number += 1
    assert len(by_number) == len(set(by_number)) == answer["total"]
    assert answer["total_pages"] == number
    forward = list(pages(client, f"{path}?sort={sort}&page_size={size}"))
    assert [row for page in forward for row in ids(page)] == by_number
    last = client.get(f"{path}?sort={sort}&page_size={size}&cursor={forward[-2]['next_cursor']}").json
    back = [ids(last)]  # type: ignore[arg-type]
    while last["previous_cursor"]:  # type: ignore[index]
        last = client.get(f"{path}?page_size={size}&cursor={last['previous_cursor']}").json  # type: ignore[index]
        back.append(ids(last))  # type: ignore[arg-type]
    assert [row for page in reversed(back) for row in page] == by_number
    assert last["has_previous"] is False  # type: ignore[index]


def test_paging_by_cursor_holds_while_rows_are_added_and_removed(own_app: Application) -> None:
    client = own_app.client()
    before = {row for page in pages(client, "/api/jobs?page_size=100") for row in ids(page)}
    removed: set[int] = set()
    seen: list[int] = []
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        for page in pages(client, "/api/jobs?page_size=7&sort=-created_at"):
            seen += ids(page)
            # New rows at both ends and in the middle, and the row the cursor stands on goes away.
            for shift in ("0 days", "40 days", "400 days"):
                cursor.execute(
                    "INSERT INTO jobs (tenant_id, job_number, title, created_at) "
                    "SELECT %s, gen_random_uuid(), 'new', now() - %s::interval",
                    (own_app.alpha.id, shift),
                )
            cursor.execute("DELETE FROM jobs WHERE id = %s", (seen[-1],))
            removed.add(seen[-1])
    assert len(seen) == len(set(seen)), "a row came twice"
    assert before <= set(seen) | removed, "a row that was there all the time was left out"


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "job_number", "-job_number", "-due_date"])
@pytest.mark.parametrize("on", ["next", "previous"])
@pytest.mark.parametrize("standing", [True, False], ids=["its row stays", "its row goes too"])
def test_where_all_rows_behind_a_cursor_have_gone_there_is_a_way_back(
    own_app: Application, sort: str, on: str, standing: bool
) -> None:
    client, forward = own_app.client(), on == "next"
    back = "previous" if forward else "next"

    def follow(page: Any, way: str, size: int = 20) -> Any:
        return client.get(f"/api/jobs?page_size={size}&cursor={page[f'{way}_cursor']}").json

    # In the direction that is gone: a page that is left, the one the cursor is of, and those behind it.
    before, here, *gone = list(pages(client, f"/api/jobs?sort={sort}&page_size=20"))[:: 1 if forward else -1]
    left = ids(here)
    removed = [row for page in gone for row in ids(page)]
    if not standing:
        removed.append(left.pop(-1 if forward else 0))
    remove(own_app, removed)
    empty = follow(here, on)
    assert (empty["items"], empty[f"has_{on}"], empty[f"{on}_cursor"]) == ([], False, None)
    assert empty[f"has_{back}"] is True
    again = follow(empty, back, len(left))
    assert ids(again) == left
    # From there it goes on as from any page, either way.
    assert ids(follow(again, back)) == ids(before)
    assert again[f"has_{on}"] is True
    assert ids(follow(follow(again, on), back, len(left))) == left


def test_where_no_row_at_all_is_left_no_way_leads_on(own_app: Application) -> None:
    client = own_app.client()
    here: Any = client.get("/api/jobs?page_size=20&cursor=").json
    beyond: Any = client.get(f"/api/jobs?page_size=20&cursor={here['next_cursor']}").json
    remove(own_app, [row for page in pages(client, "/api/jobs?page_size=100") for row in ids(page)])
    for cursor in (here["next_cursor"], beyond["previous_cursor"]):
        empty: Any = client.get(f"/api/jobs?page_size=20&cursor={cursor}").json
        assert empty["items"] == []
        assert (empty["has_next"], empty["has_previous"]) == (False, False)
        assert (empty["next_cursor"], empty["previous_cursor"]) == (None, None)


def remove(app: Application, removed: list[int]) -> None:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM jobs WHERE id = ANY(%s)", (removed,))
        connection.commit()
    app.services.change_feed.poll()


def test_the_first_page_by_cursor_is_not_counted(app: Application) -> None:
    answer: dict[str, Any] = app.client().get("/api/jobs?cursor=").json  # type: ignore[assignment]
    assert "total" not in answer
    assert len(answer["items"]) == 50


def test_a_cursor_fits_its_own_list_filter_sort_and_tenant_only(app: Application) -> None:
    client = app.client()
    cursor = client.get("/api/jobs?status=active&page_size=2").json["next_cursor"]  # type: ignore[index]
    assert client.get(f"/api/jobs?status=active&cursor={cursor}").status_code == 200
    for path in (
        f"/api/jobs?cursor={cursor}",
        f"/api/jobs?status=draft&cursor={cursor}",
        f"/api/customers?cursor={cursor}",
        f"/api/jobs?status=active&sort=due_date&cursor={cursor}",
        f"/api/jobs?status=active&cursor={cursor[:-2]}AA",
        f"/api/jobs?status=active&page=2&cursor={cursor}",
    ):
        assert client.get(path).status_code == 400, path
    # Both lists without a filter and sorted by the same name: only the list tells them apart.
    of_all = client.get("/api/jobs?page_size=2").json["next_cursor"]  # type: ignore[index]
    assert client.get(f"/api/customers?cursor={of_all}").status_code == 400
    for other in (app.client("admin", app.beta), app.client("manager")):
        assert other.get(f"/api/jobs?status=active&cursor={cursor}").status_code == 400


def test_a_cursor_is_not_that_of_a_user_of_the_same_number_elsewhere(app: Application) -> None:
    arguments = ListJobs(page_size=2)
    with app.flask.test_request_context("/api/jobs"):
        g.identity = Identity(app.alpha.id, 1, "admin", "token", 1, 9e9)
        cursor = json.loads(list_page(arguments, {}).identity)["next_cursor"]
        assert list_page(ListJobs(page_size=2, cursor=cursor), {})
        g.identity = Identity(app.beta.id, 1, "admin", "token", 1, 9e9)
        with pytest.raises(InvalidInput):
            list_page(ListJobs(page_size=2, cursor=cursor), {})


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api/jobs?q=CANARYALPHA-000", 9), ("/api/jobs?q=canaryalpha-0090", 1), ("/api/jobs?q=alpha", 0),
        ("/api/jobs?q=%25", 0), ("/api/jobs?q=_", 0),
        ("/api/customers?q=Canaryalpha%20customer%201", 4), ("/api/customers?q=c12%40", 1),
        ("/api/customers?q=555-0112", 1), ("/api/customers?q=(555)%200112", 1), ("/api/customers?q=5550", 12),
        ("/api/machines?q=canaryalpha%20machine%2011", 1), ("/api/users?q=canaryalpha%20admin", 1),
        ("/api/processes?q=CANARY", 5),
    ],
)  # fmt: skip
def test_search_finds_what_begins_so(app: Application, path: str, found: int) -> None:
    assert app.client().get(path).json["total"] == found  # type: ignore[index]


def test_filters_narrow_and_combine(app: Application) -> None:
    client = app.client()
    for query, keeps in (
        ("status=active,draft", lambda job: job["status"] in ("active", "draft")),
        (
            "priority=urgent&status=completed",
            lambda job: (job["priority"], job["status"]) == ("urgent", "completed"),
        ),
        ("overdue=true", lambda job: job["is_overdue"]),
        ("due_from=2000-01-01", lambda job: job["due_date"] is not None),
    ):
        answer: dict[str, Any] = client.get(f"/api/jobs?page_size=100&{query}").json  # type: ignore[assignment]
        assert answer["items"] and all(keeps(job) for job in answer["items"]), query
        everything = client.get("/api/jobs?page_size=100").json["items"]  # type: ignore[index]
        assert len(answer["items"]) == sum(map(keeps, everything)), query


def test_notifications_are_ones_own(app: Application) -> None:
    for role in ("admin", "operator"):
        assert app.client(role).get("/api/notifications").json["total"] == 5  # type: ignore[index]

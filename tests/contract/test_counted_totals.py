"""A total that no rollup knows is counted once for all pages of a list, and again as soon as a row has changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.cache.store import Found, Outcome
from opsboard.db.database import Database
from opsboard.db.embedded import Cluster
from opsboard.db.list_statement import Page, compose
from opsboard.db.list_total import is_time_independent
from opsboard.web.totals import ENDPOINT
from tests.application import Application, running_application
from tests.clusters import fresh_database
from tests.contract.catalogue import VALUES, all_queries
from tests.contract.test_every_query import explain, nodes
from tests.contract.test_paging_of_every_list import MEASURED, rows_of
from tests.seed import Business

JOBS = next(query for query in all_queries() if query.name == "jobs.list_jobs")
# The rows of these are others when time has passed.
TIME_DEPENDENT = {
    "jobs.list_jobs overdue", "jobs.list_jobs due_today", "job_steps.list_job_steps completed_today",
    "leads.list_leads created_today", "workflow_approvals.list_approvals decided_today", "jobs.list_at_risk ahead",
}  # fmt: skip
FILTER = "/api/jobs?priority=normal&page_size=5"


@pytest.fixture
def own_app(cluster: Cluster, seeded: tuple[str, Business, Business]) -> Iterator[Application]:
    """An application that keeps totals and no pages: each page is asked of the database."""
    name, alpha, beta = seeded
    with (
        fresh_database(cluster, name) as database,
        running_application(database, alpha, beta, cache_ttl_lists=0) as application,
    ):
        yield application


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[Page]:
    """The pages that were asked of the database."""
    asked: list[Page] = []
    fetch = Database.fetch_list

    def noted(self: Database, query: Any, who: Any, filters: Any, page: Page) -> Any:
        asked.append(page)
        return fetch(self, query, who, filters, page)

    monkeypatch.setattr(Database, "fetch_list", noted)
    return asked


def counted(pages: list[Page]) -> int:
    """How many of them counted their rows; from here on anew."""
    number = sum(page.total is None for page in pages)
    pages.clear()
    return number


def total(app: Application, path: str = FILTER, role: str = "admin", business: Any = None) -> int:
    answer: Any = app.client(role, business).get(path)
    assert answer.headers["X-Queries"] == "1" and answer.headers["X-Cache"] == "BYPASS"
    return int(answer.json["total"])


def test_the_second_page_reads_no_more_than_its_rows(large: Application) -> None:
    read = {}
    for known in (None, 7142):
        page = Page("created_at", True, 50, number=2, fields=("id",), total=known)
        sql, given = compose(JOBS, {"priority": ["normal"], "is_active": True}, page)
        plan = explain(large, sql, VALUES | given | {"tenant_id": large.alpha.id}, MEASURED)
        read[known] = rows_of(JOBS, nodes(plan))
    assert read[7142] <= 4 * 50, "two pages, of rows that are mostly of this priority, and what they show"
    assert read[None] > 5000


def test_walking_all_pages_of_a_filter_counts_once_and_all_tell_the_same(
    own_app: Application, pages: list[Page]
) -> None:
    app, client = own_app, own_app.client()
    first: Any = client.get(FILTER).json
    assert first["total_pages"] > 3
    seen = [item["id"] for item in first["items"]]
    for number in range(2, first["total_pages"] + 1):
        answer: Any = client.get(f"{FILTER}&page={number}&fields=id").json
        assert (answer["total"], answer["total_pages"]) == (first["total"], first["total_pages"])
        seen += [item["id"] for item in answer["items"]]
    assert len(set(seen)) == len(seen) == first["total"]
    assert total(app, f"{FILTER}&sort=-created_at") == first["total"]
    assert counted(pages) == 1
    steps = "/api/job-steps?machine_id=1"
    assert total(app, steps) == total(app, f"{steps}&sort=-updated_at")
    assert total(app, f"{steps}&sort=completed_at") < total(app, steps), "only those that have one"
    assert counted(pages) == 2


def test_a_change_is_in_the_total_of_the_next_page(own_app: Application) -> None:
    before = total(own_app)
    made = own_app.client().post("/api/jobs", json={"title": "More", "priority": "normal"})
    assert made.status_code == 201
    assert total(own_app) == before + 1
    own_app.services.change_feed.poll()
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        assert total(own_app) == before + 1
        cursor.execute("UPDATE jobs SET priority = 'low' WHERE id = %s", (made.json["id"],))  # type: ignore[index]
        connection.commit()
    own_app.services.change_feed.poll()
    assert total(own_app) == before


def test_nobody_is_told_the_total_of_another_nor_of_another_filter(own_app: Application) -> None:
    app = own_app
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM jobs WHERE tenant_id = 2 AND priority = 'normal'")
        cursor.execute(
            "UPDATE job_steps SET assigned_user_id = (SELECT id FROM users WHERE email = %s) WHERE machine_id = 1",
            (app.alpha.email("admin"),),
        )
        connection.commit()
    assert total(app, "/api/jobs?priority=low,high") > total(app, "/api/jobs?priority=low")
    assert total(app) > 0 == total(app, business=app.beta)
    mine = "/api/job-steps?mine=true&machine_id=1"
    assert total(app, mine) > 0 == total(app, mine, "operator")


def test_what_the_rollups_know_or_time_changes_is_not_kept(own_app: Application, pages: list[Page]) -> None:
    for path in ("/api/jobs", "/api/jobs?status=active", "/api/jobs?overdue=true&priority=normal"):
        for _ in range(2):
            total(own_app, path)
    own_app.client().get("/api/jobs?priority=low&cursor=")
    assert counted(pages) == 7
    assert ENDPOINT not in own_app.services.store.stats()["endpoints"]
    total(own_app)
    assert own_app.services.store.stats()["endpoints"][ENDPOINT]["entries"] == 1


def test_no_total_is_kept_whose_rows_are_others_tomorrow() -> None:
    passing = {
        f"{query.name} {name}"
        for query in all_queries()
        for name, condition in query.filters.items()
        if not is_time_independent([condition])
    }
    assert passing == TIME_DEPENDENT


def test_a_total_that_is_no_longer_known_to_be_right_is_counted(
    own_app: Application, pages: list[Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    right, store = total(own_app), own_app.services.store
    ask = store.get_or_load
    monkeypatch.setattr(store, "get_or_load", lambda *args: Found(ask(*args).body, Outcome.STALE, 1.0))
    pages.clear()
    assert total(own_app) == right
    assert counted(pages) == 1

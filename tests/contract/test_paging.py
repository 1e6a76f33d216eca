"""Cursor paging: every row exactly once whatever comes and goes, and no page costs more rows than the first."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.db.embedded import Cluster
from opsboard.db.list_statement import Page, Position, compose
from opsboard.db.queries import load_queries
from tests.application import Application, running_application
from tests.clusters import FreshDatabase, fresh_database
from tests.contract.catalogue import VALUES
from tests.contract.test_every_query import explain, nodes
from tests.seed import Business

SORTS = ["created_at", "-created_at", "due_date", "-due_date", "job_number", "-job_number"]
SHORT, LONG = 20_000, 1_000_000
PAGE = 50
JOBS = load_queries("opsboard.features.jobs").list_jobs

CHURN = """
WITH gone AS (
    DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE tenant_id = %(tenant)s AND title = 'passing'
        ORDER BY random() LIMIT 3)
)
INSERT INTO jobs (tenant_id, job_number, title, due_date, created_at)
SELECT %(tenant)s, 'CANARY' || gen_random_uuid(), 'passing',
    CASE WHEN random() < 0.8 THEN current_date + (random() * 20 - 10)::integer END,
    now() - random() * interval '100 days'
FROM generate_series(1, 4)
"""
# Neighbours share their moment, so that the id has to tell them apart.
FILL = """
SET session_replication_role = replica;
INSERT INTO jobs (tenant_id, job_number, title, created_at, updated_at, due_date)
SELECT %(tenant)s, 'P-' || lpad(n::text, 9, '0'), 'many', now() - (n / 3) * interval '1 minute',
    now() - (n / 3) * interval '1 minute', current_date - n / 300
FROM generate_series(%(first)s, %(last)s) AS n;
"""


def ids(page: Any) -> list[int]:
    return [item["id"] for item in page["items"]]


@pytest.mark.parametrize("sort", SORTS)
def test_each_row_that_stays_comes_once_forward_and_once_back_while_others_come_and_go(
    own_app: Application, sort: str
) -> None:
    client, chance = own_app.client(), random.Random(sort)
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        for _ in range(10):
            cursor.execute(CHURN, {"tenant": own_app.alpha.id})
        order = (
            sort.removeprefix("-").replace("due_date", "due_date_search").replace("number", "number_search")
        )
        way = "DESC" if sort.startswith("-") else "ASC"
        cursor.execute(
            f"SELECT id FROM jobs WHERE tenant_id = %s AND title <> 'passing' ORDER BY {order} {way}, id {way}",
            (own_app.alpha.id,),
        )
        staying = [row_id for (row_id,) in cursor.fetchall()]
        forward, back = [], []
        page: Any = client.get(f"/api/jobs?sort={sort}&page_size=7&cursor=").json
        while True:
            forward += ids(page)
            cursor.execute(CHURN, {"tenant": own_app.alpha.id})
            if page["next_cursor"] is None:
                break
            size = chance.randint(1, 9)
            page = client.get(f"/api/jobs?page_size={size}&cursor={page['next_cursor']}").json
        back = ids(page)[::-1]
        while page["previous_cursor"] is not None:
            cursor.execute(CHURN, {"tenant": own_app.alpha.id})
            size = chance.randint(1, 9)
            page = client.get(f"/api/jobs?page_size={size}&cursor={page['previous_cursor']}").json
            back += ids(page)[::-1]
    for seen, expected in ((forward, staying), (back, staying[::-1])):
        assert len(seen) == len(set(seen)), "a row came twice"
        assert [row_id for row_id in seen if row_id in set(staying)] == expected, (
            "a row that stayed was left out"
        )


def test_turning_back_and_forth_gives_the_same_pages(own_app: Application) -> None:
    client = own_app.client()
    first: Any = client.get("/api/jobs?sort=due_date&page_size=10").json
    second: Any = client.get(f"/api/jobs?page_size=10&cursor={first['next_cursor']}").json
    for _ in range(3):
        again: Any = client.get(f"/api/jobs?page_size=10&cursor={second['previous_cursor']}").json
        assert ids(again) == ids(first) and again["has_previous"] is False
        second_again: Any = client.get(f"/api/jobs?page_size=10&cursor={again['next_cursor']}").json
        assert ids(second_again) == ids(second)


@pytest.fixture(scope="module")
def many(
    cluster: Cluster, seeded: tuple[str, Business, Business]
) -> Iterator[tuple[FreshDatabase, Application]]:
    name, alpha, beta = seeded
    with fresh_database(cluster, name) as database:
        fill(database, alpha.id, 1, SHORT)
        with running_application(database, alpha, beta) as application:
            yield database, application


def fill(database: FreshDatabase, tenant: int, first: int, last: int) -> None:
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(FILL, {"tenant": tenant, "first": first, "last": last})
        cursor.execute("VACUUM ANALYZE jobs")


def a_page(name: str, descending: bool, position: Position | None = None, number: int = 1) -> Page:
    return Page(name, descending, PAGE, number, position, counted=False, fields=("id",))


def rows_read(app: Application, page: Page) -> int:
    """Rows that the executed plan took from the jobs and their indexes, thrown away or not, in showing one member."""
    sql, params = compose(JOBS, {}, page)
    plan = explain(app, sql, {**VALUES, **params}, options=", ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF")
    return sum(
        int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in nodes(plan)
        if node.get("Relation Name") == "jobs"
    )


@pytest.mark.parametrize("rows", [SHORT, pytest.param(LONG, marks=pytest.mark.slow)])
def test_the_last_page_reads_as_few_rows_as_the_first(
    many: tuple[FreshDatabase, Application], rows: int
) -> None:
    database, app = many
    if rows > SHORT:
        fill(database, app.alpha.id, SHORT + 1, rows)
    for name, sort in JOBS.sorts.items():
        for descending in (False, True):
            first = rows_read(app, a_page(name, descending))
            for backwards in (False, True):
                position = at_the_end(database, app.alpha.id, sort.expression, descending != backwards)
                last = rows_read(app, a_page(name, descending, Position(*position, backwards)))
                # PAGE + 1 rows of the index, and the PAGE rows that are shown.
                assert 0 < last <= first <= 2 * PAGE + 10, (name, descending, backwards, first, last)
    # By number the same page reads all that is in front of it: the figure above would see it.
    assert rows_read(app, a_page("created_at", True, number=rows // PAGE)) > rows / 2


def at_the_end(database: FreshDatabase, tenant: int, expression: str, falling: bool) -> tuple[str, int]:
    """Where the last full page begins."""
    order = "ASC" if falling else "DESC"
    with closing(psycopg2.connect(database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT ({expression})::text, j.id FROM jobs AS j WHERE j.tenant_id = %s "
            f"ORDER BY {expression} {order}, j.id {order} OFFSET {PAGE} LIMIT 1",
            (tenant,),
        )
        key, row_id = cursor.fetchone() or ("", 0)
        return key, row_id

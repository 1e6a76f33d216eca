"""The total of a list is the same from the rollups as by counting, for every filter that has one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from opsboard.db.list_statement import Page, compose
from opsboard.db.queries import Query
from tests.contract.catalogue import VALUES, all_queries, filter_values
from tests.rollups.conftest import Books

LISTS = [query for query in all_queries() if query.totals]
CASES = [(query, filters) for query in LISTS for filters in query.totals]
DATES = {"created_from": "-40", "created_to": "-3", "completed_from": "-1", "completed_to": "0"}


def total(books: Books, query: Query, values: dict[str, Any]) -> int:
    page = Page(next(iter(query.sorts)), True, 1)
    sql, params = compose(query, values, page)
    with books.connection.cursor() as cursor:
        cursor.execute(sql.rpartition("SELECT\n    json_build_object(")[0] + "SELECT total FROM counted",
                       {**VALUES, **params})  # fmt: skip
        ((found,),) = cursor.fetchall()
    return int(found)


@pytest.mark.parametrize(
    ("query", "filters"), CASES, ids=[f"{query.name}-{','.join(sorted(filters))}" for query, filters in CASES]
)
def test_kept_totals_are_what_counting_gives(books: Books, query: Query, filters: frozenset[str]) -> None:
    ((today,),) = books.run("SELECT (now() AT TIME ZONE 'UTC')::date")
    own = filter_values(query)
    values = {name: own[name] for name in filters} | {"events": 3}
    for name in filters & DATES.keys():
        ((values[name],),) = books.run("SELECT %s::date + %s::integer", today, DATES[name])
    if "status" in filters and query.base.startswith("jobs "):
        values["status"] = ["active", "completed", "on_hold"]
    if "status" in filters and query.base.startswith("job_steps "):
        values["status"] = ["completed", "pending"]
    if "completed_today" in filters:
        # Soon after midnight nothing is: then it is still the day on which they completed a step last.
        books.run("""
            UPDATE tenants AS t
            SET as_of = (
                SELECT max(s.completed_at AT TIME ZONE t.time_zone)::date
                FROM job_steps AS s
                WHERE s.tenant_id = t.id AND s.assigned_user_id = 1
            )
        """)
    if "assignee_inactive" in filters:
        # They had work before they were deactivated.
        books.run("UPDATE users SET is_active = false WHERE role = 'operator'")
    counted = total(books, replace(query, totals={}), values)
    assert counted > 0
    assert total(books, query, values) == counted, "not folded"
    books.fold()
    assert total(books, query, values) == counted, "folded"


def test_a_sort_that_leaves_rows_out_is_counted(books: Books) -> None:
    steps = next(query for query in LISTS if query.name == "job_steps.list_job_steps")
    sql, _ = compose(steps, {}, Page("started_at", True, 10))
    assert "rollup_counts" not in sql and "count(*) AS total" in sql


def test_filters_without_a_kept_total_are_counted(books: Books) -> None:
    jobs = next(query for query in LISTS if query.name == "jobs.list_jobs")
    sql, _ = compose(jobs, {"status": ["active"], "q": "a"}, Page("created_at", True, 10))
    assert "rollup_counts" not in sql


def test_who_asks_for_one_count_is_not_charged_for_the_others(books: Books) -> None:
    """Conditions that depend on the parameters alone are decided before any row image is read."""
    explain = "EXPLAIN SELECT c.n FROM rollup_counts(1, {}) AS c"
    everything, jobs = (
        [line for (line,) in books.run(explain.format(wanted)) if "One-Time Filter: false" in line]
        for wanted in ("NULL", "ARRAY['jobs']")
    )
    assert not everything
    # Of open, created and completed jobs, steps of both kinds, and machines.
    assert len(jobs) >= 6

"""On a large seed no query reads rows in vain, and each index is of use to the query its migration names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from opsboard.db.list_statement import Page, compose
from opsboard.observability.performance import memory_tracker
from tests.application import Application
from tests.contract.catalogue import VALUES, all_queries, shapes
from tests.contract.plans import EXECUTED, explain, nodes, planning, small_months
from tests.contract.routes import routes

# Rows a query may read and throw away. A scan of the tenant's jobs for a few of them is far above it.
IN_VAIN = 1_500
# Of several kinds, a search reads at most as many candidates as its parameter `most_read` says, and checks their words.
# Views that people save are some dozens; they are 300 here.
# A risk compares the states of some hundred past jobs with a table of 144 states, in memory.
# Deliveries to a webhook that has been quiet stand behind those of the others; they are kept for days, not for years.
# The load is of all machines and people; those that are inactive are left out.
# A plan for any values may read the table of the records once for suggestions of duplicates.
SUGGESTED = dict.fromkeys(
    ("merges.suggest_customers", "merges.suggest_contacts", "merges.suggest_leads"), 12_000
)
MORE_IN_VAIN = {
    "search.search": 7_000, "saved_views.list_saved_views": 10_000, "jobs.list_at_risk": 20_000,
    "jobs.lateness_risk": 20_000, "jobs.risk_calibration": 20_000, "jobs.late_jobs": 20_000,
    "jobs.delays": 3_000, "jobs.promise_date": 3_000,
    "webhooks.list_deliveries": 7_000, "dashboard.load": 3_000,
    **SUGGESTED}  # fmt: skip
MIGRATIONS = Path(__file__).parents[2] / "migrations"


@pytest.fixture(scope="module", params=["force_generic_plan", "force_custom_plan"])
def plans(large: Application, request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """The executed plan of every shape of every query, of both kinds that Postgres may choose for a prepared
    statement; writes run and are rolled back."""
    found = {}
    with planning(large) as explain_all:
        for query in all_queries():
            if query.name.startswith("health"):
                continue
            for label, sql, params in shapes(query):
                params = {**params, "tenant_id": large.alpha.id}
                found[label] = explain_all(sql, params, EXECUTED, (request.param,))[request.param]
    return found


def rows_read(plan: dict[str, Any]) -> dict[str, int]:
    """Table -> rows read from it, those thrown away included."""
    read: Counter[str] = Counter()
    for node in nodes(plan):
        if "Relation Name" in node:
            gone = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            read[node["Relation Name"]] += int((node["Actual Rows"] + gone) * node["Actual Loops"])
    return read


def in_vain(plan: dict[str, Any], small: Collection[str] = ()) -> int:
    """Rows that were read and then removed, over the whole plan, where fewer were kept than removed.

    To count nine tenths of a table Postgres rightly reads all of it, and so it does with a table that is `small`.
    """
    removed = [
        (
            int(node.get(kind, 0)) * int(node.get("Actual Loops", 1)),
            node["Actual Rows"] * node["Actual Loops"],
        )
        for node in nodes(plan)
        if node.get("Relation Name") not in small
        for kind in ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    ]
    return sum(gone for gone, kept in removed if gone > kept)


def test_no_query_reads_rows_in_vain(large: Application, plans: dict[str, dict[str, Any]]) -> None:
    small = small_months(large)
    wasteful = {
        label: in_vain(plan, small)
        for label, plan in plans.items()
        if in_vain(plan, small) > MORE_IN_VAIN.get(label.partition("[")[0], IN_VAIN)
    }
    assert wasteful == {}


def test_without_an_index_this_would_be_seen(large: Application) -> None:
    with closing(psycopg2.connect(large.database.superuser_url)) as connection, connection.cursor() as cur:
        cur.execute("DROP INDEX idx_jobs_customer")
        cur.execute(f"SET LOCAL ROLE opsboard_app; SET LOCAL app.tenant_id = {large.alpha.id}")
        cur.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) "
            "SELECT count(*) FROM jobs AS j WHERE j.tenant_id = %s AND j.customer_id = %s",
            (large.alpha.id, 1),
        )
        row = cur.fetchone()
        assert row is not None
        assert in_vain(row[0][0]["Plan"]) > IN_VAIN
        connection.rollback()


@pytest.mark.parametrize("status", ["draft", "on_hold", "completed"])
def test_a_page_of_one_status_reads_no_other_jobs(large: Application, status: str) -> None:
    (query,) = [query for query in all_queries() if query.name == "jobs.list_jobs"]
    sql, params = compose(query, {"status": [status]}, Page("created_at", True, 10))
    params = {**VALUES, **params, "tenant_id": large.alpha.id}
    assert in_vain(explain(large, sql, params, options=", ANALYZE, TIMING OFF, SUMMARY OFF")) <= 20


# Questions that the dashboard's links and the page ask, and the sort they ask for: each has an index in that order.
IN_ORDER: list[tuple[str, dict[str, Any], str]] = [
    ("jobs.list_jobs", {"overdue": "true"}, "due_date"),
    ("jobs.list_jobs", {"due_today": "true"}, "due_date"),
    ("jobs.list_jobs", {"status": ["draft"]}, "due_date"),
    ("jobs.list_jobs", {"priority": ["high"]}, "created_at"),
    ("jobs.list_jobs", {"customer_id": 1}, "created_at"),
    ("jobs.list_jobs", {}, "due_date"),
    ("customers.list_customers", {}, "name"),
    ("job_steps.list_job_steps", {"status": ["in_progress"]}, "created_at"),
    ("job_steps.list_job_steps", {"status": ["pending"]}, "completed_at"),
    ("job_steps.list_job_steps", {"waiting": "true"}, "completed_at"),
    ("calls.list_calls", {"status": ["missed"]}, "created_at"),
    ("documents.list_documents", {"document_type": "photo"}, "uploaded_at"),
    ("leads.list_leads", {"status": ["won"]}, "created_at"),
]


@pytest.mark.parametrize(("name", "filters", "sort"), IN_ORDER)
def test_a_page_with_an_index_in_its_order_reads_its_own_rows(
    large: Application, name: str, filters: dict[str, Any], sort: str
) -> None:
    """Those of the page, one beyond, and each once more for its item; by either kind of plan, in both directions."""
    (query,) = [query for query in all_queries() if query.name == name]
    for descending in (False, True):
        sql, params = compose(query, filters, Page(sort, descending, 10, total=500))
        params = {**VALUES, **params, "tenant_id": large.alpha.id}
        for plans in ("force_generic_plan", "force_custom_plan"):
            plan = explain(large, sql, params, ", ANALYZE, TIMING OFF, SUMMARY OFF", plans=plans)
            assert rows_read(plan)[query.base.split()[0]] <= 30, (plans, descending)


# Their items show what is learned from other rows, as many for any page: see test_lateness_reads.py.
LEARNED = ("jobs.list_at_risk",)


def test_each_page_is_cut_before_it_is_decorated(plans: dict[str, dict[str, Any]]) -> None:
    """No list joins or sorts more rows than its page because of what an item shows."""
    for label, plan in plans.items():
        if "list_" not in label or label.startswith(LEARNED):
            continue
        # A search sorts all rows it found before the page is cut.
        most = 300 if "[q " in label else 150
        for node in nodes(plan):
            if node["Node Type"] == "Sort":
                assert node["Actual Rows"] <= most, f"{label} sorts {node['Actual Rows']} rows"


def test_the_largest_page_of_each_list_takes_little_memory(large: Application) -> None:
    """The most rows a page may read: a hundred items and their joins, at any size of the list."""
    client, seen = large.client(), 0
    for route in routes(large):
        if not getattr(large.flask.view_functions[route.endpoint], "of_list", False):
            continue
        client.get(route.path)  # what is loaded once is not the page's
        with memory_tracker(route.path, allocations=True) as use:
            answer = client.get(f"{route.path}?page_size=100")
        assert answer.status_code == 200, route
        assert use.peak is not None and use.peak < (2 << 20) + 10 * len(answer.data), (route, use.peak)
        seen += 1
    assert seen > 30


@cache
def declared_indexes() -> dict[str, str]:
    """Index -> the `-- Serves:` line above it, over all migrations.

    An index that has come to serve another query has that line above its COMMENT in a later migration.
    """
    found = {}
    for file in sorted(MIGRATIONS.glob("*.sql")):
        if not file.name.endswith(".rollback.sql"):
            text = file.read_text(encoding="utf-8")
            pattern = r"-- Serves: (.+)\nCREATE (?:UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?(\w+)"
            found.update({name: serves for serves, name in re.findall(pattern, text)})
            again = re.findall(r"-- Serves: (.+)\nCOMMENT ON INDEX (\w+)", text)
            assert found.keys() >= {name for _, name in again}, file.name
            found.update({name: serves for serves, name in again})
            assert len(re.findall(r"(?m)^CREATE (?:UNIQUE )?INDEX", text)) == len(
                re.findall(pattern, text)
            ), file.name
    return found


def test_each_index_says_which_query_it_serves_and_that_query_exists() -> None:
    names = {query.name for query in all_queries()}
    for index, serves in declared_indexes().items():
        mentioned = re.findall(r"\b[a-z_]+\.[a-z_]+\b", serves)
        # Imports make their statements from a mapping; tests/imports holds that they find rows by these keys.
        known = any(word in serves for word in ("foreign key", "uniqueness", "imports"))
        assert mentioned or known, index
        assert set(mentioned) <= names, f"{index} serves {set(mentioned) - names}, which does not exist"


def test_the_31_indexes_of_the_job_shop_are_there(large: Application) -> None:
    text = (MIGRATIONS / "0004_indexes.sql").read_text(encoding="utf-8")
    declared = re.findall(r"(?m)^CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+)", text)
    assert len(declared) == len(set(declared)) == 31
    per_table = Counter(name.split("_")[1] for name in declared)
    assert {name: per_table[name] for name in ("customers", "jobs", "job", "machines", "users")} == {
        "customers": 5, "jobs": 5, "job": 7, "machines": 3, "users": 3,
    }  # fmt: skip
    with closing(psycopg2.connect(large.database.superuser_url)) as connection, connection.cursor() as cur:
        cur.execute("SELECT i.indexrelid::regclass::text FROM pg_index AS i WHERE i.indisvalid")
        assert {name for (name,) in cur.fetchall()} >= set(declared) | set(declared_indexes())

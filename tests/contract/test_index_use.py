"""On a large seed each index is in the plan of a query that its migration names, and the dashboard reads few rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from opsboard.db.listing import Page, compose
from tests.application import Application
from tests.contract.catalogue import VALUES, all_queries, shapes
from tests.contract.test_every_query import explain, nodes
from tests.contract.test_large import MIGRATIONS, large

__all__ = ["large"]

FILES = (
    "0013_leads.sql", "0014_approvals.sql", "0015_campaigns.sql", "0016_workflows.sql",
    "0017_documents.sql",
    "0020_contacts_and_messages.sql", "0021_calls.sql",
)  # fmt: skip
# Questions that only several filters together ask: the query, what is asked, the sort.
TOGETHER: dict[str, list[tuple[dict[str, Any], str]]] = {
    "workflow_monitoring.list_history": [({"status": ["failed"], "workflow_id": 3}, "started_at")],
    "workflow_approvals.list_approvals": [({"decided_today": "true"}, "decided_at")],
    "workflow_approvals.list_auto_responses": [({"status": ["sent"], "lead_id": 5}, "created_at")],
    "leads.list_leads": [
        ({"status": ["won"], "category": "category 2", "scraped_from": "2026-01-01"}, "scraped_at"),
        ({"status": ["won"]}, "created_at"),
        ({"category": "category 7"}, "created_at"),
        ({"source": "fair"}, "created_at"),
        ({"q": "777123"}, "name"),
    ],
    "contacts.list_contacts": [({"q": "557123"}, "name")],
    "documents.list_documents": [
        ({"by_user_id": 1, "document_type": "photo"}, "uploaded_at"),
        ({"by_user_id": 1}, "uploaded_at"),
    ],
    "calls.list_calls": [
        ({"status": ["missed"]}, "created_at"),
        ({"status": ["missed", "busy"], "created_from": "2026-01-01"}, "created_at"),
    ],
}
SERVES = re.compile(r"-- Serves: (.+)\nCREATE INDEX (\w+)\s+ON (\w+)")


def claims() -> list[tuple[str, str]]:
    """Each index and each query that its migration says it serves."""
    found = []
    for file in FILES:
        for serves, index, _ in SERVES.findall((Path(MIGRATIONS) / file).read_text(encoding="utf-8")):
            found += [(index, query) for query in re.findall(r"\b[a-z_]+\.[a-z_]+\b", serves)]
    return found


@pytest.fixture(scope="module")
def used(large: Application) -> dict[str, set[str]]:
    """Query -> the indexes in any of its plans; those of partitions by the name of their table's index."""
    parents = partition_indexes(large)
    asked = {query for _, query in claims()}
    found: dict[str, set[str]] = {name: set() for name in asked}
    for query in all_queries():
        if query.name not in asked:
            continue
        statements = [(sql, params) for _, sql, params in shapes(query)]
        for filters, sort in TOGETHER.get(query.name, ()):
            for descending in (False, True):
                sql, params = compose(query, filters, Page(sort, descending, 10))
                statements.append((sql, {**VALUES, **params}))
        for sql, params in statements:
            plan = explain(large, sql, {**params, "tenant_id": large.alpha.id})
            names = {node["Index Name"] for node in nodes(plan) if "Index Name" in node}
            found[query.name] |= {parents.get(name, name) for name in names}
    return found


def partition_indexes(application: Application) -> dict[str, str]:
    url = application.database.superuser_url
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, p.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid "
            "JOIN pg_class AS p ON p.oid = i.inhparent WHERE c.relkind = 'i'"
        )
        return dict(cursor.fetchall())


@pytest.mark.parametrize(("index", "query"), claims())
def test_each_index_is_used_by_the_query_it_serves(used: dict[str, set[str]], index: str, query: str) -> None:
    assert index in used[query], f"{query} uses {sorted(used[query])}"


def named() -> Iterator[tuple[str, str]]:
    for file in FILES:
        for _, index, table in SERVES.findall((Path(MIGRATIONS) / file).read_text(encoding="utf-8")):
            yield index, table


def test_every_foreign_key_of_these_tables_begins_an_index(large: Application) -> None:
    tables = sorted({table for _, table in named()})
    url = large.database.superuser_url
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT o.conrelid::regclass::text, o.conname
            FROM pg_constraint AS o
            WHERE o.contype = 'f'
                AND o.conrelid::regclass::text = ANY(%s)
                AND NOT EXISTS (
                    SELECT FROM pg_index AS i
                    WHERE i.indrelid = o.conrelid
                        AND (i.indkey::int2[])[0:cardinality(o.conkey) - 1] @> o.conkey
                )
            """,
            (tables,),
        )
        assert cursor.fetchall() == []


def test_the_dashboard_reads_few_rows_of_the_areas_it_counts(large: Application) -> None:
    (query,) = [query for query in all_queries() if query.name == "dashboard.stats"]
    params = {**VALUES, "tenant_id": large.alpha.id}
    read = rows_read(explain(large, query.sql, params, options=", ANALYZE, TIMING OFF, SUMMARY OFF"))
    areas = ("jobs", "job_steps", "leads", "campaign_recipients", "journeys", "journey_contacts")
    # One for the last change of each, one for the oldest request that waits, and the active campaigns.
    assert {table: read[table] for table in areas} == dict.fromkeys(areas, 1)
    assert read["response_approvals"] == 2
    assert read["campaigns"] <= 180
    assert read["rollups"] <= 400


def rows_read(plan: dict[str, Any]) -> dict[str, int]:
    """Table -> rows read from it, those thrown away included."""
    read: Counter[str] = Counter()
    for node in nodes(plan):
        if "Relation Name" in node:
            gone = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            read[node["Relation Name"]] += int((node["Actual Rows"] + gone) * node["Actual Loops"])
    return read

"""On a large seed each index there is is in the plan of each query that its migration names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest

from opsboard.db.list_statement import Page, compose
from opsboard.db.queries import Query
from tests.application import Application
from tests.contract.catalogue import VALUES, all_queries, shapes
from tests.contract.test_every_query import explain, nodes
from tests.contract.test_large import declared_indexes, rows_read

# Questions that only several filters together ask: the query, what is asked, the sort.
TOGETHER: dict[str, list[tuple[dict[str, Any], str]]] = {
    "customers.list_customers": [({"q": "555123"}, "name")],
    "jobs.list_jobs": [({"status": ["draft"]}, "due_date")],
    "job_steps.list_job_steps": [
        ({"status": ["completed"]}, "completed_at"),
        ({"status": ["pending"]}, "completed_at"),
        ({"waiting": "true"}, "completed_at"),
    ],
    "machines.list_machines": [({"status": ["maintenance"]}, "name")],
    "journeys.list_contacts": [({"journey_id": 1, "status": ["failed"]}, "created_at")],
    "journeys.list_executions": [
        ({"contact_id": 1}, "executed_at"),
        ({"contact_id": 1, "node_id": 4}, "created_at"),
    ],
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


def claims() -> list[tuple[str, str]]:
    """Each index and each query that its migration says it serves."""
    return [
        (index, query)
        for index, serves in declared_indexes().items()
        for query in re.findall(r"\b[a-z_]+\.[a-z_]+\b", serves)
    ]


def of_keys_alone() -> list[str]:
    """Indexes that no query asks for, only Postgres itself when it looks after a foreign key."""
    by_queries = {index for index, _ in claims()}
    return [
        index
        for index, serves in declared_indexes().items()
        if "foreign key" in serves and index not in by_queries
    ]


# The work of a database function is not in the plan of the calling statement.
FUNCTION = re.compile(r"(SELECT|FROM) (prune|changes|fold)_\w+\(%\(\w+\)s(::\w+)?\)")


@pytest.fixture(scope="module")
def used(large: Application) -> dict[str, set[str]]:
    """Query -> the indexes in any of its plans; those of partitions by the name of their table's index."""
    asked = {query for _, query in claims()}
    found: dict[str, set[str]] = {name: set() for name in asked}
    for query in all_queries():
        if query.name not in asked:
            continue
        if FUNCTION.search(query.sql):
            found[query.name] |= scanned_inside(large, query)
        if FUNCTION.fullmatch(query.sql):
            continue  # its plan shows nothing
        statements = [(sql, params) for _, sql, params in shapes(query)]
        for filters, sort in TOGETHER.get(query.name, ()):
            for descending in (False, True):
                sql, params = compose(query, filters, Page(sort, descending, 10))
                statements.append((sql, {**VALUES, **params}))
        for sql, params in statements:
            given = {**params, "tenant_id": large.alpha.id, **lately(large, query)}
            found[query.name] |= indexes_of(explain(large, sql, given), large)
    return found


def lately(application: Application, query: Query) -> dict[str, str]:
    """Of what is asked since a snapshot: since the last one, as it is twenty times a second."""
    with superuser(application) as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return {"seen": cursor.fetchone()[0]} if "seen" in query.parameters else {}


def indexes_of(plan: dict[str, Any], application: Application) -> set[str]:
    names = {node["Index Name"] for node in nodes(plan) if "Index Name" in node}
    if not names:
        return set()
    with superuser(application) as cursor:
        cursor.execute(
            "SELECT coalesce(p.relname, c.relname) FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid "
            "LEFT JOIN pg_class AS p ON p.oid = i.inhparent WHERE c.relkind = 'i' AND c.relname = ANY(%s)",
            (sorted(names),),
        )
        return {name for (name,) in cursor.fetchall()}


def scanned_inside(application: Application, query: Query) -> set[str]:
    """The indexes that are looked into while the statement runs; what it does is taken back."""
    with superuser(application) as cursor:
        cursor.execute(query.sql, {**VALUES, **lately(application, query)})
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE pg_stat_get_xact_numscans(indexrelid) > 0"
        )
        return {name for (name,) in cursor.fetchall()}


@contextmanager
def superuser(application: Application) -> Iterator[Any]:
    with closing(psycopg2.connect(application.database.superuser_url)) as connection:
        with connection.cursor() as cursor:
            yield cursor
        connection.rollback()


@pytest.mark.parametrize(("index", "query"), claims())
def test_each_index_is_used_by_the_query_it_serves(used: dict[str, set[str]], index: str, query: str) -> None:
    assert index in used[query], f"{query} uses {sorted(used[query])}"


def test_every_index_of_the_database_says_whom_it_serves(large: Application) -> None:
    with superuser(large) as cursor:
        cursor.execute(
            """
            SELECT c.relname
            FROM pg_index AS i
            JOIN pg_class AS c ON c.oid = i.indexrelid
            WHERE c.relnamespace = 'public'::regnamespace
                AND NOT c.relispartition
                AND c.relname !~ 'migration'
                AND NOT EXISTS (SELECT FROM pg_constraint AS o WHERE o.conindid = i.indexrelid)
            """
        )
        assert {name for (name,) in cursor.fetchall()} <= declared_indexes().keys()


@pytest.mark.parametrize("index", of_keys_alone())
def test_an_index_of_a_foreign_key_finds_what_refers_to_a_row(large: Application, index: str) -> None:
    """The question that Postgres asks when a row is removed that others may refer to."""
    with superuser(large) as cursor:
        # Some of these tables are small even here.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(FOREIGN_KEY, (index,))
        keys = cursor.fetchall()
        assert keys, f"{index} begins with no foreign key"
        seen = set()
        for table, columns in keys:
            condition = " AND ".join(f"x.{column} = %s" for column in columns)
            # Of a business without rows any index will do.
            for tenant in (2**40, large.alpha.id):
                values = [tenant if column == "tenant_id" else 2**40 for column in columns]
                cursor.execute(f"EXPLAIN (FORMAT JSON) SELECT FROM {table} AS x WHERE {condition}", values)
                seen |= indexes_of(cursor.fetchone()[0][0]["Plan"], large)
    assert index in seen


FOREIGN_KEY = """
SELECT i.indrelid::regclass::text, array_agg(a.attname::text)
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_constraint AS o ON o.conrelid = i.indrelid AND o.contype = 'f'
JOIN pg_attribute AS a ON a.attrelid = o.conrelid AND a.attnum = ANY(o.conkey)
WHERE c.relname = %s
    AND cardinality(o.conkey) > 1
    AND (i.indkey::smallint [])[0:cardinality(o.conkey) - 1] @> o.conkey
GROUP BY i.indrelid, o.oid
"""


def test_whatever_refers_to_a_row_is_found_by_an_index(large: Application) -> None:
    with superuser(large) as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(FOREIGN_KEYS)
        keys = cursor.fetchall()
        assert len(keys) > 50
        for table, columns in keys:
            # Of a row that is there, or else of none: the numbers tell the planner how few there are.
            there = " AND ".join(f"x.{column} IS NOT NULL" for column in columns)
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table} AS x WHERE {there} LIMIT 1")
            values = cursor.fetchone() or [2**40] * len(columns)
            condition = " AND ".join(f"x.{column} = %s" for column in columns)
            cursor.execute(f"EXPLAIN (FORMAT JSON) SELECT FROM {table} AS x WHERE {condition}", values)
            found = [
                {column for column in columns if f"({column} = " in node["Index Cond"]}
                for node in nodes(cursor.fetchone()[0][0]["Plan"])
                if "Index Name" in node
            ]
            # Of a table cut by month some parts are empty, and of those any index will do.
            assert any(set(columns) == asked for asked in found), f"{table} {columns}"


FOREIGN_KEYS = """
SELECT o.conrelid::regclass::text, array_agg(a.attname::text)
FROM pg_constraint AS o
JOIN pg_attribute AS a ON a.attrelid = o.conrelid AND a.attnum = ANY(o.conkey)
WHERE o.contype = 'f' AND o.connamespace = 'public'::regnamespace AND o.conparentid = 0
GROUP BY o.conrelid, o.oid
"""


def test_no_index_is_without_use(large: Application, used: dict[str, set[str]]) -> None:
    unique = {index for index, serves in declared_indexes().items() if "uniqueness" in serves}
    with superuser(large) as cursor:
        cursor.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique")
        assert unique <= {name for (name,) in cursor.fetchall()}
    # Imports make their statements from a mapping; tests/imports holds that they find rows by these keys.
    imports = {index for index, serves in declared_indexes().items() if "imports" in serves}
    assert declared_indexes().keys() - set().union(*used.values()) <= {*of_keys_alone(), *unique, *imports}


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

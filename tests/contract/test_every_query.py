"""Rules for every query: its tables are declared, its tenant is named, its values are bound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from opsboard.db import list_statement
from opsboard.db.list_statement import Page
from opsboard.db.queries import Query
from tests.application import Application
from tests.contract.catalogue import all_queries, shapes
from tests.contract.plans import explain as explain
from tests.contract.plans import nodes as nodes
from tests.contract.tables import TABLES

QUERIES = all_queries()
# Queries that run for no tenant, with what protects them instead.
TENANTLESS = {
    "auth.find_accounts": "policy users_sign_in shows the accounts of one e-mail address",
    "fleet.listen": "revocations hold ids only and are read for all tenants",
    "auth.begin_attempt": "digests of accounts and places that belong to no tenant",
    "auth.count_failure": "digests of accounts that belong to no tenant",
    "auth.forget_attempt": "digests of accounts that belong to no tenant",
    "fleet.prune_sign_ins": "its function removes what has ended and gives back how many",
    "fleet.fold_rollups": "its function moves counts of all tenants and gives back how many",
    "fleet.listen_and_beat": "revocations hold ids only and are read for all tenants",
    "fleet.listen_and_report": "revocations hold ids only and are read for all tenants",
    "fleet.fold_words": "its function writes words of all tenants and gives back how many",
    "fleet.ensure_partitions": "its function makes tables and reads no row",
    "fleet.prune_idempotency_keys": "its function removes what is older than a day and gives back how many",
    "health.fleet": "workers belong to no tenant",
    "metrics.workers": "workers belong to no tenant, and its functions give back numbers",
    "health.slow_queries": "workers belong to no tenant, and statements are shown without values",
    "health.indexes": "catalogues of the server, no rows",
    "health.tables": "catalogues of the server, no rows",
    "health.activity": "views of the server, no rows",
    "health.alert_numbers": "workers belong to no tenant, and its functions give back numbers",
    "health.alerts": "alerts belong to no tenant",
    "health.usage": "its function gives back sums of all tenants",
    "health.record_alerts": "alerts belong to no tenant",
    "health.note_check": "results of checks belong to no tenant",
    "health.journeys": "its function gives back one time of all tenants",
    "health.test": "counts what row security lets it see",
}
TENANT_TABLES = set(TABLES) - {"tenants", "changes"}
# Kept counts that are not called after their table: what they are made from.
SOURCES = {
    "open_jobs": "jobs", "jobs_created": "jobs", "jobs_completed": "jobs", "steps": "job_steps",
    "open_steps": "job_steps", "steps_completed": "job_steps", "users_active": "users", "users_blocked": "users",
    "processes_active": "processes", "processes_inactive": "processes", "work": "work_records",
    "work_of_people": "work_records", "work_of_machines": "work_records", "work_of_processes": "work_records",
}  # fmt: skip
COUNTS = re.compile(r"\brollup_counts\(\s*([^,]+),\s*ARRAY\[([^\]]+)\]\s*\)")
# Functions whose first argument is the tenant.
OF_TENANT = re.compile(
    r"\b(rollup_counts|rollup_differences|unfolded_rows|unfolded_words_of_\w+)\(\s*([^,)]+(?:\)s)?)"
)
KEPT = {"rollups", "rollup_deltas"}
# Words change with the records of their table, which the query has to declare.
WORDS = re.compile(r"\(\d, '(\w+)'\)|\.source = '(\w+)'")
SOURCE = re.compile(r"\b(?:FROM|JOIN|UPDATE)\s+(\w+)\s+AS\s+(\w+)")


def text_of(query: Query) -> str:
    """A query's whole text; of a list, with every filter and every total in it, and its export."""
    if not query.base:
        return query.sql
    page = Page(next(iter(query.sorts)), True, 10, fields=tuple(query.members))
    asked = [dict.fromkeys(query.filters), *(dict.fromkeys(filters) for filters in query.totals)]
    pages = [list_statement.compose(query, filters, page)[0] for filters in asked]
    ids, rows, _ = list_statement.compose_export(query, dict.fromkeys(query.filters), page)
    return "\n".join([*pages, ids, rows, list_statement.compose_parent_check(query)])


def unguarded(sql: str) -> list[str]:
    """Tenant tables that a statement reads or changes without naming the tenant for that very mention."""
    missing = []
    for part in statements(sql):
        for table, alias in SOURCE.findall(part):
            if table in TENANT_TABLES and not re.search(rf"\b{alias}\.tenant_id = %\(tenant_id\)s", part):
                missing.append(f"{table} AS {alias}")
            if table == "tenants" and not re.search(
                rf"\b{alias}\.id = (%\(tenant_id\)s|\w+\.tenant_id)", part
            ):
                missing.append(f"{table} AS {alias}")
    missing += [f"{call}({tenant})" for call, tenant in OF_TENANT.findall(sql) if tenant != "%(tenant_id)s"]
    return missing


def statements(sql: str) -> Iterator[str]:
    """The text cut at its parentheses into SELECTs, each without those inside it: an alias belongs to one of them."""
    parts: list[list[str]] = [[]]
    for piece in re.split(r"([()])", re.sub(r"--.*", "", sql)):
        if piece == "(":
            parts.append([])
        elif piece == ")":
            inner = "".join(parts.pop())
            if SOURCE.search(inner):
                yield inner
            else:
                parts[-1].append(f"({inner})")
        else:
            parts[-1].append(piece)
    yield "".join(parts[0])


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_each_mention_of_a_tenant_table_names_the_tenant(query: Query) -> None:
    if query.name not in TENANTLESS:
        assert unguarded(text_of(query)) == []


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_each_tenant_table_has_the_alias_that_guards_it(query: Query) -> None:
    bare = rf"\b(?:FROM|JOIN|UPDATE|USING|,)\s+(?:{'|'.join(sorted(TENANT_TABLES))}|tenants)\b(?!\s+AS\s|\s*\(|\.)"
    assert re.findall(bare, re.sub(r"--.*|'[^']*'", "", text_of(query))) == []


def test_every_tenantless_query_is_known() -> None:
    assert {query.name for query in QUERIES} >= TENANTLESS.keys()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_no_query_selects_star_or_has_its_values_written_in(query: Query) -> None:
    assert not re.search(r"SELECT\s+\*|SELECT\s+\w+\.\*", query.sql)
    assert "{" not in re.sub(r"'\{[^']*\}'", "", query.sql), "no formatting of SQL text"
    assert query.doc.endswith((".", "?")), f"{query.name} needs a sentence"


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_reads_and_writes_are_the_tables_of_the_plan(app: Application, query: Query) -> None:
    seen: set[str] = set()
    written: set[str] = set()
    for _, sql, params in shapes(query):
        for _, metrics in COUNTS.findall(sql):
            seen |= {source_of(metric) for metric in re.findall(r"'(\w+)'", metrics)}
        if "working_minutes(" in sql:  # the work of a function is not in the plan
            seen |= {"working_hours", "holidays"}
        for node in nodes(explain(app, sql, params)):
            table = own_table(node)
            if table in KEPT:
                assert COUNTS.search(sql) or query.name == "health.rollups", (
                    "kept counts, and not by rollup_counts"
                )
            elif table in ("search_words", "search_pending"):
                seen |= {first or second for first, second in WORDS.findall(sql)}
            elif table and not table.startswith("pg_"):
                (written if node["Node Type"] == "ModifyTable" else seen).add(table)
    assert written <= query.writes, f"writes: lacks {written - query.writes}"
    assert seen - query.writes <= query.reads, f"reads: lacks {seen - query.writes - query.reads}"
    # A table that triggers write may be declared without being in the plan; one that is only read may not.
    assert query.reads <= seen, f"reads: {query.reads - seen} is not in any plan"


def source_of(metric: str) -> str:
    """The table of a kept count: an answer that shows it goes when that table changes, not when counts are folded."""
    table = SOURCES.get(metric, metric.removesuffix("_by_day").removesuffix("_by_label"))
    assert table in TABLES, f"{metric}: say in SOURCES which table it counts"
    return table


def own_table(node: dict[str, Any]) -> str | None:
    """The table of a plan's node; of a partition, the table it is a month of."""
    name = node.get("Relation Name")
    return name and re.sub(r"_(\d{4}_\d{2}|before|rest)$", "", name)

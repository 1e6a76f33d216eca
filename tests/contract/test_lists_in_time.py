"""A cached page of a list depends on time only if declared, and on tables only if their changes are fed."""

from __future__ import annotations

import re
from contextlib import closing

import psycopg2

from opsboard.db.list_statement import CHANGES_AT, Page, compose
from opsboard.db.list_total import TIME_DEPENDENT, TODAY
from tests.application import Application
from tests.contract.catalogue import all_queries

LISTS = [query for query in all_queries() if query.base]
# The day of the business, however it is spelled.
DAY = re.compile(r"coalesce\(t\.as_of, \(now\(\) AT TIME ZONE t\.time_zone\)::date\) AS today")


def test_a_list_that_shows_the_present_moment_says_when_it_changes() -> None:
    moments = set()
    for query in LISTS:
        shown = TODAY.sub("", DAY.sub("", query.sql))
        if TIME_DEPENDENT.search(shown):
            moments.add(query.name)
            assert CHANGES_AT.search(query.sql), query.name
        for name, condition in query.filters.items():
            assert not TIME_DEPENDENT.search(TODAY.sub("", condition)), (
                f"{query.name}: {name} depends on the moment"
            )
        for name, sort in query.sorts.items():
            assert not TIME_DEPENDENT.search(sort.expression + sort.condition), f"{query.name}: {name}"
    assert moments == {
        "jobs.list_status_links", "leads.list_leads", "workflow_approvals.list_pending",
        "workflow_monitoring.list_active", "work.list_work", "webhooks.list_webhooks",
    }  # fmt: skip


def test_a_page_ends_with_the_day_where_it_mentions_today_and_only_there() -> None:
    for query in LISTS:
        page = Page(next(iter(query.sorts)), True, 10)
        for asked in ({}, *({name: None} for name in query.filters)):
            sql, _ = compose(query, asked, page)
            where = [query.filters[name] for name in asked]
            mentions = any(TODAY.search(text) for text in (query.sql, *where))
            assert ("day_ends FROM clock" in sql) == mentions, (query.name, asked)


def test_every_table_of_a_list_tells_of_its_changes(app: Application) -> None:
    read = frozenset().union(*(query.reads for query in LISTS))
    assert len(read) > 25
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, array_agg(DISTINCT substring(tgname FROM '_([a-z]+)$')) "
            "FROM pg_trigger WHERE NOT tgisinternal GROUP BY 1"
        )
        told = {table: set(words) for table, words in cursor.fetchall()}
    for table in read:
        assert {"insert", "update", "delete", "truncate"} <= told.get(table, set()), table

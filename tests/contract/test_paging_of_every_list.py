"""Every list by cursor: each row that stays comes once while others come and go; the last page is like the first."""

from __future__ import annotations

import random
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from opsboard.db.list_statement import CLOCK, Page, Position, compose
from opsboard.db.queries import Query
from tests.application import Application
from tests.contract.catalogue import OWN_ALWAYS, OWN_VALUES, VALUES, all_queries
from tests.contract.plans import small_months
from tests.contract.routes import routes
from tests.contract.samples import always
from tests.contract.test_every_query import explain, nodes, own_table
from tests.contract.test_index_use import superuser
from tests.features.test_lists import ids

PAGE = 50
MEASURED = ", ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF"
LISTS = {query.name: query for query in all_queries() if query.base}
# Of these a further row would have to be of another customer, contact, step or hour: here rows only go.
ONLY_GOING = {
    "conversations", "journey_contacts", "journey_node_executions", "journey_messages", "job_steps", "auto_responses",
    "work_records", "machine_stops", "problems", "working_hours",
}  # fmt: skip
# Values of a further row that the catalogue does not tell: a name is unique in the form of searches.
OWN_COLUMNS = {"reasons": {"name": "gen_random_uuid()::text", "kind": "x.kind"}}
# Of some campaigns alone, which the index with the order of the list does not know.
PASSING_OVER = {"campaigns.list_active_recipients"}
# A conversation of some ten messages may be read whole and sorted.
SHORT = {"conversations.list_messages"}
COLUMNS = """
SELECT
    a.attname,
    format_type(a.atttypid, NULL),
    EXISTS (
        SELECT FROM pg_index AS i
        WHERE i.indrelid = a.attrelid AND i.indisunique AND NOT i.indisprimary AND a.attnum = ANY(i.indkey::smallint [])
    )
FROM pg_attribute AS a
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attidentity = '' AND a.attgenerated = ''
"""


class Churn:
    """Rows of a table that come and go, of which none is one of those that stay."""

    def __init__(self, cursor: Any, table: str, doomed: list[int]) -> None:
        self.cursor, self.table, self.gone, self.turns = cursor, table, list(doomed), 0
        cursor.execute(COLUMNS, (table,))
        self.columns = {name: made(name, kind, unique) for name, kind, unique in cursor.fetchall()}
        self.columns |= OWN_COLUMNS.get(table, {})

    def turn(self, chance: random.Random) -> None:
        self.turns += 1
        # Not for ever, or a list that grows as fast as it is read would have no end.
        if self.table not in ONLY_GOING and self.turns <= 20:
            self.cursor.execute(
                f"INSERT INTO {self.table} ({', '.join(self.columns)}) "
                f"SELECT {', '.join(self.columns.values())} FROM {self.table} AS x "
                f"WHERE x.tenant_id = 1 ORDER BY random() LIMIT 3 RETURNING id"
            )
            self.gone += [row_id for (row_id,) in self.cursor.fetchall()]
        for _ in range(min(2, len(self.gone))):
            row_id = self.gone.pop(chance.randrange(len(self.gone)))
            self.cursor.execute(f"DELETE FROM {self.table} WHERE tenant_id = 1 AND id = %s", (row_id,))


def made(name: str, kind: str, unique: bool) -> str:
    """A column of a further row: as of another one, but of another time and with names of its own."""
    if kind == "timestamp with time zone" and name not in ("finished_at", "decided_at", "acknowledged_at"):
        return f"x.{name} - random() * interval '40 days'"
    # An address is unique by its form for searches, which Postgres makes of it; a channel is one of a few words.
    if (unique and kind == "text" and name != "channel") or name in ("email", "address"):
        return "gen_random_uuid()::text || '@example.com'"
    return f"x.{name}"


@pytest.mark.parametrize("name", LISTS)
def test_each_row_that_stays_comes_once_forward_and_once_back_while_others_come_and_go(
    own_app: Application, name: str
) -> None:
    query, chance, client = LISTS[name], random.Random(name), own_app.client()
    (path,) = {route.path for route in routes(own_app) if route.method == "GET" and route.endpoint == name}
    for sort in [sign + sort for sort in query.sorts for sign in ("", "-")]:
        with (
            closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
            connection.cursor() as cursor,
        ):
            connection.autocommit = True
            cursor.execute("SET session_replication_role = replica")
            there = all_ids(client, f"{path}?sort={sort}&page_size=100")
            churn = Churn(cursor, query.base.split()[0], there[::3])
            staying = [row_id for place, row_id in enumerate(there) if place % 3]
            size = max(1, len(there) // 6)
            forward, page = [], client.get(f"{path}?sort={sort}&page_size={size}&cursor=").json
            while True:
                forward += ids(page)
                churn.turn(chance)
                if page["next_cursor"] is None:
                    break
                page = client.get(f"{path}?page_size={size}&cursor={page['next_cursor']}").json
            back = ids(page)[::-1]
            while page["previous_cursor"] is not None:
                churn.turn(chance)
                page = client.get(f"{path}?page_size={size}&cursor={page['previous_cursor']}").json
                back += ids(page)[::-1]
            for seen, expected in ((forward, staying), (back, staying[::-1])):
                assert len(seen) == len(set(seen)), f"{sort}: a row came twice"
                assert [row_id for row_id in seen if row_id in set(staying)] == expected, sort


def all_ids(client: Any, path: str) -> list[int]:
    answer = client.get(path).json
    found = ids(answer)
    while answer["next_cursor"]:
        answer = client.get(f"{path.partition('?')[0]}?page_size=100&cursor={answer['next_cursor']}").json
        found += ids(answer)
    return found


# Its rows lie among those of campaigns that are over, which it passes by on the first page as on the last.
PASSES_BY = {"campaigns.list_active_recipients"}


@pytest.mark.parametrize("name", sorted(LISTS.keys() - PASSES_BY))
def test_the_last_page_of_every_list_reads_as_few_rows_as_the_first(large: Application, name: str) -> None:
    query = LISTS[name]
    for sort in query.sorts:
        for descending in (False, True):
            for backwards in (False, True):
                position = at_the_end(large, query, sort, descending != backwards)
                if position is None:
                    continue  # fewer than two pages
                page = a_page(query, sort, descending, Position(*position, backwards))
                reached = plan_of_page(large, query, page)
                read = rows_of(query, reached)
                # A row more than the page; of two months, or of rows that are equal but for their id, twice that.
                most = 2 * PAGE + 2 + rows_of_small_months(large, reached)
                assert PAGE <= read <= most, (sort, descending, backwards, read)


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_page_of_every_list_finds_its_way_back_by_one_row(large: Application, name: str) -> None:
    query = LISTS[name]
    for sort in query.sorts:
        for descending in (False, True):
            for backwards in (False, True):
                position = at_the_end(large, query, sort, descending != backwards, behind=0)
                assert position is not None
                page = a_page(query, sort, descending, Position(*position, backwards))
                sql, given = asked(large, query, page)
                with superuser(large) as cursor:
                    cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (str(large.alpha.id),))
                    cursor.execute(sql, given)
                    _, first_key, _, _, _, has_previous, has_next, _, _ = cursor.fetchone()
                assert (first_key, has_previous, has_next) == (None, not backwards, backwards)
                plan = list(nodes(explain(large, sql, given, options=MEASURED)))
                read = rows_of(query, plan)
                # One of the index, or of two months one each.
                most = (2 * PAGE if name in PASSING_OVER | SHORT else 4) + rows_of_small_months(large, plan)
                assert 1 <= read <= most, (sort, descending, backwards, read)


def test_a_page_that_reads_all_in_front_of_it_would_be_seen(large: Application) -> None:
    by_number = Page("created_at", True, PAGE, number=100, counted=False, fields=("id",))
    query = LISTS["jobs.list_jobs"]
    assert rows_of(query, plan_of_page(large, query, by_number)) > 90 * PAGE


def a_page(query: Query, sort: str, descending: bool, position: Position) -> Page:
    member = ("id",) if "id" in query.members else (next(iter(query.members)),)
    return Page(sort, descending, PAGE, 1, position, counted=False, fields=member)


def plan_of_page(app: Application, query: Query, page: Page) -> list[dict[str, Any]]:
    """The nodes that find out which rows of the list's table are on the page."""
    plan = explain(app, *asked(app, query, page), options=MEASURED)
    (reached,) = [node for node in nodes(plan) if node.get("Subplan Name") == "CTE reached"]
    return list(nodes(reached))


def asked(app: Application, query: Query, page: Page) -> tuple[str, dict[str, Any]]:
    sql, params = compose(query, always(query) | OWN_ALWAYS.get(query.name, {}), page)
    return sql, {**VALUES, **OWN_VALUES.get(query.name, {}), **params, "tenant_id": app.alpha.id}


def rows_of(query: Query, found: Iterable[dict[str, Any]]) -> int:
    """Rows that were taken from the list's table, thrown away or not."""
    return sum(rows_of_node(node) for node in found if own_table(node) == query.base.split()[0])


def rows_of_small_months(app: Application, found: Iterable[dict[str, Any]]) -> int:
    """Those that were taken from partitions of few rows."""
    small = small_months(app)
    return sum(rows_of_node(node) for node in found if node.get("Relation Name") in small)


def rows_of_node(node: dict[str, Any]) -> int:
    return int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])


def at_the_end(
    app: Application, query: Query, sort: str, falling: bool, behind: int = 2 * PAGE
) -> tuple[str, int] | None:
    """The row that has so many behind it; those of a page and of what it is found by, when nothing is said."""
    alias, order = query.base.split()[-1], "ASC" if falling else "DESC"
    fixed = always(query) | OWN_ALWAYS.get(query.name, {})
    expression, condition = query.sorts[sort].expression, query.sorts[sort].condition or "true"
    wanted = [f"{alias}.tenant_id = %(tenant_id)s", condition]
    wanted += [query.filters[name] for name in fixed if name in query.filters]
    with superuser(app) as cursor:
        cursor.execute(
            f"WITH {CLOCK} SELECT ({expression})::text, {alias}.id FROM {query.base} WHERE {' AND '.join(wanted)} "
            f"ORDER BY {expression} {order}, {alias}.id {order} OFFSET {behind} LIMIT 1",
            {**VALUES, **fixed, "tenant_id": app.alpha.id},
        )
        found: tuple[str, int] | None = cursor.fetchone()
        return found

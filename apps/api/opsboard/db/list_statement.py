"""Compose the statement of a list: filter, sort, page, count, JSON.

A list query in queries.sql declares the table it pages over (`-- from: jobs AS j`), its filters and its
sorts, and then selects `page.position` and `item` for the rows of `page`, joining the tables an item shows.
Filters may read today and the time zone of the business from `clock`.
All SQL here comes from those files and from db/list_parts.py; values are always bound. No other module builds SQL text.

The page is cut first, on ids alone, and joined afterwards: at most page_size + 1 rows are joined.
The total is read from the rollups if the query declares it for these filters. Otherwise the rows are counted, unless
their number is already known (db/list_total.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from opsboard.db.list_parts import AND, ENDS, KNOWN_TOTAL, envelope_row, page_cte, reached_cte
from opsboard.db.list_total import CHANGES_AT, TODAY, has, is_time_independent, rollup_total, total_sql
from opsboard.db.queries import Query, Sort

CLOCK = """clock AS (
    SELECT
        coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date) AS today,
        t.time_zone,
        CASE
            WHEN t.as_of IS NULL
                THEN ((now() AT TIME ZONE t.time_zone)::date + 1)::timestamp AT TIME ZONE t.time_zone
        END AS day_ends
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
)"""
# The filter of a list that leaves archived rows out when it is not sent.
ARCHIVED = "archived"

ONE_OF = re.compile(r"= ANY\(%\((\w+)\)s\)")


class Position(NamedTuple):
    """The position of a cursor: the sort key of a row as text, its id, and the direction from there."""

    key: str
    id: int
    backwards: bool

    def reversed_at(self, descending: bool) -> Position:
        """Return the position that pages back and includes this row: on its other side, in the other direction."""
        is_descending = descending == self.backwards
        return Position(self.key, self.id + 1 if is_descending else self.id - 1, not self.backwards)


@dataclass(frozen=True)
class Page:
    """The requested page of a list. With `position`: keyset paging; otherwise page number `number`, from 1.

    `counted` False leaves out the total (the first page by cursor, `?cursor=`). `total`: the known total. `fields`:
    return only these members of an item.
    """

    sort: str
    descending: bool
    size: int
    number: int = 1
    position: Position | None = None
    counted: bool = True
    total: int | None = None
    fields: tuple[str, ...] | None = None


def compose(query: Query, filters: Mapping[str, Any], page: Page) -> tuple[str, dict[str, Any]]:
    """Return the statement and its parameters.

    The statement gives one row: the JSON text of the envelope, then key and id of the first and last item
    (null if there are none), has_previous, has_next, the total, and the seconds after which the passage of time
    changes the answer (null: never). Offset envelope: items, total, page, page_size,
    total_pages, has_next, has_previous. Cursor envelope: items, page_size, has_next, has_previous. No row if
    the parent row of the list does not exist.
    """
    alias, sort, conditions = where_clause(query, filters, page)
    parameters = {**filters, "page_size": page.size, "page_number": page.number, "total": page.total}
    backwards = page.position is not None and page.position.backwards
    is_descending = page.descending != backwards
    on_page = list(conditions)
    if page.position is not None:
        on_page.append(keyset_condition(alias, sort, "<" if is_descending else ">"))
        parameters |= {"cursor_key": page.position.key, "cursor_id": page.position.id}
    counted = page.counted and page.position is None
    known = not counted or page.total is not None
    items = query.showing(page.fields)
    total = KNOWN_TOTAL if known else total_sql(query, filters, sort, AND.join(conditions))
    more = has_more_columns(page, rows_behind_cursor(query, sort, conditions, is_descending))
    statement = f"""WITH {CLOCK},
{reached_cte(query.base, sort, on_page, is_descending, by_number=page.position is None)},
{page_cte(backwards)},
items AS (
{items}
),
counted AS (
    {total}
),
{ENDS},
has_more AS (
    SELECT {more}
    FROM ends
)
{envelope_row(counted, validity_seconds(query, conditions, items))}{parent_exists(query)}"""
    return statement, parameters


def validity_seconds(query: Query, conditions: list[str], items: str) -> str:
    """Return the SQL of the seconds until the passage of time changes a page."""
    ends = []
    if any(has(TODAY, text) for text in (*conditions, items)):
        ends.append("(SELECT day_ends FROM clock)")
    if has(CHANGES_AT, items):
        ends.append("(SELECT min(changes_at) FROM items)")
    return f"extract(epoch FROM least({', '.join(ends)}) - now())::float8" if ends else "NULL::float8"


def is_total_cacheable(query: Query, filters: Mapping[str, Any], page: Page) -> bool:
    """Return True if the total must be counted and stays valid until a table changes."""
    _, sort, conditions = where_clause(query, filters, page)
    counted = page.counted and page.position is None and rollup_total(query, filters, sort) is None
    return counted and is_time_independent(conditions)


def compose_parent_check(query: Query) -> str:
    """Return the statement that checks that the parent row exists; empty if the list has no parent."""
    return f"SELECT{parent_exists(query)}" if query.within else ""


def compose_export(query: Query, filters: Mapping[str, Any], page: Page) -> tuple[str, str, dict[str, Any]]:
    """Return the statement for ids and sort keys of all rows in order, the one for the items of `ids` and `sort_keys`,
    and the parameters of both. Only sort and fields of `page` are used.
    """
    alias, sort, conditions = where_clause(query, filters, page)
    order = "DESC" if page.descending else "ASC"
    ids = f"""WITH {CLOCK}
SELECT
    {alias}.id,
    ({sort.expression})::text AS sort_key
FROM {query.base}
WHERE {" AND ".join(conditions)}
ORDER BY {sort.expression} {order}, {alias}.id {order}"""
    rows = f"""WITH {CLOCK},
page AS (
    SELECT
        u.id,
        u.sort_key,
        u.position
    FROM unnest(%(ids)s::bigint[], %(sort_keys)s::text[]) WITH ORDINALITY AS u (id, sort_key, position)
),
items AS (
{query.showing(page.fields)}
)
SELECT item::text
FROM items
ORDER BY position"""
    return f"/* {query.name} */ {ids}", f"/* {query.name} */ {rows}", dict(filters)


def where_clause(query: Query, filters: Mapping[str, Any], page: Page) -> tuple[str, Sort, list[str]]:
    """Return the alias of the table a list pages over, its sort, and the conditions on its rows."""
    alias = query.base.split()[-1]
    sort = query.sorts[page.sort]
    conditions = [f"{alias}.tenant_id = %(tenant_id)s"]
    conditions += [
        rewrite_single_any(query.filters[name], filters[name]) for name in filters if name in query.filters
    ]
    if ARCHIVED in query.filters and ARCHIVED not in filters:
        conditions.append(f"{alias}.archived_at IS NULL")
    if sort.condition:
        conditions.append(sort.condition)
    return alias, sort, conditions


def rewrite_single_any(condition: str, value: Any) -> str:
    """Rewrite a one-element `ANY()` to `=`: only an equality lets the planner return rows in index order, so that a
    page reads no more rows than it shows.
    """
    return (
        ONE_OF.sub(r"= (%(\1)s::text[])[1]", condition)
        if isinstance(value, list) and len(value) == 1
        else condition
    )


def parent_exists(query: Query) -> str:
    """Return the condition that the parent row of the list exists."""
    if not query.within:
        return ""
    table, _, row = (part.strip() for part in query.within.partition("|"))
    return (
        f"\nWHERE EXISTS (SELECT FROM {table} WHERE {table.split()[-1]}.tenant_id = %(tenant_id)s AND {row})"
    )


def has_more_columns(page: Page, behind: str) -> str:
    """Return the columns that tell if there are rows before and after the page.

    The row of a cursor existed when the cursor was made, so the side it came from is assumed to have rows. Only an
    empty page looks it up: a client whose cursor points past deleted rows can still page back.
    """
    if page.position is None:
        return "more AS has_next, %(page_number)s > 1 AS has_previous"
    has_origin = f"first_id IS NOT NULL OR {behind}"
    if page.position.backwards:
        return f"{has_origin} AS has_next, more AS has_previous"
    return f"more AS has_next, {has_origin} AS has_previous"


def rows_behind_cursor(query: Query, sort: Sort, conditions: list[str], is_descending: bool) -> str:
    """Return the condition that the cursor's row, or one on the side it came from, exists. It reads one row."""
    alias, order = query.base.split()[-1], "ASC" if is_descending else "DESC"
    there = " AND ".join([*conditions, keyset_condition(alias, sort, ">=" if is_descending else "<=")])
    # EXISTS would not keep the order, and could read many rows.
    return f"""(SELECT true FROM {query.base} WHERE {there}
        ORDER BY {sort.expression} {order}, {alias}.id {order} LIMIT 1) IS NOT NULL"""


def keyset_condition(alias: str, sort: Sort, sign: str) -> str:
    """Return the condition that a row is on that side of the cursor's row."""
    return f"({sort.expression}, {alias}.id) {sign} (%(cursor_key)s::{sort.type}, %(cursor_id)s)"

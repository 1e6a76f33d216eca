"""Turn a list query and what was asked of it into one statement: filter, sort, page, count, JSON.

A list query in queries.sql declares the table it pages over (`-- from: jobs AS j`), its filters and its
sorts, and then selects `page.position` and `item` for the rows of `page`, joining whatever an item shows.
Filters may ask `clock` for today and the time zone of the business.
All SQL here comes from those files; values are always bound. This is the only module that builds SQL text.

The page is cut first, on ids alone, and decorated afterwards: at most page_size + 1 rows are ever joined.
The total is read from the rollups where the query says how for these filters; else the rows are counted, unless
their number is known (db/totals.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from opsboard.db.queries import Query, Sort
from opsboard.db.totals import TODAY, counting, holds, kept_total

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
# The column of an item with the moment at which it says something else although nothing changed.
CHANGES_AT = re.compile(r"\bAS changes_at\b")

ONE_OF = re.compile(r"= ANY\(%\((\w+)\)s\)")


class Position(NamedTuple):
    """Where a cursor stands: the sort key of a row as text, its id, and whether to go back from there."""

    key: str
    id: int
    backwards: bool

    def turned(self, descending: bool) -> Position:
        """Where the way back begins when nothing is left beyond: at the row itself, so just on its other side."""
        falling = descending == self.backwards
        return Position(self.key, self.id + 1 if falling else self.id - 1, not self.backwards)


@dataclass(frozen=True)
class Page:
    """What is asked of a list. `position` set: keyset paging; otherwise page number `number`, from 1.

    `counted` False leaves out the total (a cursor's first page, `?cursor=`); `total`: it is known. `fields`: these
    members of an item.
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
    """The statement and its parameters.

    The statement gives one row: the JSON text of the envelope, then key and id of the first and last item
    (null when there are none), has_previous, has_next, the total, and the seconds after which it says something else
    although nothing changed (null: never). Offset envelope: items, total, page, page_size,
    total_pages, has_next, has_previous. Cursor envelope: items, page_size, has_next, has_previous. No row at
    all when the list belongs to a row that is not there.
    """
    alias, sort, wanted = chosen(query, filters, page)
    parameters = {**filters, "page_size": page.size, "page_number": page.number, "total": page.total}
    backwards = page.position is not None and page.position.backwards
    falling = page.descending != backwards
    order = "DESC" if falling else "ASC"
    on_page = list(wanted)
    if page.position is not None:
        on_page.append(compared(alias, sort, "<" if falling else ">"))
        parameters |= {"cursor_key": page.position.key, "cursor_id": page.position.id}
    both = "\n        AND "
    counted = page.counted and page.position is None
    known = not counted or page.total is not None
    statement = f"""WITH {CLOCK},
reached AS (
    SELECT
        {alias}.id,
        ({sort.expression})::text AS sort_key,
        row_number() OVER (ORDER BY {sort.expression} {order}, {alias}.id {order}) AS reached
    FROM {query.base}
    WHERE {both.join(on_page)}
    ORDER BY {sort.expression} {order}, {alias}.id {order}
    LIMIT %(page_size)s + 1
    OFFSET {"(%(page_number)s - 1)::bigint * %(page_size)s" if page.position is None else "0"}
),
page AS MATERIALIZED (
    SELECT
        id,
        sort_key,
        {"-reached" if backwards else "reached"} AS position
    FROM reached
    ORDER BY reached
    LIMIT %(page_size)s
),
items AS (
{query.showing(page.fields)}
),
counted AS (
    {"SELECT %(total)s::bigint AS total" if known else counting(query, filters, sort, both.join(wanted))}
),
ends AS (
    SELECT
        (array_agg(sort_key ORDER BY position))[1] AS first_key,
        (array_agg(id ORDER BY position))[1] AS first_id,
        (array_agg(sort_key ORDER BY position DESC))[1] AS last_key,
        (array_agg(id ORDER BY position DESC))[1] AS last_id,
        (SELECT count(*) FROM reached) > %(page_size)s AS more
    FROM page
),
neighbours AS (
    SELECT {neighbours(page, left_behind(query, sort, wanted, falling))}
    FROM ends
)
SELECT
    json_build_object(
        'items', (SELECT coalesce(json_agg(item ORDER BY position), '[]') FROM items),
        {envelope(counted)}
        'page_size', %(page_size)s,
        'has_next', has_next,
        'has_previous', has_previous
    )::text,
    first_key,
    first_id,
    last_key,
    last_id,
    has_previous,
    has_next,
    total,
    {lasting(query, wanted, query.showing(page.fields))}
FROM ends, counted, neighbours{belonging(query)}"""
    return statement, parameters


def lasting(query: Query, conditions: list[str], items: str) -> str:
    """The SQL of the seconds until a page says something else although nothing changed."""
    ends = []
    if any(TODAY.search(text) for text in (*conditions, items)):
        ends.append("(SELECT day_ends FROM clock)")
    if CHANGES_AT.search(items):
        ends.append("(SELECT min(changes_at) FROM items)")
    return f"extract(epoch FROM least({', '.join(ends)}) - now())::float8" if ends else "NULL::float8"


def worth_keeping(query: Query, filters: Mapping[str, Any], page: Page) -> bool:
    """Whether the rows must be counted for the total, and their number then holds until one of them changes."""
    _, sort, wanted = chosen(query, filters, page)
    counted = page.counted and page.position is None and kept_total(query, filters, sort) is None
    return counted and holds(wanted)


def compose_owner(query: Query) -> str:
    """The statement that gives a row when what the list belongs to is there; empty: it belongs to nothing."""
    return f"SELECT{belonging(query)}" if query.within else ""


def compose_export(query: Query, filters: Mapping[str, Any], page: Page) -> tuple[str, str, dict[str, Any]]:
    """The statement that gives ids and sort keys of all rows in their order, the one that gives the items of `ids`
    and `sort_keys`, and what both need. Of the page only its sort and fields count.
    """
    alias, sort, wanted = chosen(query, filters, page)
    order = "DESC" if page.descending else "ASC"
    ids = f"""WITH {CLOCK}
SELECT
    {alias}.id,
    ({sort.expression})::text AS sort_key
FROM {query.base}
WHERE {" AND ".join(wanted)}
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


def chosen(query: Query, filters: Mapping[str, Any], page: Page) -> tuple[str, Sort, list[str]]:
    """The alias of the table a list pages over, its sort, and the conditions on its rows."""
    alias = query.base.split()[-1]
    sort = query.sorts[page.sort]
    wanted = [f"{alias}.tenant_id = %(tenant_id)s"]
    wanted += [narrowed(query.filters[name], filters[name]) for name in filters if name in query.filters]
    if sort.condition:
        wanted.append(sort.condition)
    return alias, sort, wanted


def narrowed(condition: str, value: Any) -> str:
    """Rewrite a one-element `ANY()` to `=`: only an equality lets the planner return rows in index order, so that a
    page reads no more rows than it shows.
    """
    return (
        ONE_OF.sub(r"= (%(\1)s::text[])[1]", condition)
        if isinstance(value, list) and len(value) == 1
        else condition
    )


def belonging(query: Query) -> str:
    """The condition that what the list belongs to is there."""
    if not query.within:
        return ""
    table, _, row = (part.strip() for part in query.within.partition("|"))
    return (
        f"\nWHERE EXISTS (SELECT FROM {table} WHERE {table.split()[-1]}.tenant_id = %(tenant_id)s AND {row})"
    )


def envelope(counted: bool) -> str:
    if not counted:
        return ""
    return """'total', total,
        'page', %(page_number)s,
        'total_pages', (total + %(page_size)s - 1) / %(page_size)s,"""


def neighbours(page: Page, behind: str) -> str:
    """Whether there are rows before and after the page.

    The row behind a cursor existed when it was made, so the side it came from is taken to have rows. Only where
    nothing is on the page it is looked up: who came to the end of rows that have gone shall find a way back.
    """
    if page.position is None:
        return "more AS has_next, %(page_number)s > 1 AS has_previous"
    came_from = f"first_id IS NOT NULL OR {behind}"
    if page.position.backwards:
        return f"{came_from} AS has_next, more AS has_previous"
    return f"more AS has_next, {came_from} AS has_previous"


def left_behind(query: Query, sort: Sort, wanted: list[str], falling: bool) -> str:
    """That there is the cursor's row or one on the side it came from; the nearest, so that one row is read."""
    alias, order = query.base.split()[-1], "ASC" if falling else "DESC"
    there = " AND ".join([*wanted, compared(alias, sort, ">=" if falling else "<=")])
    # EXISTS would not keep the order.
    return f"""(SELECT true FROM {query.base} WHERE {there}
        ORDER BY {sort.expression} {order}, {alias}.id {order} LIMIT 1) IS NOT NULL"""


def compared(alias: str, sort: Sort, sign: str) -> str:
    """The condition that a row is on that side of the cursor's."""
    return f"({sort.expression}, {alias}.id) {sign} (%(cursor_key)s::{sort.type}, %(cursor_id)s)"

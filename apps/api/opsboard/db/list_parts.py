"""The parts of a list's statement that hold for every list; db/list_statement.py puts them together."""

from __future__ import annotations

from collections.abc import Sequence

from opsboard.db.queries import Sort

AND = "\n        AND "
KNOWN_TOTAL = "SELECT %(total)s::bigint AS total"
# Keys and ids of the first and the last row of the page; `more`: rows were reached beyond it.
ENDS = """ends AS (
    SELECT
        (array_agg(sort_key ORDER BY position))[1] AS first_key,
        (array_agg(id ORDER BY position))[1] AS first_id,
        (array_agg(sort_key ORDER BY position DESC))[1] AS last_key,
        (array_agg(id ORDER BY position DESC))[1] AS last_id,
        (SELECT count(*) FROM reached) > %(page_size)s AS more
    FROM page
)"""


def reached_cte(
    base: str, sort: Sort, conditions: Sequence[str], is_descending: bool, by_number: bool
) -> str:
    """Return the rows of the page and one more, in the order in which they are read."""
    alias, direction = base.split()[-1], "DESC" if is_descending else "ASC"
    order = f"{sort.expression} {direction}, {alias}.id {direction}"
    return f"""reached AS (
    SELECT
        {alias}.id,
        ({sort.expression})::text AS sort_key,
        row_number() OVER (ORDER BY {order}) AS reached
    FROM {base}
    WHERE {AND.join(conditions)}
    ORDER BY {order}
    LIMIT %(page_size)s + 1
    OFFSET {"(%(page_number)s - 1)::bigint * %(page_size)s" if by_number else "0"}
)"""


def page_cte(backwards: bool) -> str:
    """Return the rows of the page; when read backwards, their positions are in the order of the list again."""
    return f"""page AS MATERIALIZED (
    SELECT
        id,
        sort_key,
        {"-reached" if backwards else "reached"} AS position
    FROM reached
    ORDER BY reached
    LIMIT %(page_size)s
)"""


def envelope_row(counted: bool, seconds: str) -> str:
    """Return the row of the answer; `seconds`: until the passage of time changes it."""
    return f"""SELECT
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
    {seconds}
FROM ends, counted, has_more"""


def envelope(counted: bool) -> str:
    if not counted:
        return ""
    return """'total', total,
        'page', %(page_number)s,
        'total_pages', (total + %(page_size)s - 1) / %(page_size)s,"""

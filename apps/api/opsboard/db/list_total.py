"""The total of a list: from the rollups, from the cache, or counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from opsboard.db.queries import Query, Sort, Total

TODAY = re.compile(r"\btoday\b")
# The column of an item with the moment at which the passage of time changes it.
CHANGES_AT = re.compile(r"\bAS changes_at\b")
# Conditions whose result changes with time, without a change of any row.
TIME_DEPENDENT = re.compile(r"\btoday\b|\bnow\(\)|_timestamp\(\)|\bcurrent_(?:date|time)")


def total_sql(query: Query, filters: Mapping[str, Any], sort: Sort, where: str) -> str:
    """Return the SQL of the total."""
    total = rollup_total(query, filters, sort)
    if total is None:
        return f"SELECT count(*) AS total FROM {query.base} WHERE {where}"
    metrics = ", ".join(f"'{metric}'" for metric in total.metrics)
    return f"""SELECT coalesce(sum(c.n), 0)::bigint AS total
    FROM rollup_counts(%(tenant_id)s, ARRAY[{metrics}]) AS c
    WHERE {total.condition}"""


def rollup_total(query: Query, filters: Mapping[str, Any], sort: Sort) -> Total | None:
    """Return the declared total in the rollups for these filters, or None."""
    return None if sort.condition else query.totals.get(frozenset(query.filters.keys() & filters.keys()))


def is_time_independent(conditions: Iterable[str]) -> bool:
    """Return True if a total stays valid until a table changes."""
    return not any(has(TIME_DEPENDENT, condition) for condition in conditions)


@lru_cache(maxsize=1024)
def has(pattern: re.Pattern[str], text: str) -> bool:
    """Return True if the text has the pattern. Kept: the texts are those of queries, and each page of a list asks."""
    return pattern.search(text) is not None

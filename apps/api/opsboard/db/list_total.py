"""The total of a list: from the rollups, from the cache, or counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from opsboard.db.queries import Query, Sort, Total

TODAY = re.compile(r"\btoday\b")
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
    return not any(TIME_DEPENDENT.search(condition) for condition in conditions)

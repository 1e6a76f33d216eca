"""How many rows a list has: from the rollups where they know it, known from before, or counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from opsboard.db.queries import Query, Sort, Total

TODAY = re.compile(r"\btoday\b")
# Conditions that hold for other rows a moment or a day later, without any of them having changed.
PASSING = re.compile(r"\btoday\b|\bnow\(\)|_timestamp\(\)|\bcurrent_(?:date|time)")


def counting(query: Query, filters: Mapping[str, Any], sort: Sort, wanted: str) -> str:
    """The SQL of the total."""
    total = kept_total(query, filters, sort)
    if total is None:
        return f"SELECT count(*) AS total FROM {query.base} WHERE {wanted}"
    metrics = ", ".join(f"'{metric}'" for metric in total.metrics)
    return f"""SELECT coalesce(sum(c.n), 0)::bigint AS total
    FROM rollup_counts(%(tenant_id)s, ARRAY[{metrics}]) AS c
    WHERE {total.condition}"""


def kept_total(query: Query, filters: Mapping[str, Any], sort: Sort) -> Total | None:
    """Where the rollups know the total for these filters."""
    return None if sort.condition else query.totals.get(frozenset(query.filters.keys() & filters.keys()))


def holds(wanted: Iterable[str]) -> bool:
    """Whether a total stays what it is until a table changes."""
    return not any(PASSING.search(condition) for condition in wanted)

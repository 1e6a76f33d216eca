"""Ways to have the dashboard's numbers and the totals of lists, as statements to be timed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from opsboard.bench import recounts
from opsboard.db import tenancy
from opsboard.db.listing import Page, compose
from opsboard.db.queries import load_queries

# Of each way and size: milliseconds, a value a round.
Times = dict[str, dict[int, list[float]]]

CALLS, ENOUGH = 25, 0.15  # of one way in one round: so many calls, or so many seconds
IDENTITY = {"tenant_id": 1, "user_id": 1, "role": "admin", "statement_timeout": "0"}

ROLLUPS = "Rollups (what the service does)"
ONE_STATEMENT = "Counted in one statement (CTEs, indexes)"
FOUR_STATEMENTS = "Counted in four statements"
VIEW = "Materialized view, read"
BY_MONTH, BY_STATUS, TOTAL = "Jobs by month", "Jobs by status", "Jobs and their total"
COUNTED = ", counted anew"


@dataclass(frozen=True)
class Reads:
    """Statements that give one answer, each sent by itself, bound to a business as the service does."""

    statements: tuple[str, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    bound: bool = True

    def timed(self, cursor: Any) -> float:
        """Milliseconds, the median of some calls."""
        values = {**self.parameters, **IDENTITY}
        taken: list[float] = []
        while not taken or (len(taken) < CALLS and sum(taken) < ENOUGH):
            began = time.perf_counter()
            for statement in self.statements:
                cursor.execute(tenancy.bound("bench", statement) if self.bound else statement, values)
                if self.bound:
                    cursor.fetchall()
            taken.append(time.perf_counter() - began)
        return median(taken) * 1000


def reads() -> dict[str, Reads]:
    """By what the tables call them: the service's own, each beside the usual ways."""
    dashboard = load_queries("opsboard.features.dashboard")
    return {
        ROLLUPS: Reads((dashboard.stats.sql,)),
        ONE_STATEMENT: Reads(recounts.ONE_STATEMENT),
        FOUR_STATEMENTS: Reads(recounts.FOUR_STATEMENTS),
        VIEW: Reads(recounts.READ_VIEW),
        BY_MONTH: Reads((dashboard.jobs_by_month.sql,), {"months": 12}),
        BY_MONTH + COUNTED: Reads(recounts.BY_MONTH),
        BY_STATUS: Reads((dashboard.jobs_by_status.sql,)),
        BY_STATUS + COUNTED: Reads(recounts.BY_STATUS),
        TOTAL: page_of_jobs(kept=True),
        TOTAL + COUNTED: page_of_jobs(kept=False),
    }


def page_of_jobs(kept: bool) -> Reads:
    """A page of the list with its total, from the rollups or counted."""
    query = load_queries("opsboard.features.jobs").list_jobs
    statement, parameters = compose(
        query if kept else replace(query, totals={}), {}, Page("created_at", True, 50)
    )
    return Reads((statement,), parameters)

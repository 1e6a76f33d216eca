"""Ways to have the dashboard's numbers and the totals of lists, as statements to be timed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from opsboard.db import tenancy
from opsboard.db.list_statement import Page, compose
from opsboard.db.prepared import limits_of, statement
from opsboard.db.queries import Query, load_queries
from opsboard_bench import recounts

# Of each way and size: milliseconds, a value a round.
Times = dict[str, dict[int, list[float]]]

CALLS, ENOUGH = 25, 0.15  # of one way in one round: so many calls, or so many seconds
# So often Postgres plans a prepared statement anew before it compares the costs of a generic plan.
CUSTOM_PLANS = 5
IDENTITY = {"tenant_id": 1, "user_id": 1, "role": "admin", "statement_timeout": "0"}

ROLLUPS = "Rollups (what the service does)"
ONE_STATEMENT = "Counted in one statement (CTEs, indexes)"
ANEW = "Rollups, planned anew each time"
ONE_PREPARED = "Counted in one statement, prepared"
FOUR_STATEMENTS = "Counted in four statements, prepared"
VIEW = "Materialized view, read, prepared"
BY_MONTH, BY_STATUS, TOTAL = "Jobs by month", "Jobs by status", "Jobs and their total"
COUNTED = ", counted, prepared"


@dataclass(frozen=True)
class Reads:
    """Statements that give one answer, each sent by itself, bound to a business as the service does.

    `prepared`: planned once on the connection and executed by name, as the service sends them.
    """

    statements: tuple[str, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    bound: bool = True
    prepared: bool = False

    def timed(self, cursor: Any) -> float:
        """Milliseconds, the median of some calls."""
        values = {**self.parameters, **IDENTITY}
        texts = [self.text(cursor, values, sql) for sql in self.statements]
        taken: list[float] = []
        while not taken or (len(taken) < CALLS and sum(taken) < ENOUGH):
            began = time.perf_counter()
            for text in texts:
                cursor.execute(text, values)
                if self.bound:
                    cursor.fetchall()
            taken.append(time.perf_counter() - began)
        return median(taken) * 1000

    def text(self, cursor: Any, values: dict[str, Any], sql: str) -> str:
        """The message of one statement, which is prepared first if this connection has not done it yet."""
        if self.prepared:
            known = statement("bench", sql, limits_of(sql, values))
            cursor.execute("SELECT FROM pg_prepared_statements WHERE name = %(name)s", {"name": known.name})
            if not cursor.fetchall():
                cursor.execute(tenancy.bound("bench", known.prepare), values)
                for _ in range(CUSTOM_PLANS + 1):
                    cursor.execute(tenancy.bound("bench", known.execute), values)
            sql = known.execute
        return tenancy.bound("bench", sql) if self.bound else sql


def reads() -> dict[str, Reads]:
    """By what the tables call them: the service's own, each beside the usual ways."""
    dashboard = load_queries("opsboard.features.dashboard")
    return {
        ROLLUPS: Reads((dashboard.stats.sql,), prepared=True),
        ANEW: Reads((dashboard.stats.sql,)),
        ONE_STATEMENT: Reads(recounts.ONE_STATEMENT),
        ONE_PREPARED: Reads(recounts.ONE_STATEMENT, prepared=True),
        FOUR_STATEMENTS: Reads(recounts.FOUR_STATEMENTS, prepared=True),
        VIEW: Reads(recounts.READ_VIEW, prepared=True),
        BY_MONTH: Reads((dashboard.jobs_by_month.sql,), {"months": 12}, prepared=True),
        BY_MONTH + COUNTED: Reads(recounts.BY_MONTH, prepared=True),
        BY_STATUS: Reads((dashboard.jobs_by_status.sql,), prepared=True),
        BY_STATUS + COUNTED: Reads(recounts.BY_STATUS, prepared=True),
        TOTAL: page_of_jobs(kept=True),
        TOTAL + COUNTED: page_of_jobs(kept=False),
    }


def often_asked(job: int) -> dict[str, Reads]:
    """The statements that are sent most, by their names; `job` is one that exists."""
    dashboard, jobs = load_queries("opsboard.features.dashboard"), load_queries("opsboard.features.jobs")
    steps, customers = (
        load_queries("opsboard.features.job_steps"),
        load_queries("opsboard.features.customers"),
    )
    intelligence = load_queries("opsboard.features.intelligence")
    newest, by_name = Page("created_at", True, 50), Page("name", False, 50)
    return {
        "dashboard.stats": Reads((dashboard.stats.sql,)),
        "dashboard.jobs_by_month": Reads((dashboard.jobs_by_month.sql,), {"months": 12}),
        "dashboard.jobs_by_status": Reads((dashboard.jobs_by_status.sql,)),
        "dashboard.recent_jobs": Reads((dashboard.recent_jobs.sql,), {"limit": 10}),
        "jobs.list_jobs": page_of(jobs.list_jobs, newest),
        "jobs.get_job": Reads((jobs.get_job.sql,), {"job_id": job}),
        "job_steps.list_job_steps": page_of(steps.list_job_steps, newest),
        "customers.list_customers": page_of(customers.list_customers, by_name),
        "intelligence.list_customers": page_of(intelligence.list_customers, by_name),
    }


def page_of_jobs(kept: bool) -> Reads:
    """A page of the list with its total, from the rollups or counted."""
    query = load_queries("opsboard.features.jobs").list_jobs
    found = page_of(query if kept else replace(query, totals={}), Page("created_at", True, 50))
    return replace(found, prepared=True)


def page_of(query: Query, page: Page) -> Reads:
    """A page of a list without filters."""
    sql, parameters = compose(query, {}, page)
    return Reads((sql,), parameters)

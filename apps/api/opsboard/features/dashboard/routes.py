"""GET /api/dashboard/...: counts, newest jobs and charts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from opsboard.cache.body import Body
from opsboard.features.dashboard import load_routes  # noqa: F401  adds its routes to the area
from opsboard.features.dashboard.area import area, sql
from opsboard.features.dashboard.schemas import JobsByMonth, JobsByStatus, RecentJobs, Stats
from opsboard.web.arguments import Arguments
from opsboard.web.document import document
from opsboard.web.endpoint import cache_route, cache_route_with_user


class HowManyJobs(Arguments):
    limit: Annotated[int, Field(ge=1, le=50, description="Jobs to show.")] = 10


class HowManyMonths(Arguments):
    months: Annotated[int, Field(ge=1, le=36, description="Months to show, including the current one.")] = 12


@area.get("/stats")
@area.output(Stats)
@cache_route_with_user(ttl="cache_ttl_stats")
def stats() -> Body:
    """Counts of jobs, your own tasks, machines, users, leads, approvals, campaigns and journeys, each with its list."""
    return document(sql.stats)


@area.get("/recent-jobs")
@area.input(HowManyJobs, location="query", arg_name="wanted")
@area.output(RecentJobs)
@cache_route(ttl="cache_ttl_recent_jobs")
def recent_jobs(wanted: HowManyJobs) -> Body:
    """The newest jobs with their customer."""
    return document(sql.recent_jobs, limit=wanted.limit)


@area.get("/chart/jobs-by-status")
@area.output(JobsByStatus)
@cache_route(ttl="cache_ttl_jobs_by_status")
def jobs_by_status() -> Body:
    """How many jobs are in each status."""
    return document(sql.jobs_by_status)


@area.get("/chart/jobs-by-month")
@area.input(HowManyMonths, location="query", arg_name="wanted")
@area.output(JobsByMonth)
@cache_route(ttl="cache_ttl_jobs_by_month")
def jobs_by_month(wanted: HowManyMonths) -> Body:
    """Jobs created and completed by month of the business's time zone; empty months are there."""
    return document(sql.jobs_by_month, months=wanted.months)

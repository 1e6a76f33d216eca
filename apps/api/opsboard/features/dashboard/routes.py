"""GET /api/dashboard/...: counts, newest jobs and charts."""

from __future__ import annotations

from typing import Annotated

from apiflask import APIBlueprint, APIFlask
from pydantic import Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.dashboard.documents import JobsByMonth, JobsByStatus, RecentJobs, Stats
from opsboard.web.arguments import Arguments
from opsboard.web.document import document
from opsboard.web.endpoint import cache_route, cache_route_with_user

bp = APIBlueprint("dashboard", __name__, url_prefix="/api/dashboard", tag="Dashboard")
sql = load_queries(__package__)


class HowManyJobs(Arguments):
    limit: Annotated[int, Field(ge=1, le=50, description="Jobs to show.")] = 10


class HowManyMonths(Arguments):
    months: Annotated[int, Field(ge=1, le=36, description="Months to show, this one included.")] = 12


@bp.get("/stats")
@bp.output(Stats)
@cache_route_with_user(ttl="cache_ttl_stats")
def stats() -> Body:
    """Counts of jobs, your own tasks, machines, users, leads, approvals, campaigns and journeys, each with its list."""
    return document(sql.stats)


@bp.get("/recent-jobs")
@bp.input(HowManyJobs, location="query", arg_name="wanted")
@bp.output(RecentJobs)
@cache_route(ttl="cache_ttl_recent_jobs")
def recent_jobs(wanted: HowManyJobs) -> Body:
    """The newest jobs with their customer."""
    return document(sql.recent_jobs, limit=wanted.limit)


@bp.get("/chart/jobs-by-status")
@bp.output(JobsByStatus)
@cache_route(ttl="cache_ttl_jobs_by_status")
def jobs_by_status() -> Body:
    """How many jobs are in each status."""
    return document(sql.jobs_by_status)


@bp.get("/chart/jobs-by-month")
@bp.input(HowManyMonths, location="query", arg_name="wanted")
@bp.output(JobsByMonth)
@cache_route(ttl="cache_ttl_jobs_by_month")
def jobs_by_month(wanted: HowManyMonths) -> Body:
    """Jobs created and completed by month of the business's time zone; empty months are there."""
    return document(sql.jobs_by_month, months=wanted.months)


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)

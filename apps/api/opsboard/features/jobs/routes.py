"""/api/jobs: list, look at, create and change jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from apiflask import APIBlueprint, APIFlask
from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.jobs.documents import Job, Jobs, JobWithSteps
from opsboard.web.access import only_for
from opsboard.web.arguments import SPLIT, Arguments, Day, Id, Line, Patch, Search, Text
from opsboard.web.bulk import BulkResult, BulkStatus, bulk_status
from opsboard.web.command import command
from opsboard.web.documents import JobStatus, Priority
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments, listing

bp = APIBlueprint("jobs", __name__, url_prefix="/api/jobs", tag="Jobs")
sql = load_queries(__package__)

Description = Annotated[Text, Field(max_length=10_000)]
Number = Annotated[Text, Field(min_length=1, max_length=50)]
Quantity = Annotated[int, Field(ge=1, le=2**31 - 1)]


class ListJobs(ListArguments, query=sql.list_jobs, default_sort="-created_at"):
    status: Annotated[
        list[JobStatus] | None, SPLIT, Field(description="One or more, with commas between.")
    ] = None
    priority: Annotated[
        list[Priority] | None, SPLIT, Field(description="One or more, with commas between.")
    ] = None
    customer_id: Id | None = None
    q: Annotated[Search | None, Field(description="The beginning of a job number.")] = None
    overdue: Annotated[Literal["true"] | None, Field(description="Open jobs that were due before today.")] = (
        None
    )
    due_today: Annotated[Literal["true"] | None, Field(description="Open jobs that are due today.")] = None
    due_from: Day | None = None
    due_to: Day | None = None
    created_from: Day | None = None
    created_to: Day | None = None
    completed_from: Day | None = None
    completed_to: Day | None = None


class NewJob(Arguments):
    title: Line
    job_number: Number | None = None
    description: Description | None = None
    customer_id: Id | None = None
    status: JobStatus = "draft"
    priority: Priority = "normal"
    quantity: Quantity = 1
    due_date: Day | None = None


class ChangeJob(Patch):
    title: Line = ""
    job_number: Number = ""
    description: Description | None = None
    customer_id: Id | None = None
    status: JobStatus = "draft"
    priority: Priority = "normal"
    quantity: Quantity = 1
    due_date: Day | None = None


class BulkJobs(BulkStatus):
    status: JobStatus


@bp.get("")
@bp.input(ListJobs, location="query", arg_name="wanted")
@bp.output(Jobs)
@fresh
def list_jobs(wanted: ListJobs) -> Body:
    """Jobs with their customer and progress, newest first."""
    return listing(wanted)


@bp.get("/<id:job_id>")
@bp.input(detail(sql.get_job), location="query", arg_name="wanted")
@bp.output(JobWithSteps)
@fresh
def get_job(job_id: int, wanted: Detail) -> Body:
    """One job with its customer, its progress and its steps."""
    return wanted.document(job_id=job_id)


@bp.post("")
@bp.input(NewJob, arg_name="job")
@bp.output(Job, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_job(job: NewJob) -> Response:
    """Make a job; only the title is needed."""
    return command(sql.create_job, job.model_dump(), status=201, location="/api/jobs/{id}")


@bp.patch("/<id:job_id>")
@bp.input(ChangeJob, arg_name="change")
@bp.output(Job)
@only_for(Role.ADMIN, Role.MANAGER)
def update_job(job_id: int, change: ChangeJob) -> Response:
    """Change what is sent of a job and leave the rest."""
    return command(sql.update_job, {"job_id": job_id, "patch": change.patch()})


@bp.post("/bulk-status")
@bp.input(BulkJobs, arg_name="wanted")
@bp.output(BulkResult)
@only_for(Role.ADMIN, Role.MANAGER)
def bulk_jobs_status(wanted: BulkJobs) -> Response:
    """Give many jobs one status; the answer has a result for each id."""
    return bulk_status(sql.bulk_status, wanted)


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)

"""/api/jobs: list, look at, create and change jobs, and make links to their status."""

from __future__ import annotations

from typing import Annotated, Literal

from apiflask import APIFlask
from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.features.jobs.documents import (
    Job,
    Jobs,
    JobWithSteps,
    NewStatusLink,
    StatusLink,
    StatusLinks,
    WrittenJob,
)
from opsboard.features.jobs.lateness_routes import bp, sql
from opsboard.features.jobs.status_links import with_url
from opsboard.web.access import only_for
from opsboard.web.arguments import SPLIT, Arguments, Day, Id, Line, Patch, Search, Text, optional_body
from opsboard.web.bulk import BulkResult, BulkStatus, bulk_status
from opsboard.web.command import command
from opsboard.web.documents import JobStatus, Priority
from opsboard.web.endpoint import cache_list, fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments, listing

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


class ListStatusLinks(ListArguments, query=sql.list_status_links, default_sort="-created_at"):
    pass


class MakeStatusLink(Arguments):
    expires_in_days: Annotated[
        int, Field(ge=1, le=365, description="Days until the link ends by itself.")
    ] = 60


class BulkJobs(BulkStatus):
    status: JobStatus


@bp.get("")
@bp.input(ListJobs, location="query", arg_name="wanted")
@bp.output(Jobs)
@cache_list
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
@bp.output(WrittenJob)
@only_for(Role.ADMIN, Role.MANAGER)
def update_job(job_id: int, change: ChangeJob) -> Response:
    """Change what is sent of a job and leave the rest."""
    return command(sql.update_job, {"job_id": job_id, "patch": change.patch()}, current=sql.get_job)


@bp.post("/bulk-status")
@bp.input(BulkJobs, arg_name="wanted")
@bp.output(BulkResult)
@only_for(Role.ADMIN, Role.MANAGER)
def bulk_jobs_status(wanted: BulkJobs) -> Response:
    """Give many jobs one status; the answer has a result for each id."""
    return bulk_status(sql.bulk_status, wanted)


@bp.get("/<id:job_id>/status-links")
@bp.input(ListStatusLinks, location="query", arg_name="wanted")
@bp.output(StatusLinks)
@only_for(Role.ADMIN, Role.MANAGER)
@cache_list
def list_status_links(job_id: int, wanted: ListStatusLinks) -> Body:
    """The links to a job's status, newest first; their addresses are not told again."""
    return listing(wanted, job_id=job_id)


@bp.get("/<id:job_id>/status-links/<id:link_id>")
@bp.input(detail(sql.get_status_link), location="query", arg_name="wanted")
@bp.output(StatusLink)
@only_for(Role.ADMIN, Role.MANAGER)
@fresh
def get_status_link(job_id: int, link_id: int, wanted: Detail) -> Body:
    """One link to a job's status, without its address."""
    return wanted.document(job_id=job_id, link_id=link_id)


@bp.post("/<id:job_id>/status-links")
@optional_body(bp, MakeStatusLink, "wanted")
@bp.output(NewStatusLink, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_status_link(job_id: int, wanted: MakeStatusLink) -> Response:
    """Make a link by which a customer sees how far the job is; whoever has it needs no account."""
    return command(
        sql.create_status_link,
        {"job_id": job_id, **wanted.model_dump()},
        status=201,
        location=f"/api/jobs/{job_id}/status-links/{{id}}",
        complete=with_url,
    )


@bp.delete("/<id:job_id>/status-links/<id:link_id>")
@bp.output(StatusLink)
@only_for(Role.ADMIN, Role.MANAGER)
def revoke_status_link(job_id: int, link_id: int) -> Response:
    """End a link before its time, on every worker."""
    return command(
        sql.revoke_status_link, {"job_id": job_id, "link_id": link_id}, current=sql.get_status_link
    )


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)

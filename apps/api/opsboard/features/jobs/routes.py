"""/api/jobs: list, look at, create and change jobs, and make links to their status."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from flask import Response
from pydantic import Field, model_validator

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.features.jobs import lateness_routes, step_routes  # noqa: F401  # add their routes
from opsboard.features.jobs.area import area, sql
from opsboard.features.jobs.schemas import (
    Job,
    Jobs,
    JobWithSteps,
    NewStatusLink,
    StatusLink,
    StatusLinks,
    WrittenJob,
)
from opsboard.features.jobs.status_links import with_url
from opsboard.features.planned_steps import MOST_STEPS, NewStep
from opsboard.features.shapes import JobStatus, Priority
from opsboard.web.access import only_for
from opsboard.web.archiving import add_archive
from opsboard.web.arguments import Arguments, Day, Id, Line, OneOrMore, Patch, Search, Text, optional_body
from opsboard.web.bulk import BulkResult, BulkStatus, bulk_status
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ArchivableList, ListArguments

Description = Annotated[Text, Field(max_length=10_000)]
Number = Annotated[Text, Field(min_length=1, max_length=50)]
Quantity = Annotated[int, Field(ge=1, le=2**31 - 1)]


@area.list("", Jobs)
class ListJobs(ArchivableList, query=sql.list_jobs, default_sort="-created_at"):
    """Jobs with their customer and progress, newest first."""

    status: OneOrMore[JobStatus] = None
    priority: OneOrMore[Priority] = None
    customer_id: Id | None = None
    machine_id: Annotated[Id | None, Field(description="Jobs with a step on this machine.")] = None
    assigned_user_id: Annotated[Id | None, Field(description="Jobs with a step of this person.")] = None
    q: Annotated[
        Search | None, Field(description="Words of the number or the title, each by its beginning.")
    ] = None
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


class NewJobWithSteps(NewJob):
    """A job. Its steps are at most one of: `steps`, those of `routing_id`, or those of the job `copy_of_id`."""

    steps: Annotated[tuple[NewStep, ...], Field(max_length=MOST_STEPS, description="In their order.")] = ()
    routing_id: Annotated[Id | None, Field(description="Has the steps of this routing.")] = None
    copy_of_id: Annotated[
        Id | None, Field(description="Has the steps of this job, without their progress and people.")
    ] = None

    @model_validator(mode="after")
    def has_steps_from_one_place(self) -> NewJobWithSteps:
        sources = [bool(self.steps), self.routing_id is not None, self.copy_of_id is not None]
        if sum(sources) > 1:
            raise ValueError("send only one of steps, routing_id and copy_of_id")
        if any(sources) and self.status in ("completed", "cancelled"):
            raise ValueError("a job that has ended is given no steps")
        return self


class ChangeJob(Patch, of=NewJob):
    job_number: Number


@area.list("/<id:job_id>/status-links", StatusLinks, roles=(Role.ADMIN, Role.MANAGER))
class ListStatusLinks(ListArguments, query=sql.list_status_links, default_sort="-created_at"):
    """The links to a job's status, newest first, without their addresses."""


class MakeStatusLink(Arguments):
    expires_in_days: Annotated[int, Field(ge=1, le=365, description="Days until the link expires.")] = 60


class BulkJobs(BulkStatus):
    status: JobStatus


@area.get("/<id:job_id>")
@area.input(detail(sql.get_job), location="query", arg_name="wanted")
@area.output(JobWithSteps)
@fresh
def get_job(job_id: int, wanted: Detail) -> Body:
    """One job with its customer, its progress and its steps."""
    return wanted.document(job_id=job_id)


@area.post("")
@area.input(NewJobWithSteps, arg_name="job")
@area.output(Job, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_job(job: NewJobWithSteps) -> Response:
    """Make a job; only the title is needed. Its steps may be those of a routing or of another job."""
    given = job.model_dump()
    given["steps"] = json.dumps(given["steps"])
    return command(sql.create_job, given, status=201, location="/api/jobs/{id}")


@area.patch("/<id:job_id>")
@area.input(ChangeJob, arg_name="change")
@area.output(WrittenJob)
@only_for(Role.ADMIN, Role.MANAGER)
def update_job(job_id: int, change: ChangeJob) -> Response:
    """Change the sent members of a job and keep the rest."""
    return command(sql.update_job, {"job_id": job_id, "patch": change.patch()}, current=sql.get_job)


@area.post("/bulk-status")
@area.input(BulkJobs, arg_name="wanted")
@area.output(BulkResult)
@only_for(Role.ADMIN, Role.MANAGER)
def bulk_jobs_status(wanted: BulkJobs) -> Response:
    """Set the status of many jobs; the answer has a result for each id."""
    return bulk_status(sql.bulk_status, wanted)


@area.get("/<id:job_id>/status-links/<id:link_id>")
@area.input(detail(sql.get_status_link), location="query", arg_name="wanted")
@area.output(StatusLink)
@only_for(Role.ADMIN, Role.MANAGER)
@fresh
def get_status_link(job_id: int, link_id: int, wanted: Detail) -> Body:
    """One link to a job's status, without its address."""
    return wanted.document(job_id=job_id, link_id=link_id)


@area.post("/<id:job_id>/status-links")
@optional_body(area, MakeStatusLink, "wanted")
@area.output(NewStatusLink, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_status_link(job_id: int, wanted: MakeStatusLink) -> Response:
    """Create a link that shows a customer the progress of the job, without an account."""
    return command(
        sql.create_status_link,
        {"job_id": job_id, **wanted.model_dump()},
        status=201,
        location=f"/api/jobs/{job_id}/status-links/{{id}}",
        complete=with_url,
    )


@area.delete("/<id:job_id>/status-links/<id:link_id>")
@area.output(StatusLink)
@only_for(Role.ADMIN, Role.MANAGER)
def revoke_status_link(job_id: int, link_id: int) -> Response:
    """End a link before its time, on every worker."""
    return command(
        sql.revoke_status_link, {"job_id": job_id, "link_id": link_id}, current=sql.get_status_link
    )


add_archive(area, "/<id:job_id>", sql, "a finished job", Role.ADMIN, Role.MANAGER)

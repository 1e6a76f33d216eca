"""/api/job-steps: list steps, look at one, move it on, assign it, put it elsewhere, remove it."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.job_steps.schemas import RemovedStep, Step, Steps, WrittenStep
from opsboard.features.planned_steps import Instructions, SecondsPerPiece, SetupMinutes
from opsboard.features.shapes import StepStatus, WrittenSteps
from opsboard.web.access import only_for
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Day, Id, OneOrMore, Patch
from opsboard.web.bulk import BulkResult, BulkStatus, bulk_status
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments

area = Area("job_steps", __name__, tag="Job steps")
sql = load_queries(__package__)

Pieces = Annotated[int, Field(ge=0, le=2**31 - 1)]


@area.list("", Steps)
class ListSteps(ListArguments, query=sql.list_job_steps, default_sort="-created_at"):
    """Steps with their job, process, machine and person, newest first."""

    status: OneOrMore[StepStatus] = None
    job_id: Id | None = None
    process_id: Id | None = None
    machine_id: Id | None = None
    assigned_user_id: Id | None = None
    mine: Annotated[
        Literal["true"] | None,
        Field(description="Steps assigned to you, without open ones of jobs that have ended."),
    ] = None
    assignee_inactive: Annotated[
        Literal["true"] | None, Field(description="Assigned to an inactive user.")
    ] = None
    waiting: Annotated[
        Literal["true"] | None,
        Field(description="Pending or in progress, of jobs that are not completed or cancelled."),
    ] = None
    completed_today: Annotated[Literal["true"] | None, Field(description="Steps completed today.")] = None
    started_from: Annotated[Day | None, Field(description="First day they started on.")] = None
    started_to: Annotated[Day | None, Field(description="Last day they started on.")] = None
    completed_from: Annotated[Day | None, Field(description="First day they were completed on.")] = None
    completed_to: Annotated[Day | None, Field(description="Last day they were completed on.")] = None


class ChangeStep(Patch):
    status: StepStatus
    assigned_user_id: Annotated[Id | None, Field(description="null takes it away from everybody.")]
    machine_id: Id | None
    quantity_done: Pieces
    quantity_rejected: Pieces
    setup_minutes: SetupMinutes | None
    seconds_per_piece: SecondsPerPiece | None
    instructions: Instructions | None


class Place(Arguments):
    position: Annotated[int, Field(ge=1, le=10_000, description="1 is before all other steps of the job.")]


class BulkSteps(BulkStatus):
    status: StepStatus


@area.get("/<id:step_id>")
@area.input(detail(sql.get_job_step), location="query", arg_name="wanted")
@area.output(Step)
@fresh
def get_job_step(step_id: int, wanted: Detail) -> Body:
    """One step."""
    return wanted.document(step_id=step_id)


@area.patch("/<id:step_id>")
@area.input(ChangeStep, arg_name="change")
@area.output(WrittenStep)
def update_job_step(step_id: int, change: ChangeStep) -> Response:
    """Move a step on, count its pieces, assign it; as far as your role may work on its process."""
    return command(
        sql.update_job_step, {"step_id": step_id, "patch": change.patch()}, current=sql.get_job_step
    )


@area.post("/<id:step_id>/move")
@area.input(Place, arg_name="place")
@area.output(WrittenSteps)
@only_for(Role.ADMIN, Role.MANAGER)
def move_job_step(step_id: int, place: Place) -> Response:
    """Put a step that waits at another place among the steps of its job."""
    return command(sql.move_job_step, {"step_id": step_id, "position": place.position})


@area.delete("/<id:step_id>")
@area.output(RemovedStep)
@only_for(Role.ADMIN, Role.MANAGER)
def remove_job_step(step_id: int) -> Response:
    """Remove a step that waits; one that has begun can be skipped."""
    return command(sql.remove_job_step, {"step_id": step_id}, current=sql.get_job_step)


@area.post("/bulk-status")
@area.input(BulkSteps, arg_name="wanted")
@area.output(BulkResult)
def bulk_job_steps_status(wanted: BulkSteps) -> Response:
    """Set the status of many steps, as far as your role may; the answer has a result for each id."""
    return bulk_status(sql.bulk_status, wanted)

"""/api/jobs/{id}/steps: the steps of a job; look at them, add some."""

from __future__ import annotations

import json
from typing import Annotated

from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.features.jobs.area import area, sql
from opsboard.features.planned_steps import MOST_STEPS, NewStep
from opsboard.features.shapes import StepsOfJob, WrittenSteps
from opsboard.web.access import only_for
from opsboard.web.arguments import Arguments
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail


class NewSteps(Arguments):
    steps: Annotated[list[NewStep], Field(min_length=1, max_length=MOST_STEPS, description="In their order.")]
    position: Annotated[
        int | None,
        Field(ge=1, le=10_000, description="The place of the first one among all steps; null: behind them."),
    ] = None


@area.get("/<id:job_id>/steps")
@area.input(detail(sql.get_steps), location="query", arg_name="wanted")
@area.output(StepsOfJob)
@fresh
def get_steps(job_id: int, wanted: Detail) -> Body:
    """The steps of a job in their order."""
    return wanted.document(job_id=job_id)


@area.post("/<id:job_id>/steps")
@area.input(NewSteps, arg_name="new")
@area.output(WrittenSteps, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def add_steps(job_id: int, new: NewSteps) -> Response:
    """Add steps to a job that has not ended; the answer has all its steps."""
    given = new.model_dump()
    return command(
        sql.add_steps,
        {
            "job_id": job_id,
            "steps": json.dumps(given["steps"]),
            "position": given["position"],
            "most": MOST_STEPS,
        },
        status=201,
        location="/api/jobs/{id}/steps",
        current=sql.get_steps,
    )

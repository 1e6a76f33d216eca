"""/api/problems: what hinders the work at a step or a machine; report, answer, close, list."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.shapes import StepStatus
from opsboard.web.access import only_for
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Id, OneOrMore, Text, optional_body
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope, Named

area = Area("problems", __name__, tag="Shop-floor problems")
sql = load_queries(__package__)

Kind = Literal["material", "machine", "tool", "drawing", "quality", "safety", "other"]
Status = Literal["open", "answered", "closed"]
Words = Annotated[Text, Field(min_length=1, max_length=2000)]


class JobOfProblem(BaseModel):
    id: int
    job_number: str
    title: str


class StepOfProblem(BaseModel):
    id: int
    step_order: int
    status: StepStatus


class ReportedProblem(BaseModel):
    """`holds_step`: nobody begins work on its step until it is closed. A machine's has no `job`, `step`, `process`."""

    id: int
    kind: Kind
    description: str
    status: Status
    holds_step: bool
    job: JobOfProblem | None
    step: StepOfProblem | None
    process: Named | None
    machine: Named | None
    answer: str | None
    reported_by: Named | None
    answered_by: Named | None
    answered_at: dt.datetime | None
    closed_by: Named | None
    closed_at: dt.datetime | None
    own_fields: dict[str, str]
    created_at: dt.datetime
    updated_at: dt.datetime


class ReportedProblems(Envelope):
    items: list[ReportedProblem]


@area.list("", ReportedProblems)
class ListProblems(ListArguments, query=sql.list_problems, default_sort="-created_at"):
    """Problems, newest first."""

    status: OneOrMore[Status] = None
    kind: Kind | None = None
    step_id: Id | None = None
    machine_id: Id | None = None
    mine: Annotated[Literal["true"] | None, Field(description="Reported by you.")] = None


class NewProblem(Arguments):
    # A body of the required members alone would lack the place.
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"step_id": 1, "kind": "material", "description": "The sheets are 2 mm, not 3."}]
        }
    )

    step_id: Id | None = None
    machine_id: Annotated[Id | None, Field(description="That of the step when left out.")] = None
    kind: Annotated[Kind, Field(examples=["material"])]
    description: Annotated[Words, Field(examples=["The sheets are 2 mm, not 3."])]
    holds_step: Annotated[bool, Field(description="Nobody begins work on the step until it is closed.")] = (
        False
    )

    @model_validator(mode="after")
    def has_a_place(self) -> NewProblem:
        if self.step_id is None and self.machine_id is None:
            raise ValueError("a problem needs a step_id or a machine_id")
        if self.holds_step and self.step_id is None:
            raise ValueError("holds_step needs a step_id")
        return self


class AnswerProblem(Arguments):
    answer: Words


class CloseProblem(Arguments):
    answer: Words | None = None


@area.get("/<id:problem_id>")
@area.input(detail(sql.get_problem), location="query", arg_name="wanted")
@area.output(ReportedProblem)
@fresh
def get_problem(problem_id: int, wanted: Detail) -> Body:
    """One problem."""
    return wanted.document(problem_id=problem_id)


@area.post("")
@area.input(NewProblem, arg_name="problem")
@area.output(ReportedProblem, status_code=201)
def report_problem(problem: NewProblem) -> Response:
    """Report a problem at a step or a machine. Admins and managers are notified."""
    return command(sql.report_problem, problem.model_dump(), status=201, location="/api/problems/{id}")


@area.post("/<id:problem_id>/answer")
@area.input(AnswerProblem, arg_name="answer")
@area.output(ReportedProblem)
@only_for(Role.ADMIN, Role.MANAGER)
def answer_problem(problem_id: int, answer: AnswerProblem) -> Response:
    """Answer a problem; it stays until it is closed. The reporter is notified."""
    return command(sql.answer_problem, {"problem_id": problem_id, **answer.model_dump()})


@area.post("/<id:problem_id>/close")
@optional_body(area, CloseProblem, "close")
@area.output(ReportedProblem)
def close_problem(problem_id: int, close: CloseProblem) -> Response:
    """Close a problem: a manager, or the person who reported it. Its step is held no longer."""
    return command(sql.close_problem, {"problem_id": problem_id, **close.model_dump()})

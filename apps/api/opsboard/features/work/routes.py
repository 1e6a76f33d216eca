"""/api/work: records of work on steps; begin, end, add by hand, correct, list."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field, model_validator

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.errors import InvalidInput
from opsboard.features.work import sum_routes  # noqa: F401  adds its routes to the area
from opsboard.features.work.area import area, sql
from opsboard.features.work.schemas import Colleagues, NextWork, WorkRecord, WorkRecords, WrittenWork
from opsboard.web.access import only_for
from opsboard.web.arguments import Arguments, Day, Id, Line, Past, Patch, Text, happened, optional_body
from opsboard.web.command import command
from opsboard.web.document import document
from opsboard.web.endpoint import cache_route, cache_route_with_user, fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.services import identity

Pieces = Annotated[int, Field(ge=0, le=10**6)]
Note = Annotated[Text, Field(max_length=500)]


@area.list("", WorkRecords)
class ListWork(ListArguments, query=sql.list_work, default_sort="-started_at"):
    """Records of work with their step, machine and person, newest first."""

    step_id: Id | None = None
    worker_id: Id | None = None
    mine: Annotated[Literal["true"] | None, Field(description="Your own.")] = None
    machine_id: Id | None = None
    process_id: Id | None = None
    reject_reason_id: Id | None = None
    rejected: Annotated[Literal["true"] | None, Field(description="With rejected pieces.")] = None
    open: Annotated[Literal["true"] | None, Field(description="Work that has not ended.")] = None
    forgotten: Annotated[
        Literal["true"] | None,
        Field(description="Ended after its longest time because it was forgotten, and not corrected yet."),
    ] = None
    started_from: Annotated[Day | None, Field(description="First day it began on.")] = None
    started_to: Annotated[Day | None, Field(description="Last day it began on.")] = None
    ended_from: Annotated[Day | None, Field(description="First day it ended on.")] = None
    ended_to: Annotated[Day | None, Field(description="Last day it ended on.")] = None


class WorkResult(Arguments):
    """The result of the work."""

    quantity_good: Pieces = 0
    quantity_rejected: Pieces = 0
    reject_reason: Annotated[
        Line | None,
        Field(description="Why pieces were rejected: a reason of kind `reject`, added when it is new."),
    ] = None
    note: Note | None = None

    @model_validator(mode="after")
    def has_rejects_for_its_reason(self) -> WorkResult:
        if self.reject_reason is not None and not self.quantity_rejected:
            raise ValueError("a reject_reason without quantity_rejected")
        return self


class StartWork(Arguments):
    step_id: Id
    worker_id: Annotated[
        Id | None, Field(description="Who works; you when left out. Others: for managers.")
    ] = None
    started_at: Annotated[Past | None, Field(description="Now when left out.")] = None


class EndWork(WorkResult):
    ended_at: Annotated[
        Past | None,
        Field(
            description="Now when left out; at most 12 hours after the beginning, unless a manager says it."
        ),
    ] = None
    finish: Annotated[bool, Field(description="The step is finished, which ends everybody's work on it.")] = (
        False
    )
    hand_over_to: Annotated[
        Id | None,
        Field(description="Who goes on with the step; null: anybody. Left out: it stays where it is."),
    ] = None


class AddWork(WorkResult):
    step_id: Id
    worker_id: Annotated[
        Id | None, Field(description="Who worked; you when left out. Others: for managers.")
    ] = None
    started_at: Past
    minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60, description="At most 7 days.")]

    @model_validator(mode="after")
    def has_ended(self) -> AddWork:
        happened(self.ended_at)
        return self

    @property
    def ended_at(self) -> dt.datetime:
        return self.started_at + dt.timedelta(minutes=self.minutes)


class CorrectWork(Patch):
    correction: Annotated[Line, Field(description="Why it is corrected; needed.")]
    started_at: Past
    ended_at: Past
    quantity_good: Pieces
    quantity_rejected: Pieces
    reject_reason: Line | None
    note: Note | None


@area.get("/<id:record_id>")
@area.input(detail(sql.get_work), location="query", arg_name="wanted")
@area.output(WorkRecord)
@fresh
def get_work(record_id: int, wanted: Detail) -> Body:
    """One record of work."""
    return wanted.document(record_id=record_id)


class Scanned(Arguments):
    step_id: Annotated[Id | None, Field(description="Also this step, as `scanned`.")] = None
    job_id: Annotated[Id | None, Field(description="Also the first open step of this job, as `scanned`.")] = (
        None
    )


@area.get("/next")
@area.input(Scanned, location="query", arg_name="scan")
@area.output(NextWork)
@cache_route_with_user(ttl=30)
def next_work(scan: Scanned) -> Body:
    """Your work of now, the steps that can begin next and later ones; yours, and some that nobody is assigned to."""
    return document(sql.next_work, **scan.model_dump())


@area.get("/colleagues")
@area.output(Colleagues)
@cache_route(ttl=60)
def colleagues() -> Body:
    """The people a step can be handed over to."""
    return document(sql.colleagues)


@area.post("")
@area.input(StartWork, arg_name="work")
@area.output(WrittenWork, status_code=201)
def start_work(work: StartWork) -> Response:
    """Begin to work on a step, or go on after a pause. A pending step is in progress from then on."""
    return started(work.model_dump() | WorkResult().model_dump() | {"ended_at": None})


@area.post("/by-hand")
@area.input(AddWork, arg_name="work")
@area.output(WrittenWork, status_code=201)
def add_work(work: AddWork) -> Response:
    """Add work that is over: when it began, and for how many minutes."""
    return started(work.model_dump(exclude={"minutes"}) | {"ended_at": work.ended_at})


def started(work: dict[str, Any]) -> Response:
    worker = work["worker_id"] or identity().user_id
    return command(sql.start_work, work | {"worker_id": worker}, status=201, location="/api/work/{id}")


@area.post("/<id:record_id>/end")
@optional_body(area, EndWork, "work")
@area.output(WrittenWork)
def end_work(record_id: int, work: EndWork) -> Response:
    """End work: for a pause, to hand the step over, or with `finish` because the step is done."""
    given = work.model_dump(exclude={"hand_over_to"}) | {
        "record_id": record_id,
        "hand_over": "hand_over_to" in work.model_fields_set,
        "to_user_id": work.hand_over_to,
    }
    return command(sql.end_work, given)


@area.patch("/<id:record_id>")
@area.input(CorrectWork, arg_name="change")
@area.output(WrittenWork)
@only_for(Role.ADMIN, Role.MANAGER)
def correct_work(record_id: int, change: CorrectWork) -> Response:
    """Correct times and pieces, with the reason; the pieces of the step follow."""
    if not change.correction:
        raise InvalidInput(
            fields=[{"field": "correction", "message": "says why it is corrected; it is needed"}]
        )
    return command(sql.correct_work, {"record_id": record_id, "patch": change.patch()}, current=sql.get_work)

"""/api/stops: when machines stood still and why; report a stop, end it, list them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.shapes import MachineStatus
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Day, Id, Line, Past, Text, optional_body
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope, Named

area = Area("stops", __name__, tag="Machine stops")
sql = load_queries(__package__)

Note = Annotated[Text, Field(max_length=500)]


class MachineOfStop(BaseModel):
    id: int
    name: str
    status: MachineStatus


class Stop(BaseModel):
    """`ended_at`, `seconds` and `ended_by` are null while the machine stands still."""

    id: int
    machine: MachineOfStop
    reason: str
    reason_id: int | None
    note: str | None
    started_at: dt.datetime
    ended_at: dt.datetime | None
    seconds: int | None
    reported_by: Named | None
    ended_by: Named | None
    own_fields: dict[str, str]
    created_at: dt.datetime
    updated_at: dt.datetime


class Stops(Envelope):
    items: list[Stop]


@area.list("", Stops)
class ListStops(ListArguments, query=sql.list_stops, default_sort="-started_at"):
    """Stops of machines, newest first."""

    machine_id: Id | None = None
    reason_id: Id | None = None
    open: Annotated[Literal["true"] | None, Field(description="Machines that stand still now.")] = None
    started_from: Annotated[Day | None, Field(description="First day they began on.")] = None
    started_to: Annotated[Day | None, Field(description="Last day they began on.")] = None


class NewStop(Arguments):
    machine_id: Id
    reason: Annotated[
        Line,
        Field(description="A reason of kind `stop`, added when it is new.", examples=["no material"]),
    ]
    note: Note | None = None
    started_at: Annotated[Past | None, Field(description="Now when left out.")] = None


class EndStop(Arguments):
    ended_at: Annotated[Past | None, Field(description="Now when left out.")] = None
    note: Note | None = None


@area.get("/<id:stop_id>")
@area.input(detail(sql.get_stop), location="query", arg_name="wanted")
@area.output(Stop)
@fresh
def get_stop(stop_id: int, wanted: Detail) -> Body:
    """One stop of a machine."""
    return wanted.document(stop_id=stop_id)


@area.post("")
@area.input(NewStop, arg_name="stop")
@area.output(Stop, status_code=201)
def report_stop(stop: NewStop) -> Response:
    """Report that a machine stands still; it is in maintenance until the stop ends."""
    return command(sql.report_stop, stop.model_dump(), status=201, location="/api/stops/{id}")


@area.post("/<id:stop_id>/end")
@optional_body(area, EndStop, "end")
@area.output(Stop)
def end_stop(stop_id: int, end: EndStop) -> Response:
    """Report that the machine runs again."""
    return command(sql.end_stop, {"stop_id": stop_id, **end.model_dump()})

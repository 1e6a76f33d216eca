"""/api/calls: list by status and day, look at, note and complete calls."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Day, Id, OneOrMore, Past, Patch, Text
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope, Named
from opsboard.web.visibility import Addresses

area = Area(
    "calls",
    __name__,
    tag="Calls",
    addresses=Addresses(("from_number", "to_number"), "calls they made or took"),
)
sql = load_queries(__package__)

CallStatus = Literal["in_progress", "completed", "missed", "busy", "failed"]
Direction = Literal["in", "out"]
Number = Annotated[Text, Field(max_length=50)]
Words = Annotated[Text, Field(max_length=200)]
Notes = Annotated[Text, Field(max_length=10_000)]
Seconds = Annotated[int, Field(ge=0, le=2**31 - 1)]
Rating = Annotated[int, Field(ge=1, le=5)]


class Call(BaseModel):
    id: int
    direction: Direction
    status: CallStatus
    customer: Named | None
    lead: Named | None
    contact: Named | None
    user: Named | None
    from_number: str | None
    to_number: str | None
    topic: str | None
    outcome: str | None
    duration_seconds: int
    waited_seconds: int | None
    rating: int | None
    started_at: dt.datetime
    own_fields: dict[str, str] | None
    created_at: dt.datetime
    updated_at: dt.datetime


class Calls(Envelope):
    items: list[Call]


class CallWithNotes(Call):
    notes: str | None


@area.list("", Calls)
class ListCalls(ListArguments, query=sql.list_calls, default_sort="-created_at"):
    """Calls by status and day, newest first."""

    status: OneOrMore[CallStatus] = None
    customer_id: Id | None = None
    lead_id: Id | None = None
    contact_id: Id | None = None
    by_user_id: Annotated[Id | None, Field(alias="user_id", description="The user who spoke.")] = None
    created_from: Day | None = None
    created_to: Day | None = None


class NewCall(Arguments):
    status: CallStatus
    direction: Direction = "out"
    customer_id: Id | None = None
    lead_id: Id | None = None
    contact_id: Id | None = None
    from_number: Number | None = None
    to_number: Number | None = None
    topic: Words | None = None
    outcome: Words | None = None
    notes: Notes | None = None
    duration_seconds: Seconds = 0
    waited_seconds: Seconds | None = None
    rating: Rating | None = None
    started_at: Annotated[Past | None, Field(description="Its duration before now if left out.")] = None


class ChangeCall(
    Patch,
    of=NewCall,
    without={"direction", "customer_id", "lead_id", "contact_id", "from_number", "to_number", "started_at"},
):
    pass


@area.get("/<id:call_id>")
@area.input(detail(sql.get_call), location="query", arg_name="wanted")
@area.output(CallWithNotes)
@fresh
def get_call(call_id: int, wanted: Detail) -> Body:
    """One call with its notes."""
    return wanted.document(call_id=call_id)


@area.post("")
@area.input(NewCall, arg_name="call")
@area.output(CallWithNotes, status_code=201)
def create_call(call: NewCall) -> Response:
    """Record a call that you made or answered."""
    return command(sql.create_call, call.model_dump(), status=201, location="/api/calls/{id}")


@area.patch("/<id:call_id>")
@area.input(ChangeCall, arg_name="change")
@area.output(CallWithNotes)
def update_call(call_id: int, change: ChangeCall) -> Response:
    """Update the status or outcome of a call."""
    return command(sql.update_call, {"call_id": call_id, "patch": change.patch()}, current=sql.get_call)

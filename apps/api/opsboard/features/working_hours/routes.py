"""/api/working-hours: the shifts of a week, of the business or of one machine; list, add, change, remove."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from flask import Response
from pydantic import BaseModel, Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.access import only_for
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Id, Patch
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope, Named

area = Area("working_hours", __name__, tag="Working hours")
sql = load_queries(__package__)

Weekday = Annotated[
    int,
    Field(ge=1, le=7, examples=[1], description="The day on which the shift begins: 1 is Monday, 7 Sunday."),
]
Begin = Annotated[
    str,
    Field(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="HH:MM, in the time zone of the business.",
        examples=["06:00"],
    ),
]
End = Annotated[
    str,
    Field(
        pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$",
        description="HH:MM; on the next day if it is not after `starts_at`. 24:00 is the end of the day.",
        examples=["14:00"],
    ),
]


class Shift(BaseModel):
    """`machine`: null for the hours of the business, which every machine has that has none of its own."""

    id: int
    machine: Named | None
    weekday: int
    starts_at: str
    ends_at: str
    created_at: dt.datetime
    updated_at: dt.datetime


class WorkingHours(Envelope):
    items: list[Shift]


class RemovedShift(BaseModel):
    id: int
    weekday: int
    starts_at: str
    ends_at: str


@area.list("", WorkingHours)
class ListWorkingHours(ListArguments, query=sql.list_working_hours, default_sort="week"):
    """The shifts of a week, from Monday. Without any, work is possible at any time that is no holiday."""

    machine_id: Id | None = None
    of_business: Annotated[
        bool | None, Field(description="True: those of the business; false: those of machines.")
    ] = None


class NewShift(Arguments):
    machine_id: Annotated[
        Id | None,
        Field(description="The machine whose own hours these are; null: the hours of the business."),
    ] = None
    weekday: Weekday
    starts_at: Begin
    ends_at: End


class ChangeShift(Patch, of=NewShift, without={"machine_id"}):
    """The members to change."""


@area.get("/<id:shift_id>")
@area.input(detail(sql.get_shift), location="query", arg_name="wanted")
@area.output(Shift)
@fresh
def get_shift(shift_id: int, wanted: Detail) -> Body:
    """One shift."""
    return wanted.document(shift_id=shift_id)


@area.post("")
@area.input(NewShift, arg_name="shift")
@area.output(Shift, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_shift(shift: NewShift) -> Response:
    """Add a shift. One that overlaps another of the same week is refused."""
    return command(sql.create_shift, shift.model_dump(), status=201, location="/api/working-hours/{id}")


@area.patch("/<id:shift_id>")
@area.input(ChangeShift, arg_name="change")
@area.output(Shift)
@only_for(Role.ADMIN, Role.MANAGER)
def update_shift(shift_id: int, change: ChangeShift) -> Response:
    """Change the day or the times of a shift."""
    return command(sql.update_shift, {"shift_id": shift_id, "patch": change.patch()}, current=sql.get_shift)


@area.delete("/<id:shift_id>")
@area.output(RemovedShift)
@only_for(Role.ADMIN, Role.MANAGER)
def remove_shift(shift_id: int) -> Response:
    """Remove a shift."""
    return command(sql.remove_shift, {"shift_id": shift_id}, current=sql.get_shift)

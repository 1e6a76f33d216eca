"""/api/holidays: days on which nothing is worked; list, add, change, remove."""

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
from opsboard.web.arguments import Arguments, Line, Patch
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope

area = Area("holidays", __name__, tag="Holidays")
sql = load_queries(__package__)


class Holiday(BaseModel):
    """`last_day`: null if it is one day."""

    id: int
    name: str
    first_day: dt.date
    last_day: dt.date | None
    created_at: dt.datetime
    updated_at: dt.datetime


class Holidays(Envelope):
    items: list[Holiday]


class RemovedHoliday(BaseModel):
    id: int
    name: str


@area.list("", Holidays)
class ListHolidays(ListArguments, query=sql.list_holidays, default_sort="first_day"):
    """Holidays by their first day."""

    date_from: Annotated[dt.date | None, Field(description="Of those that begin on this day or later.")] = (
        None
    )
    date_to: Annotated[dt.date | None, Field(description="Of those that begin on this day or earlier.")] = (
        None
    )


class NewHoliday(Arguments):
    name: Annotated[Line, Field(examples=["New Year"])]
    first_day: Annotated[dt.date, Field(examples=["2027-01-01"])]
    last_day: Annotated[
        dt.date | None,
        Field(examples=["2027-01-02"], description="Null if it is one day; at most 366 days in all."),
    ] = None


class ChangeHoliday(Patch, of=NewHoliday):
    """The members to change."""


@area.get("/<id:holiday_id>")
@area.input(detail(sql.get_holiday), location="query", arg_name="wanted")
@area.output(Holiday)
@fresh
def get_holiday(holiday_id: int, wanted: Detail) -> Body:
    """One holiday."""
    return wanted.document(holiday_id=holiday_id)


@area.post("")
@area.input(NewHoliday, arg_name="holiday")
@area.output(Holiday, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_holiday(holiday: NewHoliday) -> Response:
    """Add a holiday: nothing is worked from the midnight before its first day to that after its last one."""
    return command(sql.create_holiday, holiday.model_dump(), status=201, location="/api/holidays/{id}")


@area.patch("/<id:holiday_id>")
@area.input(ChangeHoliday, arg_name="change")
@area.output(Holiday)
@only_for(Role.ADMIN, Role.MANAGER)
def update_holiday(holiday_id: int, change: ChangeHoliday) -> Response:
    """Change a holiday."""
    return command(
        sql.update_holiday, {"holiday_id": holiday_id, "patch": change.patch()}, current=sql.get_holiday
    )


@area.delete("/<id:holiday_id>")
@area.output(RemovedHoliday)
@only_for(Role.ADMIN, Role.MANAGER)
def remove_holiday(holiday_id: int) -> Response:
    """Remove a holiday."""
    return command(sql.remove_holiday, {"holiday_id": holiday_id}, current=sql.get_holiday)

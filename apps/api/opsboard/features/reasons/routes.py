"""/api/reasons: why pieces are rejected, work stops or a job is on hold; list, add, change, remove."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.access import only_for
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Line, Patch, Search, Text
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope

area = Area("reasons", __name__, tag="Reasons")
sql = load_queries(__package__)

Kind = Literal["reject", "stop", "hold"]


class Reason(BaseModel):
    """`kind`: of rejected pieces, of a stop of a machine, or of a job on hold."""

    id: int
    kind: Kind
    name: str
    description: str | None
    own_fields: dict[str, str]
    created_at: dt.datetime
    updated_at: dt.datetime


class Reasons(Envelope):
    items: list[Reason]


class Removed(BaseModel):
    id: int
    kind: Kind
    name: str


@area.list("", Reasons)
class ListReasons(ListArguments, query=sql.list_reasons, default_sort="name"):
    """Reasons by name."""

    kind: Kind | None = None
    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


class NewReason(Arguments):
    kind: Annotated[Kind, Field(examples=["reject"])]
    name: Annotated[Line, Field(examples=["Scratched"])]
    description: Annotated[Text, Field(max_length=2000)] | None = None


class ChangeReason(Patch, of=NewReason):
    """The members to change."""


@area.get("/<id:reason_id>")
@area.input(detail(sql.get_reason), location="query", arg_name="wanted")
@area.output(Reason)
@fresh
def get_reason(reason_id: int, wanted: Detail) -> Body:
    """One reason."""
    return wanted.document(reason_id=reason_id)


@area.post("")
@area.input(NewReason, arg_name="reason")
@area.output(Reason, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_reason(reason: NewReason) -> Response:
    """Add a reason; its name is used once for each kind."""
    return command(sql.create_reason, reason.model_dump(), status=201, location="/api/reasons/{id}")


@area.patch("/<id:reason_id>")
@area.input(ChangeReason, arg_name="change")
@area.output(Reason)
@only_for(Role.ADMIN, Role.MANAGER)
def update_reason(reason_id: int, change: ChangeReason) -> Response:
    """Change a reason."""
    return command(
        sql.update_reason, {"reason_id": reason_id, "patch": change.patch()}, current=sql.get_reason
    )


@area.delete("/<id:reason_id>")
@area.output(Removed)
@only_for(Role.ADMIN, Role.MANAGER)
def remove_reason(reason_id: int) -> Response:
    """Remove a reason."""
    return command(sql.remove_reason, {"reason_id": reason_id}, current=sql.get_reason)

"""/api/suppressions: the addresses that must not be written to; list, add, remove."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, Field, model_validator

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.text import recipient_address
from opsboard.web.access import only_for
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, OneOrMore, Search, Text, Verbatim
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope, Named

area = Area("suppressions", __name__, tag="Suppressions")
sql = load_queries(__package__)

Channel = Literal["email", "whatsapp", "phone", "sms"]
Reason = Literal["unsubscribed", "bounced", "complained", "manual"]


class Suppression(BaseModel):
    """`campaign`: the one whose event it was. `created_by`: who entered it. Each is null for the others."""

    id: int
    channel: Channel
    address: str
    reason: Reason
    note: str | None
    campaign: Named | None
    created_by: Named | None
    own_fields: dict[str, str]
    created_at: dt.datetime


class Suppressions(Envelope):
    items: list[Suppression]


class Removed(BaseModel):
    id: int
    channel: Channel
    address: str


@area.list("", Suppressions, roles=(Role.ADMIN, Role.MANAGER))
class ListSuppressions(ListArguments, query=sql.list_suppressions, default_sort="-created_at"):
    """Addresses that must not be written to, newest first."""

    channel: Channel | None = None
    reason: OneOrMore[Reason] = None
    q: Annotated[Search | None, Field(description="The beginning of an address or a phone number.")] = None


class NewSuppression(Arguments):
    channel: Annotated[Channel, Field(examples=["email"])]
    address: Annotated[Verbatim, Field(max_length=254, examples=["kim@north.example"])]
    reason: Reason = "manual"
    note: Annotated[Text | None, Field(max_length=500)] = None

    @model_validator(mode="after")
    def fits_channel(self) -> NewSuppression:
        self.address, kind = recipient_address(self.address)
        if (kind == "email") != (self.channel == "email"):
            raise ValueError(f"the address does not fit the channel {self.channel}")
        return self


@area.get("/<id:suppression_id>")
@area.input(detail(sql.get_suppression), location="query", arg_name="wanted")
@area.output(Suppression)
@only_for(Role.ADMIN, Role.MANAGER)
@fresh
def get_suppression(suppression_id: int, wanted: Detail) -> Body:
    """One entry of the suppression list."""
    return wanted.document(suppression_id=suppression_id)


@area.post("")
@area.input(NewSuppression, arg_name="entry")
@area.output(Suppression, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def add_suppression(entry: NewSuppression) -> Response:
    """Add an address that campaigns and journeys must not write to."""
    return command(sql.add_suppression, entry.model_dump(), status=201, location="/api/suppressions/{id}")


@area.delete("/<id:suppression_id>")
@area.output(Removed)
@only_for(Role.ADMIN, Role.MANAGER)
def remove_suppression(suppression_id: int) -> Response:
    """Remove an address from the list: it may be written to again."""
    return command(sql.remove_suppression, {"suppression_id": suppression_id}, current=sql.get_suppression)

"""/api/settings: how the business wants to be served; admins replace it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field, ValidationInfo, field_validator

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.access import only_for
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Email, Text
from opsboard.web.command import command
from opsboard.web.document import document
from opsboard.web.endpoint import cache_route

area = Area("settings", __name__, tag="Settings")
sql = load_queries(__package__)

HourOfDay = Annotated[
    str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="HH:MM", examples=["08:00"])
]
Contradictions = Literal["warn", "refuse"]
Number = Annotated[Text, Field(max_length=50)]


class Business(BaseModel):
    id: int
    slug: str
    name: str
    time_zone: str


class Settings(BaseModel):
    """`updated_at` is null as long as these are the defaults."""

    business: Business
    locale: str
    currency: str
    contact_email: str | None
    contact_phone: str | None
    whatsapp_number: str | None
    opens_at: str
    closes_at: str
    auto_reply: bool
    auto_reply_text: str | None
    contradictions: Contradictions
    options: dict[str, Any]
    updated_at: dt.datetime | None


class NewSettings(Arguments):
    """All settings: omitted optional ones become empty.

    Customers see `contact_email`, `contact_phone` and `whatsapp_number` on the status page of their job.
    """

    locale: Annotated[str, Field(pattern="^[a-z]{2}(-[A-Z]{2})?$", examples=["en-GB"])]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["EUR"])]
    opens_at: HourOfDay
    closes_at: Annotated[HourOfDay, Field(description="HH:MM, later than opens_at", examples=["17:00"])]
    auto_reply: bool
    contact_email: Email | None = None
    contact_phone: Number | None = None
    whatsapp_number: Number | None = None
    auto_reply_text: Annotated[Text | None, Field(max_length=1000)] = None
    contradictions: Annotated[
        Contradictions,
        Field(
            description="A write that makes states contradict each other, as more pieces done than ordered: "
            "warn does it and says so in `warnings`, refuse answers 409."
        ),
    ] = "warn"
    options: Annotated[dict[str, Any], Field(default_factory=dict)]

    @field_validator("closes_at")
    @classmethod
    def after_opening(cls, closes_at: str, info: ValidationInfo) -> str:
        """Hours of the same form are in the order of their text."""
        if closes_at <= info.data.get("opens_at", ""):
            raise ValueError("must be later than opens_at")
        return closes_at


@area.get("")
@area.output(Settings)
@cache_route(ttl="cache_ttl_settings", max_entries="cache_max_settings")
def get_settings() -> Body:
    """The business with its settings."""
    return document(sql.get_settings)


@area.put("")
@area.input(NewSettings, arg_name="new")
@area.output(Settings)
@only_for(Role.ADMIN)
def put_settings(new: NewSettings) -> Response:
    """Replace the settings on every worker."""
    return command(
        sql.put_settings, {**new.model_dump(), "options": json.dumps(new.options)}, current=sql.get_settings
    )

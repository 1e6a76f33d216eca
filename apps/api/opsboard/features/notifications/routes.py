"""/api/notifications: your own; read them, mark them read."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from flask import Response
from pydantic import AwareDatetime, BaseModel, Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments
from opsboard.web.command import command
from opsboard.web.document import document
from opsboard.web.endpoint import fresh
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope

area = Area("notifications", __name__, tag="Notifications")
sql = load_queries(__package__)


class Notification(BaseModel):
    id: int
    kind: str
    title: str
    body: str | None
    link: str | None
    read_at: dt.datetime | None
    own_fields: dict[str, str]
    created_at: dt.datetime


class Notifications(Envelope):
    items: list[Notification]


class Unread(BaseModel):
    unread: int
    link: str


class Marked(BaseModel):
    """`read_at`: send it to mark them unread again; null if nothing was marked."""

    marked: int
    read_at: dt.datetime | None


class MarkedUnread(BaseModel):
    marked: int


class ReadAt(Arguments):
    read_at: Annotated[
        AwareDatetime, Field(description="The `read_at` that marking them read was answered with.")
    ]


@area.list("", Notifications, always={"mine": True})
class ListNotifications(ListArguments, query=sql.list_notifications, default_sort="-created_at"):
    """Your notifications, newest first."""

    unread: Annotated[Literal["true"] | None, Field(description="Only those you have not read.")] = None


@area.get("/unread")
@area.output(Unread)
@fresh
def unread() -> Body:
    """How many of your notifications you have not read."""
    return document(sql.unread)


@area.post("/<id:notification_id>/read")
@area.output(Notification)
def mark_read(notification_id: int) -> Response:
    """Mark one of your notifications read."""
    return command(sql.mark_read, {"notification_id": notification_id})


@area.post("/read")
@area.output(Marked)
def mark_all_read() -> Response:
    """Mark all your notifications read."""
    return command(sql.mark_all_read, {})


@area.post("/unread")
@area.input(ReadAt, arg_name="undo")
@area.output(MarkedUnread)
def mark_unread(undo: ReadAt) -> Response:
    """Undo marking read: those of your notifications that were marked read at that moment are unread again."""
    return command(sql.mark_unread, undo.model_dump())

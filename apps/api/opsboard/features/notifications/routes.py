"""/api/notifications: your own; read them, mark them read."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from apiflask import APIBlueprint, APIFlask
from flask import Response
from pydantic import AwareDatetime, BaseModel, Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.arguments import Arguments
from opsboard.web.command import command
from opsboard.web.document import document
from opsboard.web.documents import Envelope
from opsboard.web.endpoint import cache_list, fresh
from opsboard.web.listing import ListArguments, listing

bp = APIBlueprint("notifications", __name__, url_prefix="/api/notifications", tag="Notifications")
sql = load_queries(__package__)


class Notification(BaseModel):
    id: int
    kind: str
    title: str
    body: str | None
    link: str | None
    read_at: dt.datetime | None
    created_at: dt.datetime


class Notifications(Envelope):
    items: list[Notification]


class Unread(BaseModel):
    unread: int
    link: str


class Marked(BaseModel):
    """`read_at` is the moment by which they can be marked unread again; null when nothing was marked."""

    marked: int
    read_at: dt.datetime | None


class MarkedUnread(BaseModel):
    marked: int


class ReadAt(Arguments):
    read_at: Annotated[
        AwareDatetime, Field(description="The `read_at` that marking them read was answered with.")
    ]


class ListNotifications(ListArguments, query=sql.list_notifications, default_sort="-created_at"):
    unread: Annotated[Literal["true"] | None, Field(description="Only those you have not read.")] = None


@bp.get("")
@bp.input(ListNotifications, location="query", arg_name="wanted")
@bp.output(Notifications)
@cache_list
def list_notifications(wanted: ListNotifications) -> Body:
    """Your notifications, newest first."""
    return listing(wanted, mine=True)


@bp.get("/unread")
@bp.output(Unread)
@fresh
def unread() -> Body:
    """How many of your notifications you have not read."""
    return document(sql.unread)


@bp.post("/<id:notification_id>/read")
@bp.output(Notification)
def mark_read(notification_id: int) -> Response:
    """Mark one of your notifications read."""
    return command(sql.mark_read, {"notification_id": notification_id})


@bp.post("/read")
@bp.output(Marked)
def mark_all_read() -> Response:
    """Mark all your notifications read."""
    return command(sql.mark_all_read, {})


@bp.post("/unread")
@bp.input(ReadAt, arg_name="undo")
@bp.output(MarkedUnread)
def mark_unread(undo: ReadAt) -> Response:
    """Undo marking read: those of your notifications that were marked read at that moment are unread again."""
    return command(sql.mark_unread, undo.model_dump())


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)

"""/api/saved-views: your own views of lists, and those that are shown to everybody."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from flask import Response
from pydantic import BaseModel, Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Patch, Text
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope, Named

area = Area("saved_views", __name__, tag="Saved views")
sql = load_queries(__package__)

ListName = Annotated[
    Text,
    Field(
        max_length=50,
        pattern=r"^[a-z-]+(?:/[a-z-]+)*$",
        examples=["jobs"],
        description="The list: the path behind /api.",
    ),
]
Name = Annotated[Text, Field(min_length=1, max_length=100)]
QueryString = Annotated[
    Text,
    Field(
        max_length=2000,
        examples=["status=active&sort=due_date"],
        description="What stands behind the ? of the page's address: filters, `sort`, and hidden columns in `hide`.",
    ),
]


class SavedView(BaseModel):
    id: int
    area: str
    name: str
    query: str
    is_shared: bool
    is_default: bool
    owner: Named
    created_at: dt.datetime
    updated_at: dt.datetime


class SavedViews(Envelope):
    items: list[SavedView]


class Removed(BaseModel):
    id: int
    area: str
    name: str


@area.list("", SavedViews, always={"visible": True})
class ListSavedViews(ListArguments, query=sql.list_saved_views, default_sort="name"):
    """Your views and those of others that are shown to everybody, by name."""

    area: ListName | None = None


class NewSavedView(Arguments):
    area: ListName
    name: Name
    query: QueryString = ""
    is_shared: Annotated[bool, Field(description="Shown to everybody; for admins and managers.")] = False
    is_default: Annotated[bool, Field(description="Shown when you open the list without filters.")] = False


class ChangeSavedView(Patch, of=NewSavedView, without={"area"}):
    pass


@area.get("/<id:saved_view_id>")
@area.input(detail(sql.get_saved_view), location="query", arg_name="wanted")
@area.output(SavedView)
@fresh
def get_saved_view(saved_view_id: int, wanted: Detail) -> Body:
    """One view of your own, or one that is shown to everybody."""
    return wanted.document(saved_view_id=saved_view_id)


@area.post("")
@area.input(NewSavedView, arg_name="view")
@area.output(SavedView, status_code=201)
def create_saved_view(view: NewSavedView) -> Response:
    """Save a view. A new default takes the place of the earlier one."""
    return command(sql.create_saved_view, view.model_dump(), status=201, location="/api/saved-views/{id}")


@area.patch("/<id:saved_view_id>")
@area.input(ChangeSavedView, arg_name="change")
@area.output(SavedView)
def update_saved_view(saved_view_id: int, change: ChangeSavedView) -> Response:
    """Change your own view; admins change those that are shown to everybody, too."""
    return command(
        sql.update_saved_view,
        {"saved_view_id": saved_view_id, "patch": change.patch()},
        current=sql.get_saved_view,
    )


@area.delete("/<id:saved_view_id>")
@area.output(Removed)
def remove_saved_view(saved_view_id: int) -> Response:
    """Remove your own view; admins remove those that are shown to everybody, too."""
    return command(sql.remove_saved_view, {"saved_view_id": saved_view_id}, current=sql.get_saved_view)

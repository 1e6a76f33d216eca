"""/api/routings: named routes of steps; list, look at one, add, change, remove."""

from __future__ import annotations

import json
from typing import Annotated

from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.planned_steps import MOST_STEPS, PlannedStep
from opsboard.features.routings.schemas import RemovedRouting, Routing, Routings
from opsboard.web.access import only_for
from opsboard.web.archiving import add_archive
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Line, Patch, Search, Text
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ArchivableList

area = Area("routings", __name__, tag="Routings")
sql = load_queries(__package__)


@area.list("", Routings)
class ListRoutings(ArchivableList, query=sql.list_routings, default_sort="name"):
    """Routings by name, with their steps."""

    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


class NewRouting(Arguments):
    name: Annotated[Line, Field(examples=["Bracket, laser cut"])]
    description: Annotated[Text, Field(max_length=2000)] | None = None
    steps: Annotated[
        tuple[PlannedStep, ...], Field(max_length=MOST_STEPS, description="In their order.")
    ] = ()


class ChangeRouting(Patch, of=NewRouting):
    """The members to change; `steps` replaces all of them."""


@area.get("/<id:routing_id>")
@area.input(detail(sql.get_routing), location="query", arg_name="wanted")
@area.output(Routing)
@fresh
def get_routing(routing_id: int, wanted: Detail) -> Body:
    """One routing with its steps."""
    return wanted.document(routing_id=routing_id)


@area.post("")
@area.input(NewRouting, arg_name="routing")
@area.output(Routing, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_routing(routing: NewRouting) -> Response:
    """Add a routing with its steps; jobs are made from it with `routing_id`."""
    given = routing.model_dump()
    given["steps"] = json.dumps(given["steps"])
    return command(sql.create_routing, given, status=201, location="/api/routings/{id}")


@area.patch("/<id:routing_id>")
@area.input(ChangeRouting, arg_name="change")
@area.output(Routing)
@only_for(Role.ADMIN, Role.MANAGER)
def update_routing(routing_id: int, change: ChangeRouting) -> Response:
    """Change a routing. Jobs that were made from it keep their steps."""
    patch = json.loads(change.patch())
    steps = json.dumps(patch.pop("steps")) if "steps" in patch else None
    return command(
        sql.update_routing,
        {"routing_id": routing_id, "patch": json.dumps(patch), "steps": steps},
        current=sql.get_routing,
    )


@area.delete("/<id:routing_id>")
@area.output(RemovedRouting)
@only_for(Role.ADMIN, Role.MANAGER)
def remove_routing(routing_id: int) -> Response:
    """Remove a routing. Jobs that were made from it keep their steps."""
    return command(sql.remove_routing, {"routing_id": routing_id}, current=sql.get_routing)


add_archive(area, "/<id:routing_id>", sql, "a routing", Role.ADMIN, Role.MANAGER)

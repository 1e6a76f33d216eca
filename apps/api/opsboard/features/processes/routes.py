"""/api/processes: the kinds of work and who may do them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from apiflask import APIBlueprint, APIFlask
from pydantic import BaseModel, Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.arguments import Search
from opsboard.web.documents import Envelope, RoleName
from opsboard.web.endpoint import cache_list, fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments, listing

bp = APIBlueprint("processes", __name__, url_prefix="/api/processes", tag="Processes")
sql = load_queries(__package__)


class Permission(BaseModel):
    role: RoleName
    can_operate: bool


class Process(BaseModel):
    """`permissions` is empty when every role may work on it."""

    id: int
    name: str
    description: str | None
    is_active: bool
    permissions: list[Permission]
    created_at: dt.datetime
    updated_at: dt.datetime


class Processes(Envelope):
    items: list[Process]


class ListProcesses(ListArguments, query=sql.list_processes, default_sort="name"):
    is_active: bool | None = None
    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


@bp.get("")
@bp.input(ListProcesses, location="query", arg_name="wanted")
@bp.output(Processes)
@cache_list
def list_processes(wanted: ListProcesses) -> Body:
    """Processes by name, with the roles that may work on them."""
    return listing(wanted)


@bp.get("/<id:process_id>")
@bp.input(detail(sql.get_process), location="query", arg_name="wanted")
@bp.output(Process)
@fresh
def get_process(process_id: int, wanted: Detail) -> Body:
    """One process."""
    return wanted.document(process_id=process_id)


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)

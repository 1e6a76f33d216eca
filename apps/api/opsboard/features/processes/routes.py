"""/api/processes: the kinds of work and who may do them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.area import Area
from opsboard.web.arguments import Search
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope, RoleName

area = Area("processes", __name__, tag="Processes")
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
    own_fields: dict[str, str]
    created_at: dt.datetime
    updated_at: dt.datetime


class Processes(Envelope):
    items: list[Process]


@area.list("", Processes)
class ListProcesses(ListArguments, query=sql.list_processes, default_sort="name"):
    """Processes by name, with the roles that may work on them."""

    is_active: bool | None = None
    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


@area.get("/<id:process_id>")
@area.input(detail(sql.get_process), location="query", arg_name="wanted")
@area.output(Process)
@fresh
def get_process(process_id: int, wanted: Detail) -> Body:
    """One process."""
    return wanted.document(process_id=process_id)

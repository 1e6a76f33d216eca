"""/api/processes: the kinds of work and who may do them; list, look at one, add and change them."""

from __future__ import annotations

import json
from typing import Annotated

from flask import Response
from pydantic import Field, field_validator

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.processes.schemas import Process, Processes, WrittenProcess
from opsboard.web.access import only_for
from opsboard.web.archiving import add_archive
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Line, Patch, Search, Text
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ArchivableList
from opsboard.web.schemas import RoleName

area = Area("processes", __name__, tag="Processes")
sql = load_queries(__package__)


@area.list("", Processes)
class ListProcesses(ArchivableList, query=sql.list_processes, default_sort="name"):
    """Processes by name, with the roles that may work on them."""

    is_active: bool | None = None
    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


class NewPermission(Arguments):
    role: RoleName
    can_operate: bool = True


class NewProcess(Arguments):
    name: Annotated[Line, Field(examples=["Laser cutting"])]
    description: Annotated[Text, Field(max_length=2000)] | None = None
    is_active: bool = True
    permissions: Annotated[
        tuple[NewPermission, ...],
        Field(
            max_length=3,
            description="The roles that may work on it; empty: all. An admin always may. Only admins change it.",
        ),
    ] = ()

    @field_validator("permissions")
    @classmethod
    def once_for_each_role(cls, permissions: tuple[NewPermission, ...]) -> tuple[NewPermission, ...]:
        if len({permission.role for permission in permissions}) < len(permissions):
            raise ValueError("has a role twice")
        return permissions


class ChangeProcess(Patch, of=NewProcess):
    """The members to change; `permissions` replaces all of them."""


@area.get("/<id:process_id>")
@area.input(detail(sql.get_process), location="query", arg_name="wanted")
@area.output(Process)
@fresh
def get_process(process_id: int, wanted: Detail) -> Body:
    """One process."""
    return wanted.document(process_id=process_id)


@area.post("")
@area.input(NewProcess, arg_name="process")
@area.output(Process, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_process(process: NewProcess) -> Response:
    """Add a process; only the name is needed."""
    given = process.model_dump()
    given["permissions"] = json.dumps(given["permissions"])
    return command(sql.create_process, given, status=201, location="/api/processes/{id}")


@area.patch("/<id:process_id>")
@area.input(ChangeProcess, arg_name="change")
@area.output(WrittenProcess)
@only_for(Role.ADMIN, Role.MANAGER)
def update_process(process_id: int, change: ChangeProcess) -> Response:
    """Change a process; which roles may work on it is for admins."""
    sent = json.loads(change.patch())
    permissions = json.dumps(sent.pop("permissions")) if "permissions" in sent else None
    return command(
        sql.update_process,
        {"process_id": process_id, "patch": json.dumps(sent), "permissions": permissions},
        current=sql.get_process,
    )


add_archive(area, "/<id:process_id>", sql, "an inactive process", Role.ADMIN, Role.MANAGER)

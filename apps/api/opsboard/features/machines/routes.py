"""/api/machines: list machines, look at one, add and change them."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.machines.schemas import Machine, Machines, MachineWithLink, WrittenMachine
from opsboard.features.shapes import MachineStatus
from opsboard.web.access import only_for
from opsboard.web.archiving import add_archive
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Line, OneOrMore, Patch, Search, Text
from opsboard.web.bulk import BulkResult, BulkStatus, bulk_status
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ArchivableList

area = Area("machines", __name__, tag="Machines")
sql = load_queries(__package__)


@area.list("", Machines)
class ListMachines(ArchivableList, query=sql.list_machines, default_sort="name"):
    """Machines by name, with their load."""

    status: OneOrMore[MachineStatus] = None
    is_active: bool | None = None
    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


class NewMachine(Arguments):
    name: Annotated[Line, Field(examples=["Laser 2"])]
    status: MachineStatus = "active"
    location: Annotated[Text, Field(max_length=200)] | None = None


class ChangeMachine(Patch, of=NewMachine):
    """The members to change."""


class BulkMachines(BulkStatus):
    status: MachineStatus


@area.get("/<id:machine_id>")
@area.input(detail(sql.get_machine), location="query", arg_name="wanted")
@area.output(MachineWithLink)
@fresh
def get_machine(machine_id: int, wanted: Detail) -> Body:
    """One machine with its load."""
    return wanted.document(machine_id=machine_id)


@area.post("")
@area.input(NewMachine, arg_name="machine")
@area.output(Machine, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_machine(machine: NewMachine) -> Response:
    """Add a machine; only the name is needed."""
    return command(sql.create_machine, machine.model_dump(), status=201, location="/api/machines/{id}")


@area.patch("/<id:machine_id>")
@area.input(ChangeMachine, arg_name="change")
@area.output(WrittenMachine)
def update_machine(machine_id: int, change: ChangeMachine) -> Response:
    """Change a machine; everybody may change its status, managers and admins the rest."""
    return command(
        sql.update_machine, {"machine_id": machine_id, "patch": change.patch()}, current=sql.get_machine
    )


@area.post("/bulk-status")
@area.input(BulkMachines, arg_name="wanted")
@area.output(BulkResult)
def bulk_machines_status(wanted: BulkMachines) -> Response:
    """Set the status of many machines; the answer has a result for each id."""
    return bulk_status(sql.bulk_status, wanted)


add_archive(area, "/<id:machine_id>", sql, "an inactive machine", Role.ADMIN, Role.MANAGER)

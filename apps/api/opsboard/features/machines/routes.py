"""/api/machines: list machines, look at one, change its status."""

from __future__ import annotations

from typing import Annotated

from apiflask import APIBlueprint, APIFlask
from flask import Response
from pydantic import Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.machines.documents import Machines, MachineWithLink, WrittenMachine
from opsboard.web.arguments import SPLIT, Line, Patch, Search, Text
from opsboard.web.bulk import BulkResult, BulkStatus, bulk_status
from opsboard.web.command import command
from opsboard.web.documents import MachineStatus
from opsboard.web.endpoint import cache_list, fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments, listing

bp = APIBlueprint("machines", __name__, url_prefix="/api/machines", tag="Machines")
sql = load_queries(__package__)


class ListMachines(ListArguments, query=sql.list_machines, default_sort="name"):
    status: Annotated[
        list[MachineStatus] | None, SPLIT, Field(description="One or more, with commas between.")
    ] = None
    is_active: bool | None = None
    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


class ChangeMachine(Patch):
    name: Line = ""
    status: MachineStatus = "active"
    location: Annotated[Text, Field(max_length=200)] | None = None


class BulkMachines(BulkStatus):
    status: MachineStatus


@bp.get("")
@bp.input(ListMachines, location="query", arg_name="wanted")
@bp.output(Machines)
@cache_list
def list_machines(wanted: ListMachines) -> Body:
    """Machines by name, with their load."""
    return listing(wanted)


@bp.get("/<id:machine_id>")
@bp.input(detail(sql.get_machine), location="query", arg_name="wanted")
@bp.output(MachineWithLink)
@fresh
def get_machine(machine_id: int, wanted: Detail) -> Body:
    """One machine with its load."""
    return wanted.document(machine_id=machine_id)


@bp.patch("/<id:machine_id>")
@bp.input(ChangeMachine, arg_name="change")
@bp.output(WrittenMachine)
def update_machine(machine_id: int, change: ChangeMachine) -> Response:
    """Change a machine; everybody may change its status, managers and admins the rest."""
    return command(
        sql.update_machine, {"machine_id": machine_id, "patch": change.patch()}, current=sql.get_machine
    )


@bp.post("/bulk-status")
@bp.input(BulkMachines, arg_name="wanted")
@bp.output(BulkResult)
def bulk_machines_status(wanted: BulkMachines) -> Response:
    """Give many machines one status; the answer has a result for each id."""
    return bulk_status(sql.bulk_status, wanted)


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)

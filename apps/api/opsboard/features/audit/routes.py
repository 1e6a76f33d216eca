"""/api/audit: who changed what, for admins and managers."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from apiflask import APIBlueprint, APIFlask
from pydantic import BaseModel, Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.access import only_for
from opsboard.web.arguments import Id, Text
from opsboard.web.documents import Envelope, Named
from opsboard.web.endpoint import cache_list
from opsboard.web.listing import ListArguments, listing

bp = APIBlueprint("audit", __name__, url_prefix="/api/audit", tag="Audit")
sql = load_queries(__package__)


class Entry(BaseModel):
    """`changes` has the old and the new value of each changed column."""

    id: int
    action: str
    entity: str
    entity_id: int | None
    changes: dict[str, list[Any]]
    user: Named | None
    request_id: str | None
    created_at: dt.datetime


class Entries(Envelope):
    items: list[Entry]


class ListAudit(ListArguments, query=sql.list_audit_logs, default_sort="-created_at"):
    entity: Annotated[
        Text | None, Field(min_length=1, max_length=50, description="job, job_step, customer ...")
    ] = None
    entity_id: Id | None = None
    by_user_id: Annotated[Id | None, Field(alias="user_id", description="Who made the change.")] = None


@bp.get("")
@bp.input(ListAudit, location="query", arg_name="wanted")
@bp.output(Entries)
@only_for(Role.ADMIN, Role.MANAGER)
@cache_list
def list_audit_logs(wanted: ListAudit) -> Body:
    """Changes, newest first."""
    return listing(wanted)


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)

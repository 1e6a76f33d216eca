"""/api/audit: who changed what, for admins and managers."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import BaseModel, Field

from opsboard.auth.identity import Role
from opsboard.db.queries import load_queries
from opsboard.web.area import Area
from opsboard.web.arguments import Day, Id, Text
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope, Named

area = Area("audit", __name__, tag="Audit")
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
    own_fields: dict[str, str]
    created_at: dt.datetime


class Entries(Envelope):
    items: list[Entry]


@area.list("", Entries, roles=(Role.ADMIN, Role.MANAGER))
class ListAudit(ListArguments, query=sql.list_audit_logs, default_sort="-created_at"):
    """Changes, newest first."""

    entity: Annotated[
        Text | None, Field(min_length=1, max_length=50, description="job, job_step, customer ...")
    ] = None
    entity_id: Id | None = None
    by_user_id: Annotated[Id | None, Field(alias="user_id", description="The author of the change.")] = None
    created_from: Day | None = None
    created_to: Day | None = None

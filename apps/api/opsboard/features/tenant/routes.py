"""/api/tenant: the business of the caller; admins rename it and move it to another time zone."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from zoneinfo import available_timezones

from flask import Response
from pydantic import AfterValidator, BaseModel

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.access import only_for
from opsboard.web.area import Area
from opsboard.web.arguments import Line, Patch
from opsboard.web.command import command
from opsboard.web.document import document
from opsboard.web.endpoint import cache_route

area = Area("tenant", __name__, tag="Tenant")
sql = load_queries(__package__)


def known_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("must be a time zone like Europe/Berlin")
    return value


class Tenant(BaseModel):
    """`as_of`: the day that old records are looked at; null: today."""

    id: int
    slug: str
    name: str
    time_zone: str
    as_of: dt.date | None
    created_at: dt.datetime


class ChangeTenant(Patch):
    name: Line
    time_zone: Annotated[str, AfterValidator(known_zone)]


@area.get("")
@area.output(Tenant)
@cache_route(ttl="cache_ttl_tenant", max_entries="cache_max_settings")
def get_tenant() -> Body:
    """Your business."""
    return document(sql.get_tenant)


@area.patch("")
@area.input(ChangeTenant, arg_name="change")
@area.output(Tenant)
@only_for(Role.ADMIN)
def update_tenant(change: ChangeTenant) -> Response:
    """Rename the business or move it to another time zone."""
    return command(sql.update_tenant, {"patch": change.patch()}, current=sql.get_tenant)

"""/api/users: for admins and managers; admins change roles and block."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from flask import Response
from pydantic import BaseModel, Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.access import only_for
from opsboard.web.area import Area
from opsboard.web.arguments import Patch, Search, Text
from opsboard.web.command import command
from opsboard.web.documents import Envelope, RoleName
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments

area = Area("users", __name__, tag="Users")
sql = load_queries(__package__)


class WorkLeft(BaseModel):
    """What is assigned to somebody and not finished, each with its list."""

    steps: int
    leads: int
    approvals: int
    links: dict[str, str]


class User(BaseModel):
    """`work_left`: what an inactive person was given before; null for somebody who is active."""

    id: int
    email: str
    full_name: str
    role: RoleName
    is_active: bool
    work_left: WorkLeft | None
    created_at: dt.datetime
    updated_at: dt.datetime


class Users(Envelope):
    items: list[User]


@area.list("", Users, roles=(Role.ADMIN, Role.MANAGER))
class ListUsers(ListArguments, query=sql.list_users, default_sort="full_name"):
    """Users by name."""

    # Not called role inside: that is the caller's own, in every query.
    role_filter: Annotated[RoleName | None, Field(alias="role")] = None
    is_active: bool | None = None
    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


class ChangeUser(Patch):
    full_name: Annotated[Text, Field(max_length=200)]
    role: RoleName
    is_active: bool


@area.get("/<id:wanted_id>")
@area.input(detail(sql.get_user), location="query", arg_name="wanted")
@area.output(User)
@only_for(Role.ADMIN, Role.MANAGER)
@fresh
def get_user(wanted_id: int, wanted: Detail) -> Body:
    """One user."""
    return wanted.document(wanted_id=wanted_id)


@area.patch("/<id:wanted_id>")
@area.input(ChangeUser, arg_name="change")
@area.output(User)
@only_for(Role.ADMIN)
def update_user(wanted_id: int, change: ChangeUser) -> Response:
    """Change a user's name or role, or block them; their tokens end at once on every worker."""
    return command(sql.update_user, {"wanted_id": wanted_id, "patch": change.patch()}, current=sql.get_user)

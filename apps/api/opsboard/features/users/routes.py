"""/api/users: for admins and managers; admins invite, change, deactivate, hand work over and reset passwords."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.users.password_links import DAYS, has_mail, with_invitation, with_url
from opsboard.features.users.schemas import (
    HandedOver,
    NewPasswordLink,
    NewUser,
    PasswordLink,
    User,
    Users,
    Work,
)
from opsboard.web.access import only_for, sign_in_only
from opsboard.web.anonymising import Anonymise, Anonymised
from opsboard.web.archiving import add_archive
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Email, Id, Patch, Search, Text
from opsboard.web.command import command
from opsboard.web.document import document
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ArchivableList
from opsboard.web.schemas import RoleName

area = Area("users", __name__, tag="Users")
sql = load_queries(__package__)

FullName = Annotated[Text, Field(max_length=200, examples=["Kim Sand"])]


@area.list("", Users, roles=(Role.ADMIN, Role.MANAGER))
class ListUsers(ArchivableList, query=sql.list_users, default_sort="full_name"):
    """Users by name."""

    # Not called role inside: that is the caller's own, in every query.
    role_filter: Annotated[RoleName | None, Field(alias="role")] = None
    is_active: bool | None = None
    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


class CreateUser(Arguments):
    email: Annotated[Email, Field(examples=["kim@north.example"])]
    full_name: FullName = ""
    role: Annotated[RoleName, Field(examples=["operator"])]
    is_service: Annotated[
        bool, Field(description="An account for a program: it has API tokens and never a password.")
    ] = False


class ChangeUser(Patch):
    full_name: FullName
    role: Annotated[RoleName, Field(examples=["manager"])]
    is_active: Annotated[bool, Field(description="false deactivates, true reactivates.")]


class HandOver(Arguments):
    to_user_id: Annotated[Id | None, Field(description="The new assignee; null: nobody.", examples=[3])]
    deactivate: Annotated[bool, Field(description="Also deactivate the person whose work it was.")] = False


@area.get("/<id:wanted_id>")
@area.input(detail(sql.get_user), location="query", arg_name="wanted")
@area.output(User)
@only_for(Role.ADMIN, Role.MANAGER)
@fresh
def get_user(wanted_id: int, wanted: Detail) -> Body:
    """One user."""
    return wanted.document(wanted_id=wanted_id)


@area.post("")
@area.input(CreateUser, arg_name="user")
@area.output(NewUser, status_code=201)
@only_for(Role.ADMIN)
@sign_in_only
def create_user(user: CreateUser) -> Response:
    """Invite a person: the answer has the link, shown once, by which they set their password within 7 days.

    Where mail is set up (SMTP_HOST), the link is also mailed to them.
    """
    given = user.model_dump()
    given["new_role"] = given.pop("role")
    return command(
        sql.create_user,
        {**given, "expires_in_days": DAYS, "by_mail": has_mail()},
        status=201,
        location="/api/users/{id}",
        complete=with_invitation,
    )


@area.patch("/<id:wanted_id>")
@area.input(ChangeUser, arg_name="change")
@area.output(User)
@only_for(Role.ADMIN)
@sign_in_only
def update_user(wanted_id: int, change: ChangeUser) -> Response:
    """Change a user's name or role, deactivate or reactivate them; a new role ends their sign-ins on every worker."""
    return command(sql.update_user, {"wanted_id": wanted_id, "patch": change.patch()}, current=sql.get_user)


@area.get("/<id:wanted_id>/work")
@area.output(Work)
@only_for(Role.ADMIN, Role.MANAGER)
@fresh
def get_work(wanted_id: int) -> Body:
    """Unfinished work assigned to a person, each with its list."""
    return document(sql.get_work, wanted_id=wanted_id)


@area.post("/<id:wanted_id>/hand-over")
@area.input(HandOver, arg_name="change")
@area.output(HandedOver)
@only_for(Role.ADMIN)
def hand_over(wanted_id: int, change: HandOver) -> Response:
    """Reassign all unfinished work of a person, or unassign it, and optionally deactivate the person."""
    return command(sql.hand_over, {"wanted_id": wanted_id, **change.model_dump()})


@area.get("/<id:wanted_id>/password-link")
@area.output(PasswordLink)
@only_for(Role.ADMIN)
@fresh
def get_password_link(wanted_id: int) -> Body:
    """The open invitation or reset link of a person, without its address."""
    return document(sql.get_password_link, wanted_id=wanted_id)


@area.post("/<id:wanted_id>/password-link")
@area.output(NewPasswordLink, status_code=201)
@only_for(Role.ADMIN)
@sign_in_only
def create_password_link(wanted_id: int) -> Response:
    """Create an invitation or reset link, shown once, valid once for 7 days; it replaces the previous one.

    Where mail is set up (SMTP_HOST), the link is also mailed to the person.
    """
    return command(
        sql.create_password_link,
        {"wanted_id": wanted_id, "expires_in_days": DAYS, "by_mail": has_mail()},
        status=201,
        location=f"/api/users/{wanted_id}/password-link",
        complete=with_url,
    )


@area.delete("/<id:wanted_id>/password-link")
@area.output(PasswordLink)
@only_for(Role.ADMIN)
@sign_in_only
def revoke_password_link(wanted_id: int) -> Response:
    """End the open link of a person before its time."""
    return command(sql.revoke_password_link, {"wanted_id": wanted_id}, current=sql.get_password_link)


@area.post("/<id:wanted_id>/anonymise")
@area.input(Anonymise, arg_name="confirmation")
@area.output(Anonymised)
@only_for(Role.ADMIN)
def anonymise(wanted_id: int, confirmation: Anonymise) -> Response:
    """Remove the name and contact data of a person from everything the business has; there is no way back."""
    return command(sql.anonymise, {"wanted_id": wanted_id, "name": confirmation.name})


add_archive(area, "/<id:wanted_id>", sql, "an inactive person", Role.ADMIN)

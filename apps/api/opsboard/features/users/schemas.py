"""Response models of users."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from opsboard.web.schemas import Envelope, Named, RoleName

LinkKind = Literal["invitation", "reset"]


class WorkLinks(BaseModel):
    """The list behind each number."""

    steps: str
    leads: str
    approvals: str


class WorkLeft(BaseModel):
    """Unfinished work assigned to a person, each with its list."""

    steps: int
    leads: int
    approvals: int
    links: WorkLinks


class Work(WorkLeft):
    """The same of somebody who may still be active."""

    user_id: int


class OpenLink(BaseModel):
    """A link that was neither used nor revoked; it is good until `expires_at`."""

    id: int
    kind: LinkKind
    created_at: dt.datetime
    expires_at: dt.datetime


class User(BaseModel):
    """`work_left`: what an inactive person was given before; null for somebody who is active.

    `is_service`: an account of a program, which has API tokens and no password. `has_password`: false until an
    invitation was accepted. `password_link`: the open invitation or reset link.
    """

    id: int
    email: str
    full_name: str
    role: RoleName
    is_active: bool
    is_service: bool
    has_password: bool
    password_link: OpenLink | None
    work_left: WorkLeft | None
    own_fields: dict[str, str]
    archived_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class Invitation(BaseModel):
    """Shown once: the address to pass on, and the token in it."""

    url: str
    token: str
    expires_at: dt.datetime


class NewUser(User):
    """`invitation` is null for a service account."""

    invitation: Invitation | None


class UserLoad(BaseModel):
    """Steps of jobs that have not ended: those that wait for somebody, and those they have started."""

    pending: int
    in_progress: int


class UserWithLoad(User):
    load: UserLoad


class Users(Envelope):
    items: list[UserWithLoad]


class PasswordLink(BaseModel):
    """`created_by` is null for a link of the command line."""

    id: int
    user_id: int
    kind: LinkKind
    created_by: Named | None
    created_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None


class NewPasswordLink(PasswordLink):
    """`url` and `token` are shown once."""

    url: str
    token: str


class HandedOver(BaseModel):
    """The number of reassigned items and the new assignee; null: nobody."""

    user_id: int
    to_user_id: int | None
    is_active: bool
    steps: int
    leads: int
    approvals: int

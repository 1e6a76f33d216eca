"""Response models of sign-in and one's own account."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from opsboard.web.schemas import RoleName


class Token(BaseModel):
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int


class Business(BaseModel):
    id: int
    slug: str
    name: str
    time_zone: str
    as_of: str | None


class Me(BaseModel):
    """`runs_service`: an admin of a business that runs the service, who may see its health."""

    id: int
    email: str
    full_name: str
    role: RoleName
    runs_service: bool
    tenant: Business


class Session(BaseModel):
    """`device`: what the browser or program said it is. `last_used_at` is right to the minute."""

    id: int
    device: str
    address: str
    created_at: dt.datetime
    last_used_at: dt.datetime
    expires_at: dt.datetime
    is_current: bool


class Sessions(BaseModel):
    items: list[Session]

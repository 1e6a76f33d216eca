"""The shapes of the answers about processes."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel

from opsboard.web.schemas import Envelope, RoleName, WriteWarning


class Permission(BaseModel):
    role: RoleName
    can_operate: bool


class Process(BaseModel):
    """`permissions` is empty when every role may work on it."""

    id: int
    name: str
    description: str | None
    is_active: bool
    permissions: list[Permission]
    own_fields: dict[str, str]
    archived_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class WrittenProcess(Process):
    warnings: list[WriteWarning]


class Processes(Envelope):
    items: list[Process]

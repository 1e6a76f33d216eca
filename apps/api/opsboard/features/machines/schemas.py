"""The shapes of the answers about machines."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, Field

from opsboard.features.shapes import MachineStatus, OpenStop
from opsboard.web.schemas import Envelope, WriteWarning


class Load(BaseModel):
    pending: int
    in_progress: int


class Machine(BaseModel):
    id: int
    name: str
    status: MachineStatus
    is_active: bool
    location: str | None
    own_fields: dict[str, str]
    archived_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class WrittenMachine(Machine):
    warnings: list[WriteWarning]


class MachineWithLoad(Machine):
    load: Load
    stop: OpenStop | None = Field(description="Null while it does not stand still.")


class MachineWithLink(MachineWithLoad):
    link: str


class Machines(Envelope):
    items: list[MachineWithLoad]

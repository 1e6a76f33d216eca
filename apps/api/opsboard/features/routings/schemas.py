"""The shapes of the answers about routings."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel

from opsboard.web.schemas import Envelope, Named


class RoutingStep(BaseModel):
    """`machine` is null for any machine."""

    id: int
    step_order: int
    process: Named
    machine: Named | None
    setup_minutes: int | None
    seconds_per_piece: int | None
    instructions: str | None
    own_fields: dict[str, str]


class Routing(BaseModel):
    id: int
    name: str
    description: str | None
    steps: list[RoutingStep]
    own_fields: dict[str, str]
    archived_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class Routings(Envelope):
    items: list[Routing]


class RemovedRouting(BaseModel):
    id: int
    name: str

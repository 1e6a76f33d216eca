"""Shapes that answers of more than one area share; they describe the API, Postgres makes the JSON."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field

from opsboard.web.schemas import Named, WriteWarning

JobStatus = Literal["draft", "active", "on_hold", "completed", "cancelled"]
StepStatus = Literal["pending", "in_progress", "completed", "skipped"]
MachineStatus = Literal["active", "maintenance", "inactive"]
Priority = Literal["low", "normal", "high", "urgent"]
# The areas of the screen /wall, in their order.
WallArea = Literal["jobs", "late", "machines", "sell"]
WALL_AREAS: tuple[WallArea, ...] = get_args(WallArea)


def remove_default(schema: dict[str, Any]) -> None:
    """Remove the default from the schema of a member that may be absent: it is no answer's."""
    schema.pop("default", None)


NO_DEFAULT = Field(json_schema_extra=remove_default)
NeverNull = Annotated[dt.datetime, NO_DEFAULT]


class CustomerName(BaseModel):
    id: int
    name: str


class OpenStop(BaseModel):
    id: int
    since: dt.datetime
    reason: str


class StepOfJob(BaseModel):
    id: int
    step_order: int
    status: StepStatus
    process: Named | None
    machine: Named | None
    assigned_user: Named | None
    setup_minutes: int | None
    seconds_per_piece: int | None
    instructions: str | None
    planned_start: dt.datetime | None
    planned_end: dt.datetime | None
    started_at: dt.datetime | None
    completed_at: dt.datetime | None
    quantity_done: int
    quantity_rejected: int


class StepsOfJob(BaseModel):
    """All steps of a job in their order; `id` is the job's."""

    id: int
    steps: list[StepOfJob]


class WrittenSteps(StepsOfJob):
    warnings: list[WriteWarning]

"""The shapes of the answers about steps."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel

from opsboard.features.shapes import JobStatus, StepStatus
from opsboard.web.schemas import Envelope, Named, WriteWarning


class JobOfStep(BaseModel):
    id: int
    job_number: str
    title: str
    status: JobStatus
    due_date: dt.date | None


class Step(BaseModel):
    id: int
    step_order: int
    status: StepStatus
    job: JobOfStep
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
    own_fields: dict[str, str]
    created_at: dt.datetime
    updated_at: dt.datetime


class WrittenStep(Step):
    warnings: list[WriteWarning]


class RemovedStep(BaseModel):
    id: int
    job_id: int


class Steps(Envelope):
    items: list[Step]

"""The shapes of the answers about work records."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel

from opsboard.features.shapes import JobStatus, MachineStatus, Priority, StepStatus
from opsboard.web.schemas import Envelope, Named, WriteWarning


class JobOfWork(BaseModel):
    id: int
    job_number: str
    title: str


class StepOfWork(BaseModel):
    id: int
    step_order: int
    status: StepStatus


class WorkRecord(BaseModel):
    """`ended_at` and `seconds` are null while the work goes on.

    `is_forgotten`: it goes on for 12 hours or more, or it ended after 12 hours because of that and nobody corrected it.
    """

    id: int
    job: JobOfWork
    step: StepOfWork
    process: Named | None
    machine: Named | None
    worker: Named
    started_at: dt.datetime
    ended_at: dt.datetime | None
    seconds: int | None
    is_forgotten: bool
    quantity_good: int
    quantity_rejected: int
    reject_reason: str | None
    reject_reason_id: int | None
    note: str | None
    corrected_by: Named | None
    correction: str | None
    own_fields: dict[str, str]
    created_at: dt.datetime
    updated_at: dt.datetime


class WorkRecords(Envelope):
    items: list[WorkRecord]


class WrittenWork(WorkRecord):
    warnings: list[WriteWarning]


class JobOfNextWork(JobOfWork):
    status: JobStatus
    due_date: dt.date | None
    priority: Priority
    quantity: int


class OpenStop(BaseModel):
    id: int
    reason: str
    started_at: dt.datetime


class MachineOfNextWork(Named):
    """`stop`: why it stands still, if somebody has reported that."""

    status: MachineStatus
    stop: OpenStop | None


class HoldingProblem(BaseModel):
    id: int
    kind: str
    description: str


class NextStep(BaseModel):
    """`record_id`, `began_at`: of the caller's open record. `waits_for`: the open step before it, by its process.

    `person`: who it is assigned to. `held_by`: the problem that keeps it from being begun.
    """

    step_id: int
    step_order: int
    status: StepStatus
    is_mine: bool
    person: Named | None
    record_id: int | None
    began_at: dt.datetime | None
    waits_for: str | None
    held_by: HoldingProblem | None
    job: JobOfNextWork
    process: Named | None
    machine: MachineOfNextWork | None
    planned_start: dt.datetime | None
    setup_minutes: int | None
    seconds_per_piece: int | None
    instructions: str | None
    quantity_done: int
    quantity_rejected: int


class NextWork(BaseModel):
    """`now`: the caller works on it; `next`: can be begun; `later`: waits for another step, or for its job.

    `scanned`: the step that was asked for, open or not; null: there is no such step, or none was asked for.
    """

    scanned: NextStep | None
    now: list[NextStep]
    next: list[NextStep]
    later: list[NextStep]


class Colleagues(BaseModel):
    items: list[Named]

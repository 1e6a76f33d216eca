"""The shapes of the answers about jobs."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, Field

from opsboard.features.shapes import CustomerName, JobStatus, Priority, StepOfJob, StepStatus
from opsboard.web.schemas import Envelope, Named, WriteWarning


class Progress(BaseModel):
    """`done` counts completed and skipped steps."""

    steps: int
    done: int


class Job(BaseModel):
    id: int
    job_number: str
    title: str
    status: JobStatus
    priority: Priority
    quantity: int
    due_date: dt.date | None
    is_overdue: bool
    customer: CustomerName | None
    progress: Progress
    started_at: dt.datetime | None
    completed_at: dt.datetime | None
    own_fields: dict[str, str]
    archived_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class WaitsAt(BaseModel):
    """The first open step of a job. `since`: it is in progress; or else the last step ended, or the job began."""

    step_id: int
    step_order: int
    status: StepStatus
    process: Named | None
    machine: Named | None
    person: Named | None
    since: dt.datetime


class ListedJob(Job):
    days_late: int | None = Field(description="Null when it is not late.")
    waits_at: WaitsAt | None = Field(description="Null when no step is open.")


class WrittenJob(Job):
    warnings: list[WriteWarning]


class Jobs(Envelope):
    items: list[ListedJob]


class JobWithSteps(ListedJob):
    description: str | None
    created_by: Named | None
    steps: list[StepOfJob]


class StatusLink(BaseModel):
    """`is_active`: neither revoked nor expired."""

    id: int
    job_id: int
    created_by: Named | None
    created_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None
    is_active: bool


class StatusLinks(Envelope):
    items: list[StatusLink]


class NewStatusLink(StatusLink):
    """`url` is returned only here; everyone who has it can see the job's status."""

    url: str

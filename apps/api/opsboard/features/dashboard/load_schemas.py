"""The shapes of the load of machines and people."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel

from opsboard.features.shapes import JobStatus, MachineStatus, OpenStop, Priority, StepStatus
from opsboard.web.schemas import Named


class WeekOfLoad(BaseModel):
    """`due_seconds`: work of jobs that are due in the week; of this week, also of overdue ones.

    `capacity_seconds`: working hours, of this week those that are left; null without working hours.
    """

    due_seconds: int
    capacity_seconds: int | None


class Load(BaseModel):
    """Open steps and their work in seconds. `id`, `name` and `link` are null for steps of no machine or of nobody.

    `overdue`: steps of overdue jobs. `without_times`: steps whose work is unknown.
    """

    id: int | None
    name: str | None
    in_progress: int
    pending: int
    overdue: int
    without_times: int
    seconds: int
    this_week: WeekOfLoad
    next_week: WeekOfLoad
    link: str | None


class MachineLoad(Load):
    status: MachineStatus | None
    stop: OpenStop | None


class Loads(BaseModel):
    """Most work first. Weeks begin on Monday; `next_week_from` is the next one."""

    today: dt.date
    next_week_from: dt.date
    machines: list[MachineLoad]
    people: list[Load]


class JobOfQueue(BaseModel):
    id: int
    job_number: str
    title: str
    status: JobStatus
    due_date: dt.date | None
    priority: Priority


class QueuedStep(BaseModel):
    """`seconds`: work that is left; null if unknown. `waits_for`: the open step before it, by its process."""

    step_id: int
    step_order: int
    status: StepStatus
    job: JobOfQueue
    is_overdue: bool
    process: Named | None
    machine: Named | None
    person: Named | None
    seconds: int | None
    planned_start: dt.datetime | None
    waits_for: str | None


class Queue(BaseModel):
    """`name`: of the machine or person; null if there is no such one."""

    total: int
    name: str | None
    items: list[QueuedStep]

"""The shapes of the answer about jobs that are late, may be, or are stuck."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, Field

from opsboard.features.jobs.lateness_schemas import LongestStep
from opsboard.features.jobs.schemas import WaitsAt
from opsboard.features.shapes import CustomerName, JobStatus, OpenStop, Priority


class DelayOfJob(BaseModel):
    days: float | None = Field(description="As in /api/jobs/delays.")
    longest: LongestStep


class LateJob(BaseModel):
    id: int
    job_number: str
    title: str
    status: JobStatus
    priority: Priority
    due_date: dt.date | None
    customer: CustomerName | None
    days_late: int | None = Field(description="Null when it is not late.")
    days_left: int | None = Field(description="Until it is due; negative: it is late.")
    steps_left: int
    risk: float | None = Field(description="From 0 to 1; 1 once it is overdue; null where it is not known.")
    risk_basis: int = Field(description="Past jobs that once had as many days and steps left.")
    last_moved_at: dt.datetime = Field(
        description="When a step last began or ended, or the job was added or begun."
    )
    idle_days: int = Field(description="Days since then.")
    waits_at: WaitsAt | None = Field(description="Null when no step is open.")
    machine_stop: OpenStop | None = Field(description="The machine of that step stands still.")
    delay: DelayOfJob | None = Field(
        description="The queue that takes it longest; null when it is on hold or has no open step with a process."
    )


class LateJobs(BaseModel):
    """Of the 5,000 open jobs that are due soonest."""

    today: dt.date
    overdue: list[LateJob] = Field(description="The latest first.")
    at_risk: list[LateJob] = Field(description="Due today or later, the highest risk first.")
    stuck: list[LateJob] = Field(
        description="Active jobs with open steps none of which moved for `stuck_days`, the longest first."
    )

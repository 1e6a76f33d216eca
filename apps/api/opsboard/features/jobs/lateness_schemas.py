"""The shapes of the answers about lateness and promised dates."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, Field

from opsboard.features.shapes import CustomerName, JobStatus, Priority
from opsboard.web.schemas import Envelope


class JobAtRisk(BaseModel):
    id: int
    job_number: str
    title: str
    status: JobStatus
    priority: Priority
    due_date: dt.date
    customer: CustomerName | None
    days_left: int
    steps_left: int
    risk: float | None = Field(description="From 0 to 1; null where no finished job has a due date.")
    risk_basis: int = Field(description="Past jobs that once had as many days and steps left.")


class JobsAtRisk(Envelope):
    items: list[JobAtRisk]


class Ended(BaseModel):
    """Past jobs, and how many of them ended late."""

    cases: int
    late: int


class LatenessRisk(BaseModel):
    id: int
    job_number: str
    status: JobStatus
    due_date: dt.date | None
    days_left: int | None
    steps_left: int
    risk: float | None = Field(description="From 0 to 1; 1 once it is overdue; null with a reason.")
    risk_basis: int
    reason: Literal["closed", "no_due_date", "overdue", "no_history"] | None
    prior: int = Field(
        description="The number of cases of the coarser share that each share is combined with."
    )
    like_it: Ended
    with_as_many_days: Ended
    all: Ended


class CalibrationBin(BaseModel):
    from_: float = Field(alias="from")
    to: float
    predicted: float = Field(description="The mean risk of the cases.")
    observed: float = Field(description="The share of them that ended late.")
    cases: int


class Calibration(BaseModel):
    """Learned from the older three quarters of the finished jobs and compared with the newest quarter."""

    learned_from: int = Field(description="Finished jobs.")
    scored: int = Field(description="Finished jobs that were not learned from.")
    cases: int = Field(description="States that those jobs were in.")
    base_rate: float | None
    brier: float | None = Field(description="The mean squared error: 0 is best.")
    brier_of_base_rate: float | None = Field(description="That of always saying the base rate.")
    is_better: bool | None
    reason: Literal["not_enough_history"] | None
    needed: int = Field(description="The fewest finished jobs with a due date needed for an estimate.")
    bins: list[CalibrationBin]


class Queue(BaseModel):
    id: int
    name: str
    steps_ahead: int
    per_day: float = Field(description="Steps that the process finished per day in the last 28 days.")
    days: float | None


class LeadTimes(BaseModel):
    steps: int | None = Field(
        description="Of jobs with as many steps; null: of all, there are too few of those."
    )
    cases: int
    median_days: float | None
    likely_days: float | None = Field(description="No more than this took the share that `confidence` says.")


class Kept(BaseModel):
    """The share of the newest quarter that kept the dates promised from the older jobs at this confidence."""

    cases: int
    share: float | None


class PromiseDate(BaseModel):
    promise_date: dt.date | None
    days: int | None
    confidence: float
    reason: Literal["no_history", "too_much_work", "idle_process"] | None
    today: dt.date
    queue_days: float | None = Field(description="Of the process with the longest queue.")
    factor: float | None = Field(description="likely_days / median_days")
    lead_times: LeadTimes
    kept: Kept
    processes: list[Queue]

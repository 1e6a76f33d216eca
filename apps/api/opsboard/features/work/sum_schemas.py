"""The shapes of the sums of work."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel


class Worked(BaseModel):
    """Ended records, their seconds and their pieces."""

    records: int
    seconds: int
    quantity_good: int
    quantity_rejected: int


class WorkedBy(Worked):
    """`id` and `name` are null for work without a machine or process."""

    id: int | None
    name: str | None


class WorkSummary(BaseModel):
    date_from: dt.date
    date_to: dt.date
    all: Worked
    people: list[WorkedBy]
    machines: list[WorkedBy]
    processes: list[WorkedBy]


class NumberLinks(BaseModel):
    work: str
    rejects: str
    jobs_completed: str


class NumbersOfDays(BaseModel):
    """Rates and shares are from 0 to 1, and null where there is nothing to divide by.

    `capacity_seconds`: eight hours from Monday to Friday of each machine in use, up to today. `machine_seconds`: worked
    at machines; two people at one machine count twice. `on_time_share`: of the jobs completed that had a due date.
    `lead_time_days`: from the entry of a job to its completion, on average.
    """

    date_from: dt.date
    date_to: dt.date
    quantity_good: int
    quantity_rejected: int
    scrap_rate: float | None
    worked_seconds: int
    machine_seconds: int
    capacity_seconds: int
    utilisation: float | None
    jobs_completed: int
    jobs_on_time: int
    jobs_with_due_date: int
    on_time_share: float | None
    lead_time_days: float | None
    links: NumberLinks


class Numbers(BaseModel):
    by: Literal["day", "week"]
    time_zone: str
    all: NumbersOfDays
    items: list[NumbersOfDays]


class RejectedBy(BaseModel):
    """`id` is null for products, which are titles of jobs; `name` is null for no reason or no process."""

    id: int | None
    name: str | None
    quantity_rejected: int
    records: int
    link: str | None


class Rejects(BaseModel):
    date_from: dt.date
    date_to: dt.date
    quantity_rejected: int
    link: str
    reasons: list[RejectedBy]
    processes: list[RejectedBy]
    products: list[RejectedBy]


class EstimateOfProcess(BaseModel):
    """`ratio`: worked by estimated time. The estimate: set-up, and the time a piece for all pieces of the job."""

    id: int | None
    name: str | None
    steps: int
    estimated_seconds: int
    worked_seconds: int
    ratio: float | None


class Estimates(BaseModel):
    date_from: dt.date
    date_to: dt.date
    items: list[EstimateOfProcess]

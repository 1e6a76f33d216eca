"""The shape of what a customer sees of a job: nothing that is not for them may ever stand here."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict

CustomerStatus = Literal["planned", "in_progress", "on_hold", "completed", "cancelled"]


class StatusProgress(BaseModel):
    """`done` counts completed and skipped steps; `current` is the process in work, if any."""

    model_config = ConfigDict(extra="forbid")

    steps: int
    done: int
    current: str | None


class Contact(BaseModel):
    """Contact details of the business from its settings; null if not set."""

    model_config = ConfigDict(extra="forbid")

    email: str | None
    phone: str | None
    whatsapp: str | None


class JobStatusForCustomer(BaseModel):
    """`as_of` is the last change the answer knows of.

    `days_late` counts the days since the due date: until today while the job is open, until its completion after that.
    It is 0 for a job that is on time, has no due date or was cancelled.
    """

    model_config = ConfigDict(extra="forbid")

    business_name: str
    job_number: str
    title: str
    status: CustomerStatus
    due_date: dt.date | None
    days_late: int
    progress: StatusProgress
    completed_at: dt.datetime | None
    as_of: dt.datetime
    contact: Contact

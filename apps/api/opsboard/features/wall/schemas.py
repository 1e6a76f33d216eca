"""The shape of what the wall shows: a link may be read by anybody who sees the screen, so nobody is named here."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BaseModel

from opsboard.features.shapes import NO_DEFAULT, MachineStatus, NeverNull, OpenStop, WallArea


class WallBusiness(BaseModel):
    """`as_of`: the day on which the records of an imported business stand still; absent for others."""

    name: str
    time_zone: str
    as_of: Annotated[dt.date, NO_DEFAULT] = None  # type: ignore[assignment]  # absent, never null


class WallJobs(BaseModel):
    total: int
    draft: int
    active: int
    on_hold: int
    completed: int
    overdue: int
    due_today: int


class LateJob(BaseModel):
    job_number: str
    title: str
    days_late: int


class WallMachine(BaseModel):
    """`in_progress` and `pending` are steps on it and waiting for it. `stop`: absent while it does not stand still."""

    name: str
    status: MachineStatus
    in_progress: int
    pending: int
    stop: OpenStop = None  # type: ignore[assignment]


class WallLeads(BaseModel):
    unprocessed: int
    in_progress: int
    new_today: int


class WallApprovals(BaseModel):
    pending: int
    changes_requested: int
    decided_today: int
    oldest_pending_at: NeverNull = None  # type: ignore[assignment]  # absent, never null


class Wall(BaseModel):
    """The members of an area that was not asked for are absent: `jobs`; `late`; `machines`; for sell `leads` and
    `approvals`. `late` has the 8 jobs that are overdue for longest, `machines` 24, those under maintenance first.
    """

    business: WallBusiness
    areas: list[WallArea]
    jobs: WallJobs = None  # type: ignore[assignment]
    late: Annotated[list[LateJob], NO_DEFAULT] = None  # type: ignore[assignment]
    machines: Annotated[list[WallMachine], NO_DEFAULT] = None  # type: ignore[assignment]
    leads: WallLeads = None  # type: ignore[assignment]
    approvals: WallApprovals = None  # type: ignore[assignment]
    today: dt.date
    as_of: dt.datetime

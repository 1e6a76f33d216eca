"""The shapes of the dashboard's answers."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel

from opsboard.features.shapes import CustomerName, JobStatus, NeverNull, Priority


class JobCounts(BaseModel):
    total: int
    draft: int
    active: int
    on_hold: int
    completed: int
    cancelled: int
    overdue: int
    due_today: int
    links: dict[str, str]


class TaskCounts(BaseModel):
    pending: int
    in_progress: int
    completed_today: int
    links: dict[str, str]


class MachineCounts(BaseModel):
    total: int
    active: int
    maintenance: int
    inactive: int
    links: dict[str, str]


class ProblemCounts(BaseModel):
    """Problems of steps and machines that are not closed."""

    open: int
    answered: int
    links: dict[str, str]


class UserCounts(BaseModel):
    """Roles are counted over active users. `steps_of_inactive`: work that waits for people who are inactive."""

    total: int
    active: int
    admin: int
    manager: int
    operator: int
    steps_of_inactive: int
    links: dict[str, str]


class LeadCounts(BaseModel):
    """`in_progress`: new, contacted or qualified. `new_today`: entered today."""

    total: int
    unprocessed: int
    in_progress: int
    new_today: int
    links: dict[str, str]


class ApprovalCounts(BaseModel):
    """`changes_requested`: returned, to be sent in again. `oldest_pending_at` is absent when none is pending."""

    pending: int
    changes_requested: int
    decided_today: int
    oldest_pending_at: NeverNull = None  # type: ignore[assignment]  # absent, never null
    links: dict[str, str]


class CampaignCounts(BaseModel):
    """`active`: scheduled or running; `sent` and `opened` are recipients of those, by the furthest known of each."""

    total: int
    active: int
    paused: int
    sent: int
    opened: int
    links: dict[str, str]


class JourneyCounts(BaseModel):
    """`active` are journeys; the others are contacts in journeys."""

    active: int
    under_way: int
    paused: int
    failed: int
    links: dict[str, str]


class Stats(BaseModel):
    """`users`: for admins and managers only; `today` is the day of the business's time zone.

    `as_of` is the last change the numbers know of: equal data is equal bytes, and has one ETag on every worker.
    """

    jobs: JobCounts
    tasks: TaskCounts
    machines: MachineCounts
    problems: ProblemCounts
    users: UserCounts = None  # type: ignore[assignment]  # absent, never null
    leads: LeadCounts
    approvals: ApprovalCounts
    campaigns: CampaignCounts
    journeys: JourneyCounts
    today: dt.date
    as_of: dt.datetime


class RecentJob(BaseModel):
    id: int
    job_number: str
    title: str
    status: JobStatus
    priority: Priority
    due_date: dt.date | None
    is_overdue: bool
    customer: CustomerName | None
    created_at: dt.datetime
    link: str


class RecentJobs(BaseModel):
    items: list[RecentJob]
    link: str
    as_of: dt.datetime


class StatusCount(BaseModel):
    status: JobStatus
    count: int
    link: str


class JobsByStatus(BaseModel):
    items: list[StatusCount]
    total: int
    as_of: dt.datetime


class MonthCount(BaseModel):
    month: str
    created: int
    completed: int
    links: dict[str, str]


class JobsByMonth(BaseModel):
    items: list[MonthCount]
    time_zone: str
    as_of: dt.datetime

"""The shapes of the answers about approvals."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from opsboard.features.shapes import Priority
from opsboard.web.schemas import Envelope, Named

ApprovalStatus = Literal["pending", "approved", "rejected", "changes_requested"]
NextAction = Literal["assign", "decide", "escalate", "resubmit"]
ResponseStatus = Literal["queued", "sent", "failed", "cancelled"]


class Approval(BaseModel):
    id: int
    subject: str
    response: str | None
    status: ApprovalStatus
    lead: Named | None
    requested_by: Named | None
    decided_by: Named | None
    decided_at: dt.datetime | None
    own_fields: dict[str, str]
    created_at: dt.datetime
    updated_at: dt.datetime


class Approvals(Envelope):
    items: list[Approval]


class QueueEntry(BaseModel):
    status: Literal["waiting", "done"]
    priority: Priority
    assigned_user: Named | None
    due_at: dt.datetime | None
    entered_at: dt.datetime
    left_at: dt.datetime | None
    is_overdue: bool
    own_fields: dict[str, str]


class PendingApproval(Approval):
    """`next_action`: assign it, decide, or escalate a late decision."""

    age_hours: int
    next_action: NextAction
    queue_entry: QueueEntry | None


class PendingApprovals(Envelope):
    items: list[PendingApproval]


class HistoryEntry(BaseModel):
    """`from_status` null: the request was created. `acted_by` null: by the command line."""

    id: int
    action: str
    from_status: ApprovalStatus | None
    to_status: ApprovalStatus
    acted_by: Named | None
    comment: str | None
    own_fields: dict[str, str]
    created_at: dt.datetime


class History(Envelope):
    items: list[HistoryEntry]


class ApprovalWithHistory(Approval):
    """`history`: the oldest first."""

    next_action: NextAction | None
    queue_entry: QueueEntry | None
    history: list[HistoryEntry]


class AutoResponse(BaseModel):
    id: int
    lead: Named
    approval_id: int | None
    channel: Literal["email", "whatsapp", "phone"]
    subject: str
    response: str | None
    status: ResponseStatus
    sent_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class AutoResponses(Envelope):
    items: list[AutoResponse]

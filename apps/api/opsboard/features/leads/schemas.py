"""The shapes of the answers about leads."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from opsboard.features.shapes import CustomerName
from opsboard.web.schemas import Envelope, Named

LeadStatus = Literal["unprocessed", "new", "contacted", "qualified", "won", "lost"]


class Lead(BaseModel):
    """`claimed_until`: after this time others may claim it."""

    id: int
    name: str
    email: str | None
    phone: str | None
    source: str | None
    category: str | None
    status: LeadStatus
    is_processed: bool
    customer: CustomerName | None
    assigned_user: Named | None
    claimed_by: Named | None
    claimed_until: dt.datetime | None
    notes: str | None
    scraped_at: dt.datetime
    processed_at: dt.datetime | None
    closed_at: dt.datetime | None
    own_fields: dict[str, str] | None
    archived_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class Leads(Envelope):
    items: list[Lead]


class Claimed(BaseModel):
    """Fewer than asked for when the queue has no more, or others are taking them at this moment."""

    items: list[Lead]


class StatusChange(BaseModel):
    """`from_status` null: the lead was entered. `changed_by` null: by the command line."""

    id: int
    from_status: LeadStatus | None
    to_status: LeadStatus
    changed_by: Named | None
    created_at: dt.datetime


class Timeline(Envelope):
    items: list[StatusChange]

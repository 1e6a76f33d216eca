"""The shapes of the answers about campaigns."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from opsboard.web.documents import Envelope, Named

CampaignStatus = Literal["draft", "scheduled", "running", "paused", "completed", "cancelled"]
Channel = Literal["email", "whatsapp", "phone"]
EventKind = Literal["sent", "delivered", "opened", "clicked", "converted", "bounced", "unsubscribed"]
RecipientStatus = Literal[
    "pending", "sent", "delivered", "opened", "clicked", "converted", "bounced", "unsubscribed"
]


class Campaign(BaseModel):
    id: int
    name: str
    channel: Channel
    status: CampaignStatus
    scheduled_at: dt.datetime | None
    started_at: dt.datetime | None
    completed_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class Campaigns(Envelope):
    items: list[Campaign]


class Numbers(BaseModel):
    """Events of each kind."""

    sent: int
    delivered: int
    opened: int
    clicked: int
    converted: int
    bounced: int
    unsubscribed: int


class CampaignWithTotals(Campaign):
    totals: Numbers


class DayOfCampaign(Numbers):
    date: dt.date


class Metrics(BaseModel):
    """`days`: those on which something happened, the oldest first."""

    campaign: Named
    date_from: dt.date
    date_to: dt.date
    totals: Numbers
    days: list[DayOfCampaign]


class TrackingEvent(BaseModel):
    id: int
    kind: EventKind
    occurred_at: dt.datetime


class CampaignOfRecipient(Named):
    channel: Channel
    status: CampaignStatus


class Recipient(BaseModel):
    """`events`: the last ones, the newest first."""

    id: int
    campaign: CampaignOfRecipient
    address: str
    name: str | None
    segment: str | None
    status: RecipientStatus
    lead: Named | None
    events: list[TrackingEvent]
    created_at: dt.datetime
    updated_at: dt.datetime


class Recipients(Envelope):
    items: list[Recipient]


class ActiveRecipient(BaseModel):
    id: int
    campaign: Named
    address: str
    name: str | None
    segment: str | None
    status: RecipientStatus
    lead: Named | None
    created_at: dt.datetime
    updated_at: dt.datetime


class ActiveRecipients(Envelope):
    items: list[ActiveRecipient]


class Added(BaseModel):
    """`known`: addresses that the campaign had already."""

    added: int
    known: list[str]


class Taken(BaseModel):
    """Keys of events that had been told before, and of events of nobody in this campaign; neither counts."""

    accepted: int
    duplicates: list[str]
    unknown_recipients: list[str]

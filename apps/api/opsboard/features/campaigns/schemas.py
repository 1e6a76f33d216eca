"""The shapes of the answers about campaigns."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from opsboard.web.schemas import Envelope, Named

CampaignStatus = Literal["draft", "scheduled", "running", "paused", "completed", "cancelled"]
Channel = Literal["email", "whatsapp", "phone"]
EventKind = Literal["sent", "delivered", "opened", "clicked", "converted", "bounced", "unsubscribed"]
RecipientStatus = Literal[
    "pending", "sent", "delivered", "opened", "clicked", "converted", "bounced", "unsubscribed"
]
SuppressionReason = Literal["unsubscribed", "bounced", "complained", "manual"]


class Campaign(BaseModel):
    id: int
    name: str
    channel: Channel
    status: CampaignStatus
    scheduled_at: dt.datetime | None
    started_at: dt.datetime | None
    completed_at: dt.datetime | None
    own_fields: dict[str, str]
    created_at: dt.datetime
    updated_at: dt.datetime


class Campaigns(Envelope):
    items: list[Campaign]


class Numbers(BaseModel):
    """A number for each kind of event."""

    sent: int
    delivered: int
    opened: int
    clicked: int
    converted: int
    bounced: int
    unsubscribed: int


class ByStatus(Numbers):
    """A number for each status of a recipient."""

    pending: int


class CampaignWithTotals(Campaign):
    """`totals`: people who had an event of the kind, once each. `events`: the events. `recipients`: their status."""

    totals: Numbers
    events: Numbers
    recipients: ByStatus


class DayOfCampaign(Numbers):
    """People who had their first event of the kind on that day; `events`: the events of that day."""

    date: dt.date
    events: Numbers


class Metrics(BaseModel):
    """`days`: those on which something happened, the oldest first. `totals`: people; `events`: events."""

    campaign: Named
    date_from: dt.date
    date_to: dt.date
    totals: Numbers
    events: Numbers
    days: list[DayOfCampaign]


class TrackingEvent(BaseModel):
    id: int
    kind: EventKind
    occurred_at: dt.datetime


class CampaignOfRecipient(Named):
    channel: Channel
    status: CampaignStatus


class Recipient(BaseModel):
    """`events`: the latest, newest first. `suppressed`: the reason why no message may be sent, or null."""

    id: int
    campaign: CampaignOfRecipient
    address: str
    name: str | None
    segment: str | None
    status: RecipientStatus
    suppressed: SuppressionReason | None
    lead: Named | None
    events: list[TrackingEvent]
    own_fields: dict[str, str] | None
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
    suppressed: SuppressionReason | None
    lead: Named | None
    own_fields: dict[str, str] | None
    created_at: dt.datetime
    updated_at: dt.datetime


class ActiveRecipients(Envelope):
    items: list[ActiveRecipient]


class Suppressed(BaseModel):
    address: str
    reason: SuppressionReason


class Refused(BaseModel):
    address: str
    message: str


class Added(BaseModel):
    """`known`: addresses that the campaign had already, in any spelling.

    `suppressed`: addresses of the suppression list. `refused`: what is not an address of the campaign's channel.
    """

    added: int
    known: list[str]
    suppressed: list[Suppressed]
    refused: list[Refused]


class Taken(BaseModel):
    """Keys of events received before, and of events for addresses outside this campaign; neither is counted."""

    accepted: int
    duplicates: list[str]
    unknown_recipients: list[str]

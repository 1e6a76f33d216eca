"""Shapes of webhooks and their deliveries."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, Field

from opsboard.web.schemas import Envelope, Named

DeliveryStatus = Literal["waiting", "delivered", "failed"]


class Webhook(BaseModel):
    """`events`: empty for all. `is_failing`: the last attempt failed. `secret_id` is the public name of the secret."""

    id: int
    url: str
    description: str | None
    events: list[str]
    is_active: bool
    is_failing: bool
    secret_id: str
    old_secret_until: dt.datetime | None = Field(
        description="Until then deliveries are signed with the secret before the last rotation, too."
    )
    created_by: Named | None
    created_at: dt.datetime
    updated_at: dt.datetime


class NewWebhook(Webhook):
    """`secret` is shown once."""

    secret: str = Field(description="Signs every delivery: see docs/webhooks.md.")


class Webhooks(Envelope):
    items: list[Webhook]


class RemovedWebhook(BaseModel):
    id: int
    url: str


class WebhookName(BaseModel):
    id: int
    url: str


class Delivery(BaseModel):
    """`webhook` is null for a letter to a person. `replay_of`: the delivery that it repeats."""

    id: int
    webhook: WebhookName | None
    event_id: str
    event_type: str
    subject: str
    status: DeliveryStatus
    attempts: int
    next_attempt_at: dt.datetime | None
    last_status: int | None
    last_error: str | None
    replay_of: int | None
    created_at: dt.datetime
    finished_at: dt.datetime | None


class Attempt(BaseModel):
    at: dt.datetime
    milliseconds: int
    status: int | None
    error: str | None
    response: str | None = Field(description="The beginning of the answer.")


class DeliveryDetail(Delivery):
    """`body`: what is sent."""

    expires_at: dt.datetime
    body: dict[str, Any]
    attempt_log: list[Attempt]


class Deliveries(Envelope):
    items: list[Delivery]

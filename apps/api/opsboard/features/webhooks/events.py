"""The types of events and the schemas of what is sent, for the API's description and for the checks of a webhook."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal, get_args

from pydantic import BaseModel, Field

EventType = Literal[
    "job.created", "job.updated", "job.status_changed", "job.archived", "job.restored",
    "job_step.created", "job_step.updated", "job_step.status_changed", "job_step.removed",
    "lead.created", "lead.updated", "lead.status_changed", "lead.claimed", "lead.archived", "lead.restored",
    "approval.created", "approval.updated", "approval.status_changed",
    "machine_stop.started", "machine_stop.ended",
    "alert.fired", "alert.cleared",
    "board.digest",
]  # fmt: skip
PING = "webhook.ping"


class Event(BaseModel):
    """The members of every delivery; `id` is also the header `webhook-id`."""

    type: str
    id: str = Field(description="The same whenever this event is sent: drop what you have had already.")
    timestamp: dt.datetime = Field(description="When the change was made.")


class ChangeEvent(Event):
    """A change of one thing. `changes`: members of `data` with what they were and what they are."""

    changes: dict[str, list[Any]]
    user_id: int | None
    request_id: str


class JobData(BaseModel):
    id: int
    job_number: str
    title: str
    status: str
    priority: str
    quantity: int
    due_date: dt.date | None
    customer_id: int | None
    started_at: dt.datetime | None
    completed_at: dt.datetime | None
    external_id: str | None


class JobStepData(BaseModel):
    """Of a step that was removed only `id`."""

    id: int
    job_id: int | None = None
    step_order: int | None = None
    status: str | None = None
    process_id: int | None = None
    machine_id: int | None = None
    assigned_user_id: int | None = None
    quantity_done: int | None = None
    quantity_rejected: int | None = None
    started_at: dt.datetime | None = None
    completed_at: dt.datetime | None = None
    external_id: str | None = None


class LeadData(BaseModel):
    """Without names and addresses: GET /api/leads/{id} has them."""

    id: int
    status: str
    source: str | None
    category: str | None
    customer_id: int | None
    assigned_user_id: int | None
    claimed_by: int | None
    processed_at: dt.datetime | None
    closed_at: dt.datetime | None
    external_id: str | None


class ApprovalData(BaseModel):
    id: int
    status: str
    lead_id: int | None
    requested_by: int | None
    decided_by: int | None
    decided_at: dt.datetime | None
    external_id: str | None


class MachineStopData(BaseModel):
    id: int
    machine_id: int
    reason: str
    started_at: dt.datetime
    ended_at: dt.datetime | None
    reported_by: int | None
    ended_by: int | None
    external_id: str | None


class AlertData(BaseModel):
    """An alert of the whole service, for the businesses that run it. `value` is null when it is over."""

    rule: str
    subject: str
    severity: Literal["warning", "critical"]
    value: float | None
    is_silenced: bool
    summary: str
    action: str


class DigestData(BaseModel):
    day: dt.date
    business: str
    board: dict[str, Any] = Field(description="The same as GET /api/dashboard/stats.")


class PingData(BaseModel):
    webhook_id: int


class JobEvent(ChangeEvent):
    data: JobData


class JobStepEvent(ChangeEvent):
    data: JobStepData


class LeadEvent(ChangeEvent):
    data: LeadData


class ApprovalEvent(ChangeEvent):
    data: ApprovalData


class MachineStopEvent(ChangeEvent):
    data: MachineStopData


class AlertEvent(Event):
    data: AlertData


class DigestEvent(Event):
    data: DigestData


class PingEvent(Event):
    data: PingData


# The first word of a type -> the schema of its deliveries.
SCHEMAS: dict[str, type[Event]] = {
    "job": JobEvent,
    "job_step": JobStepEvent,
    "lead": LeadEvent,
    "approval": ApprovalEvent,
    "machine_stop": MachineStopEvent,
    "alert": AlertEvent,
    "board": DigestEvent,
    "webhook": PingEvent,
}


def schema_of(event_type: str) -> type[Event]:
    return SCHEMAS[event_type.partition(".")[0]]


# Every type with its schema, as the API's description has them.
SCHEMAS_OF_EVENTS: dict[str, type[BaseModel]] = {
    event_type: schema_of(event_type) for event_type in (*get_args(EventType), PING)
}

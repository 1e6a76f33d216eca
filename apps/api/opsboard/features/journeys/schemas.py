"""The shapes of the answers about journeys."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from opsboard.features.shapes import CustomerName
from opsboard.web.schemas import Envelope, Named

JourneyStatus = Literal["draft", "active", "paused", "archived"]
ContactStatus = Literal["active", "paused", "completed", "failed", "removed"]
NodeType = Literal["start", "message", "wait", "condition", "action", "exit"]
Branch = Literal["next", "yes", "no"]


class Journey(BaseModel):
    """`messages_per_hour` null: JOURNEY_MESSAGES_PER_HOUR applies."""

    id: int
    name: str
    description: str | None
    status: JourneyStatus
    messages_per_hour: int | None
    max_rounds: int
    created_at: dt.datetime
    updated_at: dt.datetime


class Journeys(Envelope):
    items: list[Journey]


class NodeOfJourney(BaseModel):
    id: int
    name: str
    type: NodeType
    config: dict[str, Any]


class EdgeOfJourney(BaseModel):
    """An edge between two nodes, by their names."""

    model_config = ConfigDict(populate_by_name=True)

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    branch: Branch


class JourneyWithNodes(Journey):
    nodes: list[NodeOfJourney]
    edges: list[EdgeOfJourney]


class Way(BaseModel):
    branch: Branch
    to: Named


class NodeWithWays(NodeOfJourney):
    journey_id: int
    ways: list[Way]


class Deleted(BaseModel):
    id: int
    name: str


class NodeName(Named):
    type: NodeType


class JourneyContact(BaseModel):
    """A customer in a journey; `node` is executed next, at `due_at`.

    `failure` says why a contact failed: loop (a node three times in a moment), rounds (came round too often), lost
    (no way on).
    """

    id: int
    journey: Named
    customer: CustomerName
    status: ContactStatus
    node: NodeName
    round: int
    due_at: dt.datetime
    failure: Literal["loop", "rounds", "lost"] | None
    finished_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class JourneyContacts(Envelope):
    items: list[JourneyContact]


class JourneyExecution(BaseModel):
    """A node that was executed for a contact in a round; `executed_at` is null when it was skipped."""

    id: int
    journey_id: int
    contact_id: int
    node: NodeName
    round: int
    outcome: Literal["executed", "skipped"]
    branch: Branch | None
    detail: str | None
    executed_at: dt.datetime | None
    created_at: dt.datetime


class JourneyExecutions(Envelope):
    items: list[JourneyExecution]


class ContactWithExecutions(JourneyContact):
    current: JourneyExecution | None
    previous: JourneyExecution | None


class JourneyStep(BaseModel):
    """The outcome of executing a node.

    executed, skipped (nobody to send to), repeated (was done before), waiting (not due yet), deferred (the cap on
    messages is reached), stopped (a loop).
    """

    outcome: Literal["executed", "skipped", "repeated", "waiting", "deferred", "stopped"]
    contact: JourneyContact
    current: JourneyExecution | None
    previous: JourneyExecution | None


class Added(BaseModel):
    customer_id: int
    outcome: Literal["added", "there", "unknown"]
    contact_id: int | None


class AddedContacts(BaseModel):
    added: int
    items: list[Added]


class Changed(BaseModel):
    contact_id: int
    outcome: Literal["changed", "unchanged", "finished", "unknown"]
    status: ContactStatus | None


class ChangedContacts(BaseModel):
    changed: int
    items: list[Changed]


class JourneyMessage(BaseModel):
    """`sent_at` null: still to be sent."""

    id: int
    contact_id: int
    node_id: int
    round: int
    channel: Literal["email", "phone"]
    recipient: str
    subject: str | None
    body: str
    sent_at: dt.datetime | None
    created_at: dt.datetime


class JourneyMessages(Envelope):
    items: list[JourneyMessage]

"""Request bodies and arguments of journeys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from opsboard.features.journeys.graph import Edges, Nodes, shortest_edges, shortest_nodes
from opsboard.features.journeys.schemas import JourneyStatus
from opsboard.web.arguments import Arguments, Id, Line, Patch, Text

MOST_AT_ONCE = 1000

Description = Annotated[Text, Field(max_length=2000)]
MessagesPerHour = Annotated[
    int, Field(ge=1, le=1000, description="Most messages to one contact in any hour; null: the setting's.")
]
Rounds = Annotated[int, Field(ge=1, le=1000, description="How often a contact may come round.")]


class NewJourney(Arguments):
    """Without nodes it has a start and an exit."""

    name: Line
    description: Description | None = None
    status: JourneyStatus = "draft"
    messages_per_hour: MessagesPerHour | None = None
    max_rounds: Rounds = 12
    nodes: Nodes = Field(default_factory=shortest_nodes)
    edges: Edges = Field(default_factory=shortest_edges)


class ChangeJourney(Patch, of=NewJourney):
    nodes: Nodes = Field(
        default_factory=list,
        description="All nodes, together with edges; a node with an existing name is updated.",
    )
    edges: Edges = Field(default_factory=list)


class AddContacts(Arguments):
    customer_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)]


class ChangeContacts(Arguments):
    contact_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)]
    status: Literal["active", "paused", "removed"]


class ExecuteNode(Arguments):
    contact_id: Id
    round: Annotated[
        int | None,
        Field(ge=1, le=2**31 - 1, description="The round of the node; makes a repeated call idempotent."),
    ] = None

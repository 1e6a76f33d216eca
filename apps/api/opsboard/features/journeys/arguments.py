"""What a client may send about journeys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from opsboard.db.queries import load_queries
from opsboard.features.journeys.documents import ContactStatus, JourneyStatus
from opsboard.features.journeys.graph import Edges, Nodes, shortest_edges, shortest_nodes
from opsboard.web.arguments import SPLIT, Arguments, Id, Line, Patch, Search, Text
from opsboard.web.listing import ListArguments

sql = load_queries(__package__)

MOST_AT_ONCE = 1000

Description = Annotated[Text, Field(max_length=2000)]
MessagesPerHour = Annotated[
    int, Field(ge=1, le=1000, description="Most messages to one contact in any hour; null: the setting's.")
]
Rounds = Annotated[int, Field(ge=1, le=1000, description="How often a contact may come round.")]


class ListJourneys(ListArguments, query=sql.list_journeys, default_sort="-created_at"):
    status: Annotated[
        list[JourneyStatus] | None, SPLIT, Field(description="One or more, with commas between.")
    ] = None
    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


class ListContacts(ListArguments, query=sql.list_contacts, default_sort="-created_at"):
    journey_id: Id | None = None
    status: Annotated[
        list[ContactStatus] | None, SPLIT, Field(description="One or more, with commas between.")
    ] = None
    customer_id: Id | None = None


class ListExecutions(ListArguments, query=sql.list_executions, default_sort="-created_at"):
    journey_id: Id | None = None
    contact_id: Annotated[Id | None, Field(description="The history of one contact.")] = None
    node_id: Id | None = None


class ListMessages(ListArguments, query=sql.list_messages, default_sort="-created_at"):
    contact_id: Id | None = None
    unsent: Annotated[Literal["true"] | None, Field(description="Those still to be sent.")] = None


class NewJourney(Arguments):
    """Without nodes it has a start and an exit."""

    name: Line
    description: Description | None = None
    status: JourneyStatus = "draft"
    messages_per_hour: MessagesPerHour | None = None
    max_rounds: Rounds = 12
    nodes: Nodes = Field(default_factory=shortest_nodes)
    edges: Edges = Field(default_factory=shortest_edges)


class ChangeJourney(Patch):
    name: Line = ""
    description: Description | None = None
    status: JourneyStatus = "draft"
    messages_per_hour: MessagesPerHour | None = None
    max_rounds: Rounds = 12
    nodes: Nodes = Field(
        default_factory=list,
        description="All nodes, together with edges; one of a known name stays the same node.",
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
        Field(ge=1, le=2**31 - 1, description="Which round is meant: what makes a repeated call exact."),
    ] = None

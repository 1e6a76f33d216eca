"""/api/journeys: make and change journeys, let customers enter, see where they are, take a step."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.errors import InvalidInput, Stale
from opsboard.features.journeys.area import area, sql
from opsboard.features.journeys.arguments import (
    AddContacts,
    ChangeContacts,
    ChangeJourney,
    ExecuteNode,
    NewJourney,
)
from opsboard.features.journeys.graph import proven
from opsboard.features.journeys.schemas import (
    AddedContacts,
    ChangedContacts,
    ContactStatus,
    ContactWithExecutions,
    Deleted,
    JourneyContacts,
    JourneyExecutions,
    JourneyMessage,
    JourneyMessages,
    Journeys,
    JourneyStatus,
    JourneyStep,
    JourneyWithNodes,
    NodeWithWays,
)
from opsboard.observability import record
from opsboard.web.access import only_for
from opsboard.web.arguments import Id, OneOrMore, Search
from opsboard.web.command import command
from opsboard.web.endpoint import cache_route, fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.openapi import problems
from opsboard.web.services import services

UNSOUND = ", or a journey is not sound; `errors` then names the nodes of each offending way in `path`"
# Each attempt waits its turn behind those who were faster; so many in a row are faster for no contact.
ATTEMPTS = 5


@area.list("", Journeys)
class ListJourneys(ListArguments, query=sql.list_journeys, default_sort="-created_at"):
    """Journeys, newest first."""

    status: OneOrMore[JourneyStatus] = None
    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


@area.post("")
@area.input(NewJourney, arg_name="journey")
@area.output(JourneyWithNodes, status_code=201)
@problems(422, more=UNSOUND)
@only_for(Role.ADMIN, Role.MANAGER)
def create_journey(journey: NewJourney) -> Response:
    """Make a journey; refused with the path where it could be run through without rest or without end."""
    values = journey.model_dump(exclude={"nodes", "edges"}) | proven(journey.nodes, journey.edges)
    return command(sql.create_journey, values, status=201, location="/api/journeys/{id}")


@area.get("/<id:journey_id>")
@area.input(detail(sql.get_journey), location="query", arg_name="wanted")
@area.output(JourneyWithNodes)
@cache_route(ttl="cache_ttl_journey_nodes")
def get_journey(journey_id: int, wanted: Detail) -> Body:
    """One journey with its nodes and edges."""
    return wanted.document(journey_id=journey_id)


@area.patch("/<id:journey_id>")
@area.input(ChangeJourney, arg_name="change")
@area.output(JourneyWithNodes)
@problems(422, more=UNSOUND)
@only_for(Role.ADMIN, Role.MANAGER)
def update_journey(journey_id: int, change: ChangeJourney) -> Response:
    """Change the sent members of a journey and keep the rest; nodes and edges are sent together and checked."""
    patch = change.patch()
    sent = change.model_fields_set & {"nodes", "edges"}
    if len(sent) == 1:
        raise InvalidInput("Send nodes and edges together: they are proven as a whole.")
    graph: dict[str, Any] = proven(change.nodes, change.edges) if sent else {"nodes": None, "edges": None}
    return command(
        sql.update_journey, {"journey_id": journey_id, "patch": patch, **graph}, current=sql.get_journey
    )


@area.delete("/<id:journey_id>")
@area.output(Deleted)
@only_for(Role.ADMIN, Role.MANAGER)
def delete_journey(journey_id: int) -> Response:
    """Remove a journey that is not active, with its contacts and all that happened to them."""
    return command(sql.delete_journey, {"journey_id": journey_id}, current=sql.get_journey)


@area.get("/<id:journey_id>/nodes/<id:node_id>")
@area.input(detail(sql.get_node), location="query", arg_name="wanted")
@area.output(NodeWithWays)
@cache_route(ttl="cache_ttl_journey_nodes")
def get_node(journey_id: int, node_id: int, wanted: Detail) -> Body:
    """One node of a journey with its outgoing edges."""
    return wanted.document(journey_id=journey_id, node_id=node_id)


@area.post("/<id:journey_id>/nodes/<id:node_id>/execute")
@area.input(ExecuteNode, arg_name="wanted")
@area.output(JourneyStep)
@only_for(Role.ADMIN, Role.MANAGER)
def execute_node(journey_id: int, node_id: int, wanted: ExecuteNode) -> Response:
    """Execute the node a contact is at, once for each round, and show this execution and the one before."""
    config = services().config
    values = {
        **wanted.model_dump(),
        "journey_id": journey_id,
        "node_id": node_id,
        "messages_per_hour": config.journey_messages_per_hour,
        "loop_window": config.journey_loop_window,
    }
    for _ in range(ATTEMPTS - 1):
        try:
            return command(sql.execute_node, values)
        except Stale:
            record.try_again()
    return command(sql.execute_node, values)


@area.post("/<id:journey_id>/contacts")
@area.input(AddContacts, arg_name="wanted")
@area.output(AddedContacts)
@only_for(Role.ADMIN, Role.MANAGER)
def add_contacts(journey_id: int, wanted: AddContacts) -> Response:
    """Let customers enter a journey at its start; customers already in it keep their place."""
    return command(sql.add_contacts, {"journey_id": journey_id, "customer_ids": unique(wanted.customer_ids)})


@area.patch("/<id:journey_id>/contacts")
@area.input(ChangeContacts, arg_name="change")
@area.output(ChangedContacts)
@only_for(Role.ADMIN, Role.MANAGER)
def change_contacts(journey_id: int, change: ChangeContacts) -> Response:
    """Pause, continue or remove many contacts at once; the answer has a result for each."""
    values = {
        "journey_id": journey_id,
        "contact_ids": unique(change.contact_ids),
        "wanted_status": change.status,
    }
    return command(sql.change_contacts, values)


@area.list("/contacts", JourneyContacts)
class ListContacts(ListArguments, query=sql.list_contacts, default_sort="-created_at"):
    """Contacts in journeys, each with its node and status, newest first."""

    journey_id: Id | None = None
    status: OneOrMore[ContactStatus] = None
    customer_id: Id | None = None


@area.get("/contacts/<id:journey_contact_id>")
@area.input(detail(sql.get_contact), location="query", arg_name="wanted")
@area.output(ContactWithExecutions)
@fresh
def get_contact(journey_contact_id: int, wanted: Detail) -> Body:
    """One contact of a journey with its last two executions."""
    return wanted.document(contact_id=journey_contact_id)


@area.list("/executions", JourneyExecutions)
class ListExecutions(ListArguments, query=sql.list_executions, default_sort="-created_at"):
    """Executions, newest first; with `contact_id` the history of one contact."""

    journey_id: Id | None = None
    contact_id: Annotated[Id | None, Field(description="The history of one contact.")] = None
    node_id: Id | None = None


@area.list("/messages", JourneyMessages)
class ListMessages(ListArguments, query=sql.list_messages, default_sort="-created_at"):
    """JourneyMessages that journeys want sent, newest first."""

    contact_id: Id | None = None
    unsent: Annotated[Literal["true"] | None, Field(description="Those still to be sent.")] = None


@area.post("/messages/<id:journey_message_id>/sent")
@area.output(JourneyMessage)
@only_for(Role.ADMIN, Role.MANAGER)
def mark_sent(journey_message_id: int) -> Response:
    """Mark a message as sent; repeating it changes nothing."""
    return command(sql.mark_sent, {"message_id": journey_message_id})


def unique(ids: list[int]) -> list[int]:
    """Each id once, in the order given."""
    return list(dict.fromkeys(ids))

"""/api/journeys: make and change journeys, let customers enter, see where they are, take a step."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint, APIFlask
from flask import Response

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.errors import InvalidInput, Stale
from opsboard.features.journeys.arguments import (
    AddContacts,
    ChangeContacts,
    ChangeJourney,
    ExecuteNode,
    ListContacts,
    ListExecutions,
    ListJourneys,
    ListMessages,
    NewJourney,
    sql,
)
from opsboard.features.journeys.documents import (
    AddedContacts,
    ChangedContacts,
    ContactWithExecutions,
    Deleted,
    JourneyContacts,
    JourneyExecutions,
    JourneyMessage,
    JourneyMessages,
    Journeys,
    JourneyStep,
    JourneyWithNodes,
    NodeWithWays,
)
from opsboard.features.journeys.graph import proven
from opsboard.web.access import only_for
from opsboard.web.command import command
from opsboard.web.endpoint import cache_list, cache_route, fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import listing
from opsboard.web.services import services

bp = APIBlueprint("journeys", __name__, url_prefix="/api/journeys", tag="Journeys")

# Each attempt waits its turn behind those who were faster; so many in a row are faster for no contact.
ATTEMPTS = 5


@bp.get("")
@bp.input(ListJourneys, location="query", arg_name="wanted")
@bp.output(Journeys)
@cache_list
def list_journeys(wanted: ListJourneys) -> Body:
    """Journeys, newest first."""
    return listing(wanted)


@bp.post("")
@bp.input(NewJourney, arg_name="journey")
@bp.output(JourneyWithNodes, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_journey(journey: NewJourney) -> Response:
    """Make a journey; refused with the path where it could be run through without rest or without end."""
    values = journey.model_dump(exclude={"nodes", "edges"}) | proven(journey.nodes, journey.edges)
    return command(sql.create_journey, values, status=201, location="/api/journeys/{id}")


@bp.get("/<id:journey_id>")
@bp.input(detail(sql.get_journey), location="query", arg_name="wanted")
@bp.output(JourneyWithNodes)
@cache_route(ttl="cache_ttl_journey_nodes")
def get_journey(journey_id: int, wanted: Detail) -> Body:
    """One journey with its nodes and the ways between them."""
    return wanted.document(journey_id=journey_id)


@bp.patch("/<id:journey_id>")
@bp.input(ChangeJourney, arg_name="change")
@bp.output(JourneyWithNodes)
@only_for(Role.ADMIN, Role.MANAGER)
def update_journey(journey_id: int, change: ChangeJourney) -> Response:
    """Change what is sent of a journey and leave the rest; nodes and edges come together, and are proven."""
    patch = change.patch()
    sent = change.model_fields_set & {"nodes", "edges"}
    if len(sent) == 1:
        raise InvalidInput("Send nodes and edges together: they are proven as a whole.")
    graph: dict[str, Any] = proven(change.nodes, change.edges) if sent else {"nodes": None, "edges": None}
    return command(
        sql.update_journey, {"journey_id": journey_id, "patch": patch, **graph}, current=sql.get_journey
    )


@bp.delete("/<id:journey_id>")
@bp.output(Deleted)
@only_for(Role.ADMIN, Role.MANAGER)
def delete_journey(journey_id: int) -> Response:
    """Remove a journey that is not active, with its contacts and all that happened to them."""
    return command(sql.delete_journey, {"journey_id": journey_id}, current=sql.get_journey)


@bp.get("/<id:journey_id>/nodes/<id:node_id>")
@bp.input(detail(sql.get_node), location="query", arg_name="wanted")
@bp.output(NodeWithWays)
@cache_route(ttl="cache_ttl_journey_nodes")
def get_node(journey_id: int, node_id: int, wanted: Detail) -> Body:
    """One node of a journey with the ways on from it."""
    return wanted.document(journey_id=journey_id, node_id=node_id)


@bp.post("/<id:journey_id>/nodes/<id:node_id>/execute")
@bp.input(ExecuteNode, arg_name="wanted")
@bp.output(JourneyStep)
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
            continue
    return command(sql.execute_node, values)


@bp.post("/<id:journey_id>/contacts")
@bp.input(AddContacts, arg_name="wanted")
@bp.output(AddedContacts)
@only_for(Role.ADMIN, Role.MANAGER)
def add_contacts(journey_id: int, wanted: AddContacts) -> Response:
    """Let customers enter a journey at its start; who is in it already stays where they are."""
    return command(sql.add_contacts, {"journey_id": journey_id, "customer_ids": unique(wanted.customer_ids)})


@bp.patch("/<id:journey_id>/contacts")
@bp.input(ChangeContacts, arg_name="change")
@bp.output(ChangedContacts)
@only_for(Role.ADMIN, Role.MANAGER)
def change_contacts(journey_id: int, change: ChangeContacts) -> Response:
    """Pause, continue or remove many contacts at once; the answer says for each what came of it."""
    values = {
        "journey_id": journey_id,
        "contact_ids": unique(change.contact_ids),
        "wanted_status": change.status,
    }
    return command(sql.change_contacts, values)


@bp.get("/contacts")
@bp.input(ListContacts, location="query", arg_name="wanted")
@bp.output(JourneyContacts)
@cache_list
def list_contacts(wanted: ListContacts) -> Body:
    """Who is in which journey, at which node and with which status, newest first."""
    return listing(wanted)


@bp.get("/contacts/<id:journey_contact_id>")
@bp.input(detail(sql.get_contact), location="query", arg_name="wanted")
@bp.output(ContactWithExecutions)
@fresh
def get_contact(journey_contact_id: int, wanted: Detail) -> Body:
    """One contact with what was done last for it and what before that."""
    return wanted.document(contact_id=journey_contact_id)


@bp.get("/executions")
@bp.input(ListExecutions, location="query", arg_name="wanted")
@bp.output(JourneyExecutions)
@cache_list
def list_executions(wanted: ListExecutions) -> Body:
    """What was done for whom, newest first; of one contact: its history."""
    return listing(wanted)


@bp.get("/messages")
@bp.input(ListMessages, location="query", arg_name="wanted")
@bp.output(JourneyMessages)
@cache_list
def list_messages(wanted: ListMessages) -> Body:
    """JourneyMessages that journeys want sent, newest first."""
    return listing(wanted)


@bp.post("/messages/<id:journey_message_id>/sent")
@bp.output(JourneyMessage)
@only_for(Role.ADMIN, Role.MANAGER)
def mark_sent(journey_message_id: int) -> Response:
    """Say that a message was sent; said again, nothing changes."""
    return command(sql.mark_sent, {"message_id": journey_message_id})


def unique(ids: list[int]) -> list[int]:
    """Each id once, in the order given."""
    return list(dict.fromkeys(ids))


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)

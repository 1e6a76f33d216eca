"""/api/conversations: messages with contacts, newest first; send or note one, mark them read."""

from __future__ import annotations

from typing import Annotated

from apiflask import APIBlueprint, APIFlask
from flask import Response
from pydantic import Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.conversations.documents import (
    Channel,
    Conversations,
    ConversationStatus,
    ConversationWithLink,
    Direction,
    Message,
    Messages,
    Read,
)
from opsboard.web.arguments import Arguments, Id, Text
from opsboard.web.command import command
from opsboard.web.endpoint import cache_list, fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments, listing

bp = APIBlueprint("conversations", __name__, url_prefix="/api/conversations", tag="Conversations")
sql = load_queries(__package__)


class ListConversations(ListArguments, query=sql.list_conversations, default_sort="-last_message_at"):
    status: ConversationStatus | None = None
    contact_id: Id | None = None


class ListMessages(ListArguments, query=sql.list_messages, default_sort="-created_at"):
    pass


class ListAllMessages(ListArguments, query=sql.list_all_messages, default_sort="-created_at"):
    to_number: Annotated[
        Text | None, Field(min_length=1, max_length=254, description="As it was dialled.")
    ] = None


class NewConversation(Arguments):
    contact_id: Id
    channel: Channel = "whatsapp"


class NewMessage(Arguments):
    """Sent by the caller, or, with direction `in`, received from the contact."""

    body: Annotated[Text, Field(min_length=1, max_length=4000)]
    direction: Direction = "out"


@bp.get("")
@bp.input(ListConversations, location="query", arg_name="wanted")
@bp.output(Conversations)
@cache_list
def list_conversations(wanted: ListConversations) -> Body:
    """Conversations with unread messages counted, the last message first."""
    return listing(wanted)


@bp.get("/messages")
@bp.input(ListAllMessages, location="query", arg_name="wanted")
@bp.output(Messages)
@cache_list
def list_all_messages(wanted: ListAllMessages) -> Body:
    """The messages of all conversations, newest first."""
    return listing(wanted)


@bp.get("/messages/<id:message_id>")
@bp.input(detail(sql.get_message), location="query", arg_name="wanted")
@bp.output(Message)
@fresh
def get_message(message_id: int, wanted: Detail) -> Body:
    """One message."""
    return wanted.document(message_id=message_id)


@bp.get("/<id:conversation_id>")
@bp.input(detail(sql.get_conversation), location="query", arg_name="wanted")
@bp.output(ConversationWithLink)
@fresh
def get_conversation(conversation_id: int, wanted: Detail) -> Body:
    """One conversation, and where its messages are."""
    return wanted.document(conversation_id=conversation_id)


@bp.get("/<id:conversation_id>/messages")
@bp.input(ListMessages, location="query", arg_name="wanted")
@bp.output(Messages)
@cache_list
def list_messages(conversation_id: int, wanted: ListMessages) -> Body:
    """The messages of a conversation, newest first."""
    return listing(wanted, conversation_id=conversation_id)


@bp.post("")
@bp.input(NewConversation, arg_name="new")
@bp.output(ConversationWithLink, status_code=201)
def create_conversation(new: NewConversation) -> Response:
    """Begin a conversation with a contact; there is one per contact and channel."""
    return command(sql.create_conversation, new.model_dump(), status=201, location="/api/conversations/{id}")


@bp.post("/<id:conversation_id>/messages")
@bp.input(NewMessage, arg_name="message")
@bp.output(Message, status_code=201)
def add_message(conversation_id: int, message: NewMessage) -> Response:
    """Note a message that was sent or received."""
    parameters = {"conversation_id": conversation_id, **message.model_dump()}
    return command(sql.add_message, parameters, status=201, location="/api/conversations/messages/{id}")


@bp.post("/<id:conversation_id>/read")
@bp.output(Read)
def mark_read(conversation_id: int) -> Response:
    """Mark what has been received until now read."""
    return command(sql.mark_read, {"conversation_id": conversation_id})


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)

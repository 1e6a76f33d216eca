"""/api/conversations: messages with contacts, newest first; send or note one, mark them read."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.conversations.schemas import (
    Channel,
    Conversations,
    ConversationStatus,
    ConversationWithLink,
    Direction,
    Message,
    Messages,
    Read,
)
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Id, Text
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.visibility import Addresses

area = Area("conversations", __name__, tag="Conversations", addresses=Addresses(("from_number", "to_number")))
sql = load_queries(__package__)


@area.list("", Conversations)
class ListConversations(ListArguments, query=sql.list_conversations, default_sort="-last_message_at"):
    """Conversations with unread messages counted, the last message first."""

    status: ConversationStatus | None = None
    contact_id: Id | None = None


@area.list("/<id:conversation_id>/messages", Messages)
class ListMessages(ListArguments, query=sql.list_messages, default_sort="-created_at"):
    """The messages of a conversation, newest first."""


@area.list("/messages", Messages)
class ListAllMessages(ListArguments, query=sql.list_all_messages, default_sort="-created_at"):
    """The messages of all conversations, newest first."""

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


@area.get("/messages/<id:message_id>")
@area.input(detail(sql.get_message), location="query", arg_name="wanted")
@area.output(Message)
@fresh
def get_message(message_id: int, wanted: Detail) -> Body:
    """One message."""
    return wanted.document(message_id=message_id)


@area.get("/<id:conversation_id>")
@area.input(detail(sql.get_conversation), location="query", arg_name="wanted")
@area.output(ConversationWithLink)
@fresh
def get_conversation(conversation_id: int, wanted: Detail) -> Body:
    """One conversation, with the link to its messages."""
    return wanted.document(conversation_id=conversation_id)


@area.post("")
@area.input(NewConversation, arg_name="new")
@area.output(ConversationWithLink, status_code=201)
def create_conversation(new: NewConversation) -> Response:
    """Start a conversation with a contact; there is one per contact and channel."""
    return command(sql.create_conversation, new.model_dump(), status=201, location="/api/conversations/{id}")


@area.post("/<id:conversation_id>/messages")
@area.input(NewMessage, arg_name="message")
@area.output(Message, status_code=201)
def add_message(conversation_id: int, message: NewMessage) -> Response:
    """Note a message that was sent or received."""
    parameters = {"conversation_id": conversation_id, **message.model_dump()}
    return command(sql.add_message, parameters, status=201, location="/api/conversations/messages/{id}")


@area.post("/<id:conversation_id>/read")
@area.output(Read)
def mark_read(conversation_id: int) -> Response:
    """Mark all messages received so far as read."""
    return command(sql.mark_read, {"conversation_id": conversation_id})

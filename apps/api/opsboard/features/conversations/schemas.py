"""The shapes of the answers about conversations."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from opsboard.web.schemas import Envelope, Named

Channel = Literal["whatsapp", "sms", "email"]
ConversationStatus = Literal["open", "closed"]
Direction = Literal["in", "out"]


class Conversation(BaseModel):
    """`last_message_at` may be a moment early when several wrote at once."""

    id: int
    channel: Channel
    status: ConversationStatus
    contact: Named
    unread: int
    last_message_at: dt.datetime
    created_at: dt.datetime


class LastMessage(BaseModel):
    direction: Direction
    body: str
    created_at: dt.datetime


class ListedConversation(Conversation):
    last_message: LastMessage | None


class Conversations(Envelope):
    items: list[ListedConversation]


class ConversationWithLink(Conversation):
    link: str


class Message(BaseModel):
    id: int
    conversation_id: int
    direction: Direction
    body: str
    from_number: str | None
    to_number: str | None
    sent_by: Named | None
    created_at: dt.datetime


class Messages(Envelope):
    items: list[Message]


class Read(BaseModel):
    """`read`: how many received messages are read now."""

    id: int
    read: int
    read_at: dt.datetime

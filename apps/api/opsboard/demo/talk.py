"""Contacts, conversations, calls, documents and settings of the businesses."""

from __future__ import annotations

import json
from typing import Any

from opsboard.db.session import Cursor
from opsboard.demo.catalogue import Business
from opsboard.demo.statements import sql

GIVEN_NAMES = (
    "Alex",
    "Kim",
    "Robin",
    "Sam",
    "Jo",
    "Chris",
    "Andrea",
    "Nicola",
    "Toni",
    "Dominique",
    "Sascha",
)
CURRENCIES = {"de": "EUR", "en": "USD"}
SENTENCES = {
    "in": (
        "Good morning, when will our parts be ready?",
        "Can you make twenty more of them?",
        "The drawing has changed, I send you the new one.",
        "Thank you, that fits.",
        "We would need them a week earlier.",
        "Is the price for fifty still right?",
    ),
    "out": (
        "They are on the machine and leave on Friday.",
        "Yes, we can. I send you a quote today.",
        "Got it, we work to the new one.",
        "You are welcome.",
        "I ask the shop and come back to you.",
        "It is, until the end of the month.",
    ),
}


def add_talk(cursor: Cursor, business: Business, parameters: dict[str, Any]) -> None:
    """Everything that belongs to customers and jobs that are there already."""
    parameters = {
        **parameters,
        "language": business.language,
        "currency": CURRENCIES[business.language],
        "phone": business.phone,
        "given_names": list(GIVEN_NAMES),
        "surnames": parameters["names"].surnames,
        "sentences": json.dumps(SENTENCES),
    }
    for query in (
        sql.add_settings,
        sql.add_contacts,
        sql.add_conversations,
        sql.add_messages,
        sql.mark_read,
        sql.add_calls,
        sql.add_documents,
    ):
        cursor.execute(query.sql, parameters)

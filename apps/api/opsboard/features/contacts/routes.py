"""/api/contacts: list, search, look at, add and change contacts."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.access import only_for
from opsboard.web.anonymising import Anonymise, Anonymised
from opsboard.web.archiving import add_archive
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Email, Id, Line, Patch, Search, Text
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ArchivableList
from opsboard.web.schemas import Envelope, Named
from opsboard.web.visibility import Addresses

area = Area("contacts", __name__, tag="Contacts", addresses=Addresses(("email", "phone")))
sql = load_queries(__package__)

Phone = Annotated[Text, Field(max_length=50)]


class Contact(BaseModel):
    id: int
    name: str
    email: str | None
    phone: str | None
    customer: Named | None
    own_fields: dict[str, str] | None
    archived_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class Contacts(Envelope):
    items: list[Contact]


class ConversationOfContact(BaseModel):
    id: int
    channel: Literal["whatsapp", "sms", "email"]
    status: Literal["open", "closed"]
    link: str


class ContactWithConversations(Contact):
    conversations: list[ConversationOfContact]


@area.list("", Contacts)
class ListContacts(ArchivableList, query=sql.list_contacts, default_sort="-created_at"):
    """Contacts with their customer, newest first."""

    customer_id: Id | None = None
    q: Annotated[
        Search | None, Field(description="The beginning of a name, an e-mail address or a phone number.")
    ] = None


class NewContact(Arguments):
    name: Line
    email: Email | None = None
    phone: Phone | None = None
    customer_id: Id | None = None


class ChangeContact(Patch, of=NewContact):
    pass


@area.get("/<id:contact_id>")
@area.input(detail(sql.get_contact), location="query", arg_name="wanted")
@area.output(ContactWithConversations)
@fresh
def get_contact(contact_id: int, wanted: Detail) -> Body:
    """One contact with its conversations."""
    return wanted.document(contact_id=contact_id)


@area.post("")
@area.input(NewContact, arg_name="contact")
@area.output(Contact, status_code=201)
def create_contact(contact: NewContact) -> Response:
    """Add a contact."""
    return command(sql.create_contact, contact.model_dump(), status=201, location="/api/contacts/{id}")


@area.patch("/<id:contact_id>")
@area.input(ChangeContact, arg_name="change")
@area.output(Contact)
def update_contact(contact_id: int, change: ChangeContact) -> Response:
    """Change the sent members of a contact and keep the rest."""
    return command(
        sql.update_contact, {"contact_id": contact_id, "patch": change.patch()}, current=sql.get_contact
    )


@area.post("/<id:contact_id>/anonymise")
@area.input(Anonymise, arg_name="confirmation")
@area.output(Anonymised)
@only_for(Role.ADMIN)
def anonymise(contact_id: int, confirmation: Anonymise) -> Response:
    """Remove the name and contact data of a contact from everything the business has; there is no way back."""
    return command(sql.anonymise, {"contact_id": contact_id, "name": confirmation.name})


add_archive(area, "/<id:contact_id>", sql, "a contact", Role.ADMIN, Role.MANAGER)

"""/api/merges: suggest duplicates, merge two records, list merges and undo them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.access import only_for
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Id
from opsboard.web.command import command
from opsboard.web.document import document
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.schemas import Envelope, Named

area = Area("merges", __name__, tag="Duplicates")
sql = load_queries(__package__)

Kind = Literal["customers", "contacts", "leads"]
ROLES = (Role.ADMIN, Role.MANAGER)


class Merge(BaseModel):
    """`moved`: how many rows of each table refer to the kept record now."""

    id: int
    kind: Kind
    kept: Named
    merged: Named
    merged_by: Named | None
    moved: dict[str, int]
    undo_until: dt.datetime
    undone_at: dt.datetime | None
    created_at: dt.datetime


class Merges(Envelope):
    items: list[Merge]


class SuggestedRecord(BaseModel):
    """`more`: the address of a customer, the id of a contact's customer, the status of a lead."""

    id: int
    name: str
    email: str | None
    phone: str | None
    more: str | int | None
    created_at: dt.datetime


class Duplicate(BaseModel):
    record: SuggestedRecord
    reasons: list[Literal["email", "name", "phone"]]


class Suggestion(BaseModel):
    record: SuggestedRecord
    duplicates: list[Duplicate]


class Suggestions(BaseModel):
    """`next_id`: send it as `after_id` to look at the records after these; null at the end."""

    items: list[Suggestion]
    next_id: int | None


class AskSuggestions(Arguments):
    record_id: Annotated[Id | None, Field(description="Only what may be the same as this record.")] = None
    after_id: Annotated[int, Field(ge=0, le=2**63 - 1, description="Look at records after this id.")] = 0


class Pair(Arguments):
    kept_id: Id
    merged_id: Annotated[Id, Field(description="The record that is archived.")]


TAKE: Any = Field(
    default_factory=list,
    max_length=10,
    description="The members that the kept record takes from the merged one.",
)


class MergeCustomers(Pair):
    take: Annotated[list[Literal["name", "email", "phone", "address"]], TAKE]


class MergeContacts(Pair):
    take: Annotated[list[Literal["name", "email", "phone", "customer_id"]], TAKE]


class MergeLeads(Pair):
    take: Annotated[
        list[Literal["name", "email", "phone", "customer_id", "source", "category", "notes"]], TAKE
    ]


@area.list("", Merges, roles=ROLES)
class ListMerges(ListArguments, query=sql.list_merges, default_sort="-created_at"):
    """Merges, newest first."""

    kind: Kind | None = None
    kept_id: Id | None = None
    merged_id: Id | None = None


@area.get("/<id:merge_id>")
@area.input(detail(sql.get_merge), location="query", arg_name="wanted")
@area.output(Merge)
@only_for(*ROLES)
@fresh
def get_merge(merge_id: int, wanted: Detail) -> Body:
    """One merge."""
    return wanted.document(merge_id=merge_id)


@area.get("/customers/suggestions")
@area.input(AskSuggestions, location="query", arg_name="asked")
@area.output(Suggestions)
@only_for(*ROLES)
@fresh
def suggest_customers(asked: AskSuggestions) -> Body:
    """Customers of one e-mail address, telephone number or name."""
    return document(sql.suggest_customers, **asked.model_dump())


@area.get("/contacts/suggestions")
@area.input(AskSuggestions, location="query", arg_name="asked")
@area.output(Suggestions)
@only_for(*ROLES)
@fresh
def suggest_contacts(asked: AskSuggestions) -> Body:
    """Contacts of one e-mail address, telephone number or name."""
    return document(sql.suggest_contacts, **asked.model_dump())


@area.get("/leads/suggestions")
@area.input(AskSuggestions, location="query", arg_name="asked")
@area.output(Suggestions)
@only_for(*ROLES)
@fresh
def suggest_leads(asked: AskSuggestions) -> Body:
    """Leads of one e-mail address, telephone number or name."""
    return document(sql.suggest_leads, **asked.model_dump())


def merged(query: Any, pair: Pair) -> Response:
    return command(query, pair.model_dump(), status=201, location="/api/merges/{id}")


@area.post("/customers")
@area.input(MergeCustomers, arg_name="pair")
@area.output(Merge, status_code=201)
@only_for(*ROLES)
def merge_customers(pair: MergeCustomers) -> Response:
    """Merge a customer into another one: its jobs, contacts, leads, calls and journeys go to the one that is kept."""
    return merged(sql.merge_customers, pair)


@area.post("/contacts")
@area.input(MergeContacts, arg_name="pair")
@area.output(Merge, status_code=201)
@only_for(*ROLES)
def merge_contacts(pair: MergeContacts) -> Response:
    """Merge a contact into another one: its conversations and calls go to the one that is kept."""
    return merged(sql.merge_contacts, pair)


@area.post("/leads")
@area.input(MergeLeads, arg_name="pair")
@area.output(Merge, status_code=201)
@only_for(*ROLES)
def merge_leads(pair: MergeLeads) -> Response:
    """Merge a lead into another one: its calls, approvals, replies and recipients go to the one that is kept."""
    return merged(sql.merge_leads, pair)


@area.post("/customers/<id:merge_id>/undo")
@area.output(Merge)
@only_for(*ROLES)
def undo_customers(merge_id: int) -> Response:
    """Undo a merge of customers within 30 days: what it moved goes back, unless it was changed again since."""
    return command(sql.undo_customers, {"merge_id": merge_id})


@area.post("/contacts/<id:merge_id>/undo")
@area.output(Merge)
@only_for(*ROLES)
def undo_contacts(merge_id: int) -> Response:
    """Undo a merge of contacts within 30 days: what it moved goes back, unless it was changed again since."""
    return command(sql.undo_contacts, {"merge_id": merge_id})


@area.post("/leads/<id:merge_id>/undo")
@area.output(Merge)
@only_for(*ROLES)
def undo_leads(merge_id: int) -> Response:
    """Undo a merge of leads within 30 days: what it moved goes back, unless it was changed again since."""
    return command(sql.undo_leads, {"merge_id": merge_id})

"""/api/leads: list, look at, enter and change leads, take the next ones of the queue, see the way of one."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.leads.schemas import Claimed, Lead, Leads, LeadStatus, Timeline
from opsboard.web.access import only_for
from opsboard.web.anonymising import Anonymise, Anonymised
from opsboard.web.archiving import add_archive
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Day, Email, Id, Line, OneOrMore, Past, Patch, Search, Text
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ArchivableList, ListArguments
from opsboard.web.visibility import Addresses

area = Area(
    "leads",
    __name__,
    tag="Leads",
    addresses=Addresses(
        ("email", "phone"), "leads assigned to them, or claimed by them until the claim runs out"
    ),
)
sql = load_queries(__package__)

Word = Annotated[Text, Field(min_length=1, max_length=100)]
Phone = Annotated[Text, Field(max_length=50)]
Notes = Annotated[Text, Field(max_length=10_000)]


@area.list("", Leads)
class ListLeads(ArchivableList, query=sql.list_leads, default_sort="-created_at"):
    """Leads with their customer and the person they are assigned to, newest first."""

    status: Annotated[
        OneOrMore[LeadStatus], Field(description="One or more, separated by commas; unprocessed: the queue.")
    ] = None
    category: Word | None = None
    source: Word | None = None
    customer_id: Id | None = None
    assigned_user_id: Id | None = None
    mine: Annotated[Literal["true"] | None, Field(description="Leads assigned to you.")] = None
    q: Annotated[
        Search | None, Field(description="The beginning of a name, an e-mail address or a phone number.")
    ] = None
    scraped_from: Day | None = None
    scraped_to: Day | None = None
    created_today: Annotated[
        Literal["true"] | None, Field(description="Leads entered on the day of the business's time zone.")
    ] = None


@area.list("/<id:lead_id>/timeline", Timeline)
class ListTimeline(ListArguments, query=sql.list_timeline, default_sort="-created_at"):
    """The changes of a lead's status, each with its author, newest first."""


class NewLead(Arguments):
    name: Line
    email: Email | None = None
    phone: Phone | None = None
    source: Word | None = None
    category: Word | None = None
    status: LeadStatus = "unprocessed"
    customer_id: Id | None = None
    assigned_user_id: Id | None = None
    notes: Notes | None = None
    scraped_at: Annotated[Past | None, Field(description="When it was found; now if left out.")] = None


class ChangeLead(Patch, of=NewLead, without={"scraped_at"}):
    pass


class ClaimLeads(Arguments):
    count: Annotated[int, Field(ge=1, le=100, description="How many at most.")]
    minutes: Annotated[int, Field(ge=1, le=1440, description="Until others may take them.")] = 15


@area.get("/<id:lead_id>")
@area.input(detail(sql.get_lead), location="query", arg_name="wanted")
@area.output(Lead)
@fresh
def get_lead(lead_id: int, wanted: Detail) -> Body:
    """One lead."""
    return wanted.document(lead_id=lead_id)


@area.post("")
@area.input(NewLead, arg_name="lead")
@area.output(Lead, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_lead(lead: NewLead) -> Response:
    """Enter a lead; only the name is needed."""
    return command(sql.create_lead, lead.model_dump(), status=201, location="/api/leads/{id}")


@area.patch("/<id:lead_id>")
@area.input(ChangeLead, arg_name="change")
@area.output(Lead)
def update_lead(lead_id: int, change: ChangeLead) -> Response:
    """Change the sent members of a lead; operators only leads assigned to or claimed by them, or unassigned."""
    return command(sql.update_lead, {"lead_id": lead_id, "patch": change.patch()}, current=sql.get_lead)


@area.post("/claim")
@area.input(ClaimLeads, arg_name="wanted")
@area.output(Claimed)
def claim_leads(wanted: ClaimLeads) -> Response:
    """Take the next unprocessed leads for a while; no two callers get the same."""
    return command(sql.claim_leads, wanted.model_dump())


@area.post("/<id:lead_id>/anonymise")
@area.input(Anonymise, arg_name="confirmation")
@area.output(Anonymised)
@only_for(Role.ADMIN)
def anonymise(lead_id: int, confirmation: Anonymise) -> Response:
    """Remove the name and contact data of a lead from everything the business has; there is no way back."""
    return command(sql.anonymise, {"lead_id": lead_id, "name": confirmation.name})


add_archive(area, "/<id:lead_id>", sql, "a lead", Role.ADMIN, Role.MANAGER)

"""/api/campaigns: campaigns, their recipients with what became of each message, and their numbers by day."""

from __future__ import annotations

import json
from typing import Annotated

from flask import Response
from pydantic import AwareDatetime, Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.campaigns.schemas import (
    ActiveRecipients,
    Added,
    Campaign,
    Campaigns,
    CampaignStatus,
    CampaignWithTotals,
    Channel,
    EventKind,
    Metrics,
    Recipients,
    RecipientStatus,
    Taken,
)
from opsboard.text import recipient_address
from opsboard.web.access import only_for
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Day, Id, Line, OneOrMore, Past, Patch, Text, Verbatim
from opsboard.web.command import command
from opsboard.web.document import document
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments
from opsboard.web.visibility import Addresses

area = Area("campaigns", __name__, tag="Campaigns", addresses=Addresses(("address",)))
sql = load_queries(__package__)

AT_ONCE = 5000
# Checked one by one when they are added: one that is wrong does not hold up the others.
Address = Annotated[Verbatim, Field(max_length=254)]
Key = Annotated[Text, Field(min_length=1, max_length=200)]
Segment = Annotated[Text, Field(max_length=100)]


@area.list("", Campaigns)
class ListCampaigns(ListArguments, query=sql.list_campaigns, default_sort="-created_at"):
    """Campaigns, newest first."""

    status: OneOrMore[CampaignStatus] = None


@area.list("/active", Campaigns, always={"active": "true"})
class ListActive(ListArguments, query=sql.list_active, default_sort="-created_at"):
    """Campaigns that are scheduled or running, newest first."""


@area.list("/<id:campaign_id>/recipients", Recipients)
class ListRecipients(ListArguments, query=sql.list_recipients, default_sort="created_at"):
    """Recipients of a campaign, each with the last events of their message."""

    status: OneOrMore[RecipientStatus] = None
    events: Annotated[int, Field(ge=0, le=50, description="How many of the last events of each.")] = 5


@area.list("/active/recipients", ActiveRecipients, always={"active": "true"})
class ListActiveRecipients(ListArguments, query=sql.list_active_recipients, default_sort="-updated_at"):
    """Recipients of all campaigns that are scheduled or running, last changed first."""

    status: OneOrMore[RecipientStatus] = None


class Range(Arguments):
    date_from: Annotated[Day | None, Field(description="29 days before date_to's default if left out.")] = (
        None
    )
    date_to: Annotated[Day | None, Field(description="Today if left out.")] = None


class NewCampaign(Arguments):
    name: Line
    channel: Channel = "email"
    status: CampaignStatus = "draft"
    scheduled_at: AwareDatetime | None = None


class ChangeCampaign(Patch, of=NewCampaign):
    pass


class NewRecipient(Arguments):
    address: Address
    name: Line | None = None
    segment: Segment | None = None
    lead_id: Id | None = None


class NewRecipients(Arguments):
    recipients: Annotated[list[NewRecipient], Field(min_length=1, max_length=AT_ONCE)]


class Event(Arguments):
    key: Annotated[
        Key, Field(description="The sender's id of the event; the same key counts once per campaign.")
    ]
    recipient_id: Id
    kind: EventKind
    occurred_at: Past


class Events(Arguments):
    events: Annotated[list[Event], Field(min_length=1, max_length=AT_ONCE)]


def checked(recipients: list[NewRecipient]) -> tuple[list[dict[str, object]], list[dict[str, str]]]:
    """Those with an address, in the form it is stored in and with its kind; and the others with what is wrong."""
    rows: list[dict[str, object]] = []
    refused: list[dict[str, str]] = []
    for place, recipient in enumerate(recipients):
        try:
            address, kind = recipient_address(recipient.address)
        except ValueError as error:
            refused.append({"address": recipient.address, "message": str(error)})
        else:
            rows.append({**recipient.model_dump(), "place": place, "address": address, "kind": kind})
    return rows, refused


@area.get("/<id:campaign_id>")
@area.input(detail(sql.get_campaign), location="query", arg_name="wanted")
@area.output(CampaignWithTotals)
@fresh
def get_campaign(campaign_id: int, wanted: Detail) -> Body:
    """One campaign with the numbers of people and of events of each kind."""
    return wanted.document(campaign_id=campaign_id)


@area.get("/<id:campaign_id>/metrics")
@area.input(Range, location="query", arg_name="days")
@area.output(Metrics)
@fresh
def get_metrics(campaign_id: int, days: Range) -> Body:
    """The numbers of a campaign on each day of a range, and in all; the last 30 days when none is given."""
    return document(sql.get_metrics, campaign_id=campaign_id, **days.model_dump())


@area.post("")
@area.input(NewCampaign, arg_name="campaign")
@area.output(Campaign, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_campaign(campaign: NewCampaign) -> Response:
    """Make a campaign; only the name is needed."""
    return command(sql.create_campaign, campaign.model_dump(), status=201, location="/api/campaigns/{id}")


@area.patch("/<id:campaign_id>")
@area.input(ChangeCampaign, arg_name="change")
@area.output(Campaign)
@only_for(Role.ADMIN, Role.MANAGER)
def update_campaign(campaign_id: int, change: ChangeCampaign) -> Response:
    """Change the sent members of a campaign and keep the rest."""
    return command(
        sql.update_campaign, {"campaign_id": campaign_id, "patch": change.patch()}, current=sql.get_campaign
    )


@area.post("/<id:campaign_id>/recipients")
@area.input(NewRecipients, arg_name="given")
@area.output(Added)
@only_for(Role.ADMIN, Role.MANAGER)
def add_recipients(campaign_id: int, given: NewRecipients) -> Response:
    """Add many recipients at once; known, suppressed and wrong addresses are reported and not added."""
    rows, refused = checked(given.recipients)
    parameters = {"recipients": json.dumps(rows), "refused": json.dumps(refused)}
    return command(sql.add_recipients, {"campaign_id": campaign_id, **parameters})


@area.post("/<id:campaign_id>/events")
@area.input(Events, arg_name="given")
@area.output(Taken)
@only_for(Role.ADMIN, Role.MANAGER)
def take_events(campaign_id: int, given: Events) -> Response:
    """Receive events of messages; events received before are reported as duplicates and not counted again."""
    rows = json.dumps(given.model_dump(mode="json")["events"])
    return command(sql.take_events, {"campaign_id": campaign_id, "events": rows})

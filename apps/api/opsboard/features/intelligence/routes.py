"""/api/intelligence: what is known of customers, in one statement for a page of them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, Field

from opsboard.db.queries import load_queries
from opsboard.web.area import Area
from opsboard.web.arguments import Search
from opsboard.web.listing import ArchivableList
from opsboard.web.schemas import Envelope

area = Area("intelligence", __name__, tag="Intelligence")
sql = load_queries(__package__)


class LatestLead(BaseModel):
    id: int
    name: str
    status: str
    created_at: dt.datetime


class LastCall(BaseModel):
    id: int
    direction: str
    status: str
    outcome: str | None
    created_at: dt.datetime


class Links(BaseModel):
    leads: str
    calls: str


class KnownCustomer(BaseModel):
    id: int
    name: str
    leads_count: int
    calls_count: int
    latest_lead: LatestLead | None
    last_call: LastCall | None
    links: Links


class KnownCustomers(Envelope):
    items: list[KnownCustomer]


@area.list("/customers", KnownCustomers)
class ListCustomers(ArchivableList, query=sql.list_customers, default_sort="name"):
    """Customers with the number of their leads and calls and the last of each."""

    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None

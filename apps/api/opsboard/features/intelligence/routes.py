"""/api/intelligence: what is known of customers, in one statement for a page of them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from apiflask import APIBlueprint, APIFlask
from pydantic import BaseModel, Field

from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.web.arguments import Search
from opsboard.web.documents import Envelope
from opsboard.web.endpoint import cache_list
from opsboard.web.listing import ListArguments, listing

bp = APIBlueprint("intelligence", __name__, url_prefix="/api/intelligence", tag="Intelligence")
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


class ListCustomers(ListArguments, query=sql.list_customers, default_sort="name"):
    q: Annotated[Search | None, Field(description="The beginning of a name.")] = None


@bp.get("/customers")
@bp.input(ListCustomers, location="query", arg_name="wanted")
@bp.output(KnownCustomers)
@cache_list
def list_customers(wanted: ListCustomers) -> Body:
    """Customers with the number of their leads and calls and the last of each."""
    return listing(wanted)


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)

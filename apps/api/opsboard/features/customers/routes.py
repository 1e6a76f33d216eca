"""/api/customers: list, search, look at, add and change customers."""

from __future__ import annotations

from typing import Annotated

from apiflask import APIBlueprint, APIFlask
from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.customers.documents import Customer, Customers, CustomerWithJobs
from opsboard.web.access import only_for
from opsboard.web.arguments import Arguments, Email, Line, Patch, Search, Text
from opsboard.web.command import command
from opsboard.web.endpoint import cache_list, fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ListArguments, listing

bp = APIBlueprint("customers", __name__, url_prefix="/api/customers", tag="Customers")
sql = load_queries(__package__)

Phone = Annotated[Text, Field(max_length=50)]
Address = Annotated[Text, Field(max_length=1000)]


class ListCustomers(ListArguments, query=sql.list_customers, default_sort="name"):
    q: Annotated[
        Search | None, Field(description="The beginning of a name, e-mail address or phone number.")
    ] = None


class NewCustomer(Arguments):
    name: Line
    email: Email | None = None
    phone: Phone | None = None
    address: Address | None = None


class ChangeCustomer(Patch):
    name: Line = ""
    email: Email | None = None
    phone: Phone | None = None
    address: Address | None = None


@bp.get("")
@bp.input(ListCustomers, location="query", arg_name="wanted")
@bp.output(Customers)
@cache_list
def list_customers(wanted: ListCustomers) -> Body:
    """Customers by name."""
    return listing(wanted)


@bp.get("/<id:customer_id>")
@bp.input(detail(sql.get_customer), location="query", arg_name="wanted")
@bp.output(CustomerWithJobs)
@fresh
def get_customer(customer_id: int, wanted: Detail) -> Body:
    """One customer with their newest jobs."""
    return wanted.document(customer_id=customer_id)


@bp.post("")
@bp.input(NewCustomer, arg_name="customer")
@bp.output(Customer, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_customer(customer: NewCustomer) -> Response:
    """Add a customer."""
    return command(sql.create_customer, customer.model_dump(), status=201, location="/api/customers/{id}")


@bp.patch("/<id:customer_id>")
@bp.input(ChangeCustomer, arg_name="change")
@bp.output(Customer)
@only_for(Role.ADMIN, Role.MANAGER)
def update_customer(customer_id: int, change: ChangeCustomer) -> Response:
    """Change what is sent of a customer and leave the rest."""
    return command(
        sql.update_customer, {"customer_id": customer_id, "patch": change.patch()}, current=sql.get_customer
    )


def register(app: APIFlask) -> None:
    app.register_blueprint(bp)

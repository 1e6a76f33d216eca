"""/api/customers: list, search, look at, add and change customers."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from opsboard.auth.identity import Role
from opsboard.cache.body import Body
from opsboard.db.queries import load_queries
from opsboard.features.customers.schemas import Customer, Customers, CustomerWithJobs
from opsboard.web.access import only_for
from opsboard.web.anonymising import Anonymise, Anonymised
from opsboard.web.archiving import add_archive
from opsboard.web.area import Area
from opsboard.web.arguments import Arguments, Email, Line, Patch, Search, Text
from opsboard.web.command import command
from opsboard.web.endpoint import fresh
from opsboard.web.fields import Detail, detail
from opsboard.web.listing import ArchivableList
from opsboard.web.visibility import Addresses

area = Area("customers", __name__, tag="Customers", addresses=Addresses(("email", "phone", "address")))
sql = load_queries(__package__)

Phone = Annotated[Text, Field(max_length=50)]
Address = Annotated[Text, Field(max_length=1000)]


@area.list("", Customers)
class ListCustomers(ArchivableList, query=sql.list_customers, default_sort="name"):
    """Customers by name."""

    q: Annotated[
        Search | None,
        Field(
            description="Words of the name or e-mail address, each by its beginning, or digits of the phone number."
        ),
    ] = None


class NewCustomer(Arguments):
    name: Line
    email: Email | None = None
    phone: Phone | None = None
    address: Address | None = None


class ChangeCustomer(Patch, of=NewCustomer):
    pass


@area.get("/<id:customer_id>")
@area.input(detail(sql.get_customer), location="query", arg_name="wanted")
@area.output(CustomerWithJobs)
@fresh
def get_customer(customer_id: int, wanted: Detail) -> Body:
    """One customer with their newest jobs."""
    return wanted.document(customer_id=customer_id)


@area.post("")
@area.input(NewCustomer, arg_name="customer")
@area.output(Customer, status_code=201)
@only_for(Role.ADMIN, Role.MANAGER)
def create_customer(customer: NewCustomer) -> Response:
    """Add a customer."""
    return command(sql.create_customer, customer.model_dump(), status=201, location="/api/customers/{id}")


@area.patch("/<id:customer_id>")
@area.input(ChangeCustomer, arg_name="change")
@area.output(Customer)
@only_for(Role.ADMIN, Role.MANAGER)
def update_customer(customer_id: int, change: ChangeCustomer) -> Response:
    """Change the sent members of a customer and keep the rest."""
    return command(
        sql.update_customer, {"customer_id": customer_id, "patch": change.patch()}, current=sql.get_customer
    )


@area.post("/<id:customer_id>/anonymise")
@area.input(Anonymise, arg_name="confirmation")
@area.output(Anonymised)
@only_for(Role.ADMIN)
def anonymise(customer_id: int, confirmation: Anonymise) -> Response:
    """Remove the name and contact data of a customer from everything the business has; there is no way back."""
    return command(sql.anonymise, {"customer_id": customer_id, "name": confirmation.name})


add_archive(area, "/<id:customer_id>", sql, "a customer", Role.ADMIN, Role.MANAGER)

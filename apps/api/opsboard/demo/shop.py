"""The people, machines and customers of a business, and the routes its products take through the shop."""

from __future__ import annotations

import json
from typing import Any

from opsboard.db.session import Cursor
from opsboard.demo.catalogue import (
    BOTTLENECK,
    HALLS,
    MACHINE_STATUS,
    PROCESSES,
    PRODUCTS,
    REASONS,
    TIMES,
    Business,
)
from opsboard.demo.names import LEFT, Names, staff
from opsboard.demo.statements import fetch, sql

JOBS_PER_CUSTOMER = 50
# The machine that works at night too.
ROUND_THE_CLOCK = "Laser 10 kW"
FEWEST_CUSTOMERS, MOST_CUSTOMERS = 24, 2400

Ids = dict[str, int]


def add_shop(
    cursor: Cursor, business: Business, parameters: dict[str, Any], password_hash: str
) -> dict[str, Any]:
    """Everything there is before the first job; the ids that jobs refer to."""
    names: Names = parameters["names"]
    people = fetch(
        cursor,
        "add_users",
        {**parameters, "people": json.dumps(staff(business, names)), "password_hash": password_hash},
    )
    processes = add_processes(cursor, parameters)
    machines = add_machines(cursor, parameters)
    add_routes(cursor, parameters, processes, machines, people)
    add_routings(cursor, parameters, processes, machines)
    customers = add_customers(cursor, business, parameters, names)
    return {
        "planners": [id_ for id_, role in people if role != "operator"],
        "products": len(PRODUCTS),
        "stopped": [id_ for name, id_ in machines.items() if name in MACHINE_STATUS],
        "first_customer": customers[0],
        "customers": len(customers),
    }


def add_processes(cursor: Cursor, parameters: dict[str, Any]) -> Ids:
    rows = [{"name": name, "description": description} for name, (description, _, _) in PROCESSES.items()]
    made = fetch(cursor, "add_processes", {**parameters, "processes": json.dumps(rows)})
    ids = {name: id_ for id_, name in made}
    permissions = [
        {"role": role, "process_id": ids[name]} for name, (_, _, roles) in PROCESSES.items() for role in roles
    ]
    cursor.execute(sql.add_permissions.sql, {**parameters, "permissions": json.dumps(permissions)})
    return ids


def add_machines(cursor: Cursor, parameters: dict[str, Any]) -> Ids:
    rows = [
        {
            "name": name,
            "status": MACHINE_STATUS.get(name, "active"),
            "location": HALLS[place * len(HALLS) // len(PROCESSES)],
        }
        for place, (_, machines, _) in enumerate(PROCESSES.values())
        for name in machines
    ]
    made = fetch(cursor, "add_machines", {**parameters, "machines": json.dumps(rows)})
    return {name: id_ for id_, name in made}


def add_routings(cursor: Cursor, parameters: dict[str, Any], processes: Ids, machines: Ids) -> None:
    """A routing for each product; a step names its machine where the process has only one. Reasons, views, hours."""
    names = json.dumps([product.name for product in PRODUCTS])
    made = dict(fetch(cursor, "add_routings", {**parameters, "routings": names}))
    steps = [
        {
            "routing_id": made[product.name],
            "step_order": order,
            "process_id": processes[process],
            "machine_id": machines[PROCESSES[process][1][0]] if len(PROCESSES[process][1]) == 1 else None,
            "setup_minutes": TIMES[process][0],
            "seconds_per_piece": TIMES[process][1],
        }
        for product in PRODUCTS
        for order, process in enumerate(product.route, start=1)
    ]
    cursor.execute(sql.add_routing_steps.sql, {**parameters, "steps": json.dumps(steps)})
    reasons = [
        {"kind": kind, "name": name, "description": description} for kind, name, description in REASONS
    ]
    cursor.execute(sql.add_reasons.sql, {**parameters, "reasons": json.dumps(reasons)})
    cursor.execute(sql.add_saved_views.sql, parameters)
    cursor.execute(sql.add_working_hours.sql, {**parameters, "round_the_clock": machines[ROUND_THE_CLOCK]})
    cursor.execute(sql.add_holidays.sql, parameters)


def add_customers(cursor: Cursor, business: Business, parameters: dict[str, Any], names: Names) -> list[int]:
    wanted = parameters["jobs"] // JOBS_PER_CUSTOMER
    made = fetch(
        cursor,
        "add_customers",
        {
            **parameters,
            "customers": min(MOST_CUSTOMERS, max(FEWEST_CUSTOMERS, wanted)),
            "surnames": names.surnames,
            "cities": names.cities,
            "streets": names.streets,
            "trades": list(business.trades),
            "legal_forms": list(business.legal_forms),
            "phone": business.phone,
        },
    )
    return [id_ for (id_,) in made]


def add_routes(
    cursor: Cursor, parameters: dict[str, Any], processes: Ids, machines: Ids, people: list[tuple[int, str]]
) -> None:
    routes = [
        {
            "product": number,
            "steps": len(product.route),
            "step_order": order,
            "process_id": processes[process],
            "machine_ids": [
                machines[name] for name in PROCESSES[process][1] if MACHINE_STATUS.get(name) != "inactive"
            ],
            "assignee_ids": assignees(PROCESSES[process][2], people),
        }
        for number, product in enumerate(PRODUCTS)
        for order, process in enumerate(product.route, start=1)
    ]
    products = [
        {
            "product": number,
            "name": product.name,
            "treatments": product.treatments,
            "sizes": product.sizes,
            "steps": len(product.route),
            "is_coated": BOTTLENECK in product.route,
        }
        for number, product in enumerate(PRODUCTS)
    ]
    cursor.execute(
        sql.add_routes.sql, {**parameters, "routes": json.dumps(routes), "products": json.dumps(products)}
    )


def assignees(roles: tuple[str, ...], people: list[tuple[int, str]]) -> list[int]:
    """Return the users who get the steps of a process: operators, or managers and admins where operators may not."""
    wanted = {"operator"} if not roles or "operator" in roles else {"admin", *roles}
    chosen = [id_ for place, (id_, role) in enumerate(people) if role in wanted and place not in LEFT]
    # The first one signs in and has more to do than others, so that there is something to see.
    return [chosen[0], *chosen]

"""Production tables: customers, users, processes, machines, jobs and their steps."""

from __future__ import annotations

from opsboard.imports.target import (
    CREATED_AT,
    OWN_FIELDS,
    Column,
    Parent,
    Target,
    Unique,
    email,
    text,
    timestamp,
)

SHOP = (
    Target(
        "customers",
        "customer",
        (
            text("name", 200, required=True),
            email(),
            text("phone", 50),
            text("address", 1000),
            OWN_FIELDS,
            CREATED_AT,
        ),
    ),
    Target(
        "users",
        "user",
        (
            email(required=True),
            text("full_name", 200, nullable=False),
            text("role", 50, nullable=False, one_of=("admin", "manager", "operator")),
            Column("is_active", "boolean", nullable=False),
            Column("is_service", "boolean", nullable=False),
            OWN_FIELDS,
            CREATED_AT,
        ),
        uniques=(Unique(("email",), folded={"email": ("email_search", "address_form")}),),
    ),
    Target(
        "processes",
        "process",
        (
            text("name", 200, required=True),
            text("description", 2000),
            Column("is_active", "boolean", nullable=False),
            OWN_FIELDS,
            CREATED_AT,
        ),
    ),
    Target(
        "machines",
        "machine",
        (
            text("name", 200, required=True),
            text("status", 50, nullable=False, one_of=("active", "maintenance", "inactive")),
            text("location", 200),
            OWN_FIELDS,
            CREATED_AT,
        ),
    ),
    Target(
        "jobs",
        "job",
        (
            text("job_number", 50, required=True),
            text("title", 200, required=True),
            text("description", 10000),
            text(
                "status",
                50,
                nullable=False,
                one_of=("draft", "active", "on_hold", "completed", "cancelled"),
            ),
            text("priority", 50, nullable=False, one_of=("low", "normal", "high", "urgent")),
            Column("quantity", "integer", nullable=False, least=1),
            Column("due_date", "date"),
            timestamp("started_at"),
            timestamp("completed_at"),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(Parent("customer", "customers"),),
        uniques=(Unique(("job_number",)),),
        in_order=(("created_at", "started_at", "completed_at"),),
    ),
    Target(
        "job_steps",
        "job step",
        (
            Column("step_order", "integer", required=True, nullable=False, least=0),
            text("status", 50, nullable=False, one_of=("pending", "in_progress", "completed", "skipped")),
            timestamp("planned_start"),
            timestamp("planned_end"),
            timestamp("started_at"),
            timestamp("completed_at"),
            Column("quantity_done", "integer", nullable=False, least=0),
            Column("quantity_rejected", "integer", nullable=False, least=0),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(
            Parent("job", "jobs", required=True),
            Parent("process", "processes"),
            Parent("machine", "machines"),
            Parent("assigned_user", "users"),
        ),
        uniques=(Unique(("job", "step_order")),),
        in_order=(("planned_start", "planned_end"), ("started_at", "completed_at")),
    ),
)

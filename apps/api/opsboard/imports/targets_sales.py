"""Sales tables: leads, campaigns, contacts and calls."""

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

RECIPIENT_STATUSES = (
    "pending", "sent", "delivered", "opened", "clicked", "converted", "bounced", "unsubscribed",
)  # fmt: skip

SALES = (
    Target(
        "leads",
        "lead",
        (
            text("name", 200, required=True),
            email(),
            text("phone", 50),
            text("source", 100),
            text("category", 100),
            text(
                "status",
                50,
                nullable=False,
                one_of=("unprocessed", "new", "contacted", "qualified", "won", "lost"),
            ),
            text("notes", 10000),
            timestamp("scraped_at", nullable=False),
            timestamp("processed_at"),
            timestamp("closed_at"),
            timestamp("archived_at"),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(Parent("customer", "customers"), Parent("assigned_user", "users")),
        in_order=(("scraped_at", "processed_at", "closed_at"),),
    ),
    Target(
        "campaigns",
        "campaign",
        (
            text("name", 200, required=True),
            text("channel", 50, nullable=False, one_of=("email", "whatsapp", "phone")),
            text(
                "status",
                50,
                nullable=False,
                one_of=("draft", "scheduled", "running", "paused", "completed", "cancelled"),
            ),
            timestamp("scheduled_at"),
            timestamp("started_at"),
            timestamp("completed_at"),
            OWN_FIELDS,
            CREATED_AT,
        ),
        in_order=(("scheduled_at", "started_at", "completed_at"),),
    ),
    Target(
        "campaign_recipients",
        "campaign recipient",
        (
            Column("address", required=True, nullable=False, longest=254, address="recipient"),
            text("name", 200),
            text("segment", 100),
            text(
                "status",
                50,
                nullable=False,
                one_of=RECIPIENT_STATUSES,
            ),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(Parent("campaign", "campaigns", required=True), Parent("lead", "leads")),
        uniques=(Unique(("campaign", "address"), folded={"address": ("address_search", "recipient_form")}),),
    ),
    Target(
        "suppressions",
        "suppressed address",
        (
            Column("channel", required=True, nullable=False, one_of=("email", "whatsapp", "phone", "sms")),
            Column("address", required=True, nullable=False, longest=254, address="recipient"),
            Column("reason", nullable=False, one_of=("unsubscribed", "bounced", "complained", "manual")),
            text("note", 500),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(Parent("campaign", "campaigns"),),
        uniques=(Unique(("channel", "address"), folded={"address": ("address_search", "recipient_form")}),),
    ),
    Target(
        "contacts",
        "contact",
        (
            text("name", 200, required=True),
            email(),
            text("phone", 50),
            timestamp("archived_at"),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(Parent("customer", "customers"),),
    ),
    Target(
        "call_log",
        "call",
        (
            text("direction", 50, nullable=False, one_of=("in", "out")),
            text(
                "status",
                50,
                nullable=False,
                one_of=("in_progress", "completed", "missed", "busy", "failed"),
            ),
            text("from_number", 50),
            text("to_number", 50),
            text("topic", 200),
            text("outcome", 200),
            text("notes", 10000),
            Column("duration_seconds", "seconds", nullable=False, least=0),
            Column("waited_seconds", "seconds", least=0),
            Column("rating", "integer", least=1, most=5),
            timestamp("started_at", nullable=False),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(
            Parent("customer", "customers"),
            Parent("lead", "leads"),
            Parent("contact", "contacts"),
            Parent("user", "users"),
        ),
    ),
)

"""Work done: records of work on steps, and stops of machines."""

from __future__ import annotations

from opsboard.imports.target import (
    CREATED_AT,
    OWN_FIELDS,
    Column,
    Contradiction,
    Ending,
    Parent,
    Target,
    Unique,
    never_before,
    text,
    timestamp,
)

WORK = (
    Target(
        "work_records",
        "work record",
        (
            timestamp("started_at", nullable=False),
            timestamp("ended_at"),
            Column("quantity_good", "integer", nullable=False, least=0),
            Column("quantity_rejected", "integer", nullable=False, least=0),
            text("reject_reason", 200),
            text("note", 500),
            text("correction", 500),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(
            Parent("step", "job_steps", required=True),
            Parent("worker", "users", required=True, stored_in="user_id"),
            Parent("machine", "machines"),
            Parent("corrected_by", "users", stored_in="corrected_by"),
        ),
        uniques=(Unique(("step", "worker"), while_open=True),),
        in_order=(("started_at", "ended_at"),),
        contradictions=(
            never_before("work_records_times", "started_at", "ended_at"),
            Contradiction(
                "work_records_length",
                "{ended_at} - {started_at} > interval '7 days'",
                "ended_at",
                "is more than 7 days after started_at",
            ),
            Contradiction(
                "work_records_pieces",
                "{ended_at} IS NULL AND ({quantity_good} <> 0 OR {quantity_rejected} <> 0)",
                "ended_at",
                "is empty, and pieces belong to work that has ended",
            ),
        ),
        ends=Ending("ended_at", ("quantity_good", "quantity_rejected"), ("reject_reason",)),
        begins="started_at",
    ),
    Target(
        "machine_stops",
        "machine stop",
        (
            text("reason", 200, required=True),
            text("note", 500),
            timestamp("started_at", nullable=False),
            timestamp("ended_at"),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(
            Parent("machine", "machines", required=True),
            Parent("reported_by", "users", stored_in="reported_by"),
            Parent("ended_by", "users", stored_in="ended_by"),
        ),
        uniques=(Unique(("machine",), while_open=True),),
        in_order=(("started_at", "ended_at"),),
        contradictions=(never_before("machine_stops_times", "started_at", "ended_at"),),
        ends=Ending("ended_at"),
        begins="started_at",
    ),
)

"""Approvals, workflow runs, notifications and the audit log."""

from __future__ import annotations

from opsboard.imports.target import (
    CREATED_AT,
    OWN_FIELDS,
    Column,
    Contradiction,
    Parent,
    Target,
    Unique,
    text,
    timestamp,
)

APPROVAL_STATUSES = ("pending", "approved", "rejected", "changes_requested")


def ends_with_status(constraint: str, status: str, time: str) -> Contradiction:
    """A time that a row has unless its status is this one."""
    broken = f"({{status}} = '{status}') <> ({{{time}}} IS NULL)"
    return Contradiction(
        constraint,
        broken,
        time,
        f"does not go with the status: rows that are {status} have none, all others have one",
    )


HISTORY = (
    Target(
        "response_approvals",
        "request for approval",
        (
            text("subject", 200, required=True),
            text("response", 10000),
            text("status", 50, nullable=False, one_of=APPROVAL_STATUSES),
            timestamp("decided_at"),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(
            Parent("lead", "leads"),
            Parent("requested_by", "users", stored_in="requested_by"),
            Parent("decided_by", "users", stored_in="decided_by"),
        ),
        in_order=(("created_at", "decided_at"),),
        contradictions=(ends_with_status("response_approvals_decided", "pending", "decided_at"),),
    ),
    Target(
        "approval_queue",
        "place in the queue",
        (
            text("status", 50, nullable=False, one_of=("waiting", "done")),
            text("priority", 50, nullable=False, one_of=("low", "normal", "high", "urgent")),
            timestamp("due_at"),
            timestamp("entered_at", nullable=False),
            timestamp("left_at"),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(
            Parent("approval", "response_approvals", required=True),
            Parent("assigned_user", "users"),
        ),
        uniques=(Unique(("approval",)),),
        in_order=(("entered_at", "left_at"),),
        contradictions=(ends_with_status("approval_queue_left", "waiting", "left_at"),),
        key=("approval_id",),
    ),
    Target(
        "approval_history",
        "step of an approval",
        (
            text("action", 100, required=True),
            Column("from_status", one_of=APPROVAL_STATUSES),
            Column("to_status", required=True, nullable=False, one_of=APPROVAL_STATUSES),
            text("comment", 2000),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(
            Parent("approval", "response_approvals", required=True, stored_in="approval_request_id"),
            Parent("acted_by", "users", stored_in="acted_by"),
        ),
        cut_by="created_at",
        is_history=True,
    ),
    Target(
        "workflows",
        "workflow",
        (
            text("name", 200, required=True),
            text("description", 2000),
            Column("is_active", "boolean", nullable=False),
            OWN_FIELDS,
            CREATED_AT,
        ),
        uniques=(Unique(("name",)),),
    ),
    Target(
        "workflow_execution_monitoring",
        "execution",
        (
            text("status", 50, nullable=False, one_of=("running", "completed", "failed", "cancelled")),
            text("step", 200),
            text("error", 2000),
            timestamp("started_at", nullable=False),
            timestamp("finished_at"),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(Parent("workflow", "workflows", required=True),),
        in_order=(("started_at", "finished_at"),),
        contradictions=(ends_with_status("workflow_execution_finished", "running", "finished_at"),),
        cut_by="started_at",
    ),
    Target(
        "notifications",
        "notification",
        (
            text("kind", 50, required=True),
            text("title", 200, required=True),
            text("body", 2000),
            text("link", 500),
            timestamp("read_at"),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(Parent("user", "users", required=True),),
        in_order=(("created_at", "read_at"),),
    ),
    Target(
        "audit_logs",
        "audit entry",
        (
            text("action", 50, required=True),
            text("entity", 50, required=True),
            Column("entity_id", "integer"),
            Column("changes", "changes", nullable=False),
            OWN_FIELDS,
            CREATED_AT,
        ),
        parents=(Parent("user", "users"),),
        cut_by="created_at",
        is_history=True,
    ),
)

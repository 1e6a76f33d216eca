"""The tables an import may fill.

A further table is one more entry in TARGETS, after the tables its rows point to. A test holds this list
against the migrated schema.
"""

from __future__ import annotations

from opsboard.imports.target import Column, Parent, Target, Unique


def text(
    name: str, longest: int, *, required: bool = False, nullable: bool = True, one_of: tuple[str, ...] = ()
) -> Column:
    return Column(name, "text", required, nullable and not required, longest, one_of=one_of)


def timestamp(name: str, *, nullable: bool = True) -> Column:
    return Column(name, "timestamp", nullable=nullable)


CREATED_AT = timestamp("created_at", nullable=False)
RECIPIENT_STATUSES = (
    "pending", "sent", "delivered", "opened", "clicked", "converted", "bounced", "unsubscribed",
)  # fmt: skip
APPROVAL_STATUSES = ("pending", "approved", "rejected", "changes_requested")

# Parents before children: rows are stored in this order.
TARGETS: dict[str, Target] = {
    target.table: target
    for target in (
        Target(
            "customers",
            "customer",
            (
                text("name", 200, required=True),
                text("email", 254),
                text("phone", 50),
                text("address", 1000),
                CREATED_AT,
            ),
        ),
        Target(
            "users",
            "user",
            (
                Column(
                    "email",
                    required=True,
                    nullable=False,
                    longest=254,
                    like="%_@_%",
                    like_means="an e-mail address",
                ),
                text("full_name", 200, nullable=False),
                text("role", 50, nullable=False, one_of=("admin", "manager", "operator")),
                Column("is_active", "boolean", nullable=False),
                CREATED_AT,
            ),
            uniques=(Unique(("email",), folded={"email": "email_search"}),),
        ),
        Target(
            "processes",
            "process",
            (
                text("name", 200, required=True),
                text("description", 2000),
                Column("is_active", "boolean", nullable=False),
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
                CREATED_AT,
            ),
            parents=(Parent("customer", "customers"),),
            uniques=(Unique(("job_number",)),),
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
                CREATED_AT,
            ),
            parents=(
                Parent("job", "jobs", required=True),
                Parent("process", "processes"),
                Parent("machine", "machines"),
                Parent("assigned_user", "users"),
            ),
            uniques=(Unique(("job", "step_order")),),
        ),
        Target(
            "leads",
            "lead",
            (
                text("name", 200, required=True),
                text("email", 254),
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
                CREATED_AT,
            ),
            parents=(Parent("customer", "customers"), Parent("assigned_user", "users")),
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
                CREATED_AT,
            ),
        ),
        Target(
            "campaign_recipients",
            "campaign recipient",
            (
                text("address", 254, required=True),
                text("name", 200),
                text("segment", 100),
                text(
                    "status",
                    50,
                    nullable=False,
                    one_of=RECIPIENT_STATUSES,
                ),
                CREATED_AT,
            ),
            parents=(Parent("campaign", "campaigns", required=True), Parent("lead", "leads")),
            uniques=(Unique(("campaign", "address")),),
        ),
        Target(
            "contacts",
            "contact",
            (text("name", 200, required=True), text("email", 254), text("phone", 50), CREATED_AT),
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
                CREATED_AT,
            ),
            parents=(
                Parent("customer", "customers"),
                Parent("lead", "leads"),
                Parent("contact", "contacts"),
                Parent("user", "users"),
            ),
        ),
        Target(
            "response_approvals",
            "request for approval",
            (
                text("subject", 200, required=True),
                text("response", 10000),
                text("status", 50, nullable=False, one_of=APPROVAL_STATUSES),
                timestamp("decided_at"),
                CREATED_AT,
            ),
            parents=(
                Parent("lead", "leads"),
                Parent("requested_by", "users", stored_in="requested_by"),
                Parent("decided_by", "users", stored_in="decided_by"),
            ),
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
                CREATED_AT,
            ),
            parents=(
                Parent("approval", "response_approvals", required=True),
                Parent("assigned_user", "users"),
            ),
            uniques=(Unique(("approval",)),),
            key="approval_id",
        ),
        Target(
            "approval_history",
            "step of an approval",
            (
                text("action", 100, required=True),
                Column("from_status", one_of=APPROVAL_STATUSES),
                Column("to_status", required=True, nullable=False, one_of=APPROVAL_STATUSES),
                text("comment", 2000),
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
                CREATED_AT,
            ),
            parents=(Parent("workflow", "workflows", required=True),),
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
                CREATED_AT,
            ),
            parents=(Parent("user", "users", required=True),),
        ),
        Target(
            "audit_logs",
            "audit entry",
            (
                text("action", 50, required=True),
                text("entity", 50, required=True),
                Column("entity_id", "integer"),
                Column("changes", "changes", nullable=False),
                CREATED_AT,
            ),
            parents=(Parent("user", "users"),),
            cut_by="created_at",
            is_history=True,
        ),
    )
}

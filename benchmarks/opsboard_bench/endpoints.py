"""The endpoints that reports on services of this kind give figures for, and the ways before.

A way that lacks indexes lacks those that the report added and those of ours that would stand in for them.
"""

from __future__ import annotations

from opsboard_bench.endpoint_rows import APPROVAL, CAMPAIGN, CONTACT, JOURNEY, NODE, USER
from opsboard_bench.endpoint_ways import Before, Claim, Endpoint, without

EXECUTION = {"journey_id": JOURNEY, "node_id": NODE, "contact_id": CONTACT}
# At most a hundred recipients, which is the report's example.
RECIPIENTS = 100
# Rows of an answer without pages: more would fill the memory of this process for no more insight.
ALL = 50_000

APPROVALS = (
    Endpoint(
        "Approval, detail", (Claim("S0-03", 150, 60), Claim("S0-03", 3, 1, "statements", "statements")),
        "workflow_approvals.get_approval", f"/api/workflow-approvals/{APPROVAL}",
        Before(
            "three statements",
            (
                "SELECT * FROM response_approvals WHERE id = %(approval_id)s",
                "SELECT * FROM approval_history WHERE approval_request_id = %(approval_id)s ORDER BY created_at",
                "SELECT * FROM approval_queue WHERE approval_id = %(approval_id)s",
            ),
        ),
        {"approval_id": APPROVAL}, fields="id,status",
    ),
    Endpoint(
        "Approval, history", (Claim("S0-20", 250, 50),),
        "workflow_approvals.list_history", f"/api/workflow-approvals/{APPROVAL}/history",
        without("idx_approval_history_request_created"), {"approval_id": APPROVAL}, "-created_at",
    ),
    Endpoint(
        "Approvals, pending", (Claim("S0-19", 200, 50),),
        "workflow_approvals.list_pending", "/api/workflow-approvals/pending",
        without(
            "idx_response_approvals_pending", "idx_response_approvals_status_created",
            "idx_response_approvals_created_at",
        ),
        {"pending": True}, "created_at",
    ),
)  # fmt: skip
CAMPAIGNS = (
    Endpoint(
        "Campaign, recipients with campaign and events",
        (Claim("S0-23", 300, 120), Claim("S0-06", 101, 1, "statements", "statements")),
        "campaigns.list_recipients", f"/api/campaigns/{CAMPAIGN}/recipients",
        Before(
            "one statement more for each recipient's campaign and one for its events",
            (
                "SELECT * FROM campaign_recipients WHERE campaign_id = %(campaign_id)s "
                f"ORDER BY created_at DESC LIMIT {RECIPIENTS}",
            ),
            (
                "SELECT * FROM campaigns WHERE id = %(campaign_id)s",
                "SELECT * FROM campaign_tracking_events WHERE recipient_id = %(id)s ORDER BY occurred_at",
            ),
        ),
        {"campaign_id": CAMPAIGN, "events": 5}, "-created_at", RECIPIENTS, "id,address",
    ),
    Endpoint(
        "Campaign, analytics of 30 days", (Claim("S0-22", 180, 54),),
        "campaigns.get_metrics", f"/api/campaigns/{CAMPAIGN}/metrics",
        without("idx_campaign_metrics_campaign_date"),
        {"campaign_id": CAMPAIGN, "date_from": None, "date_to": None}, fields="",
    ),
)  # fmt: skip
SALES = (
    Endpoint(
        "Leads, unprocessed", (Claim("S0-27", 450, 150),),
        "leads.list_leads", "/api/leads?status=unprocessed",
        without(
            "idx_leads_unprocessed", "idx_leads_tenant_status_created", "idx_leads_status_scraped_category",
            "idx_leads_created_at",
        ),
        {"status": ["unprocessed"]}, "-created_at",
    ),
    Endpoint(
        "Leads of a category", (Claim("S0-28", 400, 160),),
        "leads.list_leads", "/api/leads?category=category%201",
        without("idx_leads_category", "idx_leads_status_scraped_category", "idx_leads_created_at"),
        {"category": "category 1"}, "-created_at",
    ),
    Endpoint(
        "Workflows, active", (Claim("S0-30", 300, 80),),
        "workflow_monitoring.list_active", "/api/workflow-monitoring/active",
        without("idx_workflow_execution_active", "idx_workflow_execution_started"), {"active": True}, "started_at",
    ),
    Endpoint(
        "Workflows, alerts", (Claim("S0-32", 160, 51),),
        "workflow_monitoring.list_alerts", "/api/workflow-monitoring/alerts?status=open",
        without("idx_workflow_alerts_open", "idx_workflow_alerts_created_at"), {"open": True}, "-created_at",
    ),
    Endpoint(
        "Customers with their leads and calls", (Claim("S1-01", 201, 7, "statements", "statements"),),
        "intelligence.list_customers", "/api/intelligence/customers",
        Before(
            "four statements more for each customer",
            ("SELECT * FROM customers ORDER BY created_at DESC LIMIT 50",),
            (
                "SELECT count(*) FROM leads WHERE customer_id = %(id)s",
                "SELECT count(*) FROM call_log WHERE customer_id = %(id)s",
                "SELECT * FROM leads WHERE customer_id = %(id)s ORDER BY created_at DESC LIMIT 1",
                "SELECT * FROM call_log WHERE customer_id = %(id)s ORDER BY created_at DESC LIMIT 1",
            ),
        ),
        sort="-created_at",
    ),
)  # fmt: skip
DOCUMENTS = (
    Endpoint(
        "Documents of a person", (Claim("S2-08", 500, 5),),
        "documents.list_documents", f"/api/documents?user_id={USER}",
        without(
            "idx_documents_user_id", "idx_documents_user_id_document_type", "idx_documents_user_id_uploaded_at",
            "idx_documents_uploaded_at",
        ),
        {"by_user_id": USER}, "-uploaded_at",
    ),
    Endpoint(
        "Documents of a type", (Claim("S2-29", 800, 15),),
        "documents.list_documents", "/api/documents?document_type=invoice",
        without("idx_documents_document_type", "idx_documents_uploaded_at"), {"document_type": "invoice"},
        "-uploaded_at",
    ),
    Endpoint(
        "Documents by day", (Claim("S2-30", 1200, 20),),
        "documents.list_documents", "/api/documents", without("idx_documents_uploaded_at"), sort="-uploaded_at",
    ),
    Endpoint(
        "Documents, a page instead of all",
        (
            Claim("S2-17", 5000, 100), Claim("S2-17, S2-35", 100, 2, "memory", "MB"),
            Claim("S2-35", 50, 5, "bytes", "MB"),
        ),
        "documents.list_documents", "/api/documents",
        Before(
            f"all rows in one answer, {ALL:,} at most",
            (f"SELECT * FROM documents ORDER BY uploaded_at DESC LIMIT {ALL}",),
        ),
        sort="-uploaded_at",
    ),
    Endpoint(
        "Documents, analytics", (Claim("S2-33", 3000, 80),),
        "documents.analytics", "/api/documents/analytics",
        Before(
            "counted for each answer",
            (
                "SELECT document_type, count(*) FROM documents GROUP BY document_type",
                "SELECT date_trunc('month', uploaded_at AT TIME ZONE 'Europe/Berlin') AS month, document_type, "
                "count(*) FROM documents WHERE uploaded_at >= now() - interval '12 months' "
                "GROUP BY month, document_type",
            ),
        ),
        {"months": 12}, fields="",
    ),
)  # fmt: skip
SHOP = (
    Endpoint(
        "Customers, search by name", (Claim("S4-54", 70, 3),),
        "customers.list_customers", "/api/customers?q=ab",
        without("idx_customers_name", "idx_customers_email", "idx_customers_phone"), {"q": "ab"}, "name",
    ),
    Endpoint(
        "Jobs by status", (Claim("S4-58", 30, 8),),
        "jobs.list_jobs", "/api/jobs?status=on_hold",
        without("idx_jobs_status_created_at", "idx_jobs_status_due_date", "idx_jobs_created_at"),
        {"status": ["on_hold"]}, "-created_at",
    ),
    Endpoint(
        "Jobs, overdue", (Claim("S4-59", 18, 4),),
        "jobs.list_jobs", "/api/jobs?overdue=true",
        without("idx_jobs_open_due_date", "idx_jobs_due_date", "idx_jobs_status_due_date", "idx_jobs_due_date_all"),
        {"overdue": True}, "due_date",
    ),
    Endpoint(
        "Steps of a person", (Claim("S4-67", 25, 5),),
        "job_steps.list_job_steps", f"/api/job-steps?assigned_user_id={USER}&status=pending",
        without("idx_job_steps_assigned_status", "idx_job_steps_status", "idx_job_steps_created_at"),
        {"assigned_user_id": USER, "status": ["pending"]}, "-created_at",
    ),
    Endpoint(
        "Joins: a job with its steps, machines and people", (Claim("S4-67", 40, 5),),
        "jobs.get_job", "/api/jobs/2", without("idx_job_steps_job_status"),
        {"job_id": 2}, fields="id,status",
    ),
)  # fmt: skip
JOURNEYS = (
    Endpoint(
        "Journey, execution of a node", (Claim("S3-33", 2, 1, "statements", "(-50% statements)"),),
        "journeys.execute_node", f"/api/journeys/{JOURNEY}/nodes/{NODE}/execute",
        Before(
            "a statement for each thing looked up and written",
            (
                "SELECT * FROM journeys WHERE id = %(journey_id)s",
                "SELECT * FROM journey_nodes WHERE journey_id = %(journey_id)s AND id = %(node_id)s",
                "SELECT * FROM journey_contacts WHERE id = %(contact_id)s FOR UPDATE",
                "SELECT * FROM journey_node_executions WHERE node_id = %(node_id)s "
                "AND journey_contact_id = %(contact_id)s LIMIT 1",
                "SELECT * FROM journey_node_executions WHERE journey_contact_id = %(contact_id)s "
                "ORDER BY executed_at DESC LIMIT 1",
                "SELECT * FROM journey_node_executions WHERE journey_contact_id = %(contact_id)s "
                "ORDER BY created_at DESC LIMIT 10",
                "SELECT * FROM journey_edges WHERE journey_id = %(journey_id)s AND from_node_id = %(node_id)s",
                "INSERT INTO journey_node_executions (tenant_id, journey_id, journey_contact_id, node_id, round, "
                "outcome, branch, executed_at) VALUES (%(tenant_id)s, %(journey_id)s, %(contact_id)s, %(node_id)s, 1, "
                "'executed', 'next', now()) RETURNING id",
                "UPDATE journey_contacts SET node_id = %(node_id)s + 1, steps = steps + 1 WHERE id = %(contact_id)s "
                "RETURNING id",
            ),
        ),
        {**EXECUTION, "round": None, "messages_per_hour": 10, "loop_window": 60, "request_id": "bench"},
        fields="", body={"contact_id": CONTACT},
    ),
)  # fmt: skip
ENDPOINTS = (*APPROVALS, *CAMPAIGNS, *SALES, *DOCUMENTS, *SHOP, *JOURNEYS)

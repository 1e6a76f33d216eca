"""Rows for the table `endpoints`: leads, approvals, campaigns, workflows, documents, calls and journeys.

Each large table has as many rows as the business has jobs. Row n belongs to business 1 + n % 2, as in
businesses.py. Rows it refers to have ids of the same parity, so both belong to one business. Low ids are the newest.
"""

from __future__ import annotations

from opsboard.db.session import Cursor
from opsboard_bench.businesses import PEOPLE

PARTITIONED = (
    "approval_history", "campaign_tracking_events", "workflow_execution_monitoring", "journey_node_executions"
)  # fmt: skip
TABLES = (
    *PARTITIONED, "customers", "leads", "call_log", "response_approvals", "approval_queue", "campaigns",
    "campaign_recipients", "campaign_metrics", "workflows", "workflow_alerts", "documents", "journeys", "journey_nodes",
    "journey_edges", "journey_contacts", "rollups",
)  # fmt: skip
CAMPAIGNS = 20
APPROVAL, CAMPAIGN, USER, JOURNEY, NODE, CONTACT = 2, 2, 1, 1, 2, 2  # of the first business

# The triggers that count and the foreign keys are left out; rebuild_rollups counts afterwards.
PREPARE = "SET LOCAL session_replication_role = replica"
# Indexes are made again afterwards, which takes a third of the time of keeping them; those of partitions are few.
INDEXES = """
SELECT 'DROP INDEX ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid)
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
WHERE c.oid = ANY(%(tables)s::regclass[])
    AND c.relkind = 'r'
    AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid)
"""
PARTITIONS = "SELECT make_partitions(%(table)s, current_date - 401, current_date - 1)"
SALES = """
INSERT INTO customers (id, tenant_id, name, email, phone, created_at) OVERRIDING SYSTEM VALUE
SELECT n, 1 + n %% 2, md5(n::text), md5('e' || n) || '@example.com', '555 ' || n, now() - n * %(step)s::interval
FROM generate_series(1, %(rows)s) AS n;

INSERT INTO leads (
    id, tenant_id, name, email, phone, category, status, customer_id, assigned_user_id, scraped_at, created_at
)
OVERRIDING SYSTEM VALUE
SELECT
    n, 1 + n %% 2, md5('l' || n), md5('l' || n) || '@leads.example', '777 ' || n, 'category ' || n / 2 %% 40,
    CASE n / 2 %% 50 WHEN 0 THEN 'unprocessed' WHEN 1 THEN 'new' WHEN 2 THEN 'won' ELSE 'lost' END,
    1 + (n - 1) %% %(fifth)s, 1 + n %% 2 * %(people)s, now() - n * %(step)s::interval,
    now() - n * %(step)s::interval
FROM generate_series(1, %(rows)s) AS n;

INSERT INTO call_log (id, tenant_id, customer_id, user_id, status, created_at) OVERRIDING SYSTEM VALUE
SELECT n, 1 + n %% 2, 1 + (n - 1) %% %(fifth)s, 1 + n %% 2 * %(people)s, 'completed', now() - n * %(step)s::interval
FROM generate_series(1, %(rows)s) AS n;

INSERT INTO response_approvals (
    id, tenant_id, lead_id, subject, response, status, requested_by, decided_by, decided_at, created_at
)
OVERRIDING SYSTEM VALUE
SELECT
    n, 1 + n %% 2, n, 'Answer ' || n, repeat('We thank you for your request. ', 5), s.status, 1 + n %% 2 * %(people)s,
    CASE WHEN s.status <> 'pending' THEN 1 + n %% 2 * %(people)s END,
    CASE WHEN s.status <> 'pending' THEN now() - n * %(step)s::interval END, now() - n * %(step)s::interval
FROM generate_series(1, %(rows)s) AS n
CROSS JOIN LATERAL (SELECT CASE WHEN n / 2 %% 50 = 0 THEN 'pending' ELSE 'approved' END AS status) AS s;

INSERT INTO approval_queue (tenant_id, approval_id, status, assigned_user_id, due_at, left_at)
SELECT
    a.tenant_id, a.id, CASE a.status WHEN 'pending' THEN 'waiting' ELSE 'done' END, a.requested_by,
    a.created_at + interval '3 days', a.decided_at
FROM response_approvals AS a;

INSERT INTO approval_history (tenant_id, approval_request_id, action, to_status, acted_by, created_at)
SELECT
    1 + n %% 2, 1 + (n - 1) %% %(fifth)s, 'comment', 'pending', 1 + n %% 2 * %(people)s, now() - n * %(step)s::interval
FROM generate_series(1, %(rows)s) AS n;

INSERT INTO documents (id, tenant_id, user_id, document_type, title, file_name, uploaded_at) OVERRIDING SYSTEM VALUE
SELECT
    n, 1 + n %% 2, 1 + n %% 2 * %(people)s + n / 2 %% %(people)s,
    (ARRAY['contract', 'drawing', 'invoice', 'photo', 'quote', 'report', 'other'])[1 + n / 2 %% 7],
    'Document ' || n, 'document-' || n || '.pdf', now() - n * %(step)s::interval
FROM generate_series(1, %(rows)s) AS n;
"""
CAMPAIGNS_AND_JOURNEYS = """
INSERT INTO campaigns (id, tenant_id, name, status) OVERRIDING SYSTEM VALUE
SELECT n, 1 + n %% 2, 'Campaign ' || n, 'running' FROM generate_series(1, %(campaigns)s) AS n;

INSERT INTO campaign_recipients (id, tenant_id, campaign_id, lead_id, address, status, created_at)
OVERRIDING SYSTEM VALUE
SELECT n, 1 + n %% 2, 1 + (n - 1) %% %(campaigns)s, n, n || '@leads.example', 'sent', now() - n * %(step)s::interval
FROM generate_series(1, %(rows)s) AS n;

INSERT INTO campaign_tracking_events (tenant_id, recipient_id, event_key, kind, occurred_at)
SELECT 1 + n %% 2, 1 + (n - 1) %% %(fifth)s, 'event ' || n, 'sent', now() - n * %(step)s::interval
FROM generate_series(1, %(rows)s) AS n;

INSERT INTO campaign_metrics (tenant_id, campaign_id, date, sent)
SELECT 1 + n %% 2, 1 + (n - 1) %% %(campaigns)s, current_date - ((n - 1) / %(campaigns)s)::integer, n
FROM generate_series(1, %(rows)s) AS n;

INSERT INTO workflows (id, tenant_id, name) OVERRIDING SYSTEM VALUE
SELECT n, 1 + n %% 2, 'Workflow ' || n FROM generate_series(1, 10) AS n;

INSERT INTO workflow_execution_monitoring (id, tenant_id, workflow_id, status, started_at, finished_at)
OVERRIDING SYSTEM VALUE
SELECT
    n, 1 + n %% 2, 1 + (n - 1) %% 10, CASE WHEN n / 2 %% 50 = 0 THEN 'running' ELSE 'completed' END,
    now() - n * %(step)s::interval, CASE WHEN n / 2 %% 50 > 0 THEN now() - n * %(step)s::interval END
FROM generate_series(1, %(rows)s) AS n;

INSERT INTO workflow_alerts (tenant_id, workflow_id, message, status, acknowledged_at, created_at)
SELECT
    x.tenant_id, x.workflow_id, 'It takes long.', CASE x.status WHEN 'running' THEN 'open' ELSE 'acknowledged' END,
    x.finished_at, x.started_at
FROM workflow_execution_monitoring AS x;

INSERT INTO journeys (id, tenant_id, name, status) OVERRIDING SYSTEM VALUE
SELECT n, n, 'Journey ' || n, 'active' FROM generate_series(1, 2) AS n;

INSERT INTO journey_nodes (id, tenant_id, journey_id, name, type, config) OVERRIDING SYSTEM VALUE
SELECT v.id + 3 * (n - 1), n, n, v.type, v.type, '{"body": "Hello", "channel": "email"}'
FROM generate_series(1, 2) AS n CROSS JOIN (VALUES (1, 'start'), (2, 'message'), (3, 'exit')) AS v (id, type);

INSERT INTO journey_edges (tenant_id, journey_id, from_node_id, to_node_id)
SELECT n.tenant_id, n.journey_id, n.id, n.id + 1 FROM journey_nodes AS n WHERE n.type <> 'exit';

INSERT INTO journey_contacts (id, tenant_id, journey_id, customer_id, node_id, due_at, created_at)
OVERRIDING SYSTEM VALUE
SELECT
    n, 1 + n %% 2, 1 + n %% 2, n, 2 + 3 * (n %% 2), now() - n * interval '1 second', now() - n * %(step)s::interval
FROM generate_series(1, %(rows)s) AS n;

INSERT INTO journey_node_executions (
    tenant_id, journey_id, journey_contact_id, node_id, round, outcome, branch, executed_at, created_at
)
SELECT
    c.tenant_id, c.journey_id, c.id, c.node_id - 1, 1, 'executed', 'next', now() - c.id * %(step)s::interval,
    now() - c.id * %(step)s::interval
FROM journey_contacts AS c;
"""


def values(rows: int) -> dict[str, object]:
    """The parameters of the statements: a year of rows, five of a kind for each of the first fifth of their parents."""
    return {
        "rows": rows,
        "people": PEOPLE,
        "campaigns": CAMPAIGNS,
        "fifth": max(2, rows // 10 * 2),  # even, which keeps the parity
        "step": f"{365 * 86_400 / rows} seconds",
    }


def fill(cursor: Cursor, rows: int) -> None:
    """Add them to a shop of businesses.py with so many jobs, in its transaction."""
    parameters = values(rows)
    cursor.execute(PREPARE)
    for table in PARTITIONED:
        cursor.execute(PARTITIONS, {"table": table})
    cursor.execute(INDEXES, {"tables": list(TABLES)})
    indexes = cursor.fetchall()
    for drop, _ in indexes:
        cursor.execute(drop)
    cursor.execute(SALES, parameters)
    cursor.execute(CAMPAIGNS_AND_JOURNEYS, parameters)
    for _, make in indexes:
        cursor.execute(make)
    cursor.execute("SET LOCAL session_replication_role = origin")


def tidy(cursor: Cursor) -> None:
    """Statistics, and pages marked all-visible; outside a transaction."""
    cursor.execute(f"VACUUM (ANALYZE) {', '.join(TABLES)}")

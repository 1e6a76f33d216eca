"""Many leads, approvals, campaigns and workflows, for the tests on a large seed."""

from __future__ import annotations

LARGE_SALES = """
INSERT INTO leads (
    tenant_id, name, email, phone, source, category, status, customer_id, assigned_user_id, scraped_at, created_at
)
SELECT
    t, md5(n::text), md5(n::text) || '@leads.example', '777' || n,
    (ARRAY['fair', 'web', 'phone', 'friend', 'other'])[1 + n %% 5], 'category ' || n %% 40,
    CASE n %% 50 WHEN 0 THEN 'unprocessed' WHEN 1 THEN 'new' WHEN 2 THEN 'won' WHEN 3 THEN 'contacted' ELSE 'lost' END,
    c.ids[1 + n %% 500], (SELECT min(id) FROM users WHERE tenant_id = t) + n %% 11,
    now() - n * interval '31 minutes', now() - n * interval '30 minutes'
FROM generate_series(1, %(jobs)s) AS n
CROSS JOIN (SELECT tenant_id AS t, array_agg(id ORDER BY id) AS ids FROM customers GROUP BY tenant_id) AS c;

INSERT INTO lead_status_history (tenant_id, lead_id, to_status, changed_by, created_at)
SELECT l.tenant_id, l.id, l.status, l.assigned_user_id, l.created_at
FROM leads AS l
WHERE l.scraped_at < l.created_at;

INSERT INTO response_approvals (
    tenant_id, lead_id, subject, status, requested_by, decided_by, decided_at, created_at
)
SELECT
    l.tenant_id, l.id, 'large', s.status, l.assigned_user_id,
    CASE WHEN s.status <> 'pending' THEN l.assigned_user_id END,
    CASE WHEN s.status <> 'pending' THEN l.created_at + interval '1 hour' END,
    l.created_at
FROM leads AS l
CROSS JOIN LATERAL (SELECT CASE l.id %% 50
    WHEN 0 THEN 'pending' WHEN 1 THEN 'rejected' WHEN 2 THEN 'changes_requested' ELSE 'approved' END AS status) AS s
WHERE l.scraped_at < l.created_at AND l.email LIKE '%%@leads.example';

INSERT INTO approval_queue (tenant_id, approval_id, status, assigned_user_id, due_at, left_at)
SELECT
    a.tenant_id, a.id, CASE a.status WHEN 'pending' THEN 'waiting' ELSE 'done' END, a.requested_by, a.created_at,
    a.decided_at
FROM response_approvals AS a
WHERE a.subject = 'large';

INSERT INTO approval_history (tenant_id, approval_request_id, action, to_status, acted_by, created_at)
SELECT a.tenant_id, a.id, 'request', 'pending', a.requested_by, a.created_at
FROM response_approvals AS a
WHERE a.subject = 'large';

INSERT INTO auto_responses (tenant_id, lead_id, approval_id, subject, status, created_at)
SELECT
    a.tenant_id, CASE WHEN a.id %% 10 = 0 THEN 5 ELSE a.lead_id END, a.id, 'large',
    (ARRAY['sent', 'sent', 'sent', 'sent', 'sent', 'failed', 'queued', 'cancelled'])[1 + a.id / 50 %% 8], a.created_at
FROM response_approvals AS a
WHERE a.subject = 'large' AND a.tenant_id = %(alpha)s;

INSERT INTO campaigns (tenant_id, name, status, created_at)
SELECT
    t, md5(n::text),
    CASE n %% 50 WHEN 0 THEN 'running' WHEN 1 THEN 'scheduled' WHEN 2 THEN 'paused' ELSE 'completed' END,
    now() - n * interval '1 hour'
FROM generate_series(1, 4000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 1000;

-- The first campaign has one in four of all recipients.
INSERT INTO campaign_recipients (tenant_id, campaign_id, lead_id, address, status, created_at)
SELECT
    l.tenant_id, c.ids[CASE WHEN l.id %% 4 = 0 THEN 1 ELSE 2 + l.id %% 900 END], l.id, md5(l.id::text),
    CASE l.id / 4 %% 40 WHEN 0 THEN 'clicked' WHEN 1 THEN 'opened' WHEN 2 THEN 'bounced' ELSE 'sent' END, l.created_at
FROM leads AS l
JOIN (SELECT tenant_id, array_agg(id ORDER BY id) AS ids FROM campaigns GROUP BY tenant_id) AS c
    ON c.tenant_id = l.tenant_id;

INSERT INTO campaign_tracking_events (tenant_id, recipient_id, event_key, kind, occurred_at)
SELECT r.tenant_id, r.id, 'large ' || r.id || '/' || n, 'sent', r.created_at + n * interval '1 hour'
FROM campaign_recipients AS r CROSS JOIN generate_series(1, 2) AS n
WHERE r.external_id IS NULL;

INSERT INTO campaign_metrics (tenant_id, campaign_id, date, sent)
SELECT c.tenant_id, c.id, current_date - 10 - n, n
FROM campaigns AS c CROSS JOIN generate_series(1, 5) AS n
WHERE c.external_id IS NULL;

INSERT INTO suppressions (tenant_id, channel, address, reason, campaign_id, created_by, created_at)
SELECT
    c.tenant_id, CASE WHEN n %% 50 = 0 THEN 'sms' WHEN n %% 2 = 0 THEN 'phone' ELSE 'email' END,
    md5(n::text) || '@x.example', CASE WHEN n %% 50 = 0 THEN 'complained' ELSE 'bounced' END, c.ids[1 + n %% 900],
    (SELECT min(id) FROM users WHERE tenant_id = c.tenant_id), now() - n * interval '1 hour'
FROM (SELECT tenant_id, array_agg(id ORDER BY id) AS ids FROM campaigns GROUP BY tenant_id) AS c
CROSS JOIN generate_series(1, 5000) AS n
WHERE c.tenant_id = %(alpha)s OR n <= 1000;

INSERT INTO workflows (tenant_id, name, created_at)
SELECT t, md5(n::text), now() - n * interval '1 hour'
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO workflow_execution_monitoring (tenant_id, workflow_id, status, started_at, finished_at)
SELECT
    t, (SELECT min(id) FROM workflows WHERE tenant_id = t) + n %% 3, s.status, now() - n * interval '20 minutes',
    CASE WHEN s.status <> 'running' THEN now() - n * interval '19 minutes' END
FROM generate_series(1, %(jobs)s) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
CROSS JOIN LATERAL (SELECT CASE n %% 50
    WHEN 0 THEN 'running' WHEN 1 THEN 'failed' WHEN 2 THEN 'cancelled' ELSE 'completed' END AS status) AS s;

INSERT INTO workflow_alerts (tenant_id, workflow_id, message, status, acknowledged_at, created_at)
SELECT
    x.tenant_id, x.workflow_id, 'large', CASE x.status WHEN 'running' THEN 'open' ELSE 'acknowledged' END,
    x.finished_at, x.started_at
FROM workflow_execution_monitoring AS x
WHERE x.external_id IS NULL;
"""

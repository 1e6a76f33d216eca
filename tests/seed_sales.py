"""The leads, approvals, campaigns and workflows of the two small businesses."""

from __future__ import annotations

# As in tests/seed.py: %(word)s is in every text.
SEED_SALES = """
INSERT INTO leads (
    tenant_id, name, email, phone, source, category, status, customer_id, assigned_user_id, notes, external_id,
    scraped_at, created_at
)
SELECT
    %(tenant)s, %(word)s || ' lead ' || n, 'l' || n || '@' || %(word)s || '.example',
    '555-02' || lpad(n::text, 2, '0'), %(word)s || ' source', %(word)s || ' category',
    (ARRAY['unprocessed', 'new', 'contacted', 'qualified', 'won', 'lost'])[1 + n %% 6],
    CASE WHEN n %% 3 = 0 THEN (SELECT min(id) FROM customers WHERE tenant_id = %(tenant)s) + n %% 12 END,
    CASE WHEN n %% 4 = 0 THEN (SELECT min(id) FROM users WHERE tenant_id = %(tenant)s) END,
    %(word)s, %(word)s || n, now() - n * interval '2 days',
    -- Two of today: a new one and an unprocessed one.
    now() - n * CASE WHEN n IN (1, 6) THEN interval '3 seconds' ELSE interval '1 day' END
FROM generate_series(1, 29) AS n;

INSERT INTO lead_status_history (tenant_id, lead_id, from_status, to_status, changed_by, created_at)
SELECT
    %(tenant)s, l.id, CASE n WHEN 2 THEN 'unprocessed' END, CASE n WHEN 2 THEN l.status ELSE 'unprocessed' END,
    (SELECT min(id) FROM users WHERE tenant_id = %(tenant)s), l.created_at + n * interval '1 second'
FROM leads AS l
CROSS JOIN generate_series(1, 2) AS n
WHERE l.tenant_id = %(tenant)s AND (n = 1 OR l.status <> 'unprocessed');

INSERT INTO response_approvals (
    tenant_id, lead_id, subject, response, status, requested_by, decided_by, decided_at, external_id, created_at
)
SELECT
    %(tenant)s, l.id, %(word)s || ' answer ' || n, %(word)s, s.status, u.id,
    CASE WHEN s.status <> 'pending' THEN u.id END, CASE WHEN s.status <> 'pending' THEN now() END, %(word)s || n,
    now() - n * interval '5 hours'
FROM generate_series(1, 17) AS n
CROSS JOIN (SELECT min(id) AS id FROM users WHERE tenant_id = %(tenant)s) AS u
CROSS JOIN LATERAL (SELECT min(id) + n AS id FROM leads WHERE tenant_id = %(tenant)s) AS l
CROSS JOIN LATERAL (
    SELECT (ARRAY['pending', 'approved', 'rejected', 'changes_requested'])[1 + n %% 4] AS status
) AS s;

INSERT INTO approval_queue (tenant_id, approval_id, status, assigned_user_id, due_at, left_at)
SELECT
    a.tenant_id, a.id, CASE a.status WHEN 'pending' THEN 'waiting' ELSE 'done' END,
    CASE WHEN a.id %% 3 > 0 THEN a.requested_by END, a.created_at + interval '30 hours', a.decided_at
FROM response_approvals AS a
WHERE a.tenant_id = %(tenant)s;

INSERT INTO approval_history (
    tenant_id, approval_request_id, action, from_status, to_status, acted_by, comment, created_at
)
SELECT
    a.tenant_id, a.id, CASE n WHEN 1 THEN 'request' ELSE 'decide' END, CASE n WHEN 2 THEN 'pending' END,
    CASE n WHEN 1 THEN 'pending' ELSE a.status END, a.requested_by, %(word)s,
    CASE n WHEN 1 THEN a.created_at ELSE a.decided_at END
FROM response_approvals AS a
CROSS JOIN generate_series(1, 2) AS n
WHERE a.tenant_id = %(tenant)s AND (n = 1 OR a.status <> 'pending');

INSERT INTO auto_responses (tenant_id, lead_id, approval_id, subject, response, status, external_id, created_at)
SELECT
    a.tenant_id, a.lead_id, a.id, a.subject, a.response,
    (ARRAY['queued', 'sent', 'failed', 'cancelled'])[1 + (a.id / 4) %% 4], a.external_id, a.decided_at
FROM response_approvals AS a
WHERE a.tenant_id = %(tenant)s AND a.status = 'approved';

INSERT INTO campaigns (tenant_id, name, status, external_id, created_at)
SELECT
    %(tenant)s, %(word)s || ' campaign ' || n,
    (ARRAY['running', 'scheduled', 'draft', 'paused', 'completed', 'cancelled'])[1 + (n - 1) %% 6], %(word)s || n,
    now() - n * interval '1 day'
FROM generate_series(1, 13) AS n;

INSERT INTO campaign_recipients (
    tenant_id, campaign_id, lead_id, address, name, segment, status, kinds, external_id
)
SELECT
    c.tenant_id, c.id, (SELECT min(id) + n FROM leads WHERE tenant_id = %(tenant)s),
    'r' || n || '@' || %(word)s || '.example', %(word)s || ' recipient ' || n, %(word)s,
    (ARRAY['pending', 'sent', 'opened', 'clicked'])[1 + n %% 4],
    CASE WHEN n %% 4 = 0 THEN '{}'::text[] ELSE '{sent}' END, %(word)s || c.id || '/' || n
FROM campaigns AS c
CROSS JOIN generate_series(1, 7) AS n
WHERE c.tenant_id = %(tenant)s;

INSERT INTO campaign_tracking_events (tenant_id, recipient_id, event_key, kind, occurred_at)
SELECT r.tenant_id, r.id, %(word)s || r.id || '/' || n, 'sent', now() - n * interval '1 hour'
FROM campaign_recipients AS r
CROSS JOIN generate_series(1, 8) AS n
WHERE r.tenant_id = %(tenant)s AND r.status <> 'pending';

INSERT INTO campaign_event_keys (tenant_id, campaign_id, event_key)
SELECT e.tenant_id, r.campaign_id, e.event_key
FROM campaign_tracking_events AS e
JOIN campaign_recipients AS r ON r.tenant_id = e.tenant_id AND r.id = e.recipient_id
WHERE e.tenant_id = %(tenant)s;

INSERT INTO suppressions (tenant_id, channel, address, reason, note, external_id)
SELECT
    %(tenant)s, (ARRAY['email', 'phone'])[1 + n %% 2],
    CASE n %% 2 WHEN 0 THEN 's' || n || '@' || %(word)s || '.example' ELSE '+49 30 1000' || n END,
    (ARRAY['unsubscribed', 'bounced', 'complained', 'manual'])[1 + n %% 4], %(word)s, %(word)s || n
FROM generate_series(1, 9) AS n;

INSERT INTO campaign_metrics (tenant_id, campaign_id, date, sent, sent_people)
SELECT
    r.tenant_id, r.campaign_id, local_day(e.occurred_at, t.time_zone), count(*),
    -- The eighth of each is the oldest.
    count(*) FILTER (WHERE e.event_key LIKE '%%/8')
FROM tenants AS t
JOIN campaign_recipients AS r ON r.tenant_id = t.id
JOIN campaign_tracking_events AS e ON e.tenant_id = r.tenant_id AND e.recipient_id = r.id
WHERE t.id = %(tenant)s
GROUP BY r.tenant_id, r.campaign_id, local_day(e.occurred_at, t.time_zone);

INSERT INTO workflows (tenant_id, name, description, external_id)
SELECT %(tenant)s, %(word)s || ' workflow ' || n, %(word)s, %(word)s || n
FROM generate_series(1, 3) AS n;

INSERT INTO workflow_execution_monitoring (
    tenant_id, workflow_id, status, step, error, started_at, finished_at, external_id
)
SELECT
    w.tenant_id, w.id, s.status, %(word)s || ' step', CASE s.status WHEN 'failed' THEN %(word)s END,
    now() - n * interval '7 hours', CASE WHEN s.status <> 'running' THEN now() - n * interval '6 hours' END,
    %(word)s || w.id || '/' || n
FROM workflows AS w
CROSS JOIN generate_series(1, 9) AS n
CROSS JOIN LATERAL (
    SELECT (ARRAY['running', 'completed', 'failed', 'cancelled'])[1 + n %% 4] AS status
) AS s
WHERE w.tenant_id = %(tenant)s;

INSERT INTO workflow_alerts (
    tenant_id, workflow_id, execution_id, message, status, acknowledged_by, acknowledged_at
)
SELECT
    x.tenant_id, x.workflow_id, x.id, %(word)s || ' failed',
    CASE x.id %% 2 WHEN 0 THEN 'open' ELSE 'acknowledged' END,
    CASE x.id %% 2 WHEN 1 THEN (SELECT min(id) FROM users WHERE tenant_id = %(tenant)s) END,
    CASE x.id %% 2 WHEN 1 THEN now() END
FROM workflow_execution_monitoring AS x
WHERE x.tenant_id = %(tenant)s AND x.status IN ('failed', 'cancelled');

INSERT INTO merges (tenant_id, kind, kept_id, merged_id, merged_by)
SELECT %(tenant)s, r.kind, r.ids[2], r.ids[3], u.id
FROM users AS u
CROSS JOIN (
    SELECT 'customers' AS kind, array_agg(id ORDER BY id) AS ids FROM customers WHERE tenant_id = %(tenant)s
    UNION ALL
    SELECT 'contacts', array_agg(id ORDER BY id) FROM contacts WHERE tenant_id = %(tenant)s
    UNION ALL
    SELECT 'leads', array_agg(id ORDER BY id) FROM leads WHERE tenant_id = %(tenant)s
) AS r
WHERE u.tenant_id = %(tenant)s AND u.role = 'admin';
"""

-- name: add_leads
-- writes: leads, lead_status_history
-- reads: customers, users
-- Leads of the last half year; the older one is, the further it got.
WITH people AS (
    SELECT array_agg(u.id ORDER BY u.id) AS ids
    FROM users AS u
    WHERE u.tenant_id = %(tenant_id)s
        AND u.role <> 'operator'
        AND u.is_active
),
buyers AS (
    SELECT array_agg(c.id ORDER BY c.id) AS ids
    FROM customers AS c
    WHERE c.tenant_id = %(tenant_id)s
),
drawn AS (
    SELECT
        n,
        %(last_day)s - 180 * (1 - pg_temp.chance(n, 'lead day')) AS place,
        pg_temp.chance(n, 'lead status') AS chance,
        (%(surnames)s::text[])[1 + (n * 7) %% cardinality(%(surnames)s::text[])] AS surname,
        (%(cities)s::text[])[1 + (n * 11) %% cardinality(%(cities)s::text[])] AS city
    FROM generate_series(1, %(leads)s) AS n
),
staged AS (
    SELECT
        d.n,
        d.place,
        d.surname,
        d.city,
        CASE
            WHEN d.place > %(last_day)s - 4 THEN 'unprocessed'
            WHEN d.chance < 0.10 THEN 'unprocessed'
            WHEN d.chance < 0.25 THEN 'new'
            WHEN d.chance < 0.45 THEN 'contacted'
            WHEN d.chance < 0.60 THEN 'qualified'
            WHEN d.chance < 0.75 THEN 'won'
            ELSE 'lost'
        END AS status
    FROM drawn AS d
),
made AS (
    INSERT INTO leads (
        tenant_id, name, email, phone, source, category, status, customer_id, assigned_user_id, scraped_at,
        processed_at, closed_at, claimable_at, external_id, created_at, updated_at
    )
    SELECT
        %(tenant_id)s,
        s.surname || ' ' || s.city,
        'lead' || s.n || '@' || %(slug)s || '.example',
        '555 ' || lpad((s.n * 37)::text, 6, '0'),
        (ARRAY['trade fair', 'web form', 'phone', 'recommendation'])[1 + s.n %% 4],
        (ARRAY['sheet metal', 'turned parts', 'welding', 'assembly', 'prototypes'])[1 + s.n %% 5],
        s.status,
        CASE WHEN s.status = 'won' THEN b.ids[1 + s.n %% cardinality(b.ids)] END,
        CASE WHEN s.status <> 'unprocessed' THEN p.ids[1 + s.n %% cardinality(p.ids)] END,
        pg_temp.clock(s.place),
        CASE WHEN s.status <> 'unprocessed' THEN pg_temp.clock(s.place + 1) END,
        CASE WHEN s.status IN ('won', 'lost') THEN pg_temp.clock(s.place + 3) END,
        pg_temp.clock(s.place),
        'demo-' || s.n,
        pg_temp.clock(s.place),
        pg_temp.clock(s.place + CASE s.status WHEN 'unprocessed' THEN 0 WHEN 'won' THEN 3 WHEN 'lost' THEN 3 ELSE 1 END)
    FROM staged AS s
    CROSS JOIN people AS p
    CROSS JOIN buyers AS b
    ORDER BY s.n
    RETURNING id, status, assigned_user_id, created_at, processed_at, closed_at
)
INSERT INTO lead_status_history (tenant_id, lead_id, from_status, to_status, changed_by, created_at)
SELECT
    %(tenant_id)s,
    m.id,
    h.from_status,
    h.to_status,
    CASE WHEN h.from_status IS NOT NULL THEN m.assigned_user_id END,
    h.at
FROM made AS m
CROSS JOIN LATERAL (
    VALUES
    (NULL, 'unprocessed', m.created_at),
    ('unprocessed', CASE WHEN m.closed_at IS NULL THEN m.status ELSE 'new' END, m.processed_at),
    ('new', m.status, m.closed_at)
) AS h (from_status, to_status, at)
WHERE h.at IS NOT NULL
ORDER BY
    h.at,
    m.id

-- name: add_approvals
-- writes: response_approvals, approval_queue, approval_history, auto_responses
-- reads: leads, users
-- Answers to leads that somebody looked at before they went out; those of the last days still wait.
WITH people AS (
    SELECT array_agg(u.id ORDER BY u.id) AS ids
    FROM users AS u
    WHERE u.tenant_id = %(tenant_id)s
        AND u.role <> 'operator'
        AND u.is_active
),
asked AS (
    SELECT
        l.id,
        l.name,
        l.processed_at AS at,
        row_number() OVER (ORDER BY l.id) AS n,
        CASE
            WHEN l.processed_at > pg_temp.clock(%(last_day)s - 12) THEN 'pending'
            WHEN pg_temp.chance(l.id, 'approval') < 0.7 THEN 'approved'
            WHEN pg_temp.chance(l.id, 'approval') < 0.9 THEN 'rejected'
            ELSE 'changes_requested'
        END AS status
    FROM leads AS l
    WHERE l.tenant_id = %(tenant_id)s
        AND l.status IN ('contacted', 'qualified', 'won')
),
made AS (
    INSERT INTO response_approvals (
        tenant_id, lead_id, subject, response, status, requested_by, decided_by, decided_at, created_at, updated_at
    )
    SELECT
        %(tenant_id)s,
        a.id,
        'Answer to ' || a.name,
        'Thank you for asking. We can make this; our offer follows within two days.',
        a.status,
        p.ids[1 + a.n %% cardinality(p.ids)],
        CASE WHEN a.status <> 'pending' THEN p.ids[1 + (a.n + 1) %% cardinality(p.ids)] END,
        CASE WHEN a.status <> 'pending' THEN a.at + interval '5 hours' END,
        a.at,
        a.at
    FROM asked AS a
    CROSS JOIN people AS p
    ORDER BY a.id
    RETURNING id, lead_id, subject, response, status, requested_by, decided_by, decided_at, created_at
),
queued AS (
    INSERT INTO approval_queue (
        tenant_id, approval_id, status, priority, assigned_user_id, due_at, entered_at, left_at, created_at,
        updated_at
    )
    SELECT
        %(tenant_id)s,
        m.id,
        CASE m.status WHEN 'pending' THEN 'waiting' ELSE 'done' END,
        (ARRAY['low', 'normal', 'normal', 'high'])[1 + m.id %% 4],
        CASE WHEN m.id %% 3 > 0 THEN m.decided_by END,
        m.created_at + interval '5 days',
        m.created_at,
        m.decided_at,
        m.created_at,
        m.created_at
    FROM made AS m
),
answered AS (
    INSERT INTO auto_responses (
        tenant_id, lead_id, approval_id, subject, response, status, sent_at, created_at, updated_at
    )
    SELECT
        %(tenant_id)s,
        m.lead_id,
        m.id,
        m.subject,
        m.response,
        'sent',
        m.decided_at,
        m.decided_at,
        m.decided_at
    FROM made AS m
    WHERE m.status = 'approved'
)
INSERT INTO approval_history (
    tenant_id, approval_request_id, action, from_status, to_status, acted_by, created_at
)
SELECT
    %(tenant_id)s,
    m.id,
    h.action,
    h.from_status,
    h.to_status,
    h.acted_by,
    h.at
FROM made AS m
CROSS JOIN LATERAL (
    VALUES
    ('request', NULL, 'pending', m.requested_by, m.created_at),
    (
        CASE m.status WHEN 'approved' THEN 'approve' WHEN 'rejected' THEN 'reject' ELSE 'request_changes' END,
        'pending',
        m.status,
        m.decided_by,
        m.decided_at
    )
) AS h (action, from_status, to_status, acted_by, at)
WHERE h.at IS NOT NULL
ORDER BY
    h.at,
    m.id

-- name: add_campaigns
-- writes: campaigns, campaign_recipients
-- reads: leads
-- A few campaigns to leads: one that runs, one that is planned, and those before.
WITH made AS (
    INSERT INTO campaigns (
        tenant_id, name, status, scheduled_at, started_at, completed_at, external_id, created_at, updated_at
    )
    SELECT
        %(tenant_id)s,
        c.name,
        c.status,
        pg_temp.clock(c.day),
        CASE WHEN c.status <> 'scheduled' THEN pg_temp.clock(c.day) END,
        CASE WHEN c.status = 'completed' THEN pg_temp.clock(c.day + 14) END,
        'demo-' || c.n,
        pg_temp.clock(c.day - 5),
        pg_temp.clock(c.day - 5)
    FROM (
        VALUES
        (1, 'Spring offers', 'completed', %(last_day)s - 120.0),
        (2, 'New laser cutter', 'completed', %(last_day)s - 60.0),
        (3, 'Short lead times', 'running', %(last_day)s - 6.0),
        (4, 'Trade fair invitation', 'scheduled', %(last_day)s - 1.0)
    ) AS c (n, name, status, day)
    ORDER BY c.n
    RETURNING id, started_at, created_at
)
INSERT INTO campaign_recipients (
    tenant_id, campaign_id, lead_id, address, name, segment, status, kinds, created_at, updated_at
)
SELECT
    %(tenant_id)s,
    m.id,
    l.id,
    l.email,
    l.name,
    l.category,
    s.status,
    CASE s.status
        WHEN 'pending' THEN '{}'::text []
        WHEN 'bounced' THEN '{bounced,sent}'
        WHEN 'delivered' THEN '{delivered,sent}'
        WHEN 'opened' THEN '{delivered,opened,sent}'
        WHEN 'clicked' THEN '{clicked,delivered,opened,sent}'
        ELSE '{delivered,sent,unsubscribed}'
    END,
    m.created_at,
    m.created_at
FROM made AS m
CROSS JOIN leads AS l
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN m.started_at IS NULL THEN 'pending'
        WHEN pg_temp.chance(l.id, 'mail' || m.id) < 0.05 THEN 'bounced'
        WHEN pg_temp.chance(l.id, 'mail' || m.id) < 0.60 THEN 'delivered'
        WHEN pg_temp.chance(l.id, 'mail' || m.id) < 0.85 THEN 'opened'
        WHEN pg_temp.chance(l.id, 'mail' || m.id) < 0.98 THEN 'clicked'
        ELSE 'unsubscribed'
    END AS status
) AS s
WHERE l.tenant_id = %(tenant_id)s
    AND l.created_at < m.created_at
    -- Whose message of an earlier campaign came back, or who unsubscribed, gets no other.
    AND NOT EXISTS (
        SELECT
        FROM made AS e
        WHERE e.created_at < m.created_at
            AND e.created_at > l.created_at
            AND (pg_temp.chance(l.id, 'mail' || e.id) < 0.05 OR pg_temp.chance(l.id, 'mail' || e.id) >= 0.98)
    )
ORDER BY
    m.id,
    l.id

-- name: add_campaign_events
-- writes: campaign_tracking_events, campaign_event_keys, campaign_metrics
-- reads: campaigns, campaign_recipients
-- The events of each message up to its recipient's status, and the numbers by day.
WITH steps AS (
    SELECT
        r.id AS recipient_id,
        r.campaign_id,
        s.kind,
        c.started_at + s.hours * interval '1 hour' AS at
    FROM campaigns AS c
    JOIN campaign_recipients AS r ON r.tenant_id = %(tenant_id)s AND r.campaign_id = c.id
    CROSS JOIN LATERAL (
        VALUES
        ('sent', 0, true),
        ('bounced', 1, r.status = 'bounced'),
        ('delivered', 1, r.status <> 'bounced'),
        ('opened', 2 + r.id %% 40, r.status IN ('opened', 'clicked')),
        ('clicked', 3 + r.id %% 40, r.status = 'clicked'),
        ('unsubscribed', 4 + r.id %% 40, r.status = 'unsubscribed')
    ) AS s (kind, hours, happened)
    WHERE c.tenant_id = %(tenant_id)s
        AND c.started_at IS NOT NULL
        AND s.happened
),
stored AS (
    INSERT INTO campaign_tracking_events (tenant_id, recipient_id, event_key, kind, occurred_at, created_at)
    SELECT
        %(tenant_id)s,
        s.recipient_id,
        'demo-' || s.recipient_id || '-' || s.kind,
        s.kind,
        s.at,
        s.at
    FROM steps AS s
    ORDER BY
        s.at,
        s.recipient_id
),
known AS (
    INSERT INTO campaign_event_keys (tenant_id, campaign_id, event_key, created_at)
    SELECT
        %(tenant_id)s,
        s.campaign_id,
        'demo-' || s.recipient_id || '-' || s.kind,
        s.at
    FROM steps AS s
)
INSERT INTO campaign_metrics (
    tenant_id, campaign_id, date, sent, delivered, opened, clicked, bounced, unsubscribed,
    sent_people, delivered_people, opened_people, clicked_people, bounced_people, unsubscribed_people, created_at,
    updated_at
)
SELECT
    %(tenant_id)s,
    s.campaign_id,
    local_day(s.at, %(time_zone)s),
    count(*) FILTER (WHERE s.kind = 'sent'),
    count(*) FILTER (WHERE s.kind = 'delivered'),
    count(*) FILTER (WHERE s.kind = 'opened'),
    count(*) FILTER (WHERE s.kind = 'clicked'),
    count(*) FILTER (WHERE s.kind = 'bounced'),
    count(*) FILTER (WHERE s.kind = 'unsubscribed'),
    -- The demo has one event of a kind for each.
    count(*) FILTER (WHERE s.kind = 'sent'),
    count(*) FILTER (WHERE s.kind = 'delivered'),
    count(*) FILTER (WHERE s.kind = 'opened'),
    count(*) FILTER (WHERE s.kind = 'clicked'),
    count(*) FILTER (WHERE s.kind = 'bounced'),
    count(*) FILTER (WHERE s.kind = 'unsubscribed'),
    min(s.at),
    max(s.at)
FROM steps AS s
GROUP BY
    s.campaign_id,
    local_day(s.at, %(time_zone)s)

-- name: add_suppressions
-- writes: suppressions
-- reads: campaigns, campaign_recipients, customers
-- Suppressed addresses: bounced or unsubscribed ones, and two entered by hand.
INSERT INTO suppressions (tenant_id, channel, address, reason, note, campaign_id, created_by, created_at, updated_at)
SELECT
    %(tenant_id)s,
    c.channel,
    r.address,
    r.status,
    NULL,
    c.id,
    NULL,
    c.started_at + interval '2 days',
    c.started_at + interval '2 days'
FROM campaign_recipients AS r
JOIN campaigns AS c ON c.tenant_id = %(tenant_id)s AND c.id = r.campaign_id
WHERE r.tenant_id = %(tenant_id)s
    AND r.status IN ('bounced', 'unsubscribed')
UNION ALL
(
    SELECT
        %(tenant_id)s,
        'email',
        k.email,
        CASE k.id %% 2 WHEN 0 THEN 'complained' ELSE 'manual' END,
        CASE k.id %% 2 WHEN 0 THEN 'Asked by telephone why we write.' ELSE 'Wants letters only.' END,
        NULL,
        %(planner)s,
        pg_temp.clock(%(last_day)s - 30),
        pg_temp.clock(%(last_day)s - 30)
    FROM customers AS k
    WHERE k.tenant_id = %(tenant_id)s
        AND k.email IS NOT NULL
    ORDER BY k.id DESC
    LIMIT 2
)
ON CONFLICT (tenant_id, channel, address_search) DO NOTHING

-- name: add_workflows
-- writes: workflows, workflow_execution_monitoring, workflow_alerts
-- Workflows that run every few hours; now and then one fails and raises an alert.
WITH made AS (
    INSERT INTO workflows (tenant_id, name, created_at, updated_at)
    SELECT
        %(tenant_id)s,
        w.name,
        pg_temp.clock(0),
        pg_temp.clock(0)
    FROM unnest(ARRAY['Lead intake', 'Offer follow-up', 'Nightly import']) WITH ORDINALITY AS w (name, n)
    ORDER BY w.n
    RETURNING id
),
runs AS (
    INSERT INTO workflow_execution_monitoring (
        tenant_id, workflow_id, status, step, error, started_at, finished_at, created_at, updated_at
    )
    SELECT
        %(tenant_id)s,
        m.id,
        s.status,
        CASE s.status WHEN 'running' THEN 'send' ELSE 'done' END,
        CASE s.status WHEN 'failed' THEN 'The mail server did not answer.' END,
        pg_temp.clock(%(last_day)s - n / 4.0 - 0.01),
        CASE WHEN s.status <> 'running' THEN pg_temp.clock(%(last_day)s - n / 4.0) END,
        pg_temp.clock(%(last_day)s - n / 4.0 - 0.01),
        pg_temp.clock(%(last_day)s - n / 4.0)
    FROM made AS m
    CROSS JOIN generate_series(0, 239) AS n
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN n = 0 THEN 'running'
            WHEN pg_temp.chance(m.id * 1000 + n, 'workflow') < 0.04 THEN 'failed'
            ELSE 'completed'
        END AS status
    ) AS s
    ORDER BY
        n DESC,
        m.id
    RETURNING id, workflow_id, status, error, finished_at
)
INSERT INTO workflow_alerts (
    tenant_id, workflow_id, execution_id, severity, message, status, acknowledged_at, created_at, updated_at
)
SELECT
    %(tenant_id)s,
    r.workflow_id,
    r.id,
    'critical',
    r.error,
    CASE WHEN r.finished_at > pg_temp.clock(%(last_day)s - 7) THEN 'open' ELSE 'acknowledged' END,
    CASE WHEN r.finished_at > pg_temp.clock(%(last_day)s - 7) THEN NULL ELSE r.finished_at + interval '1 hour' END,
    r.finished_at,
    r.finished_at
FROM runs AS r
WHERE r.status = 'failed'
ORDER BY r.id

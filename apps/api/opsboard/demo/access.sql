-- name: add_access
-- writes: users, password_links
-- A program that has an account, and somebody who was invited and has not set a password yet.
WITH added AS (
    INSERT INTO users (tenant_id, email, full_name, role, is_service, created_at, updated_at)
    SELECT
        %(tenant_id)s,
        p.local_part || '@' || %(slug)s || '.example',
        p.full_name,
        p.role,
        p.is_service,
        %(moment)s,
        %(moment)s
    FROM (
        VALUES
        ('label.printer', 'Label printer', 'operator', true),
        ('robin.vale', 'Robin Vale', 'manager', false)
    ) AS p (local_part, full_name, role, is_service)
    RETURNING id, is_service
)
INSERT INTO password_links (tenant_id, user_id, kind, created_by, created_at, expires_at)
SELECT
    %(tenant_id)s,
    a.id,
    'invitation',
    %(planner)s,
    %(moment)s,
    %(moment)s + interval '7 days'
FROM added AS a
WHERE NOT a.is_service

-- name: add_webhooks
-- writes: webhooks, deliveries
-- A webhook that is paused, because its receiver does not exist, and what was sent to it.
WITH added AS (
    INSERT INTO webhooks (
        tenant_id, url, description, events, is_active, secret_id, created_by, created_at, updated_at
    )
    VALUES (
        %(tenant_id)s,
        'https://erp.' || %(slug)s || '.example/hooks/opsboard',
        'ERP',
        ARRAY['job.created', 'job.status_changed', 'machine_stop.started'],
        false,
        'demo_' || %(slug)s,
        %(planner)s,
        %(moment)s::timestamptz - interval '20 days',
        %(moment)s::timestamptz - interval '1 day'
    )
    RETURNING id
)
INSERT INTO deliveries (
    tenant_id, webhook_id, event_id, event_type, subject, body, status, attempts, last_status, last_error, attempt_log,
    created_at, finished_at, expires_at
)
SELECT
    %(tenant_id)s,
    a.id,
    'evt_demo' || j.place,
    'job.status_changed',
    'job/' || j.id,
    json_build_object(
        'type', 'job.status_changed', 'id', 'evt_demo' || j.place, 'timestamp', j.at,
        'data', json_build_object('id', j.id, 'job_number', j.job_number, 'status', 'active'),
        'changes', json_build_object('status', json_build_array('draft', 'active'))
    )::text,
    CASE j.place WHEN 3 THEN 'failed' ELSE 'delivered' END,
    CASE j.place WHEN 3 THEN 18 ELSE 1 END,
    CASE j.place WHEN 3 THEN 503 ELSE 204 END,
    CASE j.place WHEN 3 THEN 'the receiver answered 503' END,
    jsonb_build_array(
        jsonb_build_object(
            'at', j.at,
            'milliseconds', 40 + j.place,
            'status', CASE j.place WHEN 3 THEN 503 ELSE 204 END,
            'error', CASE j.place WHEN 3 THEN 'the receiver answered 503' END,
            'response', NULL
        )
    ),
    j.at,
    j.at + CASE j.place WHEN 3 THEN interval '3 days' ELSE interval '1 second' END,
    j.at + interval '3 days'
FROM added AS a
CROSS JOIN (
    SELECT
        o.id,
        o.job_number,
        o.place,
        %(moment)s::timestamptz - o.place * interval '2 days' AS at
    FROM (
        SELECT
            k.id,
            k.job_number,
            row_number() OVER (ORDER BY k.id) AS place
        FROM jobs AS k
        WHERE k.tenant_id = %(tenant_id)s
        ORDER BY k.id
        LIMIT 8
    ) AS o
) AS j

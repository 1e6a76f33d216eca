-- fragment: delivery_members
        'id', d.id,
        'webhook', CASE WHEN w.id IS NOT NULL THEN json_build_object('id', w.id, 'url', w.url) END,
        'event_id', d.event_id,
        'event_type', d.event_type,
        'subject', d.subject,
        'status', d.status,
        'attempts', d.attempts,
        'next_attempt_at', CASE WHEN d.status = 'waiting' THEN d.due_at END,
        'last_status', d.last_status,
        'last_error', d.last_error,
        'replay_of', d.replay_of,
        'created_at', d.created_at,
        'finished_at', d.finished_at

-- fragment: delivery_columns
$1.id,
        $1.webhook_id,
        $1.event_id,
        $1.event_type,
        $1.subject,
        $1.body,
        $1.status,
        $1.attempts,
        $1.due_at,
        $1.last_status,
        $1.last_error,
        $1.replay_of,
        $1.created_at,
        $1.finished_at,
        $1.expires_at,
        $1.attempt_log

-- fragment: delivery_joins
LEFT JOIN webhooks AS w ON w.tenant_id = %(tenant_id)s AND w.id = d.webhook_id

-- name: list_deliveries
-- reads: deliveries, webhooks, tenants
-- from: deliveries AS d
-- filter webhook_id: d.webhook_id = %(webhook_id)s
-- filter status: d.status = ANY(%(status)s)
-- sort created_at: d.created_at | timestamptz
-- total : deliveries
-- total status: deliveries | c.label = ANY(%(status)s)
-- Deliveries of events and letters.
SELECT
    page.position,
    json_build_object(
        /* include delivery_members */
    ) AS item
FROM page
JOIN deliveries AS d ON d.tenant_id = %(tenant_id)s AND d.id = page.id
/* include delivery_joins */

-- fragment: delivery_document
json_build_object(
        /* include delivery_members */,
        'expires_at', d.expires_at,
        'body', d.body::json,
        'attempt_log', d.attempt_log
    )

-- name: get_delivery
-- reads: deliveries, webhooks
-- One delivery with what is sent and each attempt.
SELECT /* include delivery_document */::text
FROM deliveries AS d
/* include delivery_joins */
WHERE d.tenant_id = %(tenant_id)s
    AND d.id = %(delivery_id)s

-- name: ping_webhook
-- reads: webhooks
-- writes: deliveries, audit_logs
-- Put a ping for one webhook into the outbox, whatever events it wants.
WITH w AS (
    SELECT
        k.id,
        k.url,
        k.is_active
    FROM webhooks AS k
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = %(webhook_id)s
),
event AS MATERIALIZED (
    SELECT 'evt_' || gen_random_uuid() AS id
),
d AS (
    INSERT INTO deliveries (tenant_id, webhook_id, event_id, event_type, subject, body)
    SELECT
        %(tenant_id)s,
        w.id,
        e.id,
        'webhook.ping',
        'webhook/' || w.id,
        json_build_object(
            'type', 'webhook.ping', 'id', e.id, 'timestamp', now(), 'data', json_build_object('webhook_id', w.id)
        )::text
    FROM w
    CROSS JOIN event AS e
    WHERE w.is_active
    RETURNING *
),
/* include audited_create delivery d event_type */
SELECT
    CASE WHEN d.id IS NOT NULL THEN /* include delivery_document */::text END,
    d.id,
    CASE WHEN d.id IS NULL THEN 'conflict' END AS problem,
    CASE WHEN d.id IS NULL THEN 'This webhook is inactive.' END AS detail
FROM w
LEFT JOIN d ON d.webhook_id = w.id

-- name: replay_delivery
-- writes: deliveries, webhooks, audit_logs
-- Send again, as a delivery of its own with the id of the same event; one that waits is tried now instead.
WITH found AS (
    SELECT
        o.id,
        o.webhook_id,
        o.event_id,
        o.event_type,
        o.subject,
        o.body,
        o.status,
        k.is_active
    FROM deliveries AS o
    JOIN webhooks AS k ON k.tenant_id = %(tenant_id)s AND k.id = o.webhook_id
    WHERE o.tenant_id = %(tenant_id)s
        AND o.id = %(delivery_id)s
    FOR UPDATE OF o
),
added AS (
    INSERT INTO deliveries (tenant_id, webhook_id, event_id, event_type, subject, body, replay_of)
    SELECT
        %(tenant_id)s,
        f.webhook_id,
        f.event_id,
        f.event_type,
        f.subject,
        f.body,
        f.id
    FROM found AS f
    WHERE f.status <> 'waiting'
        AND f.is_active
    RETURNING *
),
hurried AS (
    UPDATE deliveries AS o
    SET due_at = CASE WHEN o.claimed_at IS NULL THEN now() ELSE o.due_at END
    FROM found AS f
    WHERE o.tenant_id = %(tenant_id)s
        AND o.id = f.id
        AND f.status = 'waiting'
        AND f.is_active
    RETURNING o.*
),
d AS (
    SELECT
        /* include delivery_columns a */
    FROM added AS a
    UNION ALL
    SELECT
        /* include delivery_columns h */
    FROM hurried AS h
),
awake AS (
    UPDATE webhooks AS k
    SET rests_until = '-infinity'
    FROM d
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = d.webhook_id
        AND k.rests_until > now()
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'replay',
        'delivery',
        f.id,
        '{}',
        %(request_id)s
    FROM found AS f
    WHERE f.is_active
)
SELECT
    CASE WHEN d.id IS NOT NULL THEN /* include delivery_document */::text END,
    d.id,
    CASE WHEN d.id IS NULL THEN 'conflict' END AS problem,
    CASE WHEN d.id IS NULL THEN 'This webhook is inactive.' END AS detail
FROM found AS f
LEFT JOIN d ON true
/* include delivery_joins */

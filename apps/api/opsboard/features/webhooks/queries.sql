-- constraint deliveries_webhook_fkey: There is no such webhook.

-- fragment: webhook_members
        'id', k.id,
        'url', k.url,
        'description', k.description,
        'events', k.events,
        'is_active', k.is_active,
        'is_failing', k.failures > 0,
        'secret_id', k.secret_id,
        'old_secret_until', CASE WHEN k.old_secret_until > now() THEN k.old_secret_until END,
        'created_by', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.full_name) END,
        'created_at', k.created_at,
        'updated_at', k.updated_at

-- fragment: webhook_joins
LEFT JOIN users AS c ON c.tenant_id = %(tenant_id)s AND c.id = k.created_by

-- name: list_webhooks
-- reads: webhooks, users
-- from: webhooks AS k
-- sort created_at: k.created_at | timestamptz
-- Webhooks of the business, without their secrets.
SELECT
    page.position,
    json_build_object(
        /* include webhook_members */
    ) AS item,
    CASE WHEN k.old_secret_until > now() THEN k.old_secret_until END AS changes_at
FROM page
JOIN webhooks AS k ON k.tenant_id = %(tenant_id)s AND k.id = page.id
/* include webhook_joins */

-- name: get_webhook
-- reads: webhooks, users
-- locks: webhooks AS k | k.tenant_id = %(tenant_id)s AND k.id = %(webhook_id)s
-- One webhook, without its secret.
SELECT json_build_object(
        /* include webhook_members */
)::text
FROM webhooks AS k
/* include webhook_joins */
WHERE k.tenant_id = %(tenant_id)s
    AND k.id = %(webhook_id)s

-- name: create_webhook
-- reads: users
-- writes: webhooks, audit_logs
-- Register a webhook.
WITH k AS (
    INSERT INTO webhooks (tenant_id, url, description, events, is_active, secret_id, created_by)
    VALUES (
        %(tenant_id)s,
        %(url)s,
        %(description)s,
        %(events)s::text[],
        %(is_active)s,
        %(secret_id)s,
        %(user_id)s
    )
    RETURNING *
),
/* include audited_create webhook k url */
SELECT
    json_build_object(
        /* include webhook_members */
    )::text,
    k.id,
    NULL AS problem,
    NULL AS detail
FROM k
/* include webhook_joins */

-- fragment: webhook_before
WITH before AS (
    SELECT
        k.id,
        k AS was
    FROM webhooks AS k
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = %(webhook_id)s
    FOR UPDATE
)

-- fragment: webhook_changed
SELECT
    json_build_object(
        /* include webhook_members */
    )::text,
    k.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS k
/* include webhook_joins */

-- name: update_webhook
-- reads: users
-- writes: webhooks, deliveries, audit_logs
-- Change a webhook. One that is given another address or made active again is tried at once with what waits for it.
/* include webhook_before */,
changed AS (
    UPDATE webhooks AS k
    SET
        url = n.url,
        description = n.description,
        events = n.events,
        is_active = n.is_active,
        failures = CASE WHEN (n.url, n.is_active) = ((b.was).url, (b.was).is_active) THEN k.failures ELSE 0 END,
        rests_until = CASE
            WHEN (n.url, n.is_active) = ((b.was).url, (b.was).is_active) THEN k.rests_until
            ELSE '-infinity'
        END
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s) AS n
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = b.id
    RETURNING k.*
),
hurried AS (
    UPDATE deliveries AS d
    SET due_at = now()
    FROM changed AS k
    JOIN before AS b ON b.id = k.id
    WHERE d.tenant_id = %(tenant_id)s
        AND d.lane = k.id
        AND d.status = 'waiting'
        AND d.claimed_at IS NULL
        AND d.due_at > now()
        AND (k.url, k.is_active) <> ((b.was).url, (b.was).is_active)
),
/* include audited_update webhook */
/* include webhook_changed */

-- name: rotate_secret
-- reads: users
-- writes: webhooks, audit_logs
-- Give a webhook another secret; for some hours deliveries are signed with the old one, too.
/* include webhook_before */,
changed AS (
    UPDATE webhooks AS k
    SET
        secret_id = %(secret_id)s,
        old_secret_id = CASE WHEN %(overlap_hours)s > 0 THEN (b.was).secret_id END,
        old_secret_until = CASE
            WHEN %(overlap_hours)s > 0
                THEN date_trunc('second', now(), 'UTC') + %(overlap_hours)s * interval '1 hour'
        END
    FROM before AS b
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = b.id
    RETURNING k.*
),
/* include audited_update webhook */
/* include webhook_changed */

-- name: remove_webhook
-- writes: webhooks, deliveries, audit_logs
-- Remove a webhook with its deliveries, also those that wait.
WITH k AS (
    DELETE FROM webhooks AS w
    WHERE w.tenant_id = %(tenant_id)s
        AND w.id = %(webhook_id)s
    RETURNING
        w.id, w.url
),
/* include audited_delete webhook k */
SELECT
    json_build_object('id', k.id, 'url', k.url)::text,
    k.id,
    NULL AS problem,
    NULL AS detail
FROM k

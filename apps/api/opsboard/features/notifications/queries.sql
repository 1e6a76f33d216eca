-- fragment: notification_members
        'id', n.id,
        'kind', n.kind,
        'title', n.title,
        'body', n.body,
        'link', n.link,
        'read_at', n.read_at,
        'own_fields', n.own_fields,
        'created_at', n.created_at

-- name: list_notifications
-- reads: notifications, tenants
-- from: notifications AS n
-- filter mine: n.user_id = %(user_id)s
-- filter unread: n.read_at IS NULL
-- sort created_at: n.created_at | timestamptz
-- total mine: notifications | c.day = '-infinity' AND c.subject = %(user_id)s
-- total mine,unread: notifications | c.day = '-infinity' AND c.subject = %(user_id)s AND c.label = 'unread'
-- The caller's own notifications.
SELECT
    page.position,
    json_build_object(
        /* include notification_members */
    ) AS item
FROM page
JOIN notifications AS n ON n.tenant_id = %(tenant_id)s AND n.id = page.id

-- name: unread
-- reads: notifications, tenants
-- The number of notifications the caller has not read.
SELECT json_build_object('unread', coalesce(sum(c.n), 0)::bigint, 'link', '/api/notifications?unread=true')::text
FROM rollup_counts(%(tenant_id)s, ARRAY['notifications']) AS c
WHERE c.day = '-infinity'
    AND c.subject = %(user_id)s
    AND c.label = 'unread'

-- name: mark_read
-- writes: notifications
-- Mark one notification of the caller read; marking it again changes nothing.
WITH changed AS (
    UPDATE notifications AS n
    SET read_at = coalesce(n.read_at, now())
    WHERE n.tenant_id = %(tenant_id)s
        AND n.user_id = %(user_id)s
        AND n.id = %(notification_id)s
    RETURNING n.id, n.kind, n.title, n.body, n.link, n.read_at, n.own_fields, n.created_at
)
SELECT
    json_build_object(
        /* include notification_members */
    )::text,
    n.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS n

-- name: mark_all_read
-- writes: notifications
-- Mark all notifications of the caller read.
WITH changed AS (
    UPDATE notifications AS n
    SET read_at = now()
    WHERE n.tenant_id = %(tenant_id)s
        AND n.user_id = %(user_id)s
        AND n.read_at IS NULL
    RETURNING n.id, n.read_at
)
SELECT
    json_build_object('marked', count(*), 'read_at', max(n.read_at))::text,
    NULL AS id,
    NULL AS problem,
    NULL AS detail
FROM changed AS n

-- name: mark_unread
-- writes: notifications
-- Undo marking read: those the caller marked read in one write have one time to the microsecond.
WITH changed AS (
    UPDATE notifications AS n
    SET read_at = NULL
    WHERE n.tenant_id = %(tenant_id)s
        AND n.user_id = %(user_id)s
        AND n.read_at = %(read_at)s
    RETURNING n.id
)
SELECT
    json_build_object('marked', count(*))::text,
    NULL AS id,
    NULL AS problem,
    NULL AS detail
FROM changed AS n

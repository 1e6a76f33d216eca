-- name: list_businesses
-- reads:
-- The businesses of which something is due to be sent; of all of them.
SELECT coalesce(array_agg(b.id), '{}')
FROM businesses_with_deliveries() AS b (id)

-- name: claim
-- reads: webhooks
-- writes: deliveries
-- Take what is due, a few of each webhook, and leave alone what another worker has taken. Nothing is taken while an
-- earlier delivery of its subject waits: until that one is tried again, the later one is not due either. `busy` has the
-- webhook of each attempt of this worker that is under way.
WITH lanes AS (
    SELECT
        w.id,
        w.url,
        w.secret_id,
        CASE WHEN w.old_secret_until > now() THEN w.old_secret_id END AS old_secret_id
    FROM webhooks AS w
    WHERE w.tenant_id = %(tenant_id)s
        AND w.is_active
        AND w.rests_until <= now()
    UNION ALL
    SELECT
        0,
        NULL,
        NULL,
        NULL
),
due AS MATERIALIZED (
    SELECT
        d.id,
        d.due_at,
        l.id AS lane,
        l.url,
        l.secret_id,
        l.old_secret_id,
        h.id AS blocked_by,
        h.due_at AS blocked_until,
        h.claimed_at IS NOT NULL AS is_under_way,
        %(each)s - b.attempts AS free
    FROM lanes AS l
    CROSS JOIN LATERAL (
        SELECT count(*) AS attempts
        FROM unnest(%(busy)s::bigint[]) AS u (lane)
        WHERE u.lane = l.id
    ) AS b
    CROSS JOIN LATERAL (
        SELECT
            o.id,
            o.lane,
            o.subject,
            o.due_at
        FROM deliveries AS o
        WHERE o.tenant_id = %(tenant_id)s
            AND o.lane = l.id
            AND o.status = 'waiting'
            AND o.due_at <= now()
        ORDER BY
            o.due_at,
            o.id
        LIMIT 50
        FOR UPDATE SKIP LOCKED
    ) AS d
    LEFT JOIN LATERAL (
        SELECT
            e.id,
            e.due_at,
            e.claimed_at
        FROM deliveries AS e
        WHERE e.tenant_id = %(tenant_id)s
            AND e.lane = d.lane
            AND e.subject = d.subject
            AND e.status = 'waiting'
            AND e.id < d.id
        ORDER BY e.id
        LIMIT 1
    ) AS h ON true
    WHERE b.attempts < %(each)s
),
put_off AS (
    UPDATE deliveries AS d
    SET due_at = u.blocked_until
    FROM due AS u
    WHERE d.tenant_id = %(tenant_id)s
        AND d.id = u.id
        AND u.blocked_until > now()
        AND NOT u.is_under_way
),
chosen AS (
    SELECT
        r.id,
        r.url,
        r.secret_id,
        r.old_secret_id
    FROM (
        SELECT
            u.id,
            u.due_at,
            u.url,
            u.secret_id,
            u.old_secret_id,
            u.free,
            row_number() OVER (PARTITION BY u.lane ORDER BY u.due_at, u.id) AS place
        FROM due AS u
        WHERE u.blocked_by IS NULL
    ) AS r
    WHERE r.place <= r.free
    ORDER BY
        r.due_at,
        r.id
    LIMIT %(most)s
),
claimed AS (
    UPDATE deliveries AS d
    SET
        claimed_at = now(),
        due_at = now() + %(lease)s * interval '1 second',
        attempts = d.attempts + 1
    FROM chosen AS c
    WHERE d.tenant_id = %(tenant_id)s
        AND d.id = c.id
    RETURNING
        d.id, d.lane, d.event_id, d.event_type, d.subject, d.body, d.attempts, d.created_at, c.url, c.secret_id,
        c.old_secret_id
)
SELECT coalesce(
    json_agg(
        json_build_object(
            'id', c.id,
            'lane', c.lane,
            'event_id', c.event_id,
            'event_type', c.event_type,
            'subject', c.subject,
            'body', c.body,
            'attempt', c.attempts,
            'created_at', c.created_at,
            'url', c.url,
            'secret_id', c.secret_id,
            'old_secret_id', c.old_secret_id
        )
        ORDER BY c.id
    ),
    '[]'
)::text
FROM claimed AS c

-- name: finish
-- writes: deliveries, webhooks
-- Note the outcome of an attempt. Waits grow fourfold from 5 seconds to 6 hours, and a fifth of each is left to chance;
-- the last attempt is made when the delivery expires. An attempt whose time had run out and that another worker has
-- repeated changes nothing any more.
WITH done AS (
    UPDATE deliveries AS d
    SET
        status = r.status,
        finished_at = CASE WHEN r.status <> 'waiting' THEN now() END,
        claimed_at = NULL,
        due_at = CASE
            WHEN r.status = 'waiting'
                THEN greatest(
                    least(
                        now() + least(5 * 4.0 ^ least(d.attempts - 1, 10), 21600)
                        * (0.9 + 0.2 * random()) * interval '1 second',
                        d.expires_at
                    ),
                    now() + interval '1 second'
                )
            ELSE now()
        END,
        last_status = %(response_status)s::integer,
        last_error = %(error)s::text,
        attempt_log = d.attempt_log || jsonb_build_array(
            jsonb_build_object(
                'at', d.claimed_at,
                'milliseconds', %(milliseconds)s::integer,
                'status', %(response_status)s::integer,
                'error', %(error)s::text,
                'response', %(response)s::text
            )
        )
    FROM (
        SELECT
            o.id,
            CASE
                WHEN %(is_delivered)s THEN 'delivered'
                WHEN %(is_final)s OR o.expires_at <= now() THEN 'failed'
                ELSE 'waiting'
            END AS status
        FROM deliveries AS o
        WHERE o.tenant_id = %(tenant_id)s
            AND o.id = %(delivery_id)s
            AND o.attempts = %(attempt)s
            AND o.status = 'waiting'
        FOR UPDATE
    ) AS r
    WHERE d.tenant_id = %(tenant_id)s
        AND d.id = r.id
    RETURNING d.id, d.webhook_id, d.lane, d.subject, d.status
),
next AS (
    UPDATE deliveries AS d
    SET due_at = now()
    FROM (
        SELECT n.id
        FROM done AS f
        CROSS JOIN LATERAL (
            SELECT o.id
            FROM deliveries AS o
            WHERE o.tenant_id = %(tenant_id)s
                AND o.lane = f.lane
                AND o.subject = f.subject
                AND o.status = 'waiting'
                AND o.id > f.id
            ORDER BY o.id
            LIMIT 1
            FOR UPDATE
        ) AS n
        WHERE f.status <> 'waiting'
    ) AS n
    WHERE d.tenant_id = %(tenant_id)s
        AND d.id = n.id
        AND d.claimed_at IS NULL
        AND d.due_at > now()
),
-- Of a receiver that does not answer, few deliveries are tried: it is left alone for up to a minute.
rested AS (
    UPDATE webhooks AS w
    SET
        failures = CASE WHEN %(is_delivered)s THEN 0 ELSE w.failures + 1 END,
        rests_until = CASE
            WHEN %(is_delivered)s THEN '-infinity'::timestamptz
            ELSE now() + least(2.0 ^ least(w.failures, 10) - 1, 60) * interval '1 second'
        END
    WHERE w.tenant_id = %(tenant_id)s
        -- A value, not a join, which a plan for any values makes by reading all webhooks.
        AND w.id = (SELECT f.webhook_id FROM done AS f)
        AND (w.failures > 0 OR NOT %(is_delivered)s)
)
SELECT f.status
FROM done AS f

-- name: list_due_digests
-- reads:
-- The businesses that want today's digest of the board and have none yet, with their day.
SELECT coalesce(json_agg(json_build_array(b.tenant_id, b.today)), '[]')::text
FROM businesses_without_digest(%(digest_hour)s) AS b

-- name: write_digest
-- reads: webhooks, tenants
-- writes: deliveries
-- Put the digest of a day into the outbox for each webhook that wants it and has none.
INSERT INTO deliveries (tenant_id, webhook_id, event_id, event_type, subject, body)
SELECT
    w.tenant_id,
    w.id,
    e.id,
    'board.digest',
    'board/' || %(today)s,
    json_build_object(
        'type', 'board.digest',
        'id', e.id,
        'timestamp', now(),
        'data', json_build_object('day', %(today)s, 'business', t.name, 'board', %(board)s::json)
    )::text
FROM webhooks AS w
JOIN tenants AS t ON t.id = w.tenant_id
CROSS JOIN (SELECT 'evt_' || gen_random_uuid() AS id) AS e
WHERE w.tenant_id = %(tenant_id)s
    AND w.is_active
    AND (w.events = '{}' OR 'board.digest' = ANY(w.events))
ON CONFLICT (tenant_id, lane, subject) WHERE event_type = 'board.digest' AND replay_of IS NULL DO NOTHING
RETURNING id

-- name: find_letter
-- reads: password_links, users, tenants
-- The person that an invitation or a reset link is for; none when the link has ended.
SELECT json_build_object(
    'email', u.email,
    'full_name', u.full_name,
    'business', t.name,
    'expires_at', k.expires_at
)::text
FROM password_links AS k
JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = k.user_id
JOIN tenants AS t ON t.id = k.tenant_id
WHERE k.tenant_id = %(tenant_id)s
    AND k.id = %(link_id)s
    AND k.used_at IS NULL
    AND k.revoked_at IS NULL
    AND k.expires_at > now()
    AND u.is_active

-- name: prune
-- writes: deliveries
-- Remove deliveries of all businesses that ended long ago; a batch of them.
SELECT prune_deliveries(%(most)s, %(days)s)

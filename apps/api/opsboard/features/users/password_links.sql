-- constraint password_links_open_key: Another link for this person was made at this moment; ask again.

-- fragment: link_members
        'id', k.id,
        'user_id', k.user_id,
        'kind', k.kind,
        'created_by', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'created_at', k.created_at,
        'expires_at', k.expires_at,
        'revoked_at', k.revoked_at

-- name: get_password_link
-- reads: password_links, users
-- locks: password_links AS k | k.tenant_id = %(tenant_id)s AND k.user_id = %(wanted_id)s AND k.used_at IS NULL AND k.revoked_at IS NULL
-- The link by which a person can set their password, without its token; none when it was used or revoked.
SELECT json_build_object(
        /* include link_members */
)::text
FROM password_links AS k
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = k.created_by
WHERE k.tenant_id = %(tenant_id)s
    AND k.user_id = %(wanted_id)s
    AND k.used_at IS NULL
    AND k.revoked_at IS NULL

-- name: create_password_link
-- reads: users
-- writes: password_links, audit_logs, deliveries
-- Make a link for a person, an invitation while they have no password; the one before it ends.
WITH person AS (
    SELECT
        p.id,
        p.password_hash IS NULL AS is_new,
        CASE
            WHEN p.is_service THEN 'A service account has no password; give it an API token.'
            WHEN NOT p.is_active THEN 'This person is inactive; reactivate them first.'
        END AS refusal
    FROM users AS p
    WHERE p.tenant_id = %(tenant_id)s
        AND p.id = %(wanted_id)s
    FOR NO KEY UPDATE
),
ended AS (
    UPDATE password_links AS o
    SET revoked_at = now()
    FROM person AS p
    WHERE o.tenant_id = %(tenant_id)s
        AND o.user_id = p.id
        AND o.used_at IS NULL
        AND o.revoked_at IS NULL
        AND p.refusal IS NULL
    RETURNING o.id
),
k AS (
    INSERT INTO password_links (tenant_id, user_id, kind, created_by, expires_at)
    SELECT
        %(tenant_id)s,
        p.id,
        CASE WHEN p.is_new THEN 'invitation' ELSE 'reset' END,
        %(user_id)s,
        date_trunc('second', now(), 'UTC') + %(expires_in_days)s * interval '24 hours'
    FROM person AS p
    -- The old one has ended before the new one is there.
    CROSS JOIN (SELECT count(*) AS number FROM ended) AS e
    WHERE p.refusal IS NULL
        AND e.number >= 0
    RETURNING id, user_id, kind, created_by, created_at, expires_at, revoked_at
),
/* include audited_create password_link k kind */,
/* include mailed_link */
SELECT
    CASE WHEN k.id IS NOT NULL THEN json_build_object(
        /* include link_members */
    )::text END,
    p.id,
    CASE WHEN k.id IS NULL THEN 'conflict' END AS problem,
    p.refusal AS detail
FROM person AS p
LEFT JOIN k ON k.user_id = p.id
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = k.created_by

-- name: revoke_password_link
-- reads: users
-- writes: password_links, audit_logs
-- End the link of a person before its time.
WITH before AS (
    SELECT
        k.id,
        k AS was
    FROM password_links AS k
    WHERE k.tenant_id = %(tenant_id)s
        AND k.user_id = %(wanted_id)s
        AND k.used_at IS NULL
        AND k.revoked_at IS NULL
    FOR UPDATE
),
changed AS (
    UPDATE password_links AS k
    SET revoked_at = now()
    FROM before AS b
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = b.id
    RETURNING k.*
),
/* include audited_update password_link */
SELECT
    json_build_object(
        /* include link_members */
    )::text,
    k.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS k
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = k.created_by

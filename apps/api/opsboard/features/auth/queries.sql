-- fragment: session_members
        'id', s.id,
        'device', s.device,
        'address', s.address,
        'created_at', s.created_at,
        'last_used_at', s.last_used_at,
        'expires_at', s.expires_at,
        'is_current', s.token_id = %(token_id)s

-- name: get_sessions
-- reads: sessions, users
-- The devices on which the caller is signed in, the latest use first.
SELECT json_build_object('items', coalesce(json_agg(json_build_object(
        /* include session_members */
) ORDER BY s.last_used_at DESC, s.id DESC), '[]'))::text
FROM sessions AS s
JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = s.user_id
WHERE s.tenant_id = %(tenant_id)s
    AND s.user_id = %(user_id)s
    AND s.token_version >= u.token_version
    AND s.expires_at > now()

-- name: get_session
-- reads: sessions
-- locks: sessions AS s | s.tenant_id = %(tenant_id)s AND s.user_id = %(user_id)s AND s.id = %(session_id)s
-- One place where the caller is signed in.
SELECT json_build_object(
        /* include session_members */
)::text
FROM sessions AS s
WHERE s.tenant_id = %(tenant_id)s
    AND s.user_id = %(user_id)s
    AND s.id = %(session_id)s

-- name: end_session
-- writes: sessions, revocations, audit_logs
-- Sign the caller out in one place, on every worker.
WITH s AS (
    DELETE FROM sessions AS d
    WHERE d.tenant_id = %(tenant_id)s
        AND d.user_id = %(user_id)s
        AND d.id = %(session_id)s
    RETURNING d.id, d.token_id, d.device, d.address, d.created_at, d.last_used_at, d.expires_at, d.ends_at
),
revoked AS (
    INSERT INTO revocations (tenant_id, user_id, token_id, expires_at)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        s.token_id,
        -- No token lasts longer than 7 days, and a revoked one is not renewed.
        least(s.ends_at, now() + interval '8 days')
    FROM s
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'sign_out',
        'user',
        %(user_id)s,
        jsonb_build_object('device', jsonb_build_array(s.device, NULL)),
        %(request_id)s
    FROM s
)
SELECT
    json_build_object(
        /* include session_members */
    )::text,
    s.id,
    NULL AS problem,
    NULL AS detail
FROM s

-- name: update_me
-- reads: tenants
-- writes: users, audit_logs
-- Change one's own name.
WITH before AS (
    SELECT
        u.id,
        u AS was
    FROM users AS u
    WHERE u.tenant_id = %(tenant_id)s
        AND u.id = %(user_id)s
    FOR NO KEY UPDATE
),
changed AS (
    UPDATE users AS u
    SET full_name = n.full_name
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    WHERE u.tenant_id = %(tenant_id)s
        AND u.id = b.id
    RETURNING u.*
),
/* include audited_update user */
SELECT
    json_build_object(
        'id', u.id,
        'email', u.email,
        'full_name', u.full_name,
        'role', u.role,
        'runs_service', u.role = 'admin'
            AND coalesce(%(runs_service)s::boolean, (SELECT count(*) = 1 FROM businesses_of_journeys())),
        'tenant', json_build_object(
            'id', t.id,
            'slug', t.slug,
            'name', t.name,
            'time_zone', t.time_zone,
            'as_of', t.as_of
        )
    )::text,
    u.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS u
JOIN tenants AS t ON t.id = u.tenant_id

-- fragment: token_members
        'id', k.id,
        'name', k.name,
        'hint', k.hint,
        'scopes', k.scopes,
        'areas', k.areas,
        'user', json_build_object('id', u.id, 'name', u.full_name),
        'created_by', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.full_name) END,
        'created_at', k.created_at,
        'expires_at', k.expires_at,
        'last_used_at', k.last_used_at,
        'revoked_at', k.revoked_at

-- fragment: token_joins
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = k.user_id
LEFT JOIN users AS c ON c.tenant_id = %(tenant_id)s AND c.id = k.created_by

-- name: list_tokens
-- reads: api_tokens, users
-- from: api_tokens AS k
-- filter of_user_id: k.user_id = %(of_user_id)s
-- sort created_at: k.created_at | timestamptz
-- API tokens without their secret part, ended ones too.
SELECT
    page.position,
    json_build_object(
        /* include token_members */
    ) AS item
FROM page
JOIN api_tokens AS k ON k.tenant_id = %(tenant_id)s AND k.id = page.id
/* include token_joins */

-- name: get_token
-- reads: api_tokens, users
-- locks: api_tokens AS k | k.tenant_id = %(tenant_id)s AND k.id = %(api_token_id)s
-- One API token without its secret part: one's own, for admins any.
SELECT json_build_object(
        /* include token_members */
)::text
FROM api_tokens AS k
/* include token_joins */
WHERE k.tenant_id = %(tenant_id)s
    AND k.id = %(api_token_id)s
    AND (k.user_id = %(user_id)s OR %(role)s = 'admin')

-- name: create_token
-- reads: users
-- writes: api_tokens, audit_logs
-- Make an API token for oneself, or as an admin for a service account.
WITH owner AS (
    SELECT
        o.id,
        CASE
            WHEN o.id <> %(user_id)s AND (NOT o.is_service OR %(role)s <> 'admin')
                THEN 'A token is for yourself or, if you are an admin, for a service account (user_id).'
            WHEN NOT o.is_active THEN 'This account is inactive (user_id).'
        END AS refusal
    FROM users AS o
    WHERE o.tenant_id = %(tenant_id)s
        AND o.id = %(of_user_id)s
),
k AS (
    INSERT INTO api_tokens (tenant_id, user_id, name, scopes, areas, hint, token_hash, created_by, expires_at)
    SELECT
        %(tenant_id)s,
        o.id,
        %(name)s,
        %(scopes)s::text[],
        %(areas)s::text[],
        %(hint)s,
        %(token_hash)s,
        %(user_id)s,
        date_trunc('second', now(), 'UTC') + %(expires_in_days)s * interval '24 hours'
    FROM owner AS o
    WHERE o.refusal IS NULL
    RETURNING id, user_id, name, scopes, areas, hint, created_by, created_at, expires_at, last_used_at, revoked_at
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'create',
        'api_token',
        k.id,
        jsonb_build_object(
            'name', jsonb_build_array(NULL, k.name),
            'user_id', jsonb_build_array(NULL, k.user_id),
            'scopes', jsonb_build_array(NULL, k.scopes),
            'areas', jsonb_build_array(NULL, k.areas),
            'hint', jsonb_build_array(NULL, k.hint)
        ),
        %(request_id)s
    FROM k
)
SELECT
    CASE WHEN k.id IS NOT NULL THEN json_build_object(
        /* include token_members */
    )::text END,
    k.id,
    CASE WHEN k.id IS NULL THEN 'conflict' END AS problem,
    coalesce(o.refusal, 'There is no such user (user_id).') AS detail
FROM (SELECT) AS one
LEFT JOIN owner AS o ON true
LEFT JOIN k ON true
/* include token_joins */

-- name: revoke_token
-- reads: users
-- writes: api_tokens, revocations, audit_logs
-- End an API token on every worker, one's own or, as an admin, any; one that was revoked before stays as it is.
WITH before AS (
    SELECT
        k.id,
        k AS was
    FROM api_tokens AS k
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = %(api_token_id)s
        AND (k.user_id = %(user_id)s OR %(role)s = 'admin')
    FOR UPDATE
),
changed AS (
    UPDATE api_tokens AS k
    SET revoked_at = coalesce((b.was).revoked_at, now())
    FROM before AS b
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = b.id
    RETURNING k.*
),
ended AS (
    INSERT INTO revocations (tenant_id, user_id, token_id, expires_at)
    SELECT
        %(tenant_id)s,
        k.user_id,
        k.hint,
        k.expires_at
    FROM changed AS k
),
/* include audited_update api_token */
SELECT
    json_build_object(
        /* include token_members */
    )::text,
    k.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS k
/* include token_joins */

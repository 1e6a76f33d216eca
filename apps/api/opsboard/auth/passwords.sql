-- name: find_password_link
-- reads: password_links, users, tenants
-- The person a link is for and its validity, for the holder of the link.
SELECT
    k.used_at IS NULL AND k.revoked_at IS NULL AND u.is_active AND NOT u.is_service,
    json_build_object(
        'kind', k.kind,
        'email', u.email,
        'full_name', u.full_name,
        'tenant', t.slug,
        'business_name', t.name,
        'expires_at', k.expires_at
    )::text
FROM password_links AS k
JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = k.user_id
JOIN tenants AS t ON t.id = %(tenant_id)s
WHERE k.tenant_id = %(tenant_id)s
    AND k.id = %(link_id)s

-- name: use_password_link
-- reads: tenants
-- writes: password_links, users, audit_logs, revocations
-- Set the password of the person a link is for and use the link up; no row when it was used, revoked or has expired
-- meanwhile. The person's sign-ins end on every worker.
WITH used AS (
    UPDATE password_links AS k
    SET used_at = now()
    FROM users AS u
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = %(link_id)s
        AND k.used_at IS NULL
        AND k.revoked_at IS NULL
        AND k.expires_at > now()
        AND u.tenant_id = %(tenant_id)s
        AND u.id = k.user_id
        AND u.is_active
        AND NOT u.is_service
    RETURNING k.user_id, k.kind
),
changed AS (
    UPDATE users AS u
    SET password_hash = %(password_hash)s
    FROM used AS k
    WHERE u.tenant_id = %(tenant_id)s
        AND u.id = k.user_id
    RETURNING u.id, u.email, k.kind
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        c.id,
        'password',
        'user',
        c.id,
        jsonb_build_object('link', jsonb_build_array(NULL, c.kind)),
        %(request_id)s
    FROM changed AS c
)
SELECT json_build_object('email', c.email, 'tenant', t.slug)::text
FROM changed AS c
JOIN tenants AS t ON t.id = %(tenant_id)s

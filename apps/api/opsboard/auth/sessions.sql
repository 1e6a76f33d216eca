-- name: begin_session
-- writes: sessions
-- Note where somebody signed in; what ended of theirs before today is cleared away on the same occasion.
WITH expired AS (
    DELETE FROM sessions AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.user_id = %(user_id)s
        AND s.expires_at < now() - interval '1 day'
)
INSERT INTO sessions (tenant_id, user_id, token_id, token_version, device, address, expires_at, ends_at)
VALUES (
    %(tenant_id)s,
    %(user_id)s,
    %(token_id)s,
    %(token_version)s,
    %(device)s,
    %(address)s,
    to_timestamp(%(expires_at)s),
    to_timestamp(%(ends_at)s)
)
RETURNING id

-- name: end_others
-- writes: users, sessions, revocations, audit_logs
-- End all sign-ins of a user but the one that asks, which goes on with a token of the new version.
WITH changed AS (
    UPDATE users AS u
    SET token_version = u.token_version + 1
    WHERE u.tenant_id = %(tenant_id)s
        AND u.id = %(user_id)s
    RETURNING u.id, u.token_version
),
revoked AS (
    INSERT INTO revocations (tenant_id, user_id, below_version, expires_at)
    SELECT
        %(tenant_id)s,
        c.id,
        c.token_version,
        now() + interval '8 days'
    FROM changed AS c
),
/* include others_ended */,
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, request_id)
    SELECT
        %(tenant_id)s,
        c.id,
        'sign_out_others',
        'user',
        c.id,
        %(request_id)s
    FROM changed AS c
)
SELECT c.token_version
FROM changed AS c

-- fragment: others_ended
kept AS (
    UPDATE sessions AS s
    SET token_version = c.token_version
    FROM changed AS c
    WHERE s.tenant_id = %(tenant_id)s
        AND s.token_id = %(token_id)s
),
ended AS (
    DELETE FROM sessions AS s
    USING changed AS c
    WHERE s.tenant_id = %(tenant_id)s
        AND s.user_id = c.id
        AND s.token_id <> %(token_id)s
)

-- name: get_password
-- reads: users, tenants
-- The hash of a user's password, and the names it must not be made of.
SELECT
    u.password_hash,
    u.email,
    u.full_name,
    t.slug,
    t.name
FROM users AS u
JOIN tenants AS t ON t.id = %(tenant_id)s
WHERE u.tenant_id = %(tenant_id)s
    AND u.id = %(user_id)s

-- name: change_password
-- writes: users, sessions, revocations, password_links, audit_logs
-- Set another password, if it is still the one that was checked; all other sign-ins end.
WITH changed AS (
    UPDATE users AS u
    SET password_hash = %(password_hash)s
    WHERE u.tenant_id = %(tenant_id)s
        AND u.id = %(user_id)s
        AND u.password_hash = %(old_hash)s
    RETURNING u.id, u.token_version
),
/* include others_ended */,
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, request_id)
    SELECT
        %(tenant_id)s,
        c.id,
        'password',
        'user',
        c.id,
        %(request_id)s
    FROM changed AS c
)
SELECT c.token_version
FROM changed AS c

-- name: note_uses
-- writes: sessions, api_tokens
-- Note that sign-ins and tokens of a business were used since this was last noted, and until when a renewed one is valid.
WITH uses AS (
    SELECT
        n.token_id,
        n.expires_at
    FROM jsonb_to_recordset(%(uses)s::jsonb) AS n (token_id text, expires_at float8)
),
used_sessions AS (
    UPDATE sessions AS s
    SET
        last_used_at = now(),
        expires_at = greatest(s.expires_at, to_timestamp(n.expires_at))
    FROM uses AS n
    WHERE s.tenant_id = %(tenant_id)s
        AND s.token_id = n.token_id
    RETURNING s.id
),
used_tokens AS (
    UPDATE api_tokens AS k
    SET last_used_at = now()
    FROM uses AS n
    WHERE k.tenant_id = %(tenant_id)s
        AND k.hint = n.token_id
    RETURNING k.id
)
SELECT (SELECT count(*) FROM used_sessions AS s) + (SELECT count(*) FROM used_tokens AS k)

-- name: find_api_token
-- reads: api_tokens, users
-- The user an API token speaks for, with their present role and the token's scopes and areas; no row when it has ended.
SELECT
    u.id,
    u.role,
    u.token_version,
    k.scopes,
    extract(epoch FROM k.expires_at)::float8,
    k.areas
FROM api_tokens AS k
JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = k.user_id
WHERE k.tenant_id = %(tenant_id)s
    AND k.hint = %(hint)s
    AND k.token_hash = %(token_hash)s
    AND k.revoked_at IS NULL
    AND k.expires_at > now()
    AND u.is_active

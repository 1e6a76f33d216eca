-- name: find_accounts
-- reads: users, tenants
-- The accounts of one e-mail address, in whichever business; runs before anybody is known.
WITH accounts AS (
    SELECT
        u.id,
        u.tenant_id,
        u.role,
        u.is_active,
        u.password_hash,
        u.token_version
    FROM users AS u
    WHERE u.email_search = address_form(%(login_email)s)
    LIMIT 20
)
SELECT coalesce(json_agg(json_build_object(
    'user_id', a.id,
    'tenant_id', a.tenant_id,
    'role', a.role,
    'is_active', a.is_active,
    'password_hash', a.password_hash,
    'token_version', a.token_version,
    -- Visible only when the caller named this business.
    'tenant_named', EXISTS (SELECT FROM tenants AS t WHERE t.id = a.tenant_id)
)), '[]')::text
FROM accounts AS a

-- name: get_me
-- reads: users, tenants
-- locks: users AS u | u.tenant_id = %(tenant_id)s AND u.id = %(user_id)s
-- The signed-in user and their business.
SELECT json_build_object(
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
)::text
FROM users AS u
JOIN tenants AS t ON t.id = u.tenant_id
WHERE u.tenant_id = %(tenant_id)s
    AND u.id = %(user_id)s

-- name: revoke_token
-- writes: revocations, sessions
-- End one session on every worker. What expired long ago is cleared away on the same occasion.
WITH session AS (
    DELETE FROM sessions AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.token_id = %(token_id)s
),
expired AS (
    DELETE FROM revocations AS r
    WHERE r.tenant_id = %(tenant_id)s
        AND r.expires_at < now() - interval '1 day'
)
INSERT INTO revocations (tenant_id, user_id, token_id, expires_at)
VALUES (%(tenant_id)s, %(user_id)s, %(token_id)s, to_timestamp(%(expires_at)s))
RETURNING id

-- name: check_token
-- reads: users, revocations
-- Tells if a token is still good: for a worker that has not heard of revocations lately.
SELECT
    u.is_active
    AND u.role = %(role)s
    AND u.token_version <= %(token_version)s
    AND NOT EXISTS (
        SELECT
        FROM revocations AS r
        WHERE r.tenant_id = %(tenant_id)s
            AND r.user_id = %(user_id)s
            AND r.token_id = %(token_id)s
    )
FROM users AS u
WHERE u.tenant_id = %(tenant_id)s
    AND u.id = %(user_id)s

-- name: begin_attempt
-- reads: sign_in_attempts
-- writes: sign_in_attempts
-- Count an attempt to sign in, unless there have been too many. Whether it may go on, seconds until the count begins anew,
-- and whether it is the first to be refused. The row is locked while it is counted, so that the limit is exact. What was
-- counted before the account was unlocked ends no later than the mark of that.
WITH known AS (
    SELECT a.failures
    FROM sign_in_attempts AS a
    WHERE a.key = %(account)s
        AND a.ends_at > clock_timestamp()
),
unlocked AS (
    SELECT max(a.ends_at) AS ends_at
    FROM sign_in_attempts AS a
    WHERE a.key = %(unlocked)s
),
limits AS (
    SELECT CASE
        WHEN coalesce((SELECT k.failures FROM known AS k), 0) >= %(spread)s::integer THEN %(fewer)s::integer
        ELSE %(most)s::integer
    END AS most
),
counted AS (
    INSERT INTO sign_in_attempts AS a (key, failures, ends_at)
    VALUES (%(place)s, 1, clock_timestamp() + make_interval(secs => %(window)s::float8))
    ON CONFLICT (key) DO UPDATE SET
        failures = CASE
            WHEN a.ends_at <= greatest(clock_timestamp(), (SELECT u.ends_at FROM unlocked AS u)) THEN 1
            ELSE least(a.failures, 1000000) + 1
        END,
        ends_at = CASE
            WHEN a.ends_at <= greatest(clock_timestamp(), (SELECT u.ends_at FROM unlocked AS u)) THEN excluded.ends_at
            ELSE a.ends_at
        END,
        is_refused = a.ends_at > greatest(clock_timestamp(), (SELECT u.ends_at FROM unlocked AS u))
        AND a.failures > (SELECT l.most FROM limits AS l)
    RETURNING
        a.failures,
        a.ends_at,
        a.is_refused
)
SELECT
    c.failures <= l.most,
    extract(epoch FROM c.ends_at - clock_timestamp())::float8,
    c.failures > l.most AND NOT c.is_refused
FROM counted AS c
CROSS JOIN limits AS l

-- name: count_failure
-- writes: sign_in_attempts
-- Count a wrong password of an account, wherever it came from.
INSERT INTO sign_in_attempts AS a (key, failures, ends_at)
VALUES (%(account)s, 1, clock_timestamp() + make_interval(secs => %(window)s::float8))
ON CONFLICT (key) DO UPDATE SET
    failures = CASE WHEN a.ends_at <= clock_timestamp() THEN 1 ELSE least(a.failures, 1000000) + 1 END,
    ends_at = CASE WHEN a.ends_at <= clock_timestamp() THEN excluded.ends_at ELSE a.ends_at END
RETURNING a.failures

-- name: unlock_account
-- writes: sign_in_attempts
-- Forget the wrong passwords of an account, wherever they came from: what was counted until now does not count.
WITH forgotten AS (
    DELETE FROM sign_in_attempts AS a
    WHERE a.key = %(account)s
)
INSERT INTO sign_in_attempts AS a (key, failures, ends_at)
VALUES (%(unlocked)s, 0, clock_timestamp() + make_interval(secs => %(window)s::float8))
ON CONFLICT (key) DO UPDATE SET ends_at = excluded.ends_at
RETURNING a.key

-- name: forget_attempt
-- writes: sign_in_attempts
-- Start a new count.
DELETE FROM sign_in_attempts AS a
WHERE a.key = %(place)s
RETURNING a.key

-- name: note_sign_in
-- writes: audit_logs
-- Record a sign-in, a failed one or a sign-out. The user is its entity, not a reference, so that users can be removed.
INSERT INTO audit_logs (tenant_id, action, entity, entity_id, changes, request_id)
VALUES (%(tenant_id)s, %(outcome)s, 'user', %(user_id)s, %(noted)s::jsonb, %(request_id)s)
RETURNING id

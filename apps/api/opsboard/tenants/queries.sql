-- name: list_time_zones
-- reads: pg_timezone_names
-- The names of all time zones the server knows; days and months are cut by it, so it must know them.
SELECT n.name
FROM pg_timezone_names AS n
WHERE n.name !~ '^(posix|right)/'
ORDER BY n.name

-- name: bind_new_tenant
-- reads: tenants
-- The id of a business that is about to be added, bound so that row security lets it in.
SELECT set_config('app.tenant_id', nextval('tenants_id_seq')::text, true)

-- name: add_tenant
-- writes: tenants, audit_logs
-- The business and its first line in the audit log; no row when the slug is taken.
WITH added AS (
    INSERT INTO tenants (id, slug, name, time_zone)
    OVERRIDING SYSTEM VALUE
    VALUES (current_setting('app.tenant_id')::bigint, %(slug)s, %(name)s, %(time_zone)s)
    ON CONFLICT DO NOTHING
    RETURNING id, slug, name, time_zone
),
audited AS (
    INSERT INTO audit_logs (tenant_id, action, entity, entity_id, changes)
    SELECT
        a.id,
        'create',
        'tenant',
        a.id,
        jsonb_build_object(
            'slug', jsonb_build_array(NULL, a.slug),
            'name', jsonb_build_array(NULL, a.name),
            'time_zone', jsonb_build_array(NULL, a.time_zone)
        )
    FROM added AS a
)
SELECT a.id
FROM added AS a

-- name: bind_tenant
-- reads: tenants
-- Find a business by its slug, which row security shows to a caller that names it, and bind it.
SELECT set_config('app.tenant_slug', %(slug)s, true);
SELECT set_config('app.tenant_id', t.id::text, true)
FROM tenants AS t
WHERE t.slug = %(slug)s

-- name: show_tenant
-- reads: tenants, users
-- The business that is bound: its slug, name, time zone and how many people can sign in.
SELECT
    t.slug,
    t.name,
    t.time_zone,
    (
        SELECT count(*)
        FROM users AS u
        WHERE u.tenant_id = t.id
            AND u.is_active
            AND u.password_hash IS NOT NULL
    )
FROM tenants AS t
WHERE t.id = current_setting('app.tenant_id')::bigint

-- name: bind_tenant_id
-- reads:
-- Bind a business by its id.
SELECT set_config('app.tenant_id', %(tenant_id)s::text, true)

-- name: show_users
-- reads: users
-- Everybody of the business that is bound: active people first, by address.
SELECT
    u.id,
    u.email,
    u.role,
    CASE
        WHEN NOT u.is_active THEN 'deactivated'
        WHEN u.is_service THEN 'service account'
        WHEN u.password_hash IS NULL THEN 'no password yet'
        ELSE 'active'
    END,
    u.full_name
FROM users AS u
WHERE u.tenant_id = current_setting('app.tenant_id')::bigint
ORDER BY
    u.is_active DESC,
    u.email_search

-- name: find_user
-- reads: users
-- The user of an address and the address as it is stored; of two who had one address before the forms were made equal, the
-- one who is written just so.
SELECT
    u.id,
    u.email
FROM users AS u
WHERE u.tenant_id = current_setting('app.tenant_id')::bigint
    AND u.email_search = address_form(%(email)s)
ORDER BY
    u.email = %(email)s DESC,
    u.id
LIMIT 1

-- name: add_user
-- writes: users, audit_logs
-- Somebody who signs in; no row when the address is taken in this business.
WITH added AS (
    INSERT INTO users (tenant_id, email, full_name, role, password_hash)
    VALUES (
        current_setting('app.tenant_id')::bigint,
        %(email)s,
        %(full_name)s,
        %(role)s,
        %(password_hash)s
    )
    ON CONFLICT (tenant_id, email_search) WHERE NOT is_duplicate DO NOTHING
    RETURNING id, tenant_id, email, full_name, role
),
audited AS (
    INSERT INTO audit_logs (tenant_id, action, entity, entity_id, changes)
    SELECT
        a.tenant_id,
        'create',
        'user',
        a.id,
        jsonb_build_object(
            'email', jsonb_build_array(NULL, a.email),
            'full_name', jsonb_build_array(NULL, a.full_name),
            'role', jsonb_build_array(NULL, a.role)
        )
    FROM added AS a
)
SELECT a.id
FROM added AS a

-- name: set_password
-- writes: users, audit_logs
-- Give a user another password; their tokens end. No row when nobody has the address. Of two who had one address before
-- the forms were made equal, it is the one who is written just so.
WITH changed AS (
    UPDATE users AS u
    SET password_hash = %(password_hash)s
    WHERE u.tenant_id = current_setting('app.tenant_id')::bigint
        AND u.id = (
            SELECT s.id
            FROM users AS s
            WHERE s.tenant_id = current_setting('app.tenant_id')::bigint
                AND s.email_search = address_form(%(email)s)
            ORDER BY
                s.email = %(email)s DESC,
                s.id
            LIMIT 1
        )
    RETURNING u.id, u.tenant_id
),
audited AS (
    INSERT INTO audit_logs (tenant_id, action, entity, entity_id)
    SELECT
        c.tenant_id,
        'password',
        'user',
        c.id
    FROM changed AS c
)
SELECT c.id
FROM changed AS c

-- name: link_end
-- reads: password_links
-- When a link ends, in seconds since 1970.
SELECT extract(epoch FROM k.expires_at)::float8
FROM password_links AS k
WHERE k.tenant_id = current_setting('app.tenant_id')::bigint
    AND k.id = %(link_id)s

-- name: show_tokens
-- reads: api_tokens, users
-- The API tokens of the business that is bound and that have not ended, newest first.
SELECT
    k.id,
    k.name,
    u.email,
    array_to_string(k.scopes, ','),
    k.expires_at::date,
    coalesce(to_char(k.last_used_at, 'YYYY-MM-DD HH24:MI'), 'never'),
    k.hint
FROM api_tokens AS k
JOIN users AS u ON u.tenant_id = k.tenant_id AND u.id = k.user_id
WHERE k.tenant_id = current_setting('app.tenant_id')::bigint
    AND k.revoked_at IS NULL
    AND k.expires_at > now()
ORDER BY
    k.created_at DESC,
    k.id DESC

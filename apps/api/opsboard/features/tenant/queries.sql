-- fragment: tenant_members
        'id', t.id,
        'slug', t.slug,
        'name', t.name,
        'time_zone', t.time_zone,
        'as_of', t.as_of,
        'created_at', t.created_at

-- name: get_tenant
-- reads: tenants
-- locks: tenants AS t | t.id = %(tenant_id)s
-- The business of the caller.
SELECT json_build_object(
        /* include tenant_members */
)::text
FROM tenants AS t
WHERE t.id = %(tenant_id)s

-- name: update_tenant
-- writes: tenants, audit_logs
-- Change the name or the time zone of the business; another time zone makes its days other days.
WITH before AS (
    SELECT
        t.id,
        t AS was
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
    FOR UPDATE
),
-- Before the change: another time zone recounts everything, and the entry must have been counted by then.
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'tenant',
        b.id,
        changed_columns(to_jsonb(b.was), to_jsonb(n)),
        %(request_id)s
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    WHERE changed_columns(to_jsonb(b.was), to_jsonb(n)) <> '{}'
    RETURNING id
),
changed AS (
    UPDATE tenants AS t
    SET
        name = n.name,
        time_zone = n.time_zone
    FROM (SELECT count(*) AS entries FROM audited) AS a
    CROSS JOIN before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    WHERE t.id = %(tenant_id)s
        AND t.id = b.id
    RETURNING t.*
)
SELECT
    json_build_object(
        /* include tenant_members */
    )::text,
    t.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS t

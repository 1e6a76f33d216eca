-- constraint reasons_name_key: There is a reason of this kind with this name already.

-- fragment: reason_members
        'id', r.id,
        'kind', r.kind,
        'name', r.name,
        'description', r.description,
        'own_fields', r.own_fields,
        'created_at', r.created_at,
        'updated_at', r.updated_at

-- name: list_reasons
-- reads: reasons
-- from: reasons AS r
-- filter kind: r.kind = %(kind)s
-- filter q: r.name_search >= search_form(%(q)s) AND r.name_search < search_form(%(q)s) || chr(1114111)
-- sort name: r.name_search | text COLLATE "C"
-- Reasons by name.
SELECT
    page.position,
    json_build_object(
        /* include reason_members */
    ) AS item
FROM page
JOIN reasons AS r ON r.tenant_id = %(tenant_id)s AND r.id = page.id

-- name: get_reason
-- reads: reasons
-- locks: reasons AS r | r.tenant_id = %(tenant_id)s AND r.id = %(reason_id)s
-- One reason.
SELECT json_build_object(
        /* include reason_members */
)::text
FROM reasons AS r
WHERE r.tenant_id = %(tenant_id)s
    AND r.id = %(reason_id)s

-- name: create_reason
-- writes: reasons, audit_logs
-- Add a reason.
WITH r AS (
    INSERT INTO reasons (tenant_id, kind, name, description)
    VALUES (%(tenant_id)s, %(kind)s, %(name)s, %(description)s)
    RETURNING id, kind, name, description, own_fields, created_at, updated_at
),
/* include audited_create reason r name */
SELECT
    json_build_object(
        /* include reason_members */
    )::text,
    r.id,
    NULL AS problem,
    NULL AS detail
FROM r

-- name: update_reason
-- writes: reasons, audit_logs
-- Change a reason.
WITH before AS (
    SELECT
        r.id,
        r AS was
    FROM reasons AS r
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = %(reason_id)s
    FOR UPDATE
),
changed AS (
    UPDATE reasons AS r
    SET
        kind = n.kind,
        name = n.name,
        description = n.description
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = b.id
    RETURNING r.*
),
/* include audited_update reason */
SELECT
    json_build_object(
        /* include reason_members */
    )::text,
    r.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS r

-- name: remove_reason
-- writes: reasons, audit_logs
-- Remove a reason.
WITH gone AS (
    DELETE FROM reasons AS r
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = %(reason_id)s
    RETURNING r.id, r.kind, r.name
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'delete',
        'reason',
        g.id,
        jsonb_build_object('kind', jsonb_build_array(g.kind, NULL), 'name', jsonb_build_array(g.name, NULL)),
        %(request_id)s
    FROM gone AS g
)
SELECT
    json_build_object('id', g.id, 'kind', g.kind, 'name', g.name)::text,
    g.id,
    NULL AS problem,
    NULL AS detail
FROM gone AS g

-- constraint reasons_name_key: There is a reason of this kind with this name already.
-- constraint work_records_reject_reason_fkey: Work records have this reason.
-- constraint machine_stops_reason_fkey: Stops of machines have this reason.

-- fragment: is_reason_used
(
    EXISTS (
        SELECT
        FROM work_records AS k
        WHERE k.tenant_id = %(tenant_id)s
            AND k.reject_reason_id = %(reason_id)s
    )
    OR EXISTS (
        SELECT
        FROM machine_stops AS k
        WHERE k.tenant_id = %(tenant_id)s
            AND k.reason_id = %(reason_id)s
    )
)

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
-- reads: work_records, machine_stops
-- writes: reasons, audit_logs
-- Change a reason; records that have it show its new name. The kind of one that is in use stays.
WITH before AS (
    SELECT
        r.id,
        r AS was,
        n AS becomes,
        n.kind <> r.kind AND /* include is_reason_used */ AS is_refused
    FROM reasons AS r
    CROSS JOIN LATERAL jsonb_populate_record(r, %(patch)s::jsonb) AS n
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = %(reason_id)s
    FOR UPDATE OF r
),
changed AS (
    UPDATE reasons AS r
    SET
        kind = (b.becomes).kind,
        name = (b.becomes).name,
        description = (b.becomes).description
    FROM before AS b
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = b.id
        AND NOT b.is_refused
    RETURNING r.*
),
/* include audited_update reason */
SELECT
    CASE WHEN r.id IS NOT NULL THEN json_build_object(
        /* include reason_members */
    )::text END,
    b.id,
    CASE WHEN b.is_refused THEN 'conflict' END AS problem,
    'This reason is in use; its kind stays.' AS detail
FROM before AS b
LEFT JOIN changed AS r ON r.id = b.id

-- name: remove_reason
-- reads: work_records, machine_stops
-- writes: reasons, audit_logs
-- Remove a reason that nothing has.
WITH before AS (
    SELECT
        r.id,
        /* include is_reason_used */ AS is_used
    FROM reasons AS r
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = %(reason_id)s
    FOR UPDATE
),
gone AS (
    DELETE FROM reasons AS r
    USING before AS b
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = b.id
        AND NOT b.is_used
    RETURNING r.id, r.kind, r.name
),
/* include audited_delete reason gone */
SELECT
    CASE WHEN g.id IS NOT NULL THEN json_build_object('id', g.id, 'kind', g.kind, 'name', g.name)::text END,
    b.id,
    CASE WHEN b.is_used THEN 'conflict' END AS problem,
    'Work records or stops of machines have this reason. Rename it instead.' AS detail
FROM before AS b
LEFT JOIN gone AS g ON g.id = b.id

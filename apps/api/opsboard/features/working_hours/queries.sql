-- constraint working_hours_machine_fkey: There is no such machine (machine_id).
-- constraint working_hours_overlap: Another shift is at this time already; shifts of a week do not overlap.
-- constraint working_hours_length: A shift has a length; a whole day is from 00:00 to 24:00 (ends_at).

-- fragment: shift_members
        'id', w.id,
        'machine', (
            SELECT json_build_object('id', m.id, 'name', m.name)
            FROM machines AS m
            WHERE m.tenant_id = %(tenant_id)s
                AND m.id = w.machine_id
        ),
        'weekday', w.weekday,
        'starts_at', left(w.starts_at::text, 5),
        'ends_at', left(w.ends_at::text, 5),
        'created_at', w.created_at,
        'updated_at', w.updated_at

-- name: list_working_hours
-- reads: working_hours, machines
-- from: working_hours AS w
-- filter machine_id: w.machine_id = %(machine_id)s
-- filter of_business: w.machine_id IS NULL
-- sort week: w.starts_minute | integer
-- The shifts of a week.
SELECT
    page.position,
    json_build_object(
        /* include shift_members */
    ) AS item
FROM page
JOIN working_hours AS w ON w.tenant_id = %(tenant_id)s AND w.id = page.id

-- name: get_shift
-- reads: working_hours, machines
-- locks: working_hours AS w | w.tenant_id = %(tenant_id)s AND w.id = %(shift_id)s
-- One shift.
SELECT json_build_object(
        /* include shift_members */
)::text
FROM working_hours AS w
WHERE w.tenant_id = %(tenant_id)s
    AND w.id = %(shift_id)s

-- name: create_shift
-- reads: machines
-- writes: working_hours, audit_logs
-- Add a shift to the week of the business or of a machine.
WITH room AS (
    SELECT count(*) < 100 AS is_there
    FROM working_hours AS c
    WHERE c.tenant_id = %(tenant_id)s
        AND (c.machine_id = %(machine_id)s::bigint OR c.machine_id IS NULL AND %(machine_id)s::bigint IS NULL)
),
w AS (
    INSERT INTO working_hours (tenant_id, machine_id, weekday, starts_at, ends_at)
    SELECT
        %(tenant_id)s,
        %(machine_id)s,
        %(weekday)s,
        %(starts_at)s::time,
        %(ends_at)s::time
    FROM room AS r
    WHERE r.is_there
    RETURNING id, machine_id, weekday, starts_at, ends_at, created_at, updated_at
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'create',
        'shift',
        w.id,
        jsonb_strip_nulls(jsonb_build_object(
            'machine_id', CASE WHEN w.machine_id IS NOT NULL THEN jsonb_build_array(NULL, w.machine_id) END,
            'weekday', jsonb_build_array(NULL, w.weekday),
            'starts_at', jsonb_build_array(NULL, left(w.starts_at::text, 5)),
            'ends_at', jsonb_build_array(NULL, left(w.ends_at::text, 5))
        )),
        %(request_id)s
    FROM w
)
SELECT
    CASE WHEN w.id IS NOT NULL THEN json_build_object(
        /* include shift_members */
    )::text END,
    w.id,
    CASE WHEN NOT r.is_there THEN 'conflict' END AS problem,
    'A week has at most 100 shifts.' AS detail
FROM room AS r
LEFT JOIN w ON true

-- name: update_shift
-- reads: machines
-- writes: working_hours, audit_logs
-- Change the day or the times of a shift.
WITH before AS (
    SELECT
        w.id,
        w AS was,
        n AS becomes
    FROM working_hours AS w
    CROSS JOIN LATERAL jsonb_populate_record(w, %(patch)s::jsonb) AS n
    WHERE w.tenant_id = %(tenant_id)s
        AND w.id = %(shift_id)s
    FOR UPDATE OF w
),
changed AS (
    UPDATE working_hours AS w
    SET
        weekday = (b.becomes).weekday,
        starts_at = (b.becomes).starts_at,
        ends_at = (b.becomes).ends_at
    FROM before AS b
    WHERE w.tenant_id = %(tenant_id)s
        AND w.id = b.id
    RETURNING w.*
),
/* include audited_update shift */
SELECT
    json_build_object(
        /* include shift_members */
    )::text,
    w.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS w

-- name: remove_shift
-- writes: working_hours, audit_logs
-- Remove a shift.
WITH gone AS (
    DELETE FROM working_hours AS w
    WHERE w.tenant_id = %(tenant_id)s
        AND w.id = %(shift_id)s
    RETURNING w.id, w.weekday, left(w.starts_at::text, 5) AS starts_at, left(w.ends_at::text, 5) AS ends_at
),
/* include audited_delete shift gone */
SELECT
    json_build_object('id', g.id, 'weekday', g.weekday, 'starts_at', g.starts_at, 'ends_at', g.ends_at)::text,
    g.id,
    NULL AS problem,
    NULL AS detail
FROM gone AS g

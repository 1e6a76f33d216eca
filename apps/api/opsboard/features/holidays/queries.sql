-- constraint holidays_order: A holiday does not end before it begins (last_day).
-- constraint holidays_length: A holiday has at most 366 days (last_day).

-- fragment: holiday_members
        'id', y.id,
        'name', y.name,
        'first_day', y.first_day,
        'last_day', y.last_day,
        'created_at', y.created_at,
        'updated_at', y.updated_at

-- name: list_holidays
-- reads: holidays
-- from: holidays AS y
-- filter date_from: y.first_day >= %(date_from)s
-- filter date_to: y.first_day <= %(date_to)s
-- sort first_day: y.first_day | date
-- Holidays by their first day.
SELECT
    page.position,
    json_build_object(
        /* include holiday_members */
    ) AS item
FROM page
JOIN holidays AS y ON y.tenant_id = %(tenant_id)s AND y.id = page.id

-- name: get_holiday
-- reads: holidays
-- locks: holidays AS y | y.tenant_id = %(tenant_id)s AND y.id = %(holiday_id)s
-- One holiday.
SELECT json_build_object(
        /* include holiday_members */
)::text
FROM holidays AS y
WHERE y.tenant_id = %(tenant_id)s
    AND y.id = %(holiday_id)s

-- name: create_holiday
-- writes: holidays, audit_logs
-- Add a holiday.
WITH y AS (
    INSERT INTO holidays (tenant_id, name, first_day, last_day)
    VALUES (%(tenant_id)s, %(name)s, %(first_day)s, %(last_day)s)
    RETURNING id, name, first_day, last_day, created_at, updated_at
),
/* include audited_create holiday y name */
SELECT
    json_build_object(
        /* include holiday_members */
    )::text,
    y.id,
    NULL AS problem,
    NULL AS detail
FROM y

-- name: update_holiday
-- writes: holidays, audit_logs
-- Change a holiday.
WITH before AS (
    SELECT
        y.id,
        y AS was,
        n AS becomes
    FROM holidays AS y
    CROSS JOIN LATERAL jsonb_populate_record(y, %(patch)s::jsonb) AS n
    WHERE y.tenant_id = %(tenant_id)s
        AND y.id = %(holiday_id)s
    FOR UPDATE OF y
),
changed AS (
    UPDATE holidays AS y
    SET
        name = (b.becomes).name,
        first_day = (b.becomes).first_day,
        last_day = (b.becomes).last_day
    FROM before AS b
    WHERE y.tenant_id = %(tenant_id)s
        AND y.id = b.id
    RETURNING y.*
),
/* include audited_update holiday */
SELECT
    json_build_object(
        /* include holiday_members */
    )::text,
    y.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS y

-- name: remove_holiday
-- writes: holidays, audit_logs
-- Remove a holiday.
WITH gone AS (
    DELETE FROM holidays AS y
    WHERE y.tenant_id = %(tenant_id)s
        AND y.id = %(holiday_id)s
    RETURNING y.id, y.name, y.first_day
),
/* include audited_delete holiday gone */
SELECT
    json_build_object('id', g.id, 'name', g.name)::text,
    g.id,
    NULL AS problem,
    NULL AS detail
FROM gone AS g

-- constraint machine_stops_machine_fkey: There is no such machine (machine_id).

-- fragment: stop_members
        'id', k.id,
        'machine', json_build_object('id', m.id, 'name', m.name, 'status', m.status),
        'reason', coalesce(x.name, k.reason),
        'reason_id', k.reason_id,
        'note', k.note,
        'started_at', k.started_at,
        'ended_at', k.ended_at,
        'seconds', extract(epoch FROM k.ended_at - k.started_at)::bigint,
        'reported_by', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'ended_by', CASE WHEN e.id IS NOT NULL THEN json_build_object('id', e.id, 'name', e.full_name) END,
        'own_fields', k.own_fields,
        'created_at', k.created_at,
        'updated_at', k.updated_at

-- fragment: stop_joins
LEFT JOIN reasons AS x ON x.tenant_id = %(tenant_id)s AND x.id = k.reason_id
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = k.reported_by
LEFT JOIN users AS e ON e.tenant_id = %(tenant_id)s AND e.id = k.ended_by

-- name: list_stops
-- reads: machine_stops, machines, reasons, users, tenants
-- from: machine_stops AS k
-- filter machine_id: k.machine_id = %(machine_id)s
-- filter reason_id: k.reason_id = %(reason_id)s
-- filter open: k.ended_at IS NULL
-- filter started_from: k.started_at >= %(started_from)s::date::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter started_to: k.started_at < (%(started_to)s::date + 1)::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- sort started_at: k.started_at | timestamptz
-- Stops of machines with who reported and who ended them.
SELECT
    page.position,
    json_build_object(
        /* include stop_members */
    ) AS item
FROM page
JOIN machine_stops AS k ON k.tenant_id = %(tenant_id)s AND k.id = page.id
JOIN machines AS m ON m.tenant_id = %(tenant_id)s AND m.id = k.machine_id
/* include stop_joins */

-- name: get_stop
-- reads: machine_stops, machines, reasons, users
-- locks: machine_stops AS k | k.tenant_id = %(tenant_id)s AND k.id = %(stop_id)s
-- One stop of a machine.
SELECT json_build_object(
        /* include stop_members */
)::text
FROM machine_stops AS k
JOIN machines AS m ON m.tenant_id = %(tenant_id)s AND m.id = k.machine_id
/* include stop_joins */
WHERE k.tenant_id = %(tenant_id)s
    AND k.id = %(stop_id)s

-- fragment: stop_written
noted AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        '$1',
        'machine_stop',
        k.id,
        jsonb_build_object(
            'reason', jsonb_build_array(NULL, k.reason), 'ended_at', jsonb_build_array(NULL, k.ended_at)
        ),
        %(request_id)s
    FROM stopped AS k
),
shown AS (
    SELECT
        k.id,
        json_build_object(
        /* include stop_members */
        )::text AS document
    FROM stopped AS k
    JOIN changed AS m ON m.id = k.machine_id
    /* include stop_joins */
)

-- name: report_stop
-- reads: reasons, users
-- writes: machine_stops, machines, audit_logs
-- A machine stands still from now on, or since a given time; it is in maintenance until the stop ends.
WITH before AS (
    SELECT
        m.id,
        m AS was
    FROM machines AS m
    WHERE m.tenant_id = %(tenant_id)s
        AND m.id = %(machine_id)s
    FOR UPDATE
),
stopped AS (
    INSERT INTO machine_stops (tenant_id, machine_id, reason, note, started_at, reported_by)
    SELECT
        %(tenant_id)s,
        b.id,
        %(reason)s,
        %(note)s,
        coalesce(%(started_at)s::timestamptz, now()),
        %(user_id)s
    FROM before AS b
    WHERE (b.was).status <> 'inactive'
    ON CONFLICT (tenant_id, machine_id) WHERE ended_at IS NULL DO NOTHING
    RETURNING *
),
changed AS (
    UPDATE machines AS m
    SET status = 'maintenance'
    FROM stopped AS k
    WHERE m.tenant_id = %(tenant_id)s
        AND m.id = k.machine_id
    RETURNING m.*
),
/* include audited_update machine */,
/* include stop_written create */
SELECT
    d.document,
    d.id,
    CASE WHEN d.id IS NULL THEN 'conflict' END AS problem,
    CASE (b.was).status
        WHEN 'inactive' THEN 'This machine is inactive.'
        ELSE 'This machine stands still already; its stop is to be ended first.'
    END AS detail
FROM before AS b
LEFT JOIN shown AS d ON true

-- name: end_stop
-- reads: reasons, users
-- writes: machine_stops, machines, audit_logs
-- The machine runs again: the stop ends, and the machine is active unless it has been taken out of use meanwhile.
WITH found AS (
    SELECT
        m.id,
        m AS was,
        k AS stop
    FROM machines AS m
    JOIN machine_stops AS k ON k.tenant_id = %(tenant_id)s AND k.machine_id = m.id
    WHERE m.tenant_id = %(tenant_id)s
        AND k.id = %(stop_id)s
    FOR UPDATE
),
before AS (
    SELECT
        f.id,
        f.was,
        f.stop,
        CASE
            WHEN (f.stop).ended_at IS NOT NULL THEN 'This stop has ended already.'
            WHEN %(ended_at)s::timestamptz < (f.stop).started_at THEN 'A stop cannot end before it began (ended_at).'
        END AS conflict
    FROM found AS f
),
stopped AS (
    UPDATE machine_stops AS k
    SET
        ended_at = coalesce(%(ended_at)s::timestamptz, greatest(now(), k.started_at)),
        ended_by = %(user_id)s,
        note = coalesce(%(note)s, k.note)
    FROM before AS b
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = (b.stop).id
        AND b.conflict IS NULL
    RETURNING k.*
),
changed AS (
    UPDATE machines AS m
    SET status = CASE m.status WHEN 'maintenance' THEN 'active' ELSE m.status END
    FROM stopped AS k
    WHERE m.tenant_id = %(tenant_id)s
        AND m.id = k.machine_id
    RETURNING m.*
),
/* include audited_update machine */,
/* include stop_written update */
SELECT
    d.document,
    d.id,
    CASE WHEN b.conflict IS NOT NULL THEN 'conflict' END AS problem,
    b.conflict AS detail
FROM before AS b
LEFT JOIN shown AS d ON true

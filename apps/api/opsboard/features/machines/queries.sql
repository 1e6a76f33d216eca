-- fragment: machine_members
        'id', m.id,
        'name', m.name,
        'status', m.status,
        'is_active', m.is_active,
        'location', m.location,
        'own_fields', m.own_fields,
        'archived_at', m.archived_at,
        'created_at', m.created_at,
        'updated_at', m.updated_at

-- fragment: machine_load
LEFT JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE s.status = 'pending') AS pending,
        count(*) FILTER (WHERE s.status = 'in_progress') AS in_progress
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.machine_id = m.id
        AND s.status IN ('pending', 'in_progress')
        AND NOT s.job_ended
) AS w ON true

-- name: list_machines
-- reads: machines, machine_stops, reasons, job_steps, tenants
-- from: machines AS m
-- filter archived: m.archived_at IS NOT NULL
-- filter status: m.status = ANY(%(status)s)
-- filter is_active: m.is_active = %(is_active)s
-- filter q: m.id IN (/* include ids_by_beginning machines name_search */ UNION ALL /* include ids_by_words machines */)
-- sort name: m.name_search | text COLLATE "C"
-- total: machines
-- total status: machines | c.label = ANY(%(status)s)
-- total is_active: machines | (c.label = 'active') = %(is_active)s
-- Machines with their load: the steps that wait for them and that are on them; and why they stand still.
SELECT
    page.position,
    json_build_object(
        /* include machine_members */,
        'load', json_build_object('pending', w.pending, 'in_progress', w.in_progress),
        'stop', o.stop
    ) AS item
FROM page
JOIN machines AS m ON m.tenant_id = %(tenant_id)s AND m.id = page.id
/* include machine_load */
/* include machine_stop m.id */

-- name: get_machine
-- reads: machines, machine_stops, reasons, job_steps
-- locks: machines AS m | m.tenant_id = %(tenant_id)s AND m.id = %(machine_id)s
-- One machine with its load.
SELECT json_build_object(
        /* include machine_members */,
        'load', json_build_object('pending', w.pending, 'in_progress', w.in_progress),
        'stop', o.stop,
        'link', '/api/job-steps?machine_id=' || m.id
)::text
FROM machines AS m
/* include machine_load */
/* include machine_stop m.id */
WHERE m.tenant_id = %(tenant_id)s
    AND m.id = %(machine_id)s

-- name: create_machine
-- writes: machines, audit_logs
-- Add a machine.
WITH m AS (
    INSERT INTO machines (tenant_id, name, status, location)
    VALUES (%(tenant_id)s, %(name)s, %(status)s, %(location)s)
    RETURNING id, name, status, is_active, location, own_fields, archived_at, created_at, updated_at
),
/* include audited_create machine m name */
SELECT
    json_build_object(
        /* include machine_members */
    )::text,
    m.id,
    NULL AS problem,
    NULL AS detail
FROM m

-- fragment: machine_changed
wanted AS (
    SELECT
        b.id,
        n.name,
        n.status,
        n.location,
        -- A machine that is used again is in the lists again.
        CASE WHEN n.status = 'inactive' THEN n.archived_at END AS archived_at,
        c.warnings,
        CASE
            WHEN
                %(role)s = 'operator'
                AND (n.name <> (b.was).name OR n.location IS DISTINCT FROM (b.was).location)
                THEN 'An operator changes the status of a machine and nothing else.'
        END AS refusal,
        CASE /* include refused_contradictions */ END AS conflict
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    CROSS JOIN LATERAL (
        SELECT count(*) AS steps
        FROM job_steps AS s
        WHERE s.tenant_id = %(tenant_id)s
            AND s.machine_id = b.id
            AND s.status IN ('pending', 'in_progress')
            AND NOT s.job_ended
            AND n.status = 'inactive'
            AND (b.was).status <> 'inactive'
    ) AS p
    CROSS JOIN LATERAL (
        /* include contradictions */
        FROM (
            VALUES (
                1, p.steps > 0, 'machine_has_work',
                format('%%s steps wait for this machine or are in progress on it.', p.steps)
            )
        ) AS f (place, holds, code, message)
        WHERE f.holds
    ) AS c
),
changed AS (
    UPDATE machines AS m
    SET
        name = w.name,
        status = w.status,
        location = w.location,
        archived_at = w.archived_at
    FROM wanted AS w
    WHERE m.tenant_id = %(tenant_id)s
        AND m.id = w.id
        AND coalesce(w.refusal, w.conflict) IS NULL
    RETURNING m.*
),
/* include audited_update machine */

-- name: update_machine
-- reads: job_steps, business_settings
-- writes: machines, audit_logs
-- Change a machine, most often its status.
WITH before AS (
    SELECT
        m.id,
        m AS was
    FROM machines AS m
    WHERE m.tenant_id = %(tenant_id)s
        AND m.id = %(machine_id)s
    FOR UPDATE
),
/* include machine_changed */
SELECT
    CASE WHEN m.id IS NOT NULL THEN json_build_object(
        /* include machine_members */,
        'warnings', w.warnings
    )::text END,
    w.id,
    CASE WHEN w.refusal IS NOT NULL THEN 'forbidden' WHEN w.conflict IS NOT NULL THEN 'conflict' END AS problem,
    coalesce(w.refusal, w.conflict) AS detail
FROM wanted AS w
LEFT JOIN changed AS m ON m.id = w.id

-- name: bulk_status
-- reads: job_steps, business_settings
-- writes: machines, audit_logs
-- Give many machines one status, as update_machine does for one.
WITH /* include bulk_given */,
-- In the order of their ids, so that two who change the same rows wait for each other in turn.
found AS (
    SELECT
        m.id,
        m AS was
    FROM machines AS m
    WHERE m.tenant_id = %(tenant_id)s
        AND m.id = ANY(%(ids)s::bigint[])
    ORDER BY m.id
    FOR UPDATE
),
/* include bulk_before */,
/* include machine_changed */,
/* include bulk_results */
/* include bulk_answer */

-- fragment: active_machine
CASE WHEN (b.was).status <> 'inactive' THEN 'Set this machine to inactive first.' END

-- name: archive
-- writes: machines, audit_logs
-- Archive an inactive machine.
/* include archive machines machine machine_id active_machine */

-- name: restore
-- writes: machines, audit_logs
-- Bring back a machine from the archive.
/* include restore machines machine machine_id no_obstacle */

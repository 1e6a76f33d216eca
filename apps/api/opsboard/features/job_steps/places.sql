-- fragment: locked_job
seen AS MATERIALIZED (
    SELECT j.xmin AS version
    FROM job_steps AS s
    JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = s.job_id
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = %(step_id)s
),
before AS (
    SELECT
        s.id,
        s.status,
        j.id AS job_id,
        j.xmin AS version
    FROM job_steps AS s
    JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = s.job_id
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = %(step_id)s
    FOR NO KEY UPDATE OF j
),
places AS (
    SELECT
        s.id,
        s.step_order,
        s.status,
        row_number() OVER (ORDER BY s.step_order) AS place
    FROM before AS b
    JOIN job_steps AS s ON s.tenant_id = %(tenant_id)s AND s.job_id = b.job_id
)

-- fragment: changed_meanwhile
WHEN v.version IS DISTINCT FROM b.version THEN 'Somebody else has changed this job at this very moment. Read it again.'

-- fragment: touched_job
touched AS (
    UPDATE jobs AS j
    SET updated_at = now()
    FROM wanted AS w
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = w.job_id
        AND EXISTS (SELECT FROM $1)
)

-- name: move_job_step
-- reads: processes, machines, users, business_settings
-- writes: jobs, job_steps, audit_logs
-- Put a pending step at another place among the steps of its job. Their orders stay the same numbers.
WITH /* include locked_job */,
orders AS (
    SELECT
        l.id,
        CASE WHEN l.id = %(step_id)s THEN t.place ELSE r.place + (r.place >= t.place)::integer END AS place
    FROM places AS l
    CROSS JOIN (SELECT least(%(position)s::bigint, count(*)) AS place FROM places) AS t
    CROSS JOIN LATERAL (
        SELECT l.place - (l.place > o.place)::integer AS place
        FROM places AS o
        WHERE o.id = %(step_id)s
    ) AS r
),
wanted AS (
    SELECT
        b.id,
        b.job_id,
        c.warnings,
        CASE
            /* include changed_meanwhile */
            WHEN b.status <> 'pending' THEN 'A step that has begun, or was skipped, keeps its place.'
            /* include refused_contradictions */
        END AS conflict
    FROM before AS b
    LEFT JOIN seen AS v ON true
    CROSS JOIN LATERAL (
        /* include contradictions */
        FROM (
            VALUES
            (
                1,
                EXISTS (
                    SELECT
                    FROM places AS l
                    JOIN orders AS o ON o.id = l.id
                    JOIN places AS own ON own.id = b.id
                    JOIN orders AS t ON t.id = b.id
                    WHERE l.status IN ('in_progress', 'completed')
                        AND l.place < own.place
                        AND o.place > t.place
                ),
                'step_out_of_order', 'A step after this one has been started already.'
            )
        ) AS f (place, holds, code, message)
        WHERE f.holds
    ) AS c
),
moved AS (
    UPDATE job_steps AS s
    SET step_order = l.step_order
    FROM wanted AS w, orders AS o, places AS l
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = o.id
        AND l.place = o.place
        AND l.id <> o.id
        AND w.conflict IS NULL
    RETURNING s.*
),
/* include touched_job moved */,
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'job_step',
        m.id,
        jsonb_build_object('step_order', jsonb_build_array(l.step_order, m.step_order)),
        %(request_id)s
    FROM moved AS m
    JOIN places AS l ON l.id = m.id
    WHERE m.id = %(step_id)s
),
steps AS (
    SELECT /* include step_columns s */
    FROM before AS b
    JOIN job_steps AS s ON s.tenant_id = %(tenant_id)s AND s.job_id = b.job_id
    WHERE NOT EXISTS (SELECT FROM moved AS m WHERE m.id = s.id)
    UNION ALL
    SELECT /* include step_columns m */ FROM moved AS m
)
SELECT
    CASE WHEN w.conflict IS NULL THEN json_build_object(
        'id', j.id,
        'steps', /* include steps_of_job steps */,
        'warnings', w.warnings
    )::text END,
    w.id,
    CASE WHEN w.conflict IS NOT NULL THEN 'conflict' END AS problem,
    w.conflict AS detail
FROM wanted AS w
CROSS JOIN LATERAL (SELECT w.job_id AS id) AS j

-- name: remove_job_step
-- reads: work_records
-- writes: jobs, job_steps, audit_logs
-- Remove a pending step; those behind it move up.
WITH /* include locked_job */,
wanted AS (
    SELECT
        b.id,
        b.job_id,
        CASE
            /* include changed_meanwhile */
            WHEN b.status <> 'pending' THEN 'Only a step that waits can be removed; skip it instead.'
            WHEN
                EXISTS (
                    SELECT
                    FROM work_records AS k
                    WHERE k.tenant_id = %(tenant_id)s
                        AND k.step_id = b.id
                )
                THEN 'Work on this step is recorded; skip it instead.'
        END AS conflict
    FROM before AS b
    LEFT JOIN seen AS v ON true
),
removed AS (
    DELETE FROM job_steps AS s
    USING wanted AS w
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = w.id
        AND s.status = 'pending'
        AND w.conflict IS NULL
    RETURNING s.id, s.job_id, s.step_order, s.process_id, s.machine_id, s.assigned_user_id
),
moved AS (
    UPDATE job_steps AS s
    SET step_order = p.step_order
    FROM removed AS d, places AS l, places AS p
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = l.id
        AND l.step_order > d.step_order
        AND p.place = l.place - 1
    RETURNING s.id
),
/* include touched_job removed */,
/* include audited_delete job_step removed */
SELECT
    json_build_object('id', w.id, 'job_id', w.job_id)::text,
    w.id,
    CASE WHEN d.id IS NULL THEN 'conflict' END AS problem,
    coalesce(w.conflict, 'This step has just been started.') AS detail
FROM wanted AS w
LEFT JOIN removed AS d ON d.id = w.id

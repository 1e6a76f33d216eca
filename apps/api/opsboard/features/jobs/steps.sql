-- name: get_steps
-- reads: jobs, job_steps, processes, machines, users
-- locks: jobs AS j | j.tenant_id = %(tenant_id)s AND j.id = %(job_id)s
-- The steps of one job in their order.
SELECT json_build_object(
        'id', j.id,
        'steps', /* include steps_of_job job_steps */
)::text
FROM jobs AS j
WHERE j.tenant_id = %(tenant_id)s
    AND j.id = %(job_id)s

-- name: add_steps
-- reads: processes, machines, users, business_settings
-- writes: jobs, job_steps, audit_logs
-- Add steps to a job, at a place among its steps or behind them. The row of the job stands for its steps: a change of
-- them that came in between is a conflict, because this statement does not see it.
WITH seen AS MATERIALIZED (
    SELECT j.xmin AS version
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = %(job_id)s
),
before AS (
    SELECT
        j.id,
        j.status,
        j.xmin AS version
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = %(job_id)s
    FOR NO KEY UPDATE
),
places AS (
    SELECT
        s.id,
        s.step_order,
        s.status,
        row_number() OVER (ORDER BY s.step_order) AS place
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.job_id = %(job_id)s
),
wanted AS (
    SELECT
        b.id,
        n.amount,
        f.first_order,
        c.warnings,
        CASE
            WHEN v.version IS DISTINCT FROM b.version
                THEN 'Somebody else has changed this job at this very moment. Read it again.'
            WHEN b.status IN ('completed', 'cancelled') THEN format('The job is %%s; it is given no more steps.', b.status)
            WHEN e.amount + n.amount > %(most)s THEN format('A job has at most %%s steps.', %(most)s)
            /* include given_to_inactive */
            /* include refused_contradictions */
        END AS conflict
    FROM before AS b
    LEFT JOIN seen AS v ON true
    CROSS JOIN (SELECT jsonb_array_length(%(steps)s::jsonb) AS amount) AS n
    CROSS JOIN (SELECT count(*) AS amount FROM places) AS e
    -- The order of the step that is at the place now, or one behind the last.
    CROSS JOIN (
        SELECT coalesce(
            min(l.step_order) FILTER (WHERE l.place >= %(position)s::integer), max(l.step_order) + 1, 1
        ) AS first_order
        FROM places AS l
    ) AS f
    CROSS JOIN LATERAL (
        /* include contradictions */
        FROM (
            VALUES
            (
                1,
                EXISTS (
                    SELECT
                    FROM places AS l
                    WHERE l.step_order >= f.first_order
                        AND l.status IN ('in_progress', 'completed')
                ),
                'step_out_of_order', 'A step after this one has been started already.'
            )
        ) AS f (place, holds, code, message)
        WHERE f.holds
    ) AS c
),
moved AS (
    UPDATE job_steps AS s
    SET step_order = s.step_order + w.amount
    FROM wanted AS w
    WHERE s.tenant_id = %(tenant_id)s
        AND s.job_id = w.id
        AND s.step_order >= w.first_order
        AND w.conflict IS NULL
    RETURNING s.*
),
added AS (
    INSERT INTO job_steps AS s (
        tenant_id, job_id, step_order, process_id, machine_id, assigned_user_id, setup_minutes, seconds_per_piece,
        instructions
    )
    SELECT
        %(tenant_id)s,
        w.id,
        w.first_order + g.place - 1,
        /* include sent_columns */
    FROM wanted AS w
    CROSS JOIN /* include sent_steps */
    WHERE w.conflict IS NULL
    RETURNING s.*
),
touched AS (
    UPDATE jobs AS j
    SET updated_at = now()
    FROM wanted AS w
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = w.id
        AND w.conflict IS NULL
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'create',
        'job_step',
        s.id,
        jsonb_build_object(
            'job_id', jsonb_build_array(NULL, s.job_id),
            'process_id', jsonb_build_array(NULL, s.process_id),
            'step_order', jsonb_build_array(NULL, s.step_order)
        ),
        %(request_id)s
    FROM added AS s
),
steps AS (
    SELECT /* include step_columns s */
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.job_id = %(job_id)s
        AND NOT EXISTS (SELECT FROM moved AS m WHERE m.id = s.id)
    UNION ALL
    SELECT /* include step_columns m */ FROM moved AS m
    UNION ALL
    SELECT /* include step_columns a */ FROM added AS a
)
SELECT
    CASE WHEN j.conflict IS NULL THEN json_build_object(
        'id', j.id,
        'steps', /* include steps_of_job steps */,
        'warnings', j.warnings
    )::text END,
    j.id,
    CASE WHEN j.conflict IS NOT NULL THEN 'conflict' END AS problem,
    j.conflict AS detail
FROM wanted AS j

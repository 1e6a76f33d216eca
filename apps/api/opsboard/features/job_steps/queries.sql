-- fragment: step_members
        'id', s.id,
        'step_order', s.step_order,
        'status', s.status,
        'job', json_build_object('id', j.id, 'job_number', j.job_number, 'title', j.title, 'status', j.status, 'due_date', j.due_date),
        'process', CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'name', r.name) END,
        'machine', CASE WHEN e.id IS NOT NULL THEN json_build_object('id', e.id, 'name', e.name) END,
        'assigned_user', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'planned_start', s.planned_start,
        'planned_end', s.planned_end,
        'started_at', s.started_at,
        'completed_at', s.completed_at,
        'quantity_done', s.quantity_done,
        'quantity_rejected', s.quantity_rejected,
        'created_at', s.created_at,
        'updated_at', s.updated_at

-- fragment: step_surroundings
JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = s.job_id
LEFT JOIN processes AS r ON r.tenant_id = %(tenant_id)s AND r.id = s.process_id
LEFT JOIN machines AS e ON e.tenant_id = %(tenant_id)s AND e.id = s.machine_id
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = s.assigned_user_id

-- name: list_job_steps
-- reads: job_steps, jobs, processes, machines, users, tenants
-- from: job_steps AS s
-- filter status: s.status = ANY(%(status)s)
-- filter job_id: s.job_id = %(job_id)s
-- filter process_id: s.process_id = %(process_id)s
-- filter machine_id: s.machine_id = %(machine_id)s
-- filter assigned_user_id: s.assigned_user_id = %(assigned_user_id)s
-- filter mine: s.assigned_user_id = %(user_id)s AND NOT s.job_ended
-- filter waiting: s.status IN ('pending', 'in_progress') AND NOT s.job_ended
-- filter completed_today: s.status = 'completed' AND s.completed_at >= (SELECT today::timestamp AT TIME ZONE time_zone FROM clock) AND s.completed_at < (SELECT (today + 1)::timestamp AT TIME ZONE time_zone FROM clock)
-- filter started_from: s.started_at >= %(started_from)s::date::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter started_to: s.started_at < (%(started_to)s::date + 1)::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter completed_from: s.completed_at >= %(completed_from)s::date::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter completed_to: s.completed_at < (%(completed_to)s::date + 1)::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- sort created_at: s.created_at | timestamptz
-- sort updated_at: s.updated_at | timestamptz
-- sort started_at: s.started_at | timestamptz | s.started_at IS NOT NULL
-- sort completed_at: s.completed_at | timestamptz | s.completed_at IS NOT NULL
-- total: steps
-- total status: steps | c.label = ANY(%(status)s)
-- total waiting: open_steps
-- total waiting,status: open_steps | c.label = ANY(%(status)s)
-- total assigned_user_id,waiting: open_steps | c.subject = %(assigned_user_id)s
-- total mine,waiting: open_steps | c.subject = %(user_id)s
-- total mine: open_steps steps | c.subject = %(user_id)s AND (c.metric = 'open_steps' OR c.label IN ('completed', 'skipped'))
-- total assigned_user_id: steps | c.subject = %(assigned_user_id)s
-- total mine,status: open_steps steps | c.subject = %(user_id)s AND c.label = ANY(%(status)s) AND (c.metric = 'open_steps' OR c.label IN ('completed', 'skipped'))
-- total assigned_user_id,status: steps | c.subject = %(assigned_user_id)s AND c.label = ANY(%(status)s)
-- total mine,completed_today: steps_completed | c.subject = %(user_id)s AND c.day = (SELECT today FROM clock)
-- total assigned_user_id,completed_today: steps_completed | c.subject = %(assigned_user_id)s AND c.day = (SELECT today FROM clock)
-- Steps with their job, process, machine and the person they are assigned to.
SELECT
    page.position,
    json_build_object(
        /* include step_members */
    ) AS item
FROM page
JOIN job_steps AS s ON s.tenant_id = %(tenant_id)s AND s.id = page.id
/* include step_surroundings */

-- name: get_job_step
-- reads: job_steps, jobs, processes, machines, users
-- One step with its job, process, machine and the person it is assigned to.
SELECT json_build_object(
        /* include step_members */
)::text
FROM job_steps AS s
/* include step_surroundings */
WHERE s.tenant_id = %(tenant_id)s
    AND s.id = %(step_id)s

-- fragment: step_changed
wanted AS (
    SELECT
        n.id,
        n.status,
        n.machine_id,
        n.assigned_user_id,
        n.quantity_done,
        n.quantity_rejected,
        (b.was).started_at AS old_started_at,
        (b.was).completed_at AS old_completed_at,
        CASE
            WHEN %(role)s = 'admin' THEN NULL
            WHEN
                EXISTS (
                    SELECT
                    FROM role_process_permissions AS p
                    WHERE p.tenant_id = %(tenant_id)s
                        AND p.process_id IN ((b.was).process_id, n.process_id)
                )
                AND NOT EXISTS (
                    SELECT
                    FROM role_process_permissions AS p
                    WHERE p.tenant_id = %(tenant_id)s
                        AND p.process_id = (b.was).process_id
                        AND p.role = %(role)s
                        AND p.can_operate
                )
                THEN 'Your role may not work on this process.'
            WHEN %(role)s = 'operator' AND (b.was).assigned_user_id <> %(user_id)s
                THEN 'This step is assigned to somebody else.'
            WHEN %(role)s = 'operator' AND n.assigned_user_id <> %(user_id)s
                THEN 'Only a manager assigns a step to somebody else.'
            WHEN %(role)s = 'operator' AND (b.was).assigned_user_id IS NOT NULL AND n.assigned_user_id IS NULL
                THEN 'Only a manager takes a step away from somebody.'
        END AS refusal
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
),
changed AS (
    UPDATE job_steps AS s
    SET
        status = w.status,
        machine_id = w.machine_id,
        assigned_user_id = w.assigned_user_id,
        quantity_done = w.quantity_done,
        quantity_rejected = w.quantity_rejected,
        started_at = CASE
            WHEN w.status IN ('in_progress', 'completed') THEN coalesce(w.old_started_at, now())
            WHEN w.status = 'pending' THEN NULL
            ELSE w.old_started_at
        END,
        completed_at = CASE WHEN w.status = 'completed' THEN coalesce(w.old_completed_at, now()) END
    FROM wanted AS w
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = w.id
        AND w.refusal IS NULL
    RETURNING s.*
),
/* include audited_update job_step */

-- name: update_job_step
-- reads: jobs, processes, machines, users, role_process_permissions
-- writes: job_steps, audit_logs
-- Move a step on, count its pieces, assign it. Who may: an admin always; others only where the process is open to
-- their role; an operator only on steps of their own or of nobody, and assigns to nobody but themselves.
WITH before AS (
    SELECT
        s.id,
        s AS was
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = %(step_id)s
    FOR UPDATE
),
/* include step_changed */,
shown AS (
    SELECT
        s.id,
        json_build_object(
        /* include step_members */
        )::text AS document
    FROM changed AS s
/* include step_surroundings */
)
SELECT
    d.document,
    w.id,
    CASE WHEN w.refusal IS NOT NULL THEN 'forbidden' END AS problem,
    w.refusal AS detail
FROM wanted AS w
LEFT JOIN shown AS d ON d.id = w.id

-- name: bulk_status
-- reads: role_process_permissions
-- writes: job_steps, audit_logs
-- Give many steps one status; who may is looked at for each, as update_job_step does.
WITH /* include bulk_given */,
-- In the order of their ids, so that two who change the same rows wait for each other in turn.
found AS (
    SELECT
        s.id,
        s AS was
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = ANY(%(ids)s::bigint[])
    ORDER BY s.id
    FOR UPDATE
),
/* include bulk_before */,
/* include step_changed */,
results AS (
    SELECT
        g.position,
        g.id,
        CASE
            WHEN g.again THEN 'duplicate'
            WHEN f.id IS NULL THEN 'not_found'
            WHEN w.refusal IS NOT NULL THEN 'refused'
            WHEN a.id IS NOT NULL THEN 'updated'
            ELSE 'unchanged'
        END AS result,
        w.refusal AS reason
    FROM given AS g
    LEFT JOIN found AS f ON f.id = g.id
    LEFT JOIN wanted AS w ON w.id = g.id AND NOT g.again
    LEFT JOIN changed AS a ON a.id = g.id
)
/* include bulk_answer */

-- constraint job_steps_machine_fkey: There is no such machine (machine_id).
-- constraint job_steps_process_fkey: There is no such process (process_id).
-- constraint job_steps_assigned_user_fkey: There is no such user (assigned_user_id).

-- fragment: step_members
        'id', s.id,
        'step_order', s.step_order,
        'status', s.status,
        'job', json_build_object('id', j.id, 'job_number', j.job_number, 'title', j.title, 'status', j.status, 'due_date', j.due_date),
        'process', CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'name', r.name) END,
        'machine', CASE WHEN e.id IS NOT NULL THEN json_build_object('id', e.id, 'name', e.name) END,
        'assigned_user', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        /* include work_content */,
        'planned_start', s.planned_start,
        'planned_end', s.planned_end,
        'started_at', s.started_at,
        'completed_at', s.completed_at,
        'quantity_done', s.quantity_done,
        'quantity_rejected', s.quantity_rejected,
        'own_fields', s.own_fields,
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
-- filter assignee_inactive: s.assigned_user_id IN (SELECT k.id FROM users AS k WHERE k.tenant_id = %(tenant_id)s AND NOT k.is_active)
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
-- total assignee_inactive,waiting: open_steps | c.subject = ANY(ARRAY(SELECT k.id FROM users AS k WHERE k.tenant_id = %(tenant_id)s AND NOT k.is_active))
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
-- locks: job_steps AS s | s.tenant_id = %(tenant_id)s AND s.id = %(step_id)s
-- One step with its job, process, machine and the person it is assigned to.
SELECT json_build_object(
        /* include step_members */
)::text
FROM job_steps AS s
/* include step_surroundings */
WHERE s.tenant_id = %(tenant_id)s
    AND s.id = %(step_id)s

-- name: update_job_step
-- reads: jobs, processes, machines, users, role_process_permissions, business_settings, problems
-- writes: job_steps, audit_logs
-- Move a step on, count its pieces, assign it. Permissions: an admin always; others only where the process is open to
-- their role; an operator only on steps of their own or of nobody, and assigns to nobody but themselves. States that
-- contradict each other are warnings, or refused where the business says so.
WITH before AS (
    SELECT
        s.id,
        s AS was,
        %(patch)s::jsonb AS patch
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = %(step_id)s
    FOR UPDATE
),
/* include step_changed true */,
shown AS (
    SELECT
        s.id,
        json_build_object(
        /* include step_members */,
        'warnings', w.warnings
        )::text AS document
    FROM changed AS s
    JOIN wanted AS w ON w.id = s.id
/* include step_surroundings */
)
SELECT
    d.document,
    w.id,
    CASE WHEN w.refusal IS NOT NULL THEN 'forbidden' WHEN w.conflict IS NOT NULL THEN 'conflict' END AS problem,
    coalesce(w.refusal, w.conflict) AS detail
FROM wanted AS w
LEFT JOIN shown AS d ON d.id = w.id

-- name: bulk_status
-- reads: jobs, processes, machines, users, role_process_permissions, business_settings, problems
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
/* include step_changed true */,
/* include bulk_results */
/* include bulk_answer */

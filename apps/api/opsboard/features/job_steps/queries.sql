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

-- fragment: step_changed
-- Each step as it is and as it is to be, beside what it belongs to. A step that was open knows from its own locked row
-- whether its job has ended.
proposed AS (
    SELECT
        n.id,
        n.status,
        n.machine_id,
        n.assigned_user_id,
        n.quantity_done,
        n.quantity_rejected,
        b.was,
        j.status AS job_status,
        j.quantity,
        e.name AS machine,
        e.status AS machine_status,
        r.name AS process,
        r.is_active AS is_process_active,
        CASE
            WHEN (b.was).status IN ('pending', 'in_progress') THEN (b.was).job_ended
            ELSE j.status IN ('completed', 'cancelled')
        END AS is_job_ended,
        -- Work begins; what was in progress already has begun.
        n.status IN ('in_progress', 'completed') AND n.status <> (b.was).status
        AND (b.was).status <> 'in_progress' AS is_start,
        (b.was).status IN ('completed', 'skipped') AND n.status IN ('pending', 'in_progress') AS is_reopened,
        n.assigned_user_id IS DISTINCT FROM (b.was).assigned_user_id AND NOT u.is_active AS is_for_inactive
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = (b.was).job_id
    LEFT JOIN processes AS r ON r.tenant_id = %(tenant_id)s AND r.id = (b.was).process_id
    LEFT JOIN machines AS e ON e.tenant_id = %(tenant_id)s AND e.id = n.machine_id
    LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = n.assigned_user_id
),
-- Steps of the same job that do not fit; of those that change with it, as they will be.
siblings AS (
    SELECT
        p.id,
        bool_or(o.step_order < (p.was).step_order AND o.status IN ('pending', 'in_progress')) AS has_open_before,
        bool_or(o.step_order > (p.was).step_order AND o.status IN ('in_progress', 'completed')) AS has_begun_after
    FROM proposed AS p
    CROSS JOIN LATERAL (
        SELECT
            s.step_order,
            coalesce(k.status, s.status) AS status
        FROM job_steps AS s
        LEFT JOIN proposed AS k ON k.id = s.id
        WHERE s.tenant_id = %(tenant_id)s
            AND s.job_id = (p.was).job_id
            AND s.id <> p.id
    ) AS o
    WHERE p.is_start OR p.is_reopened
    GROUP BY p.id
),
wanted AS (
    SELECT
        p.id,
        p.status,
        p.machine_id,
        p.assigned_user_id,
        p.quantity_done,
        p.quantity_rejected,
        (p.was).started_at AS old_started_at,
        (p.was).completed_at AS old_completed_at,
        c.warnings,
        CASE
            WHEN %(role)s = 'admin' THEN NULL
            WHEN
                EXISTS (
                    SELECT
                    FROM role_process_permissions AS m
                    WHERE m.tenant_id = %(tenant_id)s
                        AND m.process_id = (p.was).process_id
                )
                AND NOT EXISTS (
                    SELECT
                    FROM role_process_permissions AS m
                    WHERE m.tenant_id = %(tenant_id)s
                        AND m.process_id = (p.was).process_id
                        AND m.role = %(role)s
                        AND m.can_operate
                )
                THEN 'Your role may not work on this process.'
            WHEN %(role)s = 'operator' AND (p.was).assigned_user_id <> %(user_id)s
                THEN 'This step is assigned to somebody else.'
            WHEN %(role)s = 'operator' AND p.assigned_user_id <> %(user_id)s
                THEN 'Only a manager assigns a step to somebody else.'
            WHEN %(role)s = 'operator' AND (p.was).assigned_user_id IS NOT NULL AND p.assigned_user_id IS NULL
                THEN 'Only a manager takes a step away from somebody.'
        END AS refusal,
        CASE
            WHEN p.is_start AND p.is_job_ended
                THEN format('The job of this step is %%s; none of its steps can be started.', p.job_status)
            WHEN p.is_for_inactive THEN 'This person is inactive and is given no work (assigned_user_id).'
            /* include refused_contradictions */
        END AS conflict
    FROM proposed AS p
    LEFT JOIN siblings AS o ON o.id = p.id
    CROSS JOIN LATERAL (
        /* include contradictions */
        FROM (
            VALUES
            (
                1, p.is_start AND p.job_status IN ('draft', 'on_hold'), 'job_not_active',
                format('The job is %%s, and work on it starts.', replace(p.job_status, '_', ' '))
            ),
            (
                2, p.is_start AND o.has_open_before, 'step_out_of_order',
                'A step before this one is not finished.'
            ),
            (
                3, p.is_reopened AND o.has_begun_after, 'step_out_of_order',
                'A step after this one has been started already.'
            ),
            (
                4, p.is_reopened AND p.is_job_ended, 'job_ended',
                format('The job is %%s, and this step is open again.', p.job_status)
            ),
            (
                5, p.quantity_done > p.quantity AND p.quantity_done <> (p.was).quantity_done,
                'more_done_than_ordered',
                format('%%s pieces are done of %%s ordered.', p.quantity_done, p.quantity)
            ),
            (
                6,
                p.quantity_rejected > p.quantity_done
                AND (p.quantity_rejected, p.quantity_done) <> ((p.was).quantity_rejected, (p.was).quantity_done),
                'more_rejected_than_done',
                format('%%s pieces are rejected of %%s done.', p.quantity_rejected, p.quantity_done)
            ),
            (
                7,
                p.machine_status <> 'active' AND p.status IN ('in_progress', 'completed')
                AND (p.is_start OR p.machine_id IS DISTINCT FROM (p.was).machine_id)
                OR p.machine_status = 'inactive' AND p.status = 'pending'
                AND p.machine_id IS DISTINCT FROM (p.was).machine_id,
                'machine_not_active',
                format(
                    'The machine %%s is %%s.',
                    p.machine, CASE p.machine_status WHEN 'maintenance' THEN 'in maintenance' ELSE 'inactive' END
                )
            ),
            (
                8, p.is_start AND NOT p.is_process_active, 'process_inactive',
                format('The process %%s is inactive.', p.process)
            )
        ) AS f (place, holds, code, message)
        WHERE f.holds
    ) AS c
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
        AND w.conflict IS NULL
    RETURNING s.*
),
/* include audited_update job_step */

-- name: update_job_step
-- reads: jobs, processes, machines, users, role_process_permissions, business_settings
-- writes: job_steps, audit_logs
-- Move a step on, count its pieces, assign it. Permissions: an admin always; others only where the process is open to
-- their role; an operator only on steps of their own or of nobody, and assigns to nobody but themselves. States that
-- contradict each other are warnings, or refused where the business says so.
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
-- reads: jobs, processes, machines, users, role_process_permissions, business_settings
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
/* include bulk_results */
/* include bulk_answer */

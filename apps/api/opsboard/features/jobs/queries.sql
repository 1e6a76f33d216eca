-- constraint jobs_job_number_key: There is a job with this job_number already.
-- constraint jobs_customer_fkey: There is no such customer (customer_id).
-- constraint job_steps_machine_fkey: There is no such machine (machine_id).
-- constraint job_steps_process_fkey: There is no such process (process_id).
-- constraint job_steps_assigned_user_fkey: There is no such user (assigned_user_id).

-- fragment: job_members
        'id', j.id,
        'job_number', j.job_number,
        'title', j.title,
        'status', j.status,
        'priority', j.priority,
        'quantity', j.quantity,
        'due_date', j.due_date,
        'is_overdue', j.status IN ('draft', 'active', 'on_hold') AND coalesce(j.due_date < d.today, false),
        'customer', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.name) END,
        'progress', json_build_object('steps', p.steps, 'done', p.done),
        'started_at', j.started_at,
        'completed_at', j.completed_at,
        'own_fields', j.own_fields,
        'archived_at', j.archived_at,
        'created_at', j.created_at,
        'updated_at', j.updated_at

-- fragment: job_joins
/* include job_day_and_customer */
LEFT JOIN LATERAL (
    SELECT
        count(*) AS steps,
        count(*) FILTER (WHERE s.status IN ('completed', 'skipped')) AS done
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.job_id = j.id
) AS p ON true

-- fragment: waits_at_members
        'days_late', CASE WHEN j.status IN ('draft', 'active', 'on_hold') AND j.due_date < d.today THEN d.today - j.due_date END,
        'waits_at', w.waits_at

-- fragment: waits_at
-- The first open step of the job. It has waited since the last step ended, or since the job began. A scalar subquery: only a
-- join that surely has one row is left out of the plan of those who do not ask for it.
LEFT JOIN LATERAL (
    SELECT (
        SELECT json_build_object(
            'step_id', s.id,
            'step_order', s.step_order,
            'status', s.status,
            'process', CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'name', r.name) END,
            'machine', CASE WHEN e.id IS NOT NULL THEN json_build_object('id', e.id, 'name', e.name) END,
            'person', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
            'since', CASE
                WHEN s.status = 'in_progress' THEN coalesce(s.started_at, s.updated_at)
                ELSE coalesce(
                    (
                        SELECT max(o.completed_at)
                        FROM job_steps AS o
                        WHERE o.tenant_id = %(tenant_id)s
                            AND o.job_id = j.id
                    ),
                    j.started_at,
                    j.created_at
                )
            END
        )
        FROM (
            SELECT
                f.id, f.step_order, f.status, f.process_id, f.machine_id, f.assigned_user_id, f.started_at, f.updated_at
            FROM job_steps AS f
            WHERE f.tenant_id = %(tenant_id)s
                AND f.job_id = j.id
                AND f.status IN ('pending', 'in_progress')
                AND NOT f.job_ended
                -- Of an ended job no step is read.
                AND j.status IN ('draft', 'active', 'on_hold')
            ORDER BY f.step_order
            LIMIT 1
        ) AS s
        LEFT JOIN processes AS r ON r.tenant_id = %(tenant_id)s AND r.id = s.process_id
        LEFT JOIN machines AS e ON e.tenant_id = %(tenant_id)s AND e.id = s.machine_id
        LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = s.assigned_user_id
    ) AS waits_at
) AS w ON true

-- fragment: job_day_and_customer
CROSS JOIN (
    SELECT coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date) AS today
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
) AS d
LEFT JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = j.customer_id

-- name: list_jobs
-- reads: jobs, customers, job_steps, processes, machines, users, tenants
-- from: jobs AS j
-- filter archived: j.archived_at IS NOT NULL
-- filter status: j.status = ANY(%(status)s)
-- filter priority: j.priority = ANY(%(priority)s)
-- filter customer_id: j.customer_id = %(customer_id)s
-- filter machine_id: j.id IN (SELECT s.job_id FROM job_steps AS s WHERE s.tenant_id = %(tenant_id)s AND s.machine_id = %(machine_id)s)
-- filter assigned_user_id: j.id IN (SELECT s.job_id FROM job_steps AS s WHERE s.tenant_id = %(tenant_id)s AND s.assigned_user_id = %(assigned_user_id)s)
-- filter q: j.id IN (/* include ids_by_beginning jobs job_number_search */ UNION ALL /* include ids_by_words jobs */)
-- filter overdue: j.status IN ('draft', 'active', 'on_hold') AND j.due_date_search < (SELECT today FROM clock)
-- filter due_today: j.status IN ('draft', 'active', 'on_hold') AND j.due_date_search = (SELECT today FROM clock)
-- filter due_from: j.due_date_search >= %(due_from)s AND j.due_date_search < 'infinity'
-- filter due_to: j.due_date_search <= %(due_to)s
-- filter created_from: j.created_at >= %(created_from)s::date::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter created_to: j.created_at < (%(created_to)s::date + 1)::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter completed_from: j.completed_at >= %(completed_from)s::date::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter completed_to: j.completed_at < (%(completed_to)s::date + 1)::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- sort created_at: j.created_at | timestamptz
-- sort updated_at: j.updated_at | timestamptz
-- sort due_date: j.due_date_search | date
-- sort job_number: j.job_number_search | text COLLATE "C"
-- total: jobs
-- total status: jobs | c.label = ANY(%(status)s)
-- total overdue: open_jobs | c.day < (SELECT today FROM clock)
-- total due_today: open_jobs | c.day = (SELECT today FROM clock)
-- total created_from: jobs_created | c.day >= %(created_from)s
-- total created_to: jobs_created | c.day <= %(created_to)s
-- total created_from,created_to: jobs_created | c.day >= %(created_from)s AND c.day <= %(created_to)s
-- total completed_from: jobs_completed | c.day >= %(completed_from)s
-- total completed_to: jobs_completed | c.day <= %(completed_to)s
-- total completed_from,completed_to: jobs_completed | c.day >= %(completed_from)s AND c.day <= %(completed_to)s
-- Jobs with their customer and progress, and the step that each waits at.
SELECT
    page.position,
    json_build_object(
        /* include job_members */,
        /* include waits_at_members */
    ) AS item
FROM page
JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = page.id
/* include job_joins */
/* include waits_at */

-- name: get_job
-- reads: jobs, customers, job_steps, processes, machines, users, tenants
-- locks: jobs AS j | j.tenant_id = %(tenant_id)s AND j.id = %(job_id)s
-- One job with its customer, its progress and its steps in their order.
SELECT json_build_object(
        /* include job_members */,
        /* include waits_at_members */,
        'description', j.description,
        'created_by', CASE WHEN m.id IS NOT NULL THEN json_build_object('id', m.id, 'name', m.full_name) END,
        'steps', /* include steps_of_job job_steps */
)::text
FROM jobs AS j
/* include job_joins */
/* include waits_at */
LEFT JOIN users AS m ON m.tenant_id = %(tenant_id)s AND m.id = j.created_by
WHERE j.tenant_id = %(tenant_id)s
    AND j.id = %(job_id)s

-- name: create_job
-- reads: customers, tenants, users, routings, routing_steps
-- writes: jobs, job_steps, audit_logs
-- Make a job with its steps, if any: those that were sent, those of a routing, or those of another job. Without a number
-- it gets the next one of its business.
WITH source AS (
    SELECT
        CASE
            WHEN
                %(routing_id)s::bigint IS NOT NULL
                AND NOT EXISTS (SELECT FROM routings AS r WHERE r.tenant_id = %(tenant_id)s AND r.id = %(routing_id)s)
                THEN 'There is no such routing (routing_id).'
            WHEN
                %(copy_of_id)s::bigint IS NOT NULL
                AND NOT EXISTS (SELECT FROM jobs AS o WHERE o.tenant_id = %(tenant_id)s AND o.id = %(copy_of_id)s)
                THEN 'There is no such job (copy_of_id).'
            /* include given_to_inactive */
        END AS conflict
),
planned AS (
    SELECT
        g.place AS step_order,
        /* include sent_columns */
    FROM /* include sent_steps */
    UNION ALL
    SELECT
        row_number() OVER (ORDER BY t.step_order),
        t.process_id,
        t.machine_id,
        NULL,
        t.setup_minutes,
        t.seconds_per_piece,
        t.instructions
    FROM routing_steps AS t
    WHERE t.tenant_id = %(tenant_id)s
        AND t.routing_id = %(routing_id)s
    UNION ALL
    SELECT
        row_number() OVER (ORDER BY s.step_order),
        s.process_id,
        s.machine_id,
        NULL,
        s.setup_minutes,
        s.seconds_per_piece,
        s.instructions
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.job_id = %(copy_of_id)s
),
numbered AS (
    SELECT coalesce(%(job_number)s, next_job_number(%(tenant_id)s)) AS job_number
    FROM source AS o
    WHERE o.conflict IS NULL
),
j AS (
    INSERT INTO jobs (
        tenant_id, job_number, title, description, customer_id, status, priority, quantity, due_date,
        started_at, completed_at, created_by
    )
    SELECT
        %(tenant_id)s,
        n.job_number,
        %(title)s,
        %(description)s,
        %(customer_id)s,
        %(status)s,
        %(priority)s,
        %(quantity)s,
        %(due_date)s::date,
        CASE WHEN %(status)s IN ('active', 'completed') THEN now() END,
        CASE WHEN %(status)s = 'completed' THEN now() END,
        %(user_id)s
    FROM numbered AS n
    RETURNING
        id, job_number, title, status, priority, quantity, due_date, customer_id, started_at, completed_at,
        own_fields, archived_at, created_at, updated_at
),
added AS (
    INSERT INTO job_steps (
        tenant_id, job_id, step_order, process_id, machine_id, assigned_user_id, setup_minutes, seconds_per_piece,
        instructions
    )
    SELECT
        %(tenant_id)s,
        j.id,
        p.step_order,
        p.process_id,
        p.machine_id,
        p.assigned_user_id,
        p.setup_minutes,
        p.seconds_per_piece,
        p.instructions
    FROM j
    CROSS JOIN planned AS p
    RETURNING id
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'create',
        'job',
        j.id,
        jsonb_build_object(
            'job_number', jsonb_build_array(NULL, j.job_number), 'title', jsonb_build_array(NULL, j.title)
        )
        || CASE
            WHEN %(routing_id)s::bigint IS NULL THEN '{}'
            ELSE jsonb_build_object('routing_id', jsonb_build_array(NULL, %(routing_id)s::bigint))
        END
        || CASE
            WHEN %(copy_of_id)s::bigint IS NULL THEN '{}'
            ELSE jsonb_build_object('copy_of_id', jsonb_build_array(NULL, %(copy_of_id)s::bigint))
        END,
        %(request_id)s
    FROM j
),
shown AS (
    SELECT
        j.id,
        json_build_object(
        /* include job_members */
        )::text AS document
    FROM j
    /* include job_day_and_customer */
    CROSS JOIN (SELECT count(*) AS steps, 0 AS done FROM added) AS p
)
SELECT
    d.document,
    d.id,
    CASE WHEN o.conflict IS NOT NULL THEN 'conflict' END AS problem,
    o.conflict AS detail
FROM source AS o
LEFT JOIN shown AS d ON true

-- fragment: job_changed
wanted AS (
    SELECT
        b.id,
        n.job_number,
        n.title,
        n.description,
        n.customer_id,
        n.status,
        n.priority,
        n.quantity,
        n.due_date,
        b.was,
        c.warnings,
        NULL AS refusal,
        CASE /* include refused_contradictions */ END AS conflict
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    CROSS JOIN LATERAL (
        SELECT
            count(*) FILTER (WHERE s.status IN ('pending', 'in_progress')) AS open,
            count(*) FILTER (WHERE s.status IN ('in_progress', 'completed')) AS begun,
            max(s.quantity_done) AS most_done
        FROM job_steps AS s
        WHERE s.tenant_id = %(tenant_id)s
            AND s.job_id = b.id
            AND (n.status <> (b.was).status OR n.quantity < (b.was).quantity)
    ) AS p
    CROSS JOIN LATERAL (
        /* include contradictions */
        FROM (
            VALUES
            (
                1, n.status = 'completed' AND (b.was).status <> 'completed' AND p.open > 0, 'job_has_open_steps',
                format('The job is completed with %%s of its steps not finished.', p.open)
            ),
            (
                2, n.status = 'draft' AND (b.was).status <> 'draft' AND p.begun > 0, 'job_has_begun',
                format('The job is a draft with %%s of its steps started.', p.begun)
            ),
            (
                3, n.quantity < (b.was).quantity AND p.most_done > n.quantity, 'more_done_than_ordered',
                format('%%s pieces are done of %%s ordered.', p.most_done, n.quantity)
            )
        ) AS f (place, holds, code, message)
        WHERE f.holds
    ) AS c
),
changed AS (
    UPDATE jobs AS j
    SET
        job_number = n.job_number,
        title = n.title,
        description = n.description,
        customer_id = n.customer_id,
        status = n.status,
        priority = n.priority,
        quantity = n.quantity,
        due_date = n.due_date,
        started_at = CASE
            WHEN n.status IN ('active', 'completed') THEN coalesce((n.was).started_at, now())
            WHEN n.status = 'draft' THEN NULL
            ELSE (n.was).started_at
        END,
        completed_at = CASE WHEN n.status = 'completed' THEN coalesce((n.was).completed_at, now()) END,
        -- A job that is open again is in the lists again.
        archived_at = CASE WHEN n.status IN ('completed', 'cancelled') THEN (n.was).archived_at END
    FROM wanted AS n
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = n.id
        AND n.conflict IS NULL
    RETURNING j.*
),
/* include audited_update job */

-- name: update_job
-- reads: customers, tenants, job_steps, business_settings
-- writes: jobs, audit_logs
-- Change some columns of a job; its times of start and completion follow its status.
WITH before AS (
    SELECT
        j.id,
        j AS was
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = %(job_id)s
    FOR UPDATE
),
/* include job_changed */,
shown AS (
    SELECT
        j.id,
        json_build_object(
        /* include job_members */,
        'warnings', w.warnings
        )::text AS document
    FROM changed AS j
    JOIN wanted AS w ON w.id = j.id
/* include job_joins */
)
SELECT
    d.document,
    w.id,
    CASE WHEN w.conflict IS NOT NULL THEN 'conflict' END AS problem,
    w.conflict AS detail
FROM wanted AS w
LEFT JOIN shown AS d ON d.id = w.id

-- name: bulk_status
-- reads: job_steps, business_settings
-- writes: jobs, audit_logs
-- Give many jobs one status, as update_job does for one; a result for each id, in the order given.
WITH /* include bulk_given */,
-- In the order of their ids, so that two who change the same rows wait for each other in turn.
found AS (
    SELECT
        j.id,
        j AS was
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = ANY(%(ids)s::bigint[])
    ORDER BY j.id
    FOR UPDATE
),
/* include bulk_before */,
/* include job_changed */,
/* include bulk_results */
/* include bulk_answer */

-- fragment: unfinished_job
CASE WHEN (b.was).status NOT IN ('completed', 'cancelled') THEN 'Complete or cancel this job first.' END

-- name: archive
-- writes: jobs, audit_logs
-- Archive a finished job.
/* include archive jobs job job_id unfinished_job */

-- name: restore
-- writes: jobs, audit_logs
-- Bring back a job from the archive.
/* include restore jobs job job_id no_obstacle */

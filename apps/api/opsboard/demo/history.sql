-- name: analyse
-- reads: jobs, job_steps, users, processes
-- Without statistics the statements below would look at every step for every person.
ANALYZE jobs, job_steps, users, processes

-- name: count_jobs
-- writes: rollups, changes
-- The counts of jobs and steps that were loaded without their triggers.
SELECT rebuild_rollups(%(tenant_id)s)

-- name: notify_assignees
-- writes: notifications
-- reads: users, job_steps, jobs, processes
-- The newest tasks of each person, read when they are older than a day or two.
INSERT INTO notifications (tenant_id, user_id, kind, title, body, link, read_at, created_at)
SELECT
    %(tenant_id)s,
    u.id,
    'step_assigned',
    r.name || ': ' || t.job_number,
    t.title,
    '/api/jobs/' || t.job_id,
    CASE WHEN t.created_at < %(moment)s::timestamptz - interval '36 hours' THEN t.created_at + interval '5 hours' END,
    t.created_at
FROM users AS u
CROSS JOIN LATERAL (
    SELECT
        s.process_id,
        s.job_id,
        s.created_at,
        j.job_number,
        j.title
    FROM job_steps AS s
    JOIN jobs AS j ON j.tenant_id = s.tenant_id AND j.id = s.job_id
    WHERE s.tenant_id = %(tenant_id)s
        AND s.assigned_user_id = u.id
        AND s.status IN ('pending', 'in_progress')
    ORDER BY
        s.created_at DESC,
        s.id DESC
    LIMIT 12
) AS t
JOIN processes AS r ON r.tenant_id = %(tenant_id)s AND r.id = t.process_id
WHERE u.tenant_id = %(tenant_id)s
ORDER BY
    t.created_at,
    u.id

-- name: add_work_records
-- writes: work_records
-- reads: job_steps
-- The work of the last four weeks: a record for each step that was finished, one for what is done already of a step in
-- progress, and an open one where somebody began in these hours. Nobody is at two steps at once.
INSERT INTO work_records (
    tenant_id, step_id, user_id, machine_id, started_at, ended_at, quantity_good, quantity_rejected, reject_reason,
    created_at, updated_at
)
SELECT
    %(tenant_id)s,
    w.id,
    w.assigned_user_id,
    w.machine_id,
    w.started_at,
    w.ended_at,
    w.good,
    w.rejected,
    CASE WHEN w.rejected > 0 THEN (ARRAY['Burr', 'Scratched', 'Out of tolerance', 'Wrong material'])[1 + w.id %% 4] END,
    coalesce(w.ended_at, w.started_at),
    coalesce(w.ended_at, w.started_at)
FROM (
    SELECT
        s.id,
        s.assigned_user_id,
        s.machine_id,
        greatest(s.started_at, s.completed_at - interval '3 hours') AS started_at,
        s.completed_at AS ended_at,
        s.quantity_done AS good,
        s.quantity_rejected AS rejected
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.status = 'completed'
        AND s.completed_at >= %(moment)s::timestamptz - interval '28 days'
        AND s.completed_at >= s.started_at
        AND s.assigned_user_id IS NOT NULL
    UNION ALL
    SELECT
        s.id,
        s.assigned_user_id,
        s.machine_id,
        s.started_at,
        least(s.started_at + interval '2 hours', %(moment)s::timestamptz),
        s.quantity_done,
        0
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.status = 'in_progress'
        AND s.started_at <= %(moment)s::timestamptz
        AND s.quantity_done > 0
        AND s.assigned_user_id IS NOT NULL
    UNION ALL
    SELECT
        n.id,
        n.assigned_user_id,
        n.machine_id,
        greatest(n.started_at, %(moment)s::timestamptz - interval '40 minutes'),
        NULL,
        0,
        0
    FROM (
        SELECT DISTINCT ON (s.assigned_user_id)
            s.id,
            s.assigned_user_id,
            s.machine_id,
            s.started_at
        FROM job_steps AS s
        WHERE s.tenant_id = %(tenant_id)s
            AND s.status = 'in_progress'
            AND s.started_at BETWEEN %(moment)s::timestamptz - interval '9 hours' AND %(moment)s::timestamptz
            AND s.assigned_user_id IS NOT NULL
        ORDER BY
            s.assigned_user_id,
            s.started_at DESC,
            s.id
    ) AS n
) AS w
ORDER BY
    w.started_at,
    w.id

-- name: notify_managers
-- writes: notifications
-- reads: users, jobs
-- Managers are notified of jobs that became overdue in the last days.
INSERT INTO notifications (tenant_id, user_id, kind, title, body, link, read_at, created_at)
SELECT
    %(tenant_id)s,
    u.id,
    'job_overdue',
    j.job_number || ' is overdue',
    j.title,
    '/api/jobs/' || j.id,
    CASE WHEN j.due_date < %(today)s::date - 2 THEN pg_temp.clock(%(last_day)s + (j.due_date - %(today)s::date) + 1.5) END,
    pg_temp.clock(%(last_day)s + (j.due_date - %(today)s::date) + 1)
FROM users AS u
CROSS JOIN LATERAL (
    SELECT
        o.id,
        o.job_number,
        o.title,
        o.due_date
    FROM jobs AS o
    WHERE o.tenant_id = %(tenant_id)s
        AND o.status IN ('draft', 'active', 'on_hold')
        AND o.due_date < %(today)s::date
    ORDER BY
        o.due_date DESC,
        o.id DESC
    LIMIT 20
) AS j
WHERE u.tenant_id = %(tenant_id)s
    AND u.role IN ('admin', 'manager')
ORDER BY
    j.due_date,
    j.id,
    u.id

-- name: add_machine_stops
-- writes: machine_stops
-- reads: machines, users
-- Stops of the last weeks, and one that goes on of each machine in maintenance.
INSERT INTO machine_stops (
    tenant_id, machine_id, reason, started_at, ended_at, reported_by, ended_by, created_at, updated_at
)
SELECT
    %(tenant_id)s,
    p.machine_id,
    p.reason,
    p.started_at,
    p.ended_at,
    p.person,
    CASE WHEN p.ended_at IS NOT NULL THEN p.person END,
    p.started_at,
    coalesce(p.ended_at, p.started_at)
FROM (
    SELECT
        m.id AS machine_id,
        (ARRAY['No material', 'Tool broken', 'Set-up'])[1 + (m.id + n.n) %% 3] AS reason,
        %(moment)s::timestamptz - w.hours * interval '1 hour' AS started_at,
        CASE
            WHEN n.n > 0
                THEN %(moment)s::timestamptz - w.hours * interval '1 hour' + (20 + m.id %% 4 * 15) * interval '1 minute'
        END AS ended_at,
        (
            SELECT min(u.id)
            FROM users AS u
            WHERE u.tenant_id = %(tenant_id)s
                AND u.role = 'operator'
                AND u.is_active
        ) AS person
    FROM machines AS m
    CROSS JOIN generate_series(0, 3) AS n (n)
    CROSS JOIN LATERAL (
        SELECT CASE n.n WHEN 0 THEN 2 + m.id %% 5 ELSE n.n * 160 + m.id %% 7 * 5 END AS hours
    ) AS w
    WHERE m.tenant_id = %(tenant_id)s
        AND m.status <> 'inactive'
        AND (n.n > 0 OR m.status = 'maintenance')
) AS p
ORDER BY
    p.started_at,
    p.machine_id

-- name: add_problems
-- writes: problems
-- reads: job_steps, users
-- Problems of the steps in progress: of twelve the newest is open, the one before answered, the others are closed.
INSERT INTO problems (
    tenant_id, step_id, machine_id, kind, description, status, answer, reported_by, answered_by, answered_at,
    closed_by, closed_at, created_at, updated_at
)
SELECT
    %(tenant_id)s,
    s.id,
    s.machine_id,
    w.kind,
    w.words,
    t.status,
    CASE WHEN t.status <> 'open' THEN w.answer END,
    s.assigned_user_id,
    CASE WHEN t.status <> 'open' THEN p.id END,
    CASE WHEN t.status <> 'open' THEN t.at + interval '20 minutes' END,
    CASE WHEN t.status = 'closed' THEN p.id END,
    CASE WHEN t.status = 'closed' THEN t.at + interval '50 minutes' END,
    t.at,
    t.at + CASE t.status WHEN 'open' THEN interval '0' WHEN 'answered' THEN interval '20 minutes' ELSE interval '50 minutes' END
FROM (
    SELECT
        o.id,
        o.machine_id,
        o.assigned_user_id,
        row_number() OVER (ORDER BY o.started_at DESC, o.id) AS place
    FROM job_steps AS o
    WHERE o.tenant_id = %(tenant_id)s
        AND o.status = 'in_progress'
        AND o.assigned_user_id IS NOT NULL
    ORDER BY
        o.started_at DESC,
        o.id
    LIMIT 12
) AS s
CROSS JOIN LATERAL (
    SELECT
        CASE s.place WHEN 1 THEN 'open' WHEN 2 THEN 'answered' ELSE 'closed' END AS status,
        %(moment)s::timestamptz - (s.place * s.place * 5 - 4) * interval '1 hour' AS at
) AS t
JOIN (
    VALUES
    (0, 'material', 'The sheets are 2 mm, the drawing says 3.', 'New sheets are on their way from the store.'),
    (1, 'drawing', 'The radius of the inner corner is missing.', 'Take 2 mm; the drawing will be corrected.'),
    (2, 'tool', 'The end mill is worn and leaves a burr.', 'Take the spare from drawer 4.')
) AS w (place, kind, words, answer) ON w.place = s.place %% 3
CROSS JOIN LATERAL (
    SELECT min(u.id) AS id
    FROM users AS u
    WHERE u.tenant_id = %(tenant_id)s
        AND u.role = 'manager'
        AND u.is_active
) AS p
ORDER BY
    t.at,
    s.id

-- name: log_changes
-- writes: audit_logs
-- reads: jobs, job_steps
-- The audit entries of the newest jobs, as the service would have written them.
WITH newest AS (
    SELECT
        j.id,
        j.job_number,
        j.title,
        j.status,
        j.created_by,
        j.created_at,
        j.started_at
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
    ORDER BY
        j.created_at DESC,
        j.id DESC
    LIMIT 400
),
finished AS (
    SELECT
        j.id,
        j.created_by,
        j.completed_at
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.completed_at IS NOT NULL
    ORDER BY
        j.completed_at DESC,
        j.id DESC
    LIMIT 200
),
worked AS (
    SELECT
        s.id,
        s.assigned_user_id,
        s.quantity_done,
        s.completed_at
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.completed_at IS NOT NULL
    ORDER BY
        s.completed_at DESC,
        s.id DESC
    LIMIT 600
),
entries AS (
    SELECT
        n.created_by AS user_id,
        'create' AS action,
        'job' AS entity,
        n.id AS entity_id,
        jsonb_build_object(
            'job_number', jsonb_build_array(NULL, n.job_number),
            'title', jsonb_build_array(NULL, n.title)
        ) AS changes,
        n.created_at
    FROM newest AS n
    UNION ALL
    SELECT
        n.created_by,
        'update',
        'job',
        n.id,
        '{"status": ["draft", "active"]}',
        n.started_at
    FROM newest AS n
    WHERE n.started_at IS NOT NULL
    UNION ALL
    SELECT
        f.created_by,
        'update',
        'job',
        f.id,
        '{"status": ["active", "completed"]}',
        f.completed_at
    FROM finished AS f
    UNION ALL
    SELECT
        w.assigned_user_id,
        'update',
        'job_step',
        w.id,
        jsonb_build_object(
            'status', '["in_progress", "completed"]'::jsonb,
            'quantity_done', jsonb_build_array(0, w.quantity_done)
        ),
        w.completed_at
    FROM worked AS w
)
INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, created_at)
SELECT
    %(tenant_id)s,
    e.user_id,
    e.action,
    e.entity,
    e.entity_id,
    e.changes,
    e.created_at
FROM entries AS e
ORDER BY
    e.created_at,
    e.entity,
    e.entity_id,
    e.action

-- name: tidy
-- reads: jobs, job_steps, customers, users, machines, processes, notifications, audit_logs, journeys, journey_nodes, journey_edges, journey_contacts, journey_step_keys, journey_node_executions, journey_messages, rollups, rollup_deltas
-- Statistics, and pages marked all-visible, so that the first answers are as fast as later ones.
VACUUM (ANALYZE)
    jobs, job_steps, customers, users, machines, processes, notifications, audit_logs, journeys, journey_nodes,
    journey_edges, journey_contacts, journey_step_keys, journey_node_executions, journey_messages, rollups, rollup_deltas,
    contacts, conversations, conversation_reads, messages, call_log, documents

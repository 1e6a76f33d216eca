-- constraint problems_step_fkey: There is no such step (step_id).
-- constraint problems_machine_fkey: There is no such machine (machine_id).

-- fragment: problem_members
        'id', k.id,
        'kind', k.kind,
        'description', k.description,
        'status', k.status,
        'holds_step', k.holds_step,
        'job', CASE
            WHEN j.id IS NOT NULL THEN json_build_object('id', j.id, 'job_number', j.job_number, 'title', j.title)
        END,
        'step', CASE
            WHEN s.id IS NOT NULL THEN json_build_object('id', s.id, 'step_order', s.step_order, 'status', s.status)
        END,
        'process', CASE WHEN p.id IS NOT NULL THEN json_build_object('id', p.id, 'name', p.name) END,
        'machine', CASE WHEN m.id IS NOT NULL THEN json_build_object('id', m.id, 'name', m.name) END,
        'answer', k.answer,
        'reported_by', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'answered_by', CASE WHEN a.id IS NOT NULL THEN json_build_object('id', a.id, 'name', a.full_name) END,
        'answered_at', k.answered_at,
        'closed_by', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.full_name) END,
        'closed_at', k.closed_at,
        'own_fields', k.own_fields,
        'created_at', k.created_at,
        'updated_at', k.updated_at

-- fragment: problem_joins
LEFT JOIN job_steps AS s ON s.tenant_id = %(tenant_id)s AND s.id = k.step_id
LEFT JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = s.job_id
LEFT JOIN processes AS p ON p.tenant_id = %(tenant_id)s AND p.id = s.process_id
LEFT JOIN machines AS m ON m.tenant_id = %(tenant_id)s AND m.id = k.machine_id
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = k.reported_by
LEFT JOIN users AS a ON a.tenant_id = %(tenant_id)s AND a.id = k.answered_by
LEFT JOIN users AS c ON c.tenant_id = %(tenant_id)s AND c.id = k.closed_by

-- name: list_problems
-- reads: problems, job_steps, jobs, processes, machines, users, tenants
-- from: problems AS k
-- filter status: k.status = ANY(%(status)s)
-- filter kind: k.kind = %(kind)s
-- filter step_id: k.step_id = %(step_id)s
-- filter machine_id: k.machine_id = %(machine_id)s
-- filter mine: k.reported_by = %(user_id)s
-- sort created_at: k.created_at | timestamptz
-- total: problems
-- total status: problems | c.label = ANY(%(status)s)
-- Problems with their step, job and machine.
SELECT
    page.position,
    json_build_object(
        /* include problem_members */
    ) AS item
FROM page
JOIN problems AS k ON k.tenant_id = %(tenant_id)s AND k.id = page.id
/* include problem_joins */

-- name: get_problem
-- reads: problems, job_steps, jobs, processes, machines, users
-- locks: problems AS k | k.tenant_id = %(tenant_id)s AND k.id = %(problem_id)s
-- One problem.
SELECT json_build_object(
        /* include problem_members */
)::text
FROM problems AS k
/* include problem_joins */
WHERE k.tenant_id = %(tenant_id)s
    AND k.id = %(problem_id)s

-- fragment: problem_shown
shown AS (
    SELECT
        k.id,
        json_build_object(
        /* include problem_members */
        )::text AS document
    FROM $1 AS k
    /* include problem_joins */
)

-- name: report_problem
-- reads: job_steps, jobs, processes, machines, users
-- writes: problems, notifications, audit_logs
-- Report a problem; without a machine it has the one of its step. Those who manage are notified, but for the reporter.
WITH reported AS (
    INSERT INTO problems (tenant_id, step_id, machine_id, kind, description, holds_step, reported_by)
    SELECT
        %(tenant_id)s,
        %(step_id)s::bigint,
        coalesce(
            %(machine_id)s::bigint,
            (
                SELECT s.machine_id
                FROM job_steps AS s
                WHERE s.tenant_id = %(tenant_id)s
                    AND s.id = %(step_id)s
            )
        ),
        %(kind)s,
        %(description)s,
        %(holds_step)s,
        %(user_id)s
    RETURNING *
),
/* include problem_shown reported */,
notified AS (
    INSERT INTO notifications (tenant_id, user_id, kind, title, body, link)
    SELECT
        %(tenant_id)s,
        q.id,
        'problem',
        left(concat_ws(' ', 'Problem', k.kind || ':', coalesce(j.job_number, m.name), p.name), 200),
        k.description,
        '/problems?status=open'
    FROM reported AS k
    CROSS JOIN users AS q
    LEFT JOIN job_steps AS s ON s.tenant_id = %(tenant_id)s AND s.id = k.step_id
    LEFT JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = s.job_id
    LEFT JOIN processes AS p ON p.tenant_id = %(tenant_id)s AND p.id = s.process_id
    LEFT JOIN machines AS m ON m.tenant_id = %(tenant_id)s AND m.id = k.machine_id
    WHERE q.tenant_id = %(tenant_id)s
        AND q.role IN ('admin', 'manager')
        AND q.is_active
        AND NOT q.is_service
        AND q.id <> %(user_id)s
),
/* include audited_create problem reported description */
SELECT
    d.document,
    d.id,
    NULL AS problem,
    NULL AS detail
FROM shown AS d

-- fragment: problem_changed
changed AS (
    UPDATE problems AS k
    SET
        status = (b.becomes).status,
        answer = (b.becomes).answer,
        answered_by = (b.becomes).answered_by,
        answered_at = (b.becomes).answered_at,
        closed_by = (b.becomes).closed_by,
        closed_at = (b.becomes).closed_at
    FROM before AS b
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = b.id
        AND b.refusal IS NULL
        AND b.conflict IS NULL
    RETURNING k.*
),
notified AS (
    INSERT INTO notifications (tenant_id, user_id, kind, title, body, link)
    SELECT
        %(tenant_id)s,
        a.reported_by,
        'problem',
        left('Your problem is ' || a.status || ': ' || a.description, 200),
        a.answer,
        '/problems?mine=true'
    FROM changed AS a
    WHERE a.reported_by <> %(user_id)s
),
/* include audited_update problem */,
/* include problem_shown changed */
SELECT
    d.document,
    b.id,
    CASE
        WHEN b.refusal IS NOT NULL THEN 'forbidden'
        WHEN b.conflict IS NOT NULL THEN 'conflict'
    END AS problem,
    coalesce(b.refusal, b.conflict) AS detail
FROM before AS b
LEFT JOIN shown AS d ON d.id = b.id

-- name: answer_problem
-- reads: job_steps, jobs, processes, machines, users
-- writes: problems, notifications, audit_logs
-- Answer a problem; its reporter is notified.
WITH before AS (
    SELECT
        k.id,
        k AS was,
        jsonb_populate_record(
            k,
            jsonb_build_object(
                'status', 'answered', 'answer', %(answer)s::text, 'answered_by', %(user_id)s, 'answered_at', now()
            )
        ) AS becomes,
        NULL AS refusal,
        CASE WHEN k.status = 'closed' THEN 'This problem is closed.' END AS conflict
    FROM problems AS k
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = %(problem_id)s
    FOR UPDATE
),
/* include problem_changed */

-- name: close_problem
-- reads: job_steps, jobs, processes, machines, users
-- writes: problems, notifications, audit_logs
-- Close a problem, with or without an answer; its step is held no longer.
WITH before AS (
    SELECT
        k.id,
        k AS was,
        jsonb_populate_record(
            k,
            jsonb_strip_nulls(jsonb_build_object(
                'status', 'closed',
                'closed_by', %(user_id)s,
                'closed_at', now(),
                'answer', %(answer)s::text,
                'answered_by', CASE WHEN %(answer)s::text IS NOT NULL THEN %(user_id)s END,
                'answered_at', CASE WHEN %(answer)s::text IS NOT NULL THEN now() END
            ))
        ) AS becomes,
        CASE
            WHEN %(role)s = 'operator' AND k.reported_by IS DISTINCT FROM %(user_id)s
                THEN 'A manager, or who reported it, closes a problem.'
        END AS refusal,
        CASE WHEN k.status = 'closed' THEN 'This problem is closed already.' END AS conflict
    FROM problems AS k
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = %(problem_id)s
    FOR UPDATE
),
/* include problem_changed */

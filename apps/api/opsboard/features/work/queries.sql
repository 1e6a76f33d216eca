-- constraint work_records_step_fkey: There is no such step (step_id).
-- constraint work_records_user_fkey: There is no such user (worker_id).

-- fragment: forgotten_after
-- Nobody works so long without a break: an open record of that age was forgotten, and counts no longer than this.
interval '12 hours'

-- fragment: longest_record
-- As work_records_length says.
interval '7 days'

-- fragment: record_members
        'id', k.id,
        'job', json_build_object('id', j.id, 'job_number', j.job_number, 'title', j.title),
        'step', json_build_object('id', s.id, 'step_order', s.step_order, 'status', s.status),
        'process', CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'name', r.name) END,
        'machine', CASE WHEN e.id IS NOT NULL THEN json_build_object('id', e.id, 'name', e.name) END,
        'worker', json_build_object('id', u.id, 'name', u.full_name),
        'started_at', k.started_at,
        'ended_at', k.ended_at,
        'seconds', extract(epoch FROM k.ended_at - k.started_at)::bigint,
        'is_forgotten',
        k.is_forgotten OR k.ended_at IS NULL AND k.started_at <= now() - /* include forgotten_after */,
        'quantity_good', k.quantity_good,
        'quantity_rejected', k.quantity_rejected,
        'reject_reason', coalesce(x.name, k.reject_reason),
        'reject_reason_id', k.reject_reason_id,
        'note', k.note,
        'corrected_by', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.full_name) END,
        'correction', k.correction,
        'own_fields', k.own_fields,
        'created_at', k.created_at,
        'updated_at', k.updated_at

-- fragment: record_joins
JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = s.job_id
JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = k.user_id
LEFT JOIN processes AS r ON r.tenant_id = %(tenant_id)s AND r.id = k.process_id
LEFT JOIN machines AS e ON e.tenant_id = %(tenant_id)s AND e.id = k.machine_id
LEFT JOIN reasons AS x ON x.tenant_id = %(tenant_id)s AND x.id = k.reject_reason_id
LEFT JOIN users AS c ON c.tenant_id = %(tenant_id)s AND c.id = k.corrected_by

-- name: list_work
-- reads: work_records, job_steps, jobs, processes, machines, reasons, users, tenants
-- from: work_records AS k
-- filter step_id: k.step_id = %(step_id)s
-- filter worker_id: k.user_id = %(worker_id)s
-- filter mine: k.user_id = %(user_id)s
-- filter machine_id: k.machine_id = %(machine_id)s
-- filter process_id: k.process_id = %(process_id)s
-- filter reject_reason_id: k.reject_reason_id = %(reject_reason_id)s
-- filter rejected: k.quantity_rejected > 0
-- filter open: k.ended_at IS NULL
-- filter forgotten: k.is_forgotten
-- filter started_from: k.started_at >= %(started_from)s::date::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter started_to: k.started_at < (%(started_to)s::date + 1)::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter ended_from: k.ended_at >= %(ended_from)s::date::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter ended_to: k.ended_at < (%(ended_to)s::date + 1)::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- sort started_at: k.started_at | timestamptz
-- sort ended_at: k.ended_at | timestamptz | k.ended_at IS NOT NULL
-- Records of work with their step, job, machine and person.
SELECT
    page.position,
    json_build_object(
        /* include record_members */
    ) AS item,
    CASE
        WHEN k.ended_at IS NULL AND k.started_at > now() - /* include forgotten_after */
            THEN k.started_at + /* include forgotten_after */
    END AS changes_at
FROM page
JOIN work_records AS k ON k.tenant_id = %(tenant_id)s AND k.id = page.id
JOIN job_steps AS s ON s.tenant_id = %(tenant_id)s AND s.id = k.step_id
/* include record_joins */

-- name: get_work
-- reads: work_records, job_steps, jobs, processes, machines, reasons, users
-- locks: work_records AS k | k.tenant_id = %(tenant_id)s AND k.id = %(record_id)s
-- One record of work.
SELECT json_build_object(
        /* include record_members */
)::text
FROM work_records AS k
JOIN job_steps AS s ON s.tenant_id = %(tenant_id)s AND s.id = k.step_id
/* include record_joins */
WHERE k.tenant_id = %(tenant_id)s
    AND k.id = %(record_id)s

-- fragment: record_shown
shown AS (
    SELECT
        k.id,
        json_build_object(
        /* include record_members */,
        'warnings', w.warnings
        )::text AS document
    FROM $1 AS k
    JOIN changed AS s ON s.id = k.step_id
    JOIN wanted AS w ON w.id = s.id
/* include record_joins */
)

-- name: start_work
-- reads: jobs, processes, machines, reasons, users, role_process_permissions, business_settings, problems
-- writes: work_records, job_steps, audit_logs
-- Somebody begins, or goes on, to work on a step; with an end, the work is over already. The step of nobody becomes
-- theirs. Its row is locked first, so that of two who begin at once each sees the step as the other left it.
WITH found AS (
    SELECT
        s.id,
        s AS was
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = %(step_id)s
    FOR UPDATE
),
asked AS (
    SELECT
        f.id,
        f.was,
        CASE
            WHEN %(role)s = 'operator' AND %(worker_id)s <> %(user_id)s
                THEN 'Only a manager records the work of somebody else (worker_id).'
        END AS refusal,
        CASE
            WHEN (f.was).status IN ('completed', 'skipped') AND %(ended_at)s::timestamptz IS NULL
                THEN format('This step is %%s; it is to be opened again before somebody works on it.', (f.was).status)
            WHEN %(ended_at)s::timestamptz IS NULL AND h.id IS NOT NULL
                THEN format('This step is held by a problem: %%s', left(h.description, 200))
            WHEN
                EXISTS (
                    SELECT
                    FROM users AS q
                    WHERE q.tenant_id = %(tenant_id)s
                        AND q.id = %(worker_id)s
                        AND NOT q.is_active
                )
                THEN 'This person is inactive and does no work (worker_id).'
            WHEN
                %(ended_at)s::timestamptz IS NULL
                AND EXISTS (
                    SELECT
                    FROM work_records AS o
                    WHERE o.tenant_id = %(tenant_id)s
                        AND o.step_id = f.id
                        AND o.user_id = %(worker_id)s
                        AND o.ended_at IS NULL
                )
                THEN 'This person works on this step already.'
        END AS conflict
    FROM found AS f
    LEFT JOIN LATERAL (/* include problem_that_holds f */) AS h ON true
),
before AS (
    SELECT
        f.id,
        f.was,
        jsonb_build_object(
            'status', CASE (f.was).status WHEN 'pending' THEN 'in_progress' ELSE (f.was).status END,
            'assigned_user_id', coalesce((f.was).assigned_user_id, %(worker_id)s),
            'quantity_done', (f.was).quantity_done + %(quantity_good)s,
            'quantity_rejected', (f.was).quantity_rejected + %(quantity_rejected)s
        ) AS patch
    FROM asked AS f
    WHERE f.refusal IS NULL
        AND f.conflict IS NULL
),
/* include step_changed false */,
started AS (
    INSERT INTO work_records (
        tenant_id, step_id, user_id, machine_id, started_at, ended_at, quantity_good, quantity_rejected,
        reject_reason, note
    )
    SELECT
        %(tenant_id)s,
        a.id,
        %(worker_id)s,
        a.machine_id,
        coalesce(%(started_at)s::timestamptz, now()),
        %(ended_at)s::timestamptz,
        %(quantity_good)s,
        %(quantity_rejected)s,
        %(reject_reason)s,
        %(note)s
    FROM changed AS a
    ON CONFLICT (tenant_id, step_id, user_id) WHERE ended_at IS NULL DO NOTHING
    RETURNING *
),
noted AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'create',
        'work_record',
        k.id,
        changed_columns('{}', to_jsonb(k) - 'tenant_id' - 'id' - 'created_at' - 'updated_at' - 'own_fields' - 'is_forgotten'),
        %(request_id)s
    FROM started AS k
),
/* include record_shown started */
SELECT
    d.document,
    d.id,
    CASE
        WHEN coalesce(q.refusal, w.refusal) IS NOT NULL THEN 'forbidden'
        WHEN d.id IS NULL THEN 'conflict'
    END AS problem,
    coalesce(q.refusal, w.refusal, q.conflict, w.conflict, 'This person works on this step already.') AS detail
FROM asked AS q
LEFT JOIN wanted AS w ON w.id = q.id
LEFT JOIN shown AS d ON true

-- name: end_work
-- reads: jobs, processes, machines, reasons, users, role_process_permissions, business_settings, problems
-- writes: work_records, job_steps, audit_logs
-- Work ends: for a pause, for somebody else to go on, or because the step is finished, which ends everybody's. Locked in
-- the order of start_work: the step, then the record.
-- A record that was forgotten ends when its longest time was over, and is marked for a manager, who corrects it. Only a
-- manager who says when it ended ends it later.
WITH found AS (
    SELECT
        s.id,
        s AS was,
        k AS record
    FROM job_steps AS s
    JOIN work_records AS k ON k.tenant_id = %(tenant_id)s AND k.step_id = s.id
    WHERE s.tenant_id = %(tenant_id)s
        AND k.id = %(record_id)s
    FOR UPDATE
),
asked AS (
    SELECT
        f.id,
        f.was,
        f.record,
        coalesce(%(ended_at)s::timestamptz, now()) AS ended_at,
        CASE
            WHEN %(role)s = 'operator' AND (f.record).user_id <> %(user_id)s
                THEN 'This is the work of somebody else.'
        END AS refusal,
        CASE
            WHEN (f.record).ended_at IS NOT NULL THEN 'This work has ended already.'
            WHEN %(ended_at)s::timestamptz < (f.record).started_at
                THEN 'The work cannot end before it began (ended_at).'
            WHEN
                %(role)s <> 'operator'
                AND %(ended_at)s::timestamptz - (f.record).started_at > /* include longest_record */
                THEN 'One record of work is at most 7 days long (ended_at).'
        END AS conflict
    FROM found AS f
),
before AS (
    SELECT
        f.id,
        f.was,
        jsonb_build_object(
            'status',
            CASE
                WHEN %(finish)s AND (f.was).status IN ('pending', 'in_progress') THEN 'completed'
                ELSE (f.was).status
            END,
            'assigned_user_id',
            CASE WHEN %(hand_over)s THEN %(to_user_id)s::bigint ELSE (f.was).assigned_user_id END,
            'quantity_done', (f.was).quantity_done + %(quantity_good)s,
            'quantity_rejected', (f.was).quantity_rejected + %(quantity_rejected)s
        ) AS patch
    FROM asked AS f
    WHERE f.refusal IS NULL
        AND f.conflict IS NULL
),
/* include step_changed false */,
ended AS (
    UPDATE work_records AS k
    SET
        ended_at = greatest(k.started_at, CASE WHEN c.is_capped THEN c.latest ELSE q.ended_at END),
        is_forgotten = c.is_capped,
        quantity_good = CASE WHEN k.id = (q.record).id THEN %(quantity_good)s ELSE 0 END,
        quantity_rejected = CASE WHEN k.id = (q.record).id THEN %(quantity_rejected)s ELSE 0 END,
        reject_reason = CASE WHEN k.id = (q.record).id THEN %(reject_reason)s END,
        note = CASE WHEN k.id = (q.record).id THEN coalesce(%(note)s, k.note) ELSE k.note END
    FROM asked AS q
    JOIN changed AS a ON a.id = q.id
    JOIN work_records AS o
        ON o.tenant_id = %(tenant_id)s
        AND o.step_id = q.id
        AND o.ended_at IS NULL
    CROSS JOIN LATERAL (SELECT o.started_at + /* include forgotten_after */ AS latest) AS l
    CROSS JOIN LATERAL (
        SELECT
            l.latest,
            l.latest < q.ended_at
            AND NOT (
                o.id = (q.record).id
                AND %(role)s <> 'operator'
                AND %(ended_at)s::timestamptz IS NOT NULL
            ) AS is_capped
    ) AS c
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = o.id
        AND (k.id = (q.record).id OR a.status = 'completed')
    RETURNING k.*
),
noted AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'work_record',
        k.id,
        jsonb_build_object(
            'ended_at', jsonb_build_array(NULL, k.ended_at),
            'quantity_good', jsonb_build_array(0, k.quantity_good),
            'quantity_rejected', jsonb_build_array(0, k.quantity_rejected)
        )
        || CASE
            WHEN k.is_forgotten THEN jsonb_build_object('is_forgotten', jsonb_build_array(false, true)) ELSE '{}'
        END,
        %(request_id)s
    FROM ended AS k
),
/* include record_shown ended */
SELECT
    d.document,
    d.id,
    CASE
        WHEN coalesce(q.refusal, w.refusal) IS NOT NULL THEN 'forbidden'
        WHEN coalesce(q.conflict, w.conflict) IS NOT NULL THEN 'conflict'
    END AS problem,
    coalesce(q.refusal, w.refusal, q.conflict, w.conflict) AS detail
FROM asked AS q
LEFT JOIN wanted AS w ON w.id = q.id
LEFT JOIN shown AS d ON d.id = %(record_id)s

-- name: correct_work
-- reads: jobs, processes, machines, reasons, users, role_process_permissions, business_settings, problems
-- writes: work_records, job_steps, audit_logs
-- A manager puts right what was recorded, and says why; the pieces of the step follow.
WITH found AS (
    SELECT
        s.id,
        s AS was,
        k AS record
    FROM job_steps AS s
    JOIN work_records AS k ON k.tenant_id = %(tenant_id)s AND k.step_id = s.id
    WHERE s.tenant_id = %(tenant_id)s
        AND k.id = %(record_id)s
    FOR UPDATE
),
asked AS (
    SELECT
        f.id,
        f.was,
        f.record,
        n AS wanted,
        CASE
            WHEN n.ended_at < n.started_at THEN 'The work cannot end before it began.'
            WHEN n.ended_at - n.started_at > /* include longest_record */
                THEN 'One record of work is at most 7 days long.'
            WHEN n.ended_at IS NULL AND (f.record).ended_at IS NOT NULL THEN 'What has ended is not opened again.'
            WHEN n.ended_at IS NULL AND n.quantity_good + n.quantity_rejected > 0
                THEN 'Pieces belong to work that has ended (ended_at).'
        END AS conflict
    FROM found AS f
    CROSS JOIN LATERAL jsonb_populate_record(f.record, %(patch)s::jsonb) AS n
),
before AS (
    SELECT
        f.id,
        f.was,
        jsonb_build_object(
            'quantity_done', greatest(
                0, (f.was).quantity_done + (f.wanted).quantity_good - (f.record).quantity_good
            ),
            'quantity_rejected', greatest(
                0, (f.was).quantity_rejected + (f.wanted).quantity_rejected - (f.record).quantity_rejected
            )
        ) AS patch
    FROM asked AS f
    WHERE f.conflict IS NULL
),
/* include step_changed false */,
corrected AS (
    UPDATE work_records AS k
    SET
        started_at = (q.wanted).started_at,
        ended_at = (q.wanted).ended_at,
        quantity_good = (q.wanted).quantity_good,
        quantity_rejected = (q.wanted).quantity_rejected,
        reject_reason = (q.wanted).reject_reason,
        note = (q.wanted).note,
        correction = (q.wanted).correction,
        is_forgotten = false,
        corrected_by = %(user_id)s
    FROM asked AS q
    JOIN changed AS a ON a.id = q.id
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = (q.record).id
    RETURNING k.*
),
noted AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'work_record',
        k.id,
        changed_columns(to_jsonb(q.record), to_jsonb(k)),
        %(request_id)s
    FROM corrected AS k
    JOIN asked AS q ON (q.record).id = k.id
),
/* include record_shown corrected */
SELECT
    d.document,
    d.id,
    CASE
        WHEN w.refusal IS NOT NULL THEN 'forbidden'
        WHEN coalesce(q.conflict, w.conflict) IS NOT NULL THEN 'conflict'
    END AS problem,
    coalesce(w.refusal, q.conflict, w.conflict) AS detail
FROM asked AS q
LEFT JOIN wanted AS w ON w.id = q.id
LEFT JOIN shown AS d ON true

-- name: next_work
-- reads: job_steps, jobs, processes, machines, machine_stops, problems, reasons, work_records, role_process_permissions, users
-- The work of the caller: under way, ready to begin, and later: open steps of their own, and up to twenty of
-- nobody that their role may work on. The order: in progress, ready, planned, due, urgent.
WITH own AS (
    SELECT s AS step
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.assigned_user_id = %(user_id)s
        AND s.status IN ('pending', 'in_progress')
        AND NOT s.job_ended
),
free AS (
    SELECT s AS step
    FROM job_steps AS s
    JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = s.job_id
    WHERE s.tenant_id = %(tenant_id)s
        AND s.assigned_user_id IS NULL
        AND s.status IN ('pending', 'in_progress')
        AND NOT s.job_ended
        AND j.status = 'active'
        AND (
            %(role)s = 'admin'
            OR NOT EXISTS (
                SELECT
                FROM role_process_permissions AS m
                WHERE m.tenant_id = %(tenant_id)s
                    AND m.process_id = s.process_id
            )
            OR EXISTS (
                SELECT
                FROM role_process_permissions AS m
                WHERE m.tenant_id = %(tenant_id)s
                    AND m.process_id = s.process_id
                    AND m.role = %(role)s
                    AND m.can_operate
            )
        )
        AND NOT EXISTS (
            SELECT
            FROM job_steps AS o
            WHERE o.tenant_id = %(tenant_id)s
                AND o.job_id = s.job_id
                AND o.step_order < s.step_order
                AND o.status IN ('pending', 'in_progress')
        )
    LIMIT 20
),
open_records AS (
    SELECT
        k.id,
        k.step_id,
        k.started_at
    FROM work_records AS k
    WHERE k.tenant_id = %(tenant_id)s
        AND k.user_id = %(user_id)s
        AND k.ended_at IS NULL
),
-- A step of somebody else on which the caller works too, or one that was closed without ending the work.
joined AS (
    SELECT s AS step
    FROM open_records AS k
    JOIN job_steps AS s ON s.tenant_id = %(tenant_id)s AND s.id = k.step_id
    WHERE s.assigned_user_id IS DISTINCT FROM %(user_id)s
        OR s.status NOT IN ('pending', 'in_progress')
        OR s.job_ended
),
-- The step that was scanned; of a job its first open one, or its last if it has none.
scanned AS (
    SELECT s AS step
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = %(step_id)s::bigint
    UNION ALL
    (
        SELECT f AS step
        FROM job_steps AS f
        WHERE f.tenant_id = %(tenant_id)s
            AND f.job_id = %(job_id)s::bigint
            AND %(step_id)s::bigint IS NULL
        ORDER BY
            f.status IN ('pending', 'in_progress') DESC,
            CASE WHEN f.status IN ('pending', 'in_progress') THEN f.step_order ELSE -f.step_order END
        LIMIT 1
    )
),
candidates AS (
    SELECT DISTINCT ON ((c.step).id) c.step
    FROM (
        SELECT o.step
        FROM own AS o
        UNION ALL
        SELECT f.step
        FROM free AS f
        UNION ALL
        SELECT n.step
        FROM joined AS n
        UNION ALL
        SELECT d.step
        FROM scanned AS d
    ) AS c
),
items AS (
    SELECT
        (c.step).id,
        k.id AS record_id,
        CASE
            WHEN k.id IS NOT NULL THEN 'now'
            WHEN (c.step).status NOT IN ('pending', 'in_progress') OR (c.step).job_ended THEN 'closed'
            WHEN h.id IS NOT NULL THEN 'later'
            WHEN (c.step).status = 'in_progress' OR NOT w.waits AND j.status = 'active' THEN 'next'
            ELSE 'later'
        END AS place,
        (c.step).status,
        (c.step).planned_start,
        j.due_date,
        array_position(ARRAY['urgent', 'high', 'normal', 'low'], j.priority) AS urgency,
        json_build_object(
            'step_id', (c.step).id,
            'step_order', (c.step).step_order,
            'status', (c.step).status,
            'is_mine', (c.step).assigned_user_id IS NOT DISTINCT FROM %(user_id)s,
            'person', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
            'record_id', k.id,
            'began_at', k.started_at,
            'waits_for', w.waits_for,
            'held_by', CASE
                WHEN h.id IS NOT NULL
                    THEN json_build_object('id', h.id, 'kind', h.kind, 'description', h.description)
            END,
            'job', json_build_object(
                'id', j.id, 'job_number', j.job_number, 'title', j.title, 'status', j.status,
                'due_date', j.due_date, 'priority', j.priority, 'quantity', j.quantity
            ),
            'process', CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'name', r.name) END,
            'machine', CASE
                WHEN e.id IS NOT NULL THEN json_build_object(
                    'id', e.id,
                    'name', e.name,
                    'status', e.status,
                    'stop', (
                        SELECT json_build_object(
                            'id', h.id, 'reason', coalesce(x.name, h.reason), 'started_at', h.started_at
                        )
                        FROM machine_stops AS h
                        LEFT JOIN reasons AS x ON x.tenant_id = %(tenant_id)s AND x.id = h.reason_id
                        WHERE h.tenant_id = %(tenant_id)s
                            AND h.machine_id = e.id
                            AND h.ended_at IS NULL
                    )
                )
            END,
            'planned_start', (c.step).planned_start,
            'setup_minutes', (c.step).setup_minutes,
            'seconds_per_piece', (c.step).seconds_per_piece,
            'instructions', (c.step).instructions,
            'quantity_done', (c.step).quantity_done,
            'quantity_rejected', (c.step).quantity_rejected
        ) AS item
    FROM candidates AS c
    CROSS JOIN LATERAL (SELECT (c.step).id) AS s
    JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = (c.step).job_id
    LEFT JOIN processes AS r ON r.tenant_id = %(tenant_id)s AND r.id = (c.step).process_id
    LEFT JOIN machines AS e ON e.tenant_id = %(tenant_id)s AND e.id = (c.step).machine_id
    LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = (c.step).assigned_user_id
    LEFT JOIN open_records AS k ON k.step_id = (c.step).id
    LEFT JOIN LATERAL (/* include problem_that_holds s */) AS h ON true
    CROSS JOIN LATERAL (
        SELECT
            count(*) > 0 AS waits,
            max(coalesce(p.name, 'step ' || o.step_order)) AS waits_for
        FROM (
            SELECT
                b.step_order,
                b.process_id
            FROM job_steps AS b
            WHERE b.tenant_id = %(tenant_id)s
                AND b.job_id = (c.step).job_id
                AND b.step_order < (c.step).step_order
                AND b.status IN ('pending', 'in_progress')
            ORDER BY b.step_order DESC
            LIMIT 1
        ) AS o
        LEFT JOIN processes AS p ON p.tenant_id = %(tenant_id)s AND p.id = o.process_id
    ) AS w
)
SELECT json_build_object(
    'scanned', (
        SELECT i.item
        FROM items AS i
        JOIN scanned AS d ON (d.step).id = i.id
    ),
    'now', coalesce(json_agg(i.item ORDER BY i.record_id) FILTER (WHERE i.place = 'now'), '[]'),
    'next', coalesce(
        json_agg(i.item ORDER BY i.status, i.planned_start, i.due_date, i.urgency, i.id)
        FILTER (WHERE i.place = 'next'),
        '[]'
    ),
    'later', coalesce(
        json_agg(i.item ORDER BY i.planned_start, i.due_date, i.urgency, i.id) FILTER (WHERE i.place = 'later'),
        '[]'
    )
)::text
FROM items AS i

-- name: colleagues
-- reads: users
-- The people a step can be handed over to: those who are active, by name.
SELECT json_build_object(
    'items', coalesce(json_agg(json_build_object('id', c.id, 'name', c.full_name) ORDER BY c.full_name, c.id), '[]')
)::text
FROM (
    SELECT
        u.id,
        u.full_name
    FROM users AS u
    WHERE u.tenant_id = %(tenant_id)s
        AND u.is_active
    ORDER BY
        u.full_name,
        u.id
    LIMIT 500
) AS c

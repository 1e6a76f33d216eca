-- name: late_jobs
-- reads: jobs, job_steps, processes, machines, machine_stops, reasons, users, customers, tenants, working_hours, holidays
-- Jobs that are late, those that may end late, and those of which no step has moved for some days, each with the step it
-- waits at; and the open work from which the queue that delays them is found. Of open jobs those due soonest are read, up to
-- a limit.
WITH /* include learned_lateness */,
/* include business_hours */,
/* include open_jobs */,
work AS MATERIALIZED (
    SELECT
        o.id,
        o.status,
        CASE o.priority WHEN 'urgent' THEN 3 WHEN 'high' THEN 2 WHEN 'normal' THEN 1 ELSE 0 END AS urgency,
        o.due_date - m.today AS due_in,
        extract(epoch FROM o.begun AT TIME ZONE m.time_zone)::bigint AS begun,
        s.orders,
        s.processes,
        s.steps_left,
        greatest(o.created_at, o.started_at, s.last_moved) AS last_moved,
        CASE
            WHEN s.first_start IS NULL THEN 1
            WHEN local_day(s.first_start, m.time_zone) <= local_day(o.begun, m.time_zone) THEN 2
            ELSE 3
        END AS work
    FROM open_jobs AS o
    CROSS JOIN moments AS m
    CROSS JOIN LATERAL (
        SELECT
            array_agg(p.step_order ORDER BY p.step_order) FILTER (
                WHERE p.status <> 'completed' AND p.process_id IS NOT NULL
            ) AS orders,
            array_agg(p.process_id ORDER BY p.step_order) FILTER (
                WHERE p.status <> 'completed' AND p.process_id IS NOT NULL
            ) AS processes,
            count(*) FILTER (WHERE p.status <> 'completed') AS steps_left,
            CASE WHEN count(*) = 0 THEN o.started_at ELSE min(least(p.started_at, p.completed_at)) END AS first_start,
            max(greatest(p.started_at, p.completed_at)) AS last_moved
        FROM job_steps AS p
        WHERE p.tenant_id = %(tenant_id)s
            AND p.job_id = o.id
            AND p.status <> 'skipped'
    ) AS s
),
/* include process_rates */,
rated AS (
    SELECT
        w.id,
        w.status,
        w.due_in,
        w.steps_left,
        w.last_moved,
        CASE WHEN w.due_in < 0 THEN 1 ELSE e.risk END AS risk,
        CASE WHEN w.due_in >= 0 THEN coalesce(e.cases, 0) ELSE 0 END AS cases,
        m.today - local_day(w.last_moved, m.time_zone) AS idle_days
    FROM work AS w
    CROSS JOIN moments AS m
    CROSS JOIN ranges AS k
    LEFT JOIN estimates AS e
        ON e.days = width_bucket(w.due_in, k.days)
        AND e.steps = width_bucket(w.steps_left::integer, k.steps)
        AND e.work = w.work
),
ranked AS (
    SELECT
        w.id,
        w.status,
        w.due_in,
        w.steps_left,
        w.last_moved,
        w.idle_days,
        w.risk,
        w.cases,
        row_number() OVER (PARTITION BY w.due_in < 0 ORDER BY w.risk DESC NULLS LAST, w.due_in, w.id) AS place,
        row_number() OVER (
            PARTITION BY w.idle_days >= %(stuck_days)s AND w.status = 'active' AND w.steps_left > 0
            ORDER BY w.last_moved, w.id
        ) AS stuck_place
    FROM rated AS w
),
shown AS (
    SELECT
        CASE WHEN r.due_in < 0 THEN 'overdue' ELSE 'at_risk' END AS kind,
        r.place,
        r.id,
        r.due_in,
        r.steps_left,
        r.last_moved,
        r.idle_days,
        r.risk,
        r.cases
    FROM ranked AS r
    WHERE r.due_in IS NOT NULL
        AND r.place <= %(limit)s
    UNION ALL
    SELECT
        'stuck' AS kind,
        r.stuck_place,
        r.id,
        r.due_in,
        r.steps_left,
        r.last_moved,
        r.idle_days,
        r.risk,
        r.cases
    FROM ranked AS r
    WHERE r.idle_days >= %(stuck_days)s
        AND r.status = 'active'
        AND r.steps_left > 0
        AND r.stuck_place <= %(limit)s
),
items AS (
    SELECT
        n.kind,
        n.place,
        json_build_object(
            'id', j.id,
            'job_number', j.job_number,
            'title', j.title,
            'status', j.status,
            'priority', j.priority,
            'due_date', j.due_date,
            'customer', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.name) END,
            'days_late', CASE WHEN n.due_in < 0 THEN - n.due_in END,
            'days_left', n.due_in,
            'steps_left', n.steps_left,
            'risk', round(n.risk::numeric, 4),
            'risk_basis', n.cases,
            'last_moved_at', n.last_moved,
            'idle_days', n.idle_days,
            'waits_at', w.waits_at,
            'machine_stop', o.stop
        ) AS item
    FROM shown AS n
    JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = n.id
    LEFT JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = j.customer_id
    /* include waits_at */
    /* include machine_stop (w.waits_at->'machine'->>'id')::bigint */
)
SELECT json_build_object(
    'today', m.today,
    'hours', (SELECT b.hours FROM business_hours AS b),
    'holidays', (SELECT b.holidays FROM business_hours AS b),
    'jobs', (
        SELECT coalesce(
            json_agg(json_build_array(w.id, w.urgency, w.due_in, w.begun, w.orders, w.processes) ORDER BY w.id),
            '[]'
        )
        FROM work AS w
        WHERE w.orders IS NOT NULL
            AND w.status <> 'on_hold'
    ),
    'rates', (
        SELECT coalesce(json_agg(json_build_array(r.id, r.name, round(r.per_day, 4)) ORDER BY r.id), '[]')
        FROM rates AS r
    ),
    'shown', (
        SELECT coalesce(json_agg(json_build_array(i.kind, i.item) ORDER BY i.kind, i.place), '[]')
        FROM items AS i
    )
)::text
FROM moments AS m

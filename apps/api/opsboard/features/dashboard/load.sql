-- fragment: seconds_left
-- The work that is left of a step by its times; null without times.
CASE
            WHEN s.setup_minutes IS NOT NULL OR s.seconds_per_piece IS NOT NULL
                THEN CASE WHEN s.status = 'pending' THEN coalesce(s.setup_minutes, 0)::bigint * 60 ELSE 0 END
                    + coalesce(s.seconds_per_piece, 0)::bigint * greatest(j.quantity - s.quantity_done, 0)
        END

-- fragment: weeks
-- The rest of this week and the next one, by the days of the business.
weeks AS MATERIALIZED (
    SELECT
        d.today,
        CASE WHEN t.as_of IS NULL THEN now() ELSE t.as_of::timestamp AT TIME ZONE t.time_zone END AS began,
        d.monday + 7 AS next_monday,
        (d.monday + 7)::timestamp AT TIME ZONE t.time_zone AS ends,
        (d.monday + 14)::timestamp AT TIME ZONE t.time_zone AS next_ends
    FROM tenants AS t
    CROSS JOIN LATERAL (
        SELECT
            n.today,
            n.today - (extract(isodow FROM n.today)::integer - 1) AS monday
        FROM (SELECT coalesce(t.as_of, local_day(now(), t.time_zone)) AS today) AS n
    ) AS d
    WHERE t.id = %(tenant_id)s
)

-- fragment: sums_by
    SELECT
        o.$1 AS id,
        count(*) FILTER (WHERE o.status = 'in_progress') AS in_progress,
        count(*) FILTER (WHERE o.status = 'pending') AS pending,
        count(*) FILTER (WHERE o.is_overdue) AS overdue,
        count(*) FILTER (WHERE o.seconds IS NULL) AS without_times,
        coalesce(sum(o.seconds), 0)::bigint AS seconds,
        coalesce(sum(o.seconds) FILTER (WHERE o.week = 1), 0)::bigint AS this_week,
        coalesce(sum(o.seconds) FILTER (WHERE o.week = 2), 0)::bigint AS next_week
    FROM open_steps AS o
    GROUP BY o.$1

-- fragment: load_members
        'id', l.id,
        'name', l.name,
        'in_progress', coalesce(l.in_progress, 0),
        'pending', coalesce(l.pending, 0),
        'overdue', coalesce(l.overdue, 0),
        'without_times', coalesce(l.without_times, 0),
        'seconds', coalesce(l.seconds, 0),
        'this_week', json_build_object('due_seconds', coalesce(l.this_week, 0), 'capacity_seconds', $1.this_week),
        'next_week', json_build_object('due_seconds', coalesce(l.next_week, 0), 'capacity_seconds', $1.next_week)

-- fragment: heaviest_first
        coalesce(l.seconds, 0) DESC,
        coalesce(l.in_progress + l.pending, 0) DESC,
        l.name,
        l.id

-- name: load
-- reads: jobs, job_steps, machines, machine_stops, reasons, users, working_hours, holidays, tenants
-- Machines and people by the hours of work that wait for them, most first, beside their working hours of this week and the
-- next. Of open jobs those due soonest are read, up to a limit.
WITH /* include weeks */,
open_jobs AS MATERIALIZED (
    SELECT
        j.id,
        j.quantity,
        j.due_date
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.status IN ('draft', 'active', 'on_hold')
    ORDER BY
        j.due_date_search,
        j.id
    LIMIT %(most_jobs)s
),
open_steps AS MATERIALIZED (
    SELECT
        s.machine_id,
        s.assigned_user_id,
        s.status,
        coalesce(j.due_date < w.today, false) AS is_overdue,
        CASE WHEN j.due_date < w.next_monday THEN 1 WHEN j.due_date < w.next_monday + 7 THEN 2 END AS week,
        /* include seconds_left */ AS seconds
    FROM open_jobs AS j
    CROSS JOIN weeks AS w
    CROSS JOIN LATERAL (
        SELECT
            f.machine_id,
            f.assigned_user_id,
            f.status,
            f.setup_minutes,
            f.seconds_per_piece,
            f.quantity_done
        FROM job_steps AS f
        WHERE f.tenant_id = %(tenant_id)s
            AND f.job_id = j.id
            AND f.status IN ('pending', 'in_progress')
            AND NOT f.job_ended
        -- Job by job: all steps are more than those of the open jobs.
        OFFSET 0
    ) AS s
),
machine_sums AS (
/* include sums_by machine_id */
),
person_sums AS (
/* include sums_by assigned_user_id */
),
machine_loads AS (
    SELECT
        m.id,
        m.name,
        m.status,
        k.in_progress,
        k.pending,
        k.overdue,
        k.without_times,
        k.seconds,
        k.this_week,
        k.next_week
    FROM machines AS m
    LEFT JOIN machine_sums AS k ON k.id = m.id
    WHERE m.tenant_id = %(tenant_id)s
        AND m.archived_at IS NULL
        AND (m.status <> 'inactive' OR k.id IS NOT NULL)
    UNION ALL
    SELECT
        k.id,
        NULL,
        NULL,
        k.in_progress,
        k.pending,
        k.overdue,
        k.without_times,
        k.seconds,
        k.this_week,
        k.next_week
    FROM machine_sums AS k
    WHERE k.id IS NULL
),
shown_machines AS MATERIALIZED (
    SELECT
        l.id,
        l.name,
        l.status,
        l.in_progress,
        l.pending,
        l.overdue,
        l.without_times,
        l.seconds,
        l.this_week,
        l.next_week
    FROM machine_loads AS l
    ORDER BY
/* include heaviest_first */
    LIMIT %(limit)s
),
person_loads AS (
    SELECT
        u.id,
        u.full_name AS name,
        k.in_progress,
        k.pending,
        k.overdue,
        k.without_times,
        k.seconds,
        k.this_week,
        k.next_week
    FROM users AS u
    LEFT JOIN person_sums AS k ON k.id = u.id
    WHERE u.tenant_id = %(tenant_id)s
        AND (u.is_active AND NOT u.is_service OR k.id IS NOT NULL)
    UNION ALL
    SELECT
        k.id,
        NULL,
        k.in_progress,
        k.pending,
        k.overdue,
        k.without_times,
        k.seconds,
        k.this_week,
        k.next_week
    FROM person_sums AS k
    WHERE k.id IS NULL
),
shown_people AS MATERIALIZED (
    SELECT
        l.id,
        l.name,
        l.in_progress,
        l.pending,
        l.overdue,
        l.without_times,
        l.seconds,
        l.this_week,
        l.next_week
    FROM person_loads AS l
    ORDER BY
/* include heaviest_first */
    LIMIT %(limit)s
),
-- The hours of the business, and those of machines that have their own.
capacity AS MATERIALIZED (
    SELECT
        h.machine_id,
        (working_minutes(%(tenant_id)s, h.machine_id, w.began, w.ends) * 60)::bigint AS this_week,
        (working_minutes(%(tenant_id)s, h.machine_id, w.ends, w.next_ends) * 60)::bigint AS next_week
    FROM weeks AS w
    CROSS JOIN (
        SELECT m.id AS machine_id
        FROM shown_machines AS m
        CROSS JOIN LATERAL (
            SELECT s.id
            FROM working_hours AS s
            WHERE s.tenant_id = %(tenant_id)s
                AND s.machine_id = m.id
            LIMIT 1
        ) AS o
        UNION ALL
        SELECT NULL
        WHERE EXISTS (
            SELECT
            FROM working_hours AS s
            WHERE s.tenant_id = %(tenant_id)s
                AND s.machine_id IS NULL
        )
    ) AS h
)
SELECT json_build_object(
    'today', w.today,
    'next_week_from', w.next_monday,
    'machines', (
        SELECT coalesce(
            json_agg(
                json_build_object(
        /* include load_members c */,
                    'status', l.status,
                    'stop', o.stop,
                    'link', '/api/job-steps?waiting=true&machine_id=' || l.id
                )
                ORDER BY
/* include heaviest_first */
            ),
            '[]'
        )
        FROM shown_machines AS l
        LEFT JOIN capacity AS i ON i.machine_id = l.id
        LEFT JOIN capacity AS b ON b.machine_id IS NULL
        CROSS JOIN LATERAL (
            SELECT
                CASE WHEN i.machine_id IS NULL THEN b.this_week ELSE i.this_week END AS this_week,
                CASE WHEN i.machine_id IS NULL THEN b.next_week ELSE i.next_week END AS next_week
        ) AS c
        /* include machine_stop l.id */
    ),
    'people', (
        SELECT coalesce(
            json_agg(
                json_build_object(
        /* include load_members b */,
                    'link', '/api/job-steps?waiting=true&assigned_user_id=' || l.id
                )
                ORDER BY
/* include heaviest_first */
            ),
            '[]'
        )
        FROM shown_people AS l
        LEFT JOIN capacity AS b ON b.machine_id IS NULL
    )
)::text
FROM weeks AS w

-- name: queue
-- reads: jobs, job_steps, processes, machines, users, tenants
-- The open steps of one machine or one person in the order in which they are to be done: in progress, ready, planned, due,
-- urgent; up to a limit.
WITH /* include weeks */,
found AS (
    SELECT
        g.id,
        g.job_id,
        g.step_order,
        g.status
    FROM job_steps AS g
    WHERE g.tenant_id = %(tenant_id)s
        AND g.machine_id = %(machine_id)s
        AND g.status IN ('pending', 'in_progress')
        AND NOT g.job_ended
    UNION ALL
    SELECT
        h.id,
        h.job_id,
        h.step_order,
        h.status
    FROM job_steps AS h
    WHERE h.tenant_id = %(tenant_id)s
        AND h.assigned_user_id = %(assigned_user_id)s
        AND h.status IN ('pending', 'in_progress')
        AND NOT h.job_ended
),
limited AS MATERIALIZED (
    SELECT
        f.id,
        f.job_id,
        f.step_order,
        f.status
    FROM found AS f
    LIMIT %(most)s
),
steps AS (
    SELECT
        s.id,
        row_number() OVER (
            ORDER BY
                f.status = 'in_progress' DESC,
                o.step_order IS NOT NULL OR j.status <> 'active',
                s.planned_start,
                j.due_date,
                array_position(ARRAY['urgent', 'high', 'normal', 'low'], j.priority),
                s.id
        ) AS place,
        json_build_object(
            'step_id', s.id,
            'step_order', s.step_order,
            'status', s.status,
            'job', json_build_object(
                'id', j.id, 'job_number', j.job_number, 'title', j.title, 'status', j.status,
                'due_date', j.due_date, 'priority', j.priority
            ),
            'is_overdue', coalesce(j.due_date < w.today, false),
            'process', CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'name', r.name) END,
            'machine', CASE WHEN e.id IS NOT NULL THEN json_build_object('id', e.id, 'name', e.name) END,
            'person', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
            'seconds', /* include seconds_left */,
            'planned_start', s.planned_start,
            'waits_for', CASE WHEN o.step_order IS NOT NULL THEN coalesce(p.name, 'step ' || o.step_order) END
        ) AS item
    FROM limited AS f
    CROSS JOIN weeks AS w
    JOIN job_steps AS s ON s.tenant_id = %(tenant_id)s AND s.id = f.id
    -- Job by job: all jobs are more than those of a queue.
    CROSS JOIN LATERAL (
        SELECT
            k.id,
            k.job_number,
            k.title,
            k.status,
            k.due_date,
            k.priority,
            k.quantity
        FROM jobs AS k
        WHERE k.tenant_id = %(tenant_id)s
            AND k.id = f.job_id
        OFFSET 0
    ) AS j
    LEFT JOIN processes AS r ON r.tenant_id = %(tenant_id)s AND r.id = s.process_id
    LEFT JOIN machines AS e ON e.tenant_id = %(tenant_id)s AND e.id = s.machine_id
    LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = s.assigned_user_id
    LEFT JOIN LATERAL (
        SELECT
            b.step_order,
            b.process_id
        FROM job_steps AS b
        WHERE b.tenant_id = %(tenant_id)s
            AND b.job_id = f.job_id
            AND b.step_order < f.step_order
            AND b.status IN ('pending', 'in_progress')
        ORDER BY b.step_order DESC
        LIMIT 1
    ) AS o ON true
    LEFT JOIN processes AS p ON p.tenant_id = %(tenant_id)s AND p.id = o.process_id
)
SELECT json_build_object(
    'total', (SELECT count(*) FROM limited AS f),
    'name', coalesce(
        (SELECT m.name FROM machines AS m WHERE m.tenant_id = %(tenant_id)s AND m.id = %(machine_id)s),
        (SELECT u.full_name FROM users AS u WHERE u.tenant_id = %(tenant_id)s AND u.id = %(assigned_user_id)s)
    ),
    'items', (
        SELECT coalesce(json_agg(t.item ORDER BY t.place), '[]')
        FROM steps AS t
        WHERE t.place <= %(limit)s
    )
)::text

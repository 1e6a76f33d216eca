-- fragment: last_change_of_jobs
        SELECT coalesce(max(j.updated_at), (SELECT t.created_at FROM tenants AS t WHERE t.id = %(tenant_id)s))
        FROM jobs AS j
        WHERE j.tenant_id = %(tenant_id)s

-- name: stats
-- reads: jobs, job_steps, machines, users, tenants
-- Counts of jobs, of the caller's own tasks, of machines and, for those who manage, of users.
WITH clock AS (
    SELECT
        t.created_at,
        d.today,
        d.today::timestamp AT TIME ZONE t.time_zone AS day_begins,
        (d.today + 1)::timestamp AT TIME ZONE t.time_zone AS day_ends
    FROM tenants AS t
    CROSS JOIN LATERAL (SELECT coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date) AS today) AS d
    WHERE t.id = %(tenant_id)s
),
job_stats AS (
    SELECT
        count(*) AS total,
        count(*) FILTER (WHERE j.status = 'draft') AS draft,
        count(*) FILTER (WHERE j.status = 'active') AS active,
        count(*) FILTER (WHERE j.status = 'on_hold') AS on_hold,
        count(*) FILTER (WHERE j.status = 'completed') AS completed,
        count(*) FILTER (WHERE j.status = 'cancelled') AS cancelled
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
),
due_stats AS (
    SELECT
        count(*) FILTER (WHERE j.due_date < c.today) AS overdue,
        count(*) FILTER (WHERE j.due_date = c.today) AS due_today
    FROM clock AS c
    JOIN jobs AS j
        ON j.tenant_id = %(tenant_id)s
        AND j.status IN ('draft', 'active', 'on_hold')
        AND j.due_date <= c.today
),
open_tasks AS (
    SELECT
        count(*) FILTER (WHERE s.status = 'pending') AS pending,
        count(*) FILTER (WHERE s.status = 'in_progress') AS in_progress
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.assigned_user_id = %(user_id)s
        AND s.status IN ('pending', 'in_progress')
),
done_tasks AS (
    SELECT count(s.id) AS completed_today
    FROM clock AS c
    JOIN job_steps AS s
        ON s.tenant_id = %(tenant_id)s
        AND s.assigned_user_id = %(user_id)s
        AND s.status = 'completed'
        AND s.completed_at >= c.day_begins
        AND s.completed_at < c.day_ends
),
machine_stats AS (
    SELECT
        count(*) AS total,
        count(*) FILTER (WHERE m.status = 'active') AS active,
        count(*) FILTER (WHERE m.status = 'maintenance') AS maintenance,
        count(*) FILTER (WHERE m.status = 'inactive') AS inactive,
        max(m.updated_at) AS changed_at
    FROM machines AS m
    WHERE m.tenant_id = %(tenant_id)s
),
last_change AS (
    SELECT greatest(
        (SELECT max(j.updated_at) FROM jobs AS j WHERE j.tenant_id = %(tenant_id)s),
        (SELECT max(s.updated_at) FROM job_steps AS s WHERE s.tenant_id = %(tenant_id)s)
    ) AS changed_at
),
user_stats AS (
    SELECT
        count(*) AS total,
        count(*) FILTER (WHERE u.is_active) AS active,
        count(*) FILTER (WHERE u.is_active AND u.role = 'admin') AS admin,
        count(*) FILTER (WHERE u.is_active AND u.role = 'manager') AS manager,
        count(*) FILTER (WHERE u.is_active AND u.role = 'operator') AS operator,
        max(u.updated_at) AS changed_at
    FROM users AS u
    WHERE u.tenant_id = %(tenant_id)s
        AND %(role)s IN ('admin', 'manager')
)
SELECT json_strip_nulls(json_build_object(
    'jobs', json_build_object(
        'total', j.total,
        'draft', j.draft,
        'active', j.active,
        'on_hold', j.on_hold,
        'completed', j.completed,
        'cancelled', j.cancelled,
        'overdue', d.overdue,
        'due_today', d.due_today,
        'links', json_build_object(
            'total', '/api/jobs',
            'draft', '/api/jobs?status=draft',
            'active', '/api/jobs?status=active',
            'on_hold', '/api/jobs?status=on_hold',
            'completed', '/api/jobs?status=completed',
            'cancelled', '/api/jobs?status=cancelled',
            'overdue', '/api/jobs?overdue=true&sort=due_date',
            'due_today', '/api/jobs?due_today=true&sort=due_date'
        )
    ),
    'tasks', json_build_object(
        'pending', o.pending,
        'in_progress', o.in_progress,
        'completed_today', f.completed_today,
        'links', json_build_object(
            'pending', '/api/job-steps?mine=true&status=pending',
            'in_progress', '/api/job-steps?mine=true&status=in_progress',
            'completed_today', '/api/job-steps?mine=true&completed_today=true'
        )
    ),
    'machines', json_build_object(
        'total', m.total,
        'active', m.active,
        'maintenance', m.maintenance,
        'inactive', m.inactive,
        'links', json_build_object(
            'total', '/api/machines',
            'active', '/api/machines?status=active',
            'maintenance', '/api/machines?status=maintenance',
            'inactive', '/api/machines?status=inactive'
        )
    ),
    'users', CASE WHEN %(role)s IN ('admin', 'manager') THEN json_build_object(
        'total', u.total,
        'active', u.active,
        'admin', u.admin,
        'manager', u.manager,
        'operator', u.operator,
        'links', json_build_object(
            'total', '/api/users',
            'active', '/api/users?is_active=true',
            'admin', '/api/users?is_active=true&role=admin',
            'manager', '/api/users?is_active=true&role=manager',
            'operator', '/api/users?is_active=true&role=operator'
        )
    ) END,
    'today', c.today,
    'as_of', coalesce(greatest(l.changed_at, m.changed_at, u.changed_at), c.created_at)
))::text
FROM clock AS c
CROSS JOIN last_change AS l
CROSS JOIN job_stats AS j
CROSS JOIN due_stats AS d
CROSS JOIN open_tasks AS o
CROSS JOIN done_tasks AS f
CROSS JOIN machine_stats AS m
CROSS JOIN user_stats AS u

-- name: recent_jobs
-- reads: jobs, customers, tenants
-- The newest jobs with their customer's name.
WITH recent AS (
    SELECT
        j.id,
        j.job_number,
        j.title,
        j.status,
        j.priority,
        j.due_date,
        j.customer_id,
        j.created_at
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        -- A business that is looked at as of an earlier day has jobs from after it.
        AND j.created_at < (
            SELECT (coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date) + 1)::timestamp AT TIME ZONE t.time_zone
            FROM tenants AS t
            WHERE t.id = %(tenant_id)s
        )
    ORDER BY j.created_at DESC, j.id DESC
    LIMIT %(limit)s
)
SELECT json_build_object(
    'items', coalesce(
        json_agg(
            json_build_object(
                'id', r.id,
                'job_number', r.job_number,
                'title', r.title,
                'status', r.status,
                'priority', r.priority,
                'due_date', r.due_date,
                'is_overdue', r.status IN ('draft', 'active', 'on_hold') AND coalesce(r.due_date < d.today, false),
                'customer', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.name) END,
                'created_at', r.created_at,
                'link', '/api/jobs/' || r.id
            )
            ORDER BY r.created_at DESC, r.id DESC
        ),
        '[]'
    ),
    'link', '/api/jobs?sort=-created_at',
    'as_of', (/* include last_change_of_jobs */)
)::text
FROM recent AS r
CROSS JOIN (
    SELECT coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date) AS today
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
) AS d
LEFT JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = r.customer_id

-- name: jobs_by_status
-- reads: jobs, tenants
-- How many jobs there are in each status, those with none included.
WITH statuses AS (
    SELECT
        s.status,
        s.position
    FROM unnest(ARRAY['draft', 'active', 'on_hold', 'completed', 'cancelled']) WITH ORDINALITY AS s (status, position)
),
counted AS (
    SELECT
        j.status,
        count(*) AS jobs
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
    GROUP BY j.status
)
SELECT json_build_object(
    'items', json_agg(
        json_build_object(
            'status', s.status,
            'count', coalesce(c.jobs, 0),
            'link', '/api/jobs?status=' || s.status
        )
        ORDER BY s.position
    ),
    'total', coalesce(sum(c.jobs), 0)::bigint,
    'as_of', (/* include last_change_of_jobs */)
)::text
FROM statuses AS s
LEFT JOIN counted AS c ON c.status = s.status

-- name: jobs_by_month
-- reads: jobs, tenants
-- Jobs created and jobs completed in each of the last months of the business's time zone, empty months included.
WITH zone AS (
    SELECT
        t.time_zone,
        date_trunc('month', coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date)::timestamp) AS this_month
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
),
months AS (
    SELECT
        m.month,
        m.month AT TIME ZONE z.time_zone AS begins,
        (m.month + interval '1 month') AT TIME ZONE z.time_zone AS ends
    FROM zone AS z
    CROSS JOIN LATERAL generate_series(
        z.this_month - (%(months)s - 1) * interval '1 month',
        z.this_month,
        interval '1 month'
    ) AS m (month)
)
SELECT json_build_object(
    'items', json_agg(
        json_build_object(
            'month', to_char(m.month, 'YYYY-MM'),
            'created', created.jobs,
            'completed', completed.jobs,
            'links', json_build_object(
                'created', '/api/jobs?created_from=' || m.month::date
                || '&created_to=' || (m.month + interval '1 month')::date - 1,
                'completed', '/api/jobs?completed_from=' || m.month::date
                || '&completed_to=' || (m.month + interval '1 month')::date - 1
            )
        )
        ORDER BY m.month
    ),
    'time_zone', (SELECT time_zone FROM zone),
    'as_of', (/* include last_change_of_jobs */)
)::text
FROM months AS m
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.created_at >= m.begins
        AND j.created_at < m.ends
) AS created
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.completed_at >= m.begins
        AND j.completed_at < m.ends
) AS completed

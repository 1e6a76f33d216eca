-- name: get_wall
-- reads: jobs, job_steps, machines, machine_stops, reasons, leads, response_approvals, tenants
-- The chosen areas of the wall: counts of jobs, overdue jobs, machines with their load, counts of leads and approvals.
-- An area that was not chosen is not read, beside its counts. Nothing here depends on who asks.
WITH clock AS (
    SELECT
        t.name,
        t.time_zone,
        t.as_of,
        t.created_at,
        coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date) AS today
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
),
counts AS MATERIALIZED (
    SELECT
        c.metric,
        c.day,
        c.label,
        c.n
    FROM rollup_counts(%(tenant_id)s, ARRAY['jobs', 'open_jobs']) AS c
    WHERE c.day <= (SELECT today FROM clock)
),
counts_of_today AS MATERIALIZED (
    SELECT
        c.metric,
        c.label,
        c.n
    FROM rollup_counts(
        %(tenant_id)s, ARRAY['leads', 'leads_by_day', 'response_approvals', 'response_approvals_by_day']
    ) AS c
    WHERE c.day IN ('-infinity', (SELECT today FROM clock))
),
/* include job_stats */,
/* include due_stats */,
/* include lead_stats */,
/* include approval_stats */,
late AS (
    SELECT
        j.id,
        j.job_number,
        j.title,
        j.due_date
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.status IN ('draft', 'active', 'on_hold')
        AND j.due_date_search < (SELECT today FROM clock)
        AND j.archived_at IS NULL
        AND 'late' = ANY(%(areas)s::text[])
    ORDER BY j.due_date_search, j.id
    LIMIT 8
),
listed AS (
    SELECT
        m.id,
        m.name,
        m.status
    FROM machines AS m
    WHERE m.tenant_id = %(tenant_id)s
        AND m.archived_at IS NULL
        AND 'machines' = ANY(%(areas)s::text[])
    ORDER BY m.name_search, m.id
    LIMIT 100
),
-- Those that stand still first, then those with most work.
tiles AS (
    SELECT
        m.name,
        m.status,
        w.pending,
        w.in_progress,
        o.stop,
        row_number() OVER (
            ORDER BY array_position(ARRAY['maintenance', 'active', 'inactive'], m.status), w.pending DESC, m.id
        ) AS place
    FROM listed AS m
    CROSS JOIN LATERAL (
        SELECT
            count(*) FILTER (WHERE s.status = 'pending') AS pending,
            count(*) FILTER (WHERE s.status = 'in_progress') AS in_progress
        FROM job_steps AS s
        WHERE s.tenant_id = %(tenant_id)s
            AND s.machine_id = m.id
            AND s.status IN ('pending', 'in_progress')
            AND NOT s.job_ended
    ) AS w
    /* include machine_stop m.id */
    ORDER BY place
    LIMIT 24
)
SELECT json_strip_nulls(json_build_object(
    'business', json_build_object('name', c.name, 'time_zone', c.time_zone, 'as_of', c.as_of),
    'areas', to_json(%(areas)s::text[]),
    'jobs', CASE WHEN 'jobs' = ANY(%(areas)s::text[]) THEN json_build_object(
        'total', j.total,
        'draft', j.draft,
        'active', j.active,
        'on_hold', j.on_hold,
        'completed', j.completed,
        'overdue', d.overdue,
        'due_today', d.due_today
    ) END,
    'late', CASE WHEN 'late' = ANY(%(areas)s::text[]) THEN (
        SELECT coalesce(json_agg(
            json_build_object('job_number', l.job_number, 'title', l.title, 'days_late', c.today - l.due_date)
            ORDER BY l.due_date, l.id
        ), '[]')
        FROM late AS l
    ) END,
    'machines', CASE WHEN 'machines' = ANY(%(areas)s::text[]) THEN (
        SELECT coalesce(json_agg(
            json_build_object(
                'name', m.name,
                'status', m.status,
                'in_progress', m.in_progress,
                'pending', m.pending,
                'stop', m.stop
            )
            ORDER BY m.place
        ), '[]')
        FROM tiles AS m
    ) END,
    'leads', CASE WHEN 'sell' = ANY(%(areas)s::text[]) THEN json_build_object(
        'unprocessed', e.unprocessed,
        'in_progress', e.in_progress,
        'new_today', e.new_today
    ) END,
    'approvals', CASE WHEN 'sell' = ANY(%(areas)s::text[]) THEN json_build_object(
        'pending', a.pending,
        'changes_requested', a.changes_requested,
        'decided_today', a.decided_today,
        'oldest_pending_at', a.oldest_pending_at
    ) END,
    'today', c.today,
    'as_of', greatest(
        c.created_at,
        (SELECT max(x.updated_at) FROM jobs AS x WHERE x.tenant_id = %(tenant_id)s),
        (SELECT max(x.updated_at) FROM job_steps AS x WHERE x.tenant_id = %(tenant_id)s),
        (SELECT max(x.updated_at) FROM machines AS x WHERE x.tenant_id = %(tenant_id)s),
        (SELECT max(x.updated_at) FROM leads AS x WHERE x.tenant_id = %(tenant_id)s),
        (SELECT max(x.updated_at) FROM response_approvals AS x WHERE x.tenant_id = %(tenant_id)s)
    )
))::text
FROM clock AS c
CROSS JOIN job_stats AS j
CROSS JOIN due_stats AS d
CROSS JOIN lead_stats AS e
CROSS JOIN approval_stats AS a

-- fragment: lateness_clock
clock AS (
    SELECT
        coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date) AS today,
        t.time_zone
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
)

-- fragment: steps_left
LEFT JOIN LATERAL (
    SELECT
        f.steps_left,
        CASE
            WHEN f.first_start IS NULL THEN 1
            WHEN local_day(f.first_start, d.time_zone) <= local_day(least(j.created_at, j.started_at), d.time_zone) THEN 2
            ELSE 3
        END AS work
    FROM (
        SELECT
            count(*) FILTER (WHERE s.status IN ('pending', 'in_progress') AND NOT s.job_ended) AS steps_left,
            CASE WHEN count(*) = 0 THEN j.started_at ELSE min(least(s.started_at, s.completed_at)) END AS first_start
        FROM job_steps AS s
        WHERE s.tenant_id = %(tenant_id)s
            AND s.job_id = j.id
            AND s.status <> 'skipped'
    ) AS f
) AS p ON true

-- name: list_at_risk
-- reads: jobs, customers, job_steps, processes, machines, users, tenants
-- from: jobs AS j
-- filter ahead: j.archived_at IS NULL AND j.status IN ('draft', 'active', 'on_hold') AND j.due_date >= (SELECT today FROM clock)
-- filter status: j.status = ANY(%(status)s)
-- filter priority: j.priority = ANY(%(priority)s)
-- filter customer_id: j.customer_id = %(customer_id)s
-- filter due_to: j.due_date <= %(due_to)s
-- sort due_date: j.due_date | date
-- total ahead: open_jobs | c.day >= (SELECT today FROM clock)
-- total ahead,due_to: open_jobs | c.day >= (SELECT today FROM clock) AND c.day <= %(due_to)s
-- Open jobs that are not late yet, each with its risk of ending late.
WITH /* include learned_lateness */
SELECT
    page.position,
    json_build_object(
        'id', j.id,
        'job_number', j.job_number,
        'title', j.title,
        'status', j.status,
        'priority', j.priority,
        'due_date', j.due_date,
        'customer', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.name) END,
        'days_left', j.due_date - d.today,
        'steps_left', p.steps_left,
        'risk', round(r.risk::numeric, 4),
        'risk_basis', r.cases,
        'waits_at', w.waits_at
    ) AS item
FROM page
JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = page.id
CROSS JOIN clock AS d
LEFT JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = j.customer_id
/* include steps_left */
/* include waits_at */
-- One row, or none where there is nothing to learn from.
LEFT JOIN LATERAL (
    SELECT
        max(e.risk) AS risk,
        coalesce(max(e.cases), 0) AS cases
    FROM estimates AS e
    CROSS JOIN ranges AS k
    WHERE e.days = width_bucket(j.due_date - d.today, k.days)
        AND e.steps = width_bucket(p.steps_left::integer, k.steps)
        AND e.work = p.work
) AS r ON true

-- name: lateness_risk
-- reads: jobs, job_steps, tenants
-- The lateness risk of one job, and the counts it was computed from.
WITH /* include lateness_clock */,
/* include learned_lateness */
SELECT json_build_object(
    'id', j.id,
    'job_number', j.job_number,
    'status', j.status,
    'due_date', j.due_date,
    'days_left', j.due_date - d.today,
    'steps_left', p.steps_left,
    'risk', CASE w.reason WHEN 'overdue' THEN 1 ELSE CASE WHEN w.reason IS NULL THEN round(e.risk::numeric, 4) END END,
    'risk_basis', coalesce(e.cases, 0),
    'reason', w.reason,
    'prior', %(prior)s,
    'like_it', json_build_object('cases', coalesce(e.cases, 0), 'late', coalesce(e.late, 0)),
    'work', CASE p.work WHEN 1 THEN 'not_begun' WHEN 2 THEN 'begun_at_once' ELSE 'begun_later' END,
    'like_it_at_work', json_build_object('cases', coalesce(e.cases_of_work, 0), 'late', coalesce(e.late_of_work, 0)),
    'weight_of_work', round(x.weight::numeric, 1),
    'shift', round(h.shift::numeric, 4),
    'with_as_many_days', json_build_object('cases', coalesce(e.cases_of_days, 0), 'late', coalesce(e.late_of_days, 0)),
    'all', json_build_object('cases', a.cases, 'late', a.late)
)::text
FROM jobs AS j
CROSS JOIN clock AS d
CROSS JOIN of_all AS a
CROSS JOIN work_weight AS x
CROSS JOIN drift AS h
CROSS JOIN ranges AS k
/* include steps_left */
LEFT JOIN estimates AS e
    ON j.status IN ('draft', 'active', 'on_hold')
    AND e.days = width_bucket(j.due_date - d.today, k.days)
    AND e.steps = width_bucket(p.steps_left::integer, k.steps)
    AND e.work = p.work
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN j.status NOT IN ('draft', 'active', 'on_hold') THEN 'closed'
        WHEN j.due_date IS NULL THEN 'no_due_date'
        WHEN j.due_date < d.today THEN 'overdue'
        WHEN e.risk IS NULL THEN 'no_history'
    END AS reason
) AS w
WHERE j.tenant_id = %(tenant_id)s
    AND j.id = %(job_id)s

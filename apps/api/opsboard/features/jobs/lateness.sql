-- fragment: lateness_clock
clock AS (
    SELECT
        coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date) AS today,
        t.time_zone
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
)

-- fragment: newest_finished
-- Bounded before anything is asked of them: however large the shop, no more than these are read.
newest AS MATERIALIZED (
    SELECT
        j.id,
        j.status,
        j.due_date,
        least(j.created_at, j.started_at, j.completed_at) AS begun,
        j.completed_at AS ended
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.completed_at < (SELECT (c.today + 1)::timestamp AT TIME ZONE c.time_zone FROM clock AS c)
    ORDER BY j.completed_at DESC, j.id DESC
    LIMIT %(newest)s
)

-- fragment: learned_lateness
-- Counts of finished jobs: for each number of days and steps left, how many ended late.
/* include newest_finished */,
-- The newest of them may be held out, to see how good a guess the others give.
finished AS MATERIALIZED (
    SELECT
        n.id,
        n.due_date,
        n.begun,
        n.ended,
        local_day(n.ended, c.time_zone) > n.due_date AS is_late,
        row_number() OVER (ORDER BY n.ended DESC, n.id DESC) <= %(held_out)s::numeric * count(*) OVER () AS is_held_out
    FROM newest AS n
    CROSS JOIN clock AS c
    WHERE n.status = 'completed'
        AND n.due_date IS NOT NULL
),
-- States are told apart where it matters: nearer the due date, and nearer the last step. Where each range begins.
ranges AS (
    SELECT
        ARRAY[0, 1, 2, 4, 8, 15, 31, 61] AS days,
        ARRAY[0, 1, 2, 3, 5, 8] AS steps
),
-- A job begins with all of its steps left. One that nobody ended before the job is left until the job ends; of a skipped
-- one nobody knows since when it was none.
step_events AS (
    SELECT
        f.id,
        f.due_date,
        f.ended,
        f.is_late,
        f.is_held_out,
        f.begun AS moment
    FROM finished AS f
    UNION ALL
    SELECT
        f.id,
        f.due_date,
        f.ended,
        f.is_late,
        f.is_held_out,
        greatest(f.begun, least(f.ended, p.completed_at))
    FROM finished AS f
    CROSS JOIN LATERAL (
        SELECT s.completed_at
        FROM job_steps AS s
        WHERE s.tenant_id = %(tenant_id)s
            AND s.job_id = f.id
            AND s.status <> 'skipped'
        -- Job by job: the steps of all jobs are more than those of these.
        OFFSET 0
    ) AS p
),
intervals AS (
    SELECT
        t.id,
        t.due_date,
        t.is_late,
        t.is_held_out,
        t.moment AS since,
        lead(t.moment, 1, t.ended) OVER job AS until,
        count(*) OVER (PARTITION BY t.id) - row_number() OVER job AS steps_left
    FROM step_events AS t
    WINDOW job AS (PARTITION BY t.id ORDER BY t.moment)
),
-- The range of days left when a stretch began and when it ended: 0 when it is late, and when it lasted no time.
interval_states AS MATERIALIZED (
    SELECT
        t.id,
        t.is_late,
        t.is_held_out,
        width_bucket(t.steps_left::integer, r.steps) AS steps,
        CASE
            WHEN t.since < t.until THEN width_bucket(t.due_date - local_day(t.since, c.time_zone), r.days)
            ELSE 0
        END AS first_days,
        width_bucket(t.due_date - local_day(t.until - interval '1 microsecond', c.time_zone), r.days) AS last_days
    FROM intervals AS t
    CROSS JOIN clock AS c
    CROSS JOIN ranges AS r
),
-- Each state that a job was in, once, also those that days alone brought it to.
states AS MATERIALIZED (
    SELECT DISTINCT
        t.id,
        t.is_late,
        t.is_held_out,
        d.days,
        t.steps
    FROM interval_states AS t
    CROSS JOIN LATERAL (
        SELECT g.days
        FROM generate_series(greatest(t.last_days, 1), t.first_days) AS g (days)
        -- There are no more ranges; without a word the planner takes it for a thousand.
        LIMIT 8
    ) AS d
),
by_state AS (
    SELECT
        k.days,
        k.steps,
        count(*) AS cases,
        count(*) FILTER (WHERE k.is_late) AS late
    FROM states AS k
    WHERE NOT k.is_held_out
    GROUP BY k.days, k.steps
),
by_days AS (
    SELECT
        k.days,
        count(DISTINCT k.id) AS cases,
        count(DISTINCT k.id) FILTER (WHERE k.is_late) AS late
    FROM states AS k
    WHERE NOT k.is_held_out
    GROUP BY k.days
),
of_all AS (
    SELECT
        count(*) AS cases,
        count(*) FILTER (WHERE f.is_late) AS late
    FROM finished AS f
    WHERE NOT f.is_held_out
),
-- Each share leans on the coarser one as if `prior` of its cases had been seen; the coarsest on one late job and one not.
estimates AS MATERIALIZED (
    SELECT
        d.days,
        p.steps,
        coalesce(n.cases, 0) AS cases,
        coalesce(n.late, 0) AS late,
        coalesce(g.cases, 0) AS cases_of_days,
        coalesce(g.late, 0) AS late_of_days,
        a.cases AS cases_of_all,
        a.late AS late_of_all,
        b.rate AS base_rate,
        (coalesce(n.late, 0) + %(prior)s * r.rate) / (coalesce(n.cases, 0) + %(prior)s) AS risk
    FROM of_all AS a
    CROSS JOIN ranges AS k
    CROSS JOIN LATERAL unnest(k.days) WITH ORDINALITY AS d (least, days)
    CROSS JOIN LATERAL unnest(k.steps) WITH ORDINALITY AS p (least, steps)
    LEFT JOIN by_days AS g ON g.days = d.days
    LEFT JOIN by_state AS n ON n.days = d.days AND n.steps = p.steps
    CROSS JOIN LATERAL (SELECT (a.late + 1) / (a.cases + 2.0) AS rate) AS b
    CROSS JOIN LATERAL (
        SELECT (coalesce(g.late, 0) + %(prior)s * b.rate) / (coalesce(g.cases, 0) + %(prior)s) AS rate
    ) AS r
    WHERE a.cases > 0
)

-- fragment: steps_left
LEFT JOIN LATERAL (
    SELECT
        count(*) AS steps,
        count(*) FILTER (WHERE s.status IN ('pending', 'in_progress') AND NOT s.job_ended) AS steps_left
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.job_id = j.id
) AS p ON true

-- name: list_at_risk
-- reads: jobs, customers, job_steps, tenants
-- from: jobs AS j
-- filter ahead: j.archived_at IS NULL AND j.status IN ('draft', 'active', 'on_hold') AND j.due_date >= (SELECT today FROM clock)
-- filter status: j.status = ANY(%(status)s)
-- filter priority: j.priority = ANY(%(priority)s)
-- filter customer_id: j.customer_id = %(customer_id)s
-- filter due_to: j.due_date <= %(due_to)s
-- sort due_date: j.due_date | date
-- total ahead: open_jobs | c.day >= (SELECT today FROM clock)
-- total ahead,due_to: open_jobs | c.day >= (SELECT today FROM clock) AND c.day <= %(due_to)s
-- Open jobs that are not late yet, each with the share of past jobs in its state that ended late.
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
        'risk', round(r.risk, 4),
        'risk_basis', r.cases
    ) AS item
FROM page
JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = page.id
CROSS JOIN clock AS d
LEFT JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = j.customer_id
/* include steps_left */
-- One row, or none where there is nothing to learn from.
LEFT JOIN LATERAL (
    SELECT
        max(e.risk) AS risk,
        coalesce(max(e.cases), 0) AS cases
    FROM estimates AS e
    CROSS JOIN ranges AS k
    WHERE e.days = width_bucket(j.due_date - d.today, k.days)
        AND e.steps = width_bucket(p.steps_left::integer, k.steps)
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
    'risk', CASE w.reason WHEN 'overdue' THEN 1 ELSE CASE WHEN w.reason IS NULL THEN round(e.risk, 4) END END,
    'risk_basis', coalesce(e.cases, 0),
    'reason', w.reason,
    'prior', %(prior)s,
    'like_it', json_build_object('cases', coalesce(e.cases, 0), 'late', coalesce(e.late, 0)),
    'with_as_many_days', json_build_object('cases', coalesce(e.cases_of_days, 0), 'late', coalesce(e.late_of_days, 0)),
    'all', json_build_object('cases', a.cases, 'late', a.late)
)::text
FROM jobs AS j
CROSS JOIN clock AS d
CROSS JOIN of_all AS a
CROSS JOIN ranges AS k
/* include steps_left */
LEFT JOIN estimates AS e
    ON j.status IN ('draft', 'active', 'on_hold')
    AND e.days = width_bucket(j.due_date - d.today, k.days)
    AND e.steps = width_bucket(p.steps_left::integer, k.steps)
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

-- name: risk_calibration
-- reads: jobs, job_steps, tenants
-- The quality of the risk: learned from the older finished jobs, compared with how the newest of them ended.
WITH /* include lateness_clock */,
/* include learned_lateness */,
scored AS MATERIALIZED (
    SELECT
        k.is_late::integer AS late,
        e.risk,
        e.base_rate
    FROM states AS k
    JOIN estimates AS e ON e.days = k.days AND e.steps = k.steps
    WHERE k.is_held_out
        -- Of a few jobs nothing is said.
        AND (SELECT count(*) FROM finished AS f) >= %(fewest)s
),
bins AS (
    SELECT
        b.bin,
        avg(s.risk) AS predicted,
        avg(s.late) AS observed,
        count(*) AS cases
    FROM scored AS s
    CROSS JOIN LATERAL (SELECT least(floor(s.risk * 10), 9) AS bin) AS b
    GROUP BY b.bin
),
scores AS (
    SELECT
        count(*) AS cases,
        max(s.base_rate) AS base_rate,
        avg((s.risk - s.late) ^ 2) AS brier,
        avg((s.base_rate - s.late) ^ 2) AS brier_of_base_rate
    FROM scored AS s
)
SELECT json_build_object(
    'learned_from', (SELECT count(*) FROM finished AS f WHERE NOT f.is_held_out),
    'scored', (SELECT count(*) FROM finished AS f WHERE f.is_held_out),
    'cases', s.cases,
    'base_rate', round(s.base_rate, 4),
    'brier', round(s.brier, 4),
    'brier_of_base_rate', round(s.brier_of_base_rate, 4),
    'is_better', s.brier < s.brier_of_base_rate,
    'reason', CASE WHEN s.cases = 0 THEN 'not_enough_history' END,
    'needed', %(fewest)s,
    'bins', (
        SELECT coalesce(
            json_agg(
                json_build_object(
                    'from', round(b.bin / 10, 1),
                    'to', round((b.bin + 1) / 10, 1),
                    'predicted', round(b.predicted, 4),
                    'observed', round(b.observed, 4),
                    'cases', b.cases
                )
                ORDER BY b.bin
            ),
            '[]'
        )
        FROM bins AS b
    )
)::text
FROM scores AS s

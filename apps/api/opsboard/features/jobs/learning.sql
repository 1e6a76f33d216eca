-- fragment: learned_lateness
-- The share of past jobs that ended late, by the number of days and steps left and whether work had begun.
-- Jobs that are still open teach too: past their due date they are late, before it they are censored observations.
/* include forecast_clock */,
/* include sampled_jobs */,
past_jobs AS MATERIALIZED (
    SELECT
        k.id,
        j.due_date,
        j.begun,
        -- The end of today: only days are compared, and the answer stays the same until the day ends.
        coalesce(j.ended, m.ends) AS until,
        s.steps,
        s.ends,
        CASE WHEN s.steps = 0 THEN j.started_at ELSE s.first_start END AS first_start,
        j.due_date < m.today AS is_due,
        CASE
            WHEN j.ended IS NOT NULL THEN local_day(j.ended, m.time_zone) > j.due_date
            WHEN j.due_date < m.today THEN true
        END AS is_late,
        -- The newest of those that were due may be held out, to see how well the others predict them.
        row_number() OVER (PARTITION BY j.due_date < m.today ORDER BY j.due_date DESC, k.id DESC)
        <= %(held_out)s::numeric * count(*) OVER (PARTITION BY j.due_date < m.today) AS is_held_out
    FROM sampled AS k
    CROSS JOIN moments AS m
    CROSS JOIN LATERAL (
        SELECT
            j.due_date,
            j.started_at,
            least(j.created_at, j.started_at, j.completed_at) AS begun,
            CASE WHEN j.completed_at < m.ends THEN j.completed_at END AS ended
        FROM jobs AS j
        WHERE j.tenant_id = %(tenant_id)s
            AND j.id = k.id
            AND j.due_date IS NOT NULL
            AND j.status <> 'cancelled'
            AND (j.status <> 'completed' OR j.completed_at IS NOT NULL)
        -- Job by job: all jobs are more than those of the sample.
        OFFSET 0
    ) AS j
    CROSS JOIN LATERAL (
        SELECT
            count(*) AS steps,
            array_agg(p.completed_at) FILTER (WHERE p.completed_at IS NOT NULL) AS ends,
            min(least(p.started_at, p.completed_at)) AS first_start
        FROM job_steps AS p
        WHERE p.tenant_id = %(tenant_id)s
            AND p.job_id = k.id
            AND p.status <> 'skipped'
    ) AS s
),
of_all AS (
    SELECT
        count(*) FILTER (WHERE f.is_due) AS cases,
        count(*) FILTER (WHERE f.is_due AND f.is_late) AS late,
        count(f.is_late) AS ended,
        max(f.due_date) FILTER (WHERE f.is_due) AS last_due
    FROM past_jobs AS f
    WHERE NOT f.is_held_out
),
-- States are told apart where it matters: nearer the due date, and nearer the last step. Where each range begins.
ranges AS (
    SELECT
        ARRAY[0, 1, 2, 4, 8, 15, 31, 61] AS days,
        ARRAY[0, 1, 2, 3, 5, 8] AS steps
),
-- A job begins with all of its steps left. A step that was never ended is left until the job ends. Of a skipped step the time
-- of skipping is unknown, so it never counts.
step_events AS (
    SELECT
        f.id,
        f.begun AS moment,
        0 AS done,
        0 AS started
    FROM past_jobs AS f
    UNION ALL
    SELECT
        f.id,
        greatest(f.begun, least(f.until, e.moment)),
        1,
        0
    FROM past_jobs AS f
    CROSS JOIN LATERAL unnest(f.ends) AS e (moment)
    UNION ALL
    SELECT
        f.id,
        greatest(f.begun, f.first_start),
        0,
        1
    FROM past_jobs AS f
    WHERE f.first_start < f.until
),
intervals AS (
    SELECT
        f.id,
        f.due_date,
        f.begun,
        f.first_start,
        t.moment AS since,
        lead(t.moment, 1, f.until) OVER job AS until,
        f.steps - sum(t.done) OVER job AS steps_left,
        max(t.started) OVER job AS has_started
    FROM step_events AS t
    JOIN past_jobs AS f ON f.id = t.id
    WINDOW job AS (
        PARTITION BY t.id
        ORDER BY
            t.moment,
            t.done,
            t.started
        ROWS UNBOUNDED PRECEDING
    )
),
-- The range of days left when an interval began and when it ended: 0 when it is late, and when it lasted no time.
-- `work`: 1 has not begun, 2 began on the day of the job, 3 began later.
interval_states AS MATERIALIZED (
    SELECT
        t.id,
        width_bucket(t.steps_left::integer, r.steps) AS steps,
        CASE
            WHEN t.has_started = 0 THEN 1
            WHEN local_day(t.first_start, m.time_zone) <= local_day(t.begun, m.time_zone) THEN 2
            ELSE 3
        END AS work,
        CASE
            WHEN t.since < t.until THEN width_bucket(t.due_date - local_day(t.since, m.time_zone), r.days)
            ELSE 0
        END AS first_days,
        width_bucket(t.due_date - local_day(t.until - interval '1 microsecond', m.time_zone), r.days) AS last_days
    FROM intervals AS t
    CROSS JOIN moments AS m
    CROSS JOIN ranges AS r
),
-- Each state that a job was in, once, also those that days alone brought it to. `last_range` is the range of days left in
-- which it ended, or in which it is now; 0: it was late.
states AS MATERIALIZED (
    SELECT
        k.id,
        k.days,
        k.steps,
        k.work,
        f.due_date,
        f.is_due,
        f.is_late,
        f.is_held_out,
        CASE
            WHEN f.is_late THEN 0
            ELSE width_bucket(f.due_date - local_day(f.until - interval '1 microsecond', m.time_zone), r.days)
        END AS last_range
    FROM (
        SELECT DISTINCT
            t.id,
            d.days,
            t.steps,
            t.work
        FROM interval_states AS t
        CROSS JOIN LATERAL (
            SELECT g.days
            FROM generate_series(greatest(t.last_days, 1), t.first_days) AS g (days)
            -- There are no more ranges; without a word the planner takes it for a thousand.
            LIMIT 8
        ) AS d
    ) AS k
    JOIN past_jobs AS f ON f.id = k.id
    CROSS JOIN moments AS m
    CROSS JOIN ranges AS r
),
-- A life table for each state, by days alone (`depth` 3), with steps (1), and with work (0): how many of its jobs ended in
-- which range of days left, or are in it. What ended early is known too soon: a job that was held out has no such rows.
endings AS (
    SELECT
        grouping(k.steps, k.work) AS depth,
        k.days,
        k.steps,
        k.work,
        k.last_range,
        count(DISTINCT k.id) AS cases,
        CASE WHEN k.last_range > 0 THEN count(DISTINCT k.id) FILTER (WHERE NOT k.is_late) ELSE 0 END AS in_time
    FROM states AS k
    WHERE NOT k.is_held_out
        AND (k.is_due OR %(held_out)s::numeric = 0)
    GROUP BY
        GROUPING SETS (
            (k.days, k.last_range), (k.days, k.steps, k.last_range), (k.days, k.steps, k.work, k.last_range)
        )
),
-- Kaplan and Meier: of those that were known to come into a range, or ended in it, the share that did not end in time there.
-- The product is the share that is late.
shares AS (
    SELECT
        e.depth,
        e.days,
        e.steps,
        e.work,
        sum(CASE WHEN e.last_range < e.days THEN e.cases ELSE e.in_time END)::float8 AS cases,
        coalesce(sum(e.cases) FILTER (WHERE e.last_range = 0), 0)::float8 AS late,
        CASE
            WHEN bool_or(e.in_time > 0 AND e.in_time = e.at_risk) THEN 0
            ELSE
                exp(
                    coalesce(
                        sum(ln(1 - e.in_time / e.at_risk::float8)) FILTER (WHERE e.in_time > 0 AND e.in_time < e.at_risk), 0
                    )
                )
        END AS share
    FROM (
        SELECT
            n.depth,
            n.days,
            n.steps,
            n.work,
            n.last_range,
            n.cases,
            n.in_time,
            n.in_time + coalesce(sum(n.cases) OVER below, 0) AS at_risk
        FROM endings AS n
        WINDOW below AS (
            PARTITION BY n.depth, n.days, n.steps, n.work
            ORDER BY n.last_range
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
    ) AS e
    GROUP BY
        e.depth,
        e.days,
        e.steps,
        e.work
),
/* include work_weight */,
-- Each share leans on the coarser one as if `prior` of its cases had been seen; the coarsest on one late job and one not.
unshifted AS MATERIALIZED (
    SELECT
        d.days,
        p.steps,
        w.work,
        coalesce(n.cases, 0) AS cases,
        coalesce(n.late, 0) AS late,
        coalesce(g.cases, 0) AS cases_of_days,
        coalesce(g.late, 0) AS late_of_days,
        coalesce(o.cases, 0) AS cases_of_work,
        coalesce(o.late, 0) AS late_of_work,
        b.rate AS base_rate,
        (1 - x.weight) * s.rate + x.weight * u.rate AS risk
    FROM of_all AS a
    CROSS JOIN work_weight AS x
    CROSS JOIN ranges AS k
    CROSS JOIN LATERAL unnest(k.days) WITH ORDINALITY AS d (least, days)
    CROSS JOIN LATERAL unnest(k.steps) WITH ORDINALITY AS p (least, steps)
    CROSS JOIN generate_series(1, 3) AS w (work)
    LEFT JOIN shares AS g ON g.depth = 3 AND g.days = d.days
    LEFT JOIN shares AS n ON n.depth = 1 AND n.days = d.days AND n.steps = p.steps
    LEFT JOIN shares AS o ON o.depth = 0 AND o.days = d.days AND o.steps = p.steps AND o.work = w.work
    CROSS JOIN LATERAL (SELECT (a.late + 1) / (a.cases + 2.0)::float8 AS rate) AS b
    CROSS JOIN LATERAL (
        SELECT (coalesce(g.cases * g.share, 0) + %(prior)s * b.rate) / (coalesce(g.cases, 0) + %(prior)s) AS rate
    ) AS r
    CROSS JOIN LATERAL (
        SELECT (coalesce(n.cases * n.share, 0) + %(prior)s * r.rate) / (coalesce(n.cases, 0) + %(prior)s) AS rate
    ) AS s
    CROSS JOIN LATERAL (
        SELECT (coalesce(o.cases * o.share, 0) + %(prior)s * s.rate) / (coalesce(o.cases, 0) + %(prior)s) AS rate
    ) AS u
    WHERE a.ended > 0
),
/* include drift */,
estimates AS MATERIALIZED (
    SELECT
        e.days,
        e.steps,
        e.work,
        e.cases,
        e.late,
        e.cases_of_days,
        e.late_of_days,
        e.cases_of_work,
        e.late_of_work,
        e.base_rate,
        CASE WHEN h.shift = 0 THEN e.risk ELSE 1 / (1 + (1 - e.risk) / e.risk * exp(-h.shift)) END AS risk
    FROM unshifted AS e
    CROSS JOIN drift AS h
)

-- fragment: work_weight
-- In some shops work that has begun says how a job ends; in others it says so in most weeks and misleads in the rest. So each
-- week of past due dates is predicted from the other weeks, and work counts as much as it could without making any of
-- these weeks worse than days and steps, or days alone, did.
weekly AS MATERIALIZED (
    SELECT
        (a.last_due - k.due_date) / 7 AS week,
        k.days,
        k.steps,
        k.work,
        count(*)::float8 AS cases,
        count(*) FILTER (WHERE k.is_late)::float8 AS late
    FROM states AS k
    CROSS JOIN of_all AS a
    WHERE k.is_due
        AND NOT k.is_held_out
    GROUP BY
        (a.last_due - k.due_date) / 7,
        k.days,
        k.steps,
        k.work
),
other_weeks AS (
    SELECT
        w.week,
        w.cases,
        w.late,
        sum(w.cases) OVER () - sum(w.cases) OVER (PARTITION BY w.week) AS cases_of_all,
        sum(w.late) OVER () - sum(w.late) OVER (PARTITION BY w.week) AS late_of_all,
        sum(w.cases) OVER by_days - sum(w.cases) OVER (PARTITION BY w.days, w.week) AS cases_of_days,
        sum(w.late) OVER by_days - sum(w.late) OVER (PARTITION BY w.days, w.week) AS late_of_days,
        sum(w.cases) OVER by_steps - sum(w.cases) OVER (PARTITION BY w.days, w.steps, w.week) AS cases_of_steps,
        sum(w.late) OVER by_steps - sum(w.late) OVER (PARTITION BY w.days, w.steps, w.week) AS late_of_steps,
        sum(w.cases) OVER by_work - w.cases AS cases_of_work,
        sum(w.late) OVER by_work - w.late AS late_of_work
    FROM weekly AS w
    WINDOW
        by_days AS (PARTITION BY w.days),
        by_steps AS (PARTITION BY w.days, w.steps),
        by_work AS (PARTITION BY w.days, w.steps, w.work)
),
weekly_shares AS MATERIALIZED (
    SELECT
        o.week,
        o.cases,
        o.late,
        d.rate AS by_days,
        s.rate AS by_steps,
        (o.late_of_work + %(prior)s * s.rate) / (o.cases_of_work + %(prior)s) AS by_work
    FROM other_weeks AS o
    CROSS JOIN LATERAL (SELECT (o.late_of_all + 1) / (o.cases_of_all + 2) AS rate) AS b
    CROSS JOIN LATERAL (SELECT (o.late_of_days + %(prior)s * b.rate) / (o.cases_of_days + %(prior)s) AS rate) AS d
    CROSS JOIN LATERAL (SELECT (o.late_of_steps + %(prior)s * d.rate) / (o.cases_of_steps + %(prior)s) AS rate) AS s
),
-- The squared errors of a share r are late * (1 - r)^2 + in time * r^2 = late * (1 - 2 r) + all * r^2.
weekly_errors AS (
    SELECT
        g.tenths,
        sum(p.late * (1 - 2 * x.risk) + p.cases * x.risk * x.risk) / sum(p.cases) AS error,
        greatest(
            sum(p.late * (1 - 2 * p.by_days) + p.cases * p.by_days * p.by_days),
            sum(p.late * (1 - 2 * p.by_steps) + p.cases * p.by_steps * p.by_steps)
        ) / sum(p.cases) AS most
    FROM weekly_shares AS p
    CROSS JOIN generate_series(0, 10) AS g (tenths)
    CROSS JOIN LATERAL (SELECT p.by_steps + g.tenths / 10.0::float8 * (p.by_work - p.by_steps) AS risk) AS x
    GROUP BY
        g.tenths,
        p.week
    -- Fewer cases say nothing about a week.
    HAVING sum(p.cases) >= 30
),
work_weight AS MATERIALIZED (
    SELECT
        coalesce(
            (
                SELECT e.tenths
                FROM weekly_errors AS e
                GROUP BY e.tenths
                HAVING bool_and(e.error <= e.most + 0.000001)
                ORDER BY
                    sum(e.error),
                    e.tenths
                LIMIT 1
            ),
            0
        ) / 10.0::float8 AS weight
)

-- fragment: drift
-- Jobs due in the last four weeks that were late more often or less often than the risk says, by more than chance explains: all
-- risks are shifted by as much, in log odds. Jobs due on one day share their fate, so that the days count and not the jobs.
recent AS (
    SELECT
        count(*) AS cases,
        count(DISTINCT k.id) AS jobs,
        count(*) FILTER (WHERE k.is_late) AS late,
        sum(e.risk) AS predicted
    FROM states AS k
    JOIN unshifted AS e ON e.days = k.days AND e.steps = k.steps AND e.work = k.work
    CROSS JOIN of_all AS a
    WHERE k.is_due
        AND NOT k.is_held_out
        AND k.due_date > a.last_due - 28
    GROUP BY k.due_date
),
drift AS MATERIALIZED (
    SELECT
        CASE
            WHEN n.jobs >= 10 AND abs(n.late - n.predicted) > 2 * greatest(n.between_days, n.by_chance)
                THEN ln((n.late + 0.5) / (n.cases - n.late + 0.5)) - ln(n.predicted / (n.cases - n.predicted))
            ELSE 0
        END AS shift
    FROM (
        SELECT
            sum(r.jobs) AS jobs,
            sum(r.cases)::float8 AS cases,
            sum(r.late)::float8 AS late,
            sum(r.predicted) AS predicted,
            sqrt(sum((r.late - r.predicted) ^ 2)) AS between_days,
            sqrt(sum(r.predicted) * (sum(r.cases) - sum(r.predicted)) / sum(r.jobs)) AS by_chance
        FROM recent AS r
    ) AS n
)

-- name: risk_calibration
-- reads: jobs, job_steps, tenants
-- The quality of the risk: learned from the jobs that were due earlier, compared with how those due last ended.
WITH /* include lateness_clock */,
/* include learned_lateness */,
scored AS MATERIALIZED (
    SELECT
        k.is_late::integer AS late,
        e.risk,
        e.base_rate
    FROM states AS k
    JOIN estimates AS e ON e.days = k.days AND e.steps = k.steps AND e.work = k.work
    WHERE k.is_held_out
        AND k.is_due
        -- Of a few jobs nothing is said.
        AND (SELECT count(*) FROM past_jobs AS f WHERE f.is_due) >= %(fewest)s
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
    'learned_from', (SELECT count(*) FROM past_jobs AS f WHERE f.is_due AND NOT f.is_held_out),
    'scored', (SELECT count(*) FROM past_jobs AS f WHERE f.is_due AND f.is_held_out),
    'cases', s.cases,
    'base_rate', round(s.base_rate::numeric, 4),
    'brier', round(s.brier::numeric, 4),
    'brier_of_base_rate', round(s.brier_of_base_rate::numeric, 4),
    'is_better', s.brier < s.brier_of_base_rate,
    'reason', CASE WHEN s.cases = 0 THEN 'not_enough_history' END,
    'needed', %(fewest)s,
    'bins', (
        SELECT coalesce(
            json_agg(
                json_build_object(
                    'from', round(b.bin::numeric / 10, 1),
                    'to', round((b.bin::numeric + 1) / 10, 1),
                    'predicted', round(b.predicted::numeric, 4),
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

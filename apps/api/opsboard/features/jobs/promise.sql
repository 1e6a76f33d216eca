-- fragment: forecast_clock
-- Nothing is known of what comes after `ends`, nor after now.
moments AS (
    SELECT
        c.today,
        c.time_zone,
        (c.today + 1)::timestamp AT TIME ZONE c.time_zone AS ends
    FROM tenants AS t
    CROSS JOIN LATERAL (
        SELECT
            coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date) AS today,
            t.time_zone
    ) AS c
    WHERE t.id = %(tenant_id)s
)

-- fragment: sampled_jobs
-- As many jobs of each of the last days, chosen by a hash of their ids, and some older ones. Each stands for as many
-- jobs as were added that day for each one chosen. A day is read up to a limit, so that its cost has one.
sampled_by_day AS MATERIALIZED (
    SELECT
        k.id,
        k.weight
    FROM moments AS m
    CROSS JOIN generate_series(0, %(days)s - 1) AS g (back)
    CROSS JOIN LATERAL (
        SELECT
            d.id,
            greatest(1.0, count(*) OVER () / %(kept_per_day)s::numeric) AS weight
        FROM (
            SELECT j.id
            FROM jobs AS j
            WHERE j.tenant_id = %(tenant_id)s
                AND j.created_at >= (m.today - g.back)::timestamp AT TIME ZONE m.time_zone
                AND j.created_at < (m.today - g.back + 1)::timestamp AT TIME ZONE m.time_zone
            ORDER BY
                j.created_at,
                j.id
            LIMIT %(read_per_day)s
        ) AS d
        ORDER BY
            hashint8(d.id),
            d.id
        LIMIT %(kept_per_day)s
    ) AS k
),
sampled AS MATERIALIZED (
    SELECT
        n.id,
        n.weight
    FROM sampled_by_day AS n
    UNION ALL
    SELECT
        o.id,
        1.0 AS weight
    FROM (
        SELECT j.id
        FROM jobs AS j
        WHERE j.tenant_id = %(tenant_id)s
            AND j.created_at < (
                SELECT (m.today - %(days)s + 1)::timestamp AT TIME ZONE m.time_zone FROM moments AS m
            )
        ORDER BY
            j.created_at DESC,
            j.id DESC
        LIMIT greatest(%(older)s, %(at_least)s - (SELECT count(*) FROM sampled_by_day))
    ) AS o
)

-- fragment: sampled_histories
-- Times are seconds of the clock of the business; what has not happened yet is null.
sample AS MATERIALIZED (
    SELECT
        j.id,
        round(k.weight, 3) AS weight,
        CASE j.priority WHEN 'urgent' THEN 3 WHEN 'high' THEN 2 WHEN 'normal' THEN 1 ELSE 0 END AS urgency,
        j.due_date - m.today AS due_in,
        extract(epoch FROM j.begun AT TIME ZONE m.time_zone)::bigint AS begun,
        CASE
            WHEN j.completed_at < m.ends THEN extract(epoch FROM j.completed_at AT TIME ZONE m.time_zone)::bigint
        END AS ended,
        s.processes,
        s.ends
    FROM sampled AS k
    CROSS JOIN moments AS m
    CROSS JOIN LATERAL (
        SELECT
            j.id,
            j.priority,
            j.due_date,
            least(j.created_at, j.started_at, j.completed_at) AS begun,
            j.completed_at
        FROM jobs AS j
        WHERE j.tenant_id = %(tenant_id)s
            AND j.id = k.id
            AND j.status <> 'cancelled'
        -- Job by job: all jobs are more than those of the sample.
        OFFSET 0
    ) AS j
    CROSS JOIN LATERAL (
        SELECT
            array_agg(p.process_id ORDER BY p.step_order) AS processes,
            array_agg(
                CASE
                    WHEN p.completed_at < m.ends
                        THEN extract(epoch FROM p.completed_at AT TIME ZONE m.time_zone)::bigint
                END
                ORDER BY p.step_order
            ) AS ends
        FROM job_steps AS p
        WHERE p.tenant_id = %(tenant_id)s
            AND p.job_id = j.id
            AND p.status <> 'skipped'
    ) AS s
)

-- fragment: business_hours
-- The week and the holidays of the business, in minutes and in days from today.
business_hours AS (
    SELECT
        (
            SELECT coalesce(
                json_agg(
                    json_build_array(
                        h.weekday,
                        extract(epoch FROM h.starts_at)::integer / 60,
                        extract(epoch FROM h.ends_at)::integer / 60
                    )
                    ORDER BY h.starts_minute
                ),
                '[]'
            )
            FROM working_hours AS h
            WHERE h.tenant_id = %(tenant_id)s
                AND h.machine_id IS NULL
        ) AS hours,
        (
            SELECT coalesce(
                json_agg(
                    json_build_array(y.first_day - m.today, coalesce(y.last_day, y.first_day) - m.today)
                    ORDER BY
                        y.first_day,
                        y.id
                ),
                '[]'
            )
            FROM holidays AS y
            CROSS JOIN moments AS m
            WHERE y.tenant_id = %(tenant_id)s
                AND y.first_day BETWEEN m.today - 3650 AND m.today + 3650
        ) AS holidays
)

-- fragment: open_jobs
-- Open jobs, those due soonest first, up to a limit.
open_jobs AS MATERIALIZED (
    SELECT
        j.id,
        j.status,
        j.due_date,
        j.priority,
        j.created_at,
        j.started_at,
        least(j.created_at, j.started_at) AS begun
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.status IN ('draft', 'active', 'on_hold')
        AND j.created_at < (SELECT m.ends FROM moments AS m)
    ORDER BY
        j.due_date_search,
        j.id
    LIMIT %(most_jobs)s
)

-- name: promise_date
-- reads: jobs, job_steps, processes, tenants, working_hours, holidays
-- The basis of the forecast of a date for a new job: a sample of past and open jobs, and the queues before its processes. None
-- when one of its processes is not known.
WITH /* include forecast_clock */,
/* include sampled_jobs */,
/* include sampled_histories */,
/* include business_hours */,
-- Whole days only: today is not over.
lately AS (
    SELECT
        (c.today - 28)::timestamp AT TIME ZONE c.time_zone AS since,
        c.today::timestamp AT TIME ZONE c.time_zone AS until
    FROM moments AS c
),
wanted AS (
    SELECT
        r.id,
        r.name,
        min(w.place) AS place
    FROM unnest(%(process_ids)s::bigint[]) WITH ORDINALITY AS w (id, place)
    JOIN processes AS r ON r.tenant_id = %(tenant_id)s AND r.id = w.id
    GROUP BY r.tenant_id, r.id
),
-- Neither is read further than `most`: a longer queue is not promised through, a faster process measured on its newest.
-- A step that was added after the day that the business is looked at does not wait yet.
queues AS MATERIALIZED (
    SELECT
        w.id,
        w.name,
        w.place,
        a.steps AS steps_ahead,
        f.steps / CASE
            WHEN f.steps = %(most)s THEN greatest(extract(epoch FROM l.until - f.oldest) / 86400, 0.001)
            ELSE 28
        END AS per_day
    FROM wanted AS w
    CROSS JOIN lately AS l
    CROSS JOIN LATERAL (
        SELECT count(*) AS steps
        FROM (
            SELECT s.id
            FROM job_steps AS s
            WHERE s.tenant_id = %(tenant_id)s
                AND s.process_id = w.id
                AND s.status IN ('pending', 'in_progress')
                AND NOT s.job_ended
                AND s.created_at < (SELECT m.ends FROM moments AS m)
            LIMIT %(most)s
        ) AS o
    ) AS a
    CROSS JOIN LATERAL (
        SELECT
            count(*) AS steps,
            min(o.completed_at) AS oldest
        FROM (
            SELECT s.completed_at
            FROM job_steps AS s
            WHERE s.tenant_id = %(tenant_id)s
                AND s.process_id = w.id
                AND s.status = 'completed'
                AND s.completed_at >= l.since
                AND s.completed_at < l.until
            ORDER BY s.completed_at DESC
            LIMIT %(most)s
        ) AS o
    ) AS f
)
SELECT json_build_object(
    'today', m.today,
    'observed', least(
        extract(epoch FROM (m.today + 1)::timestamp), extract(epoch FROM now() AT TIME ZONE m.time_zone)
    )::bigint,
    'hours', (SELECT b.hours FROM business_hours AS b),
    'holidays', (SELECT b.holidays FROM business_hours AS b),
    'jobs', (
        SELECT coalesce(
            json_agg(
                json_build_array(p.begun, p.ended, p.weight, p.urgency, p.due_in, p.processes, p.ends)
                ORDER BY
                    p.begun,
                    p.id
            ),
            '[]'
        )
        FROM sample AS p
    ),
    'processes', (
        SELECT coalesce(
            json_agg(
                json_build_object(
                    'id', q.id,
                    'name', q.name,
                    'steps_ahead', q.steps_ahead,
                    'per_day', round(q.per_day, 2),
                    'days', round(q.steps_ahead / nullif(q.per_day, 0), 1)
                )
                ORDER BY q.place
            ),
            '[]'
        )
        FROM queues AS q
    )
)::text
FROM moments AS m
WHERE (SELECT count(*) FROM wanted) = (SELECT count(DISTINCT w.id) FROM unnest(%(process_ids)s::bigint[]) AS w (id))

-- fragment: process_rates
-- Steps that each process of `work` finished per day in the last weeks. Whole days only: today is not over.
rates AS (
    SELECT
        r.id,
        r.name,
        f.steps / CASE
            WHEN f.steps = %(most)s
                THEN greatest(
                    extract(epoch FROM m.today::timestamp AT TIME ZONE m.time_zone - f.oldest) / 86400, 0.001
                )
            ELSE 28
        END AS per_day
    FROM moments AS m
    CROSS JOIN processes AS r
    CROSS JOIN LATERAL (
        SELECT
            count(*) AS steps,
            min(o.completed_at) AS oldest
        FROM (
            SELECT s.completed_at
            FROM job_steps AS s
            WHERE s.tenant_id = %(tenant_id)s
                AND s.process_id = r.id
                AND s.status = 'completed'
                AND s.completed_at >= (m.today - 28)::timestamp AT TIME ZONE m.time_zone
                AND s.completed_at < m.today::timestamp AT TIME ZONE m.time_zone
            ORDER BY s.completed_at DESC
            LIMIT %(most)s
        ) AS o
    ) AS f
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id IN (SELECT DISTINCT unnest(w.processes) FROM work AS w)
)

-- name: delays
-- reads: jobs, job_steps, processes, tenants, working_hours, holidays
-- The work that is open, jobs due soonest first up to a limit, and how much each process finished per day in the last weeks.
WITH /* include forecast_clock */,
/* include business_hours */,
/* include open_jobs */,
work AS MATERIALIZED (
    SELECT
        o.id,
        CASE o.priority WHEN 'urgent' THEN 3 WHEN 'high' THEN 2 WHEN 'normal' THEN 1 ELSE 0 END AS urgency,
        o.due_date - m.today AS due_in,
        extract(epoch FROM o.begun AT TIME ZONE m.time_zone)::bigint AS begun,
        s.orders,
        s.processes
    FROM open_jobs AS o
    CROSS JOIN moments AS m
    CROSS JOIN LATERAL (
        SELECT
            array_agg(p.step_order ORDER BY p.step_order) AS orders,
            array_agg(p.process_id ORDER BY p.step_order) AS processes
        FROM job_steps AS p
        WHERE p.tenant_id = %(tenant_id)s
            AND p.job_id = o.id
            AND p.status IN ('pending', 'in_progress')
            AND p.process_id IS NOT NULL
    ) AS s
    WHERE o.status <> 'on_hold'
        AND s.orders IS NOT NULL
),
/* include process_rates */
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
    ),
    'rates', (
        SELECT coalesce(json_agg(json_build_array(r.id, r.name, round(r.per_day, 4)) ORDER BY r.id), '[]')
        FROM rates AS r
    )
)::text
FROM moments AS m

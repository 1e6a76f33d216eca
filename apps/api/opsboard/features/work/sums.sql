-- fragment: asked_days
-- The days that are asked for, and their moments; without any, the last $1.
asked AS (
    SELECT
        f.date_from,
        f.date_to,
        f.date_from::timestamp AT TIME ZONE t.time_zone AS began,
        (f.date_to + 1)::timestamp AT TIME ZONE t.time_zone AS ended,
        t.time_zone,
        f.today
    FROM tenants AS t
    CROSS JOIN LATERAL (
        SELECT coalesce(t.as_of, local_day(now(), t.time_zone)) AS today
    ) AS c
    CROSS JOIN LATERAL (
        SELECT
            c.today,
            coalesce(%(date_from)s::date, coalesce(%(date_to)s::date, c.today) - ($1 - 1)) AS date_from,
            coalesce(%(date_to)s::date, %(date_from)s::date + ($1 - 1), c.today) AS date_to
    ) AS f
    WHERE t.id = %(tenant_id)s
)

-- fragment: worked_by
-- The sums of metric $1, longest time first, each with the column $3 of its row of $2.
        SELECT coalesce(
            json_agg(
                json_build_object(
                    'id', x.id, 'name', x.$3, 'records', g.records, 'seconds', g.seconds,
                    'quantity_good', g.good, 'quantity_rejected', g.rejected
                )
                ORDER BY
                    g.seconds DESC,
                    x.id
            ),
            '[]'
        )
        FROM grouped AS g
        LEFT JOIN $2 AS x ON x.tenant_id = %(tenant_id)s AND x.id = g.subject
        WHERE g.metric = '$1'

-- name: summary
-- reads: work_records, processes, machines, users, tenants
-- Worked time and pieces of some days, in all and by person, machine and process: of work that has ended, the part that
-- lies in these days; records and pieces belong to the day on which it ended.
WITH /* include asked_days 1 */,
grouped AS MATERIALIZED (
    SELECT
        c.metric,
        c.subject,
        coalesce(sum(c.n) FILTER (WHERE c.label = 'records'), 0)::bigint AS records,
        round(coalesce(sum(c.n) FILTER (WHERE c.label = 'microseconds'), 0) / 1000000)::bigint AS seconds,
        coalesce(sum(c.n) FILTER (WHERE c.label = 'good'), 0)::bigint AS good,
        coalesce(sum(c.n) FILTER (WHERE c.label = 'rejected'), 0)::bigint AS rejected
    FROM rollup_counts(
        %(tenant_id)s, ARRAY['work', 'work_of_people', 'work_of_machines', 'work_of_processes']
    ) AS c
    WHERE c.day >= (SELECT d.date_from FROM asked AS d)
        AND c.day <= (SELECT d.date_to FROM asked AS d)
    GROUP BY c.metric, c.subject
    HAVING coalesce(sum(c.n) FILTER (WHERE c.label IN ('microseconds', 'records')), 0) <> 0
)
SELECT json_build_object(
    'date_from', d.date_from,
    'date_to', d.date_to,
    'all', (
        SELECT json_build_object(
            'records', coalesce(sum(g.records), 0), 'seconds', coalesce(sum(g.seconds), 0),
            'quantity_good', coalesce(sum(g.good), 0), 'quantity_rejected', coalesce(sum(g.rejected), 0)
        )
        FROM grouped AS g
        WHERE g.metric = 'work'
    ),
    'people', (/* include worked_by work_of_people users full_name */),
    'machines', (/* include worked_by work_of_machines machines name */),
    'processes', (/* include worked_by work_of_processes processes name */)
)::text
FROM asked AS d

-- fragment: numbers_of
-- The numbers of the days of $1, with the list behind each.
json_build_object(
        'date_from', $1.date_from,
        'date_to', $1.date_to,
        'quantity_good', $1.good,
        'quantity_rejected', $1.rejected,
        'scrap_rate', round($1.rejected / nullif($1.good + $1.rejected, 0)::numeric, 4),
        'worked_seconds', round($1.microseconds / 1000000)::bigint,
        'machine_seconds', round($1.machine_microseconds / 1000000)::bigint,
        'capacity_seconds', $1.capacity,
        'utilisation', round($1.machine_microseconds / 1000000 / nullif($1.capacity, 0), 4),
        'jobs_completed', $1.jobs,
        'jobs_on_time', $1.on_time,
        'jobs_with_due_date', $1.due,
        'on_time_share', round($1.on_time / nullif($1.due, 0)::numeric, 4),
        'lead_time_days', round($1.lead_days / nullif($1.jobs, 0)::numeric, 2),
        'links', json_build_object(
            'work', '/api/work?ended_from=' || $1.date_from || '&ended_to=' || $1.date_to || '&sort=-ended_at',
            'rejects',
            '/api/work?rejected=true&ended_from=' || $1.date_from || '&ended_to=' || $1.date_to || '&sort=-ended_at',
            'jobs_completed', '/api/jobs?completed_from=' || $1.date_from || '&completed_to=' || $1.date_to
        )
    )

-- name: numbers
-- reads: work_records, jobs, machines, tenants
-- The numbers of a shop by day or week: pieces, rejects, worked time against capacity, and of the jobs completed how many
-- were on time and how long they took. Time and pieces are kept sums; jobs are read by the index of those completed.
WITH /* include asked_days 14 */,
worked AS MATERIALIZED (
    SELECT
        c.day,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'work' AND c.label = 'good'), 0) AS good,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'work' AND c.label = 'rejected'), 0) AS rejected,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'work' AND c.label = 'microseconds'), 0) AS microseconds,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'work_of_machines' AND c.label = 'microseconds' AND c.subject > 0), 0)
            AS machine_microseconds
    FROM rollup_counts(%(tenant_id)s, ARRAY['work', 'work_of_machines']) AS c
    WHERE c.day >= (SELECT d.date_from FROM asked AS d)
        AND c.day <= (SELECT d.date_to FROM asked AS d)
    GROUP BY c.day
),
finished AS MATERIALIZED (
    SELECT
        local_day(j.completed_at, d.time_zone) AS day,
        count(*) AS jobs,
        count(j.due_date) AS due,
        count(*) FILTER (WHERE local_day(j.completed_at, d.time_zone) <= j.due_date) AS on_time,
        sum(extract(epoch FROM greatest(j.completed_at - j.created_at, interval '0')) / 86400) AS lead_days
    FROM asked AS d
    JOIN jobs AS j
        ON j.tenant_id = %(tenant_id)s
        AND j.completed_at >= d.began
        AND j.completed_at < d.ended
        AND j.archived_at IS NULL
    GROUP BY local_day(j.completed_at, d.time_zone)
),
-- Eight hours from Monday to Friday on each machine that is in use.
capacity AS (
    SELECT count(*) * 28800 AS seconds
    FROM machines AS m
    WHERE m.tenant_id = %(tenant_id)s
        AND m.status <> 'inactive'
        AND m.archived_at IS NULL
),
days AS (
    SELECT
        g.day::date AS day,
        CASE %(by)s WHEN 'week' THEN date_trunc('week', g.day)::date ELSE g.day::date END AS began,
        -- A day that has not come has no hours yet.
        CASE WHEN extract(isodow FROM g.day) <= 5 AND g.day::date <= d.today THEN k.seconds ELSE 0 END AS capacity
    FROM asked AS d
    CROSS JOIN capacity AS k
    CROSS JOIN LATERAL generate_series(d.date_from::timestamp, d.date_to::timestamp, interval '1 day') AS g (day)
),
summed AS (
    SELECT
        grouping(s.began) = 1 AS is_total,
        min(s.day) AS date_from,
        max(s.day) AS date_to,
        coalesce(sum(w.good), 0) AS good,
        coalesce(sum(w.rejected), 0) AS rejected,
        coalesce(sum(w.microseconds), 0) AS microseconds,
        coalesce(sum(w.machine_microseconds), 0) AS machine_microseconds,
        coalesce(sum(s.capacity), 0)::bigint AS capacity,
        coalesce(sum(f.jobs), 0)::bigint AS jobs,
        coalesce(sum(f.due), 0)::bigint AS due,
        coalesce(sum(f.on_time), 0)::bigint AS on_time,
        sum(f.lead_days) AS lead_days
    FROM days AS s
    LEFT JOIN worked AS w ON w.day = s.day
    LEFT JOIN finished AS f ON f.day = s.day
    GROUP BY GROUPING SETS ((s.began), ())
)
SELECT json_build_object(
    'by', %(by)s::text,
    'time_zone', (SELECT d.time_zone FROM asked AS d),
    'all', (SELECT /* include numbers_of s */ FROM summed AS s WHERE s.is_total),
    'items', (
        SELECT json_agg(/* include numbers_of s */ ORDER BY s.date_from)
        FROM summed AS s
        WHERE NOT s.is_total
    )
)::text

-- fragment: rejects_by
-- Rejected pieces by $1 and $2, most pieces first; the list behind them has the filter $3.
        SELECT coalesce(
            json_agg(
                json_build_object(
                    'id', g.id, 'name', g.name, 'quantity_rejected', g.pieces, 'records', g.records,
                    'link', l.link || '&$3=' || g.id
                )
                ORDER BY
                    g.pieces DESC,
                    g.name,
                    g.id
            ),
            '[]'
        )
        FROM (
            SELECT
                r.$1 AS id,
                r.$2 AS name,
                sum(r.pieces)::bigint AS pieces,
                count(*) AS records
            FROM rejected AS r
            GROUP BY r.$1, r.$2
        ) AS g
        CROSS JOIN listed AS l

-- name: rejects
-- reads: work_records, job_steps, jobs, reasons, processes, tenants
-- Rejected pieces of some days by reason, by process and by product, which is the title of the job; each of them also
-- narrows the others. The index knows which records have any.
WITH /* include asked_days 30 */,
rejected AS MATERIALIZED (
    SELECT
        k.reject_reason_id AS reason_id,
        x.name AS reason,
        k.process_id,
        p.name AS process,
        NULL::bigint AS product_id,
        j.title AS product,
        k.quantity_rejected AS pieces
    FROM asked AS d
    JOIN work_records AS k
        ON k.tenant_id = %(tenant_id)s
        AND k.quantity_rejected > 0
        AND k.ended_at >= d.began
        AND k.ended_at < d.ended
    JOIN job_steps AS s ON s.tenant_id = %(tenant_id)s AND s.id = k.step_id
    JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = s.job_id
    LEFT JOIN reasons AS x ON x.tenant_id = %(tenant_id)s AND x.id = k.reject_reason_id
    LEFT JOIN processes AS p ON p.tenant_id = %(tenant_id)s AND p.id = k.process_id
    WHERE (%(process_id)s::bigint IS NULL OR k.process_id = %(process_id)s)
        AND (%(product)s::text IS NULL OR j.title = %(product)s)
),
listed AS (
    SELECT
        '/api/work?rejected=true&ended_from=' || d.date_from || '&ended_to=' || d.date_to || '&sort=-ended_at' AS link
    FROM asked AS d
)
SELECT json_build_object(
    'date_from', d.date_from,
    'date_to', d.date_to,
    'quantity_rejected', (SELECT coalesce(sum(r.pieces), 0)::bigint FROM rejected AS r),
    'link', (SELECT l.link FROM listed AS l),
    'reasons', (/* include rejects_by reason_id reason reject_reason_id */),
    'processes', (/* include rejects_by process_id process process_id */),
    'products', (/* include rejects_by product_id product product_id */)
)::text
FROM asked AS d

-- name: estimates
-- reads: work_records, job_steps, jobs, processes, tenants
-- Estimated and worked time by process, of the steps that were completed on some days and have both.
WITH /* include asked_days 30 */,
completed AS (
    SELECT
        s.process_id,
        s.setup_minutes * 60 AS setup,
        s.seconds_per_piece::bigint * j.quantity AS pieces,
        w.seconds AS worked
    FROM asked AS d
    JOIN job_steps AS s
        ON s.tenant_id = %(tenant_id)s
        AND s.completed_at >= d.began
        AND s.completed_at < d.ended
    JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = s.job_id
    CROSS JOIN LATERAL (
        SELECT sum(extract(epoch FROM k.ended_at - k.started_at)) AS seconds
        FROM work_records AS k
        WHERE k.tenant_id = %(tenant_id)s
            AND k.step_id = s.id
    ) AS w
),
grouped AS (
    SELECT
        c.process_id,
        count(*) FILTER (WHERE c.has_both) AS steps,
        (sum(coalesce(c.setup, 0) + coalesce(c.pieces, 0)) FILTER (WHERE c.has_both))::bigint AS estimated,
        round(sum(c.worked) FILTER (WHERE c.has_both))::bigint AS worked
    FROM (
        SELECT
            o.process_id,
            o.setup,
            o.pieces,
            o.worked,
            o.worked IS NOT NULL AND coalesce(o.setup, o.pieces) IS NOT NULL AS has_both
        FROM completed AS o
    ) AS c
    GROUP BY c.process_id
    HAVING count(*) FILTER (WHERE c.has_both) > 0
)
SELECT json_build_object(
    'date_from', d.date_from,
    'date_to', d.date_to,
    'items', (
        SELECT coalesce(
            json_agg(
                json_build_object(
                    'id', p.id,
                    'name', p.name,
                    'steps', g.steps,
                    'estimated_seconds', g.estimated,
                    'worked_seconds', g.worked,
                    'ratio', round(g.worked / nullif(g.estimated, 0)::numeric, 2)
                )
                ORDER BY
                    p.name,
                    p.id
            ),
            '[]'
        )
        FROM grouped AS g
        LEFT JOIN processes AS p ON p.tenant_id = %(tenant_id)s AND p.id = g.process_id
    )
)::text
FROM asked AS d

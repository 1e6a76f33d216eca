-- name: find_business
-- reads: tenants
-- The business of a slug, its time zone, and the last moment of which anything is known.
SELECT
    t.id,
    t.time_zone,
    least(now(), (t.as_of + 1)::timestamp AT TIME ZONE t.time_zone) AS ends
FROM tenants AS t
WHERE t.slug = %(slug)s

-- name: cut_tenants
-- writes: tenants
-- The business as of a day, in a temporary table that hides the real one until the transaction ends.
CREATE TEMP TABLE tenants ON COMMIT DROP AS
SELECT
    t.id,
    t.time_zone,
    %(day)s::date AS as_of
FROM public.tenants AS t
WHERE t.id = %(tenant_id)s

-- name: cut_jobs
-- writes: jobs
-- The jobs that existed by the end of a day, as they were then. When a job was cancelled is not known: none of these is shown.
CREATE TEMP TABLE jobs ON COMMIT DROP AS
SELECT
    j.tenant_id,
    j.id,
    j.job_number,
    j.title,
    CASE WHEN j.completed_at < m.ends THEN 'completed' WHEN j.started_at < m.ends THEN 'active' ELSE 'draft' END AS status,
    j.priority,
    j.customer_id,
    j.due_date,
    j.created_at,
    CASE WHEN j.started_at < m.ends THEN j.started_at END AS started_at,
    CASE WHEN j.completed_at < m.ends THEN j.completed_at END AS completed_at,
    CASE WHEN j.archived_at < m.ends THEN j.archived_at END AS archived_at
FROM public.jobs AS j
CROSS JOIN (
    SELECT (t.as_of + 1)::timestamp AT TIME ZONE t.time_zone AS ends
    FROM tenants AS t
) AS m
WHERE j.tenant_id = %(tenant_id)s
    AND j.created_at < m.ends
    AND j.status <> 'cancelled'
    AND (j.status <> 'completed' OR j.completed_at IS NOT NULL)

-- name: cut_job_steps
-- writes: job_steps
-- The steps of those jobs as they were then.
CREATE TEMP TABLE job_steps ON COMMIT DROP AS
SELECT
    s.tenant_id,
    s.id,
    s.job_id,
    s.step_order,
    s.process_id,
    s.machine_id,
    s.assigned_user_id,
    CASE
        WHEN s.status = 'skipped' THEN s.status
        WHEN s.completed_at < m.ends THEN 'completed'
        WHEN s.started_at < m.ends THEN 'in_progress'
        ELSE 'pending'
    END AS status,
    s.created_at,
    s.updated_at,
    CASE WHEN s.started_at < m.ends THEN s.started_at END AS started_at,
    CASE WHEN s.completed_at < m.ends THEN s.completed_at END AS completed_at,
    j.status = 'completed' AS job_ended
FROM public.job_steps AS s
JOIN jobs AS j ON j.id = s.job_id
CROSS JOIN (
    SELECT (t.as_of + 1)::timestamp AT TIME ZONE t.time_zone AS ends
    FROM tenants AS t
) AS m
WHERE s.tenant_id = %(tenant_id)s
    AND s.created_at < m.ends

-- name: index_cut
-- writes: jobs, job_steps
-- The indexes that the statements of the service need to be quick on the cut.
CREATE INDEX ON jobs (tenant_id, created_at, id);
CREATE INDEX ON jobs (tenant_id, completed_at, id);
CREATE INDEX ON jobs (tenant_id, id);
CREATE INDEX ON jobs (tenant_id, due_date, id);
CREATE INDEX ON job_steps (tenant_id, job_id);
CREATE INDEX ON job_steps (tenant_id, process_id, status, completed_at);
ANALYZE jobs;
ANALYZE job_steps

-- name: finished_with_due_date
-- reads: jobs
-- Of the newest finished jobs of the cut: days from beginning to due date, and whether they ended late.
SELECT
    j.due_date - local_day(least(j.created_at, j.started_at, j.completed_at), %(time_zone)s) AS days_at_first,
    j.due_date - local_day(j.completed_at, %(time_zone)s) AS days_at_last
FROM jobs AS j
WHERE j.tenant_id = %(tenant_id)s
    AND j.completed_at IS NOT NULL
    AND j.due_date IS NOT NULL
ORDER BY
    j.completed_at DESC,
    j.id DESC
LIMIT 1000

-- name: begun_after
-- reads: jobs, job_steps
-- The jobs that began in the week after a day: their processes in order, and the days they took, or their age at the end.
SELECT
    array(
        SELECT s.process_id
        FROM public.job_steps AS s
        WHERE s.tenant_id = %(tenant_id)s
            AND s.job_id = b.id
            AND s.status <> 'skipped'
        ORDER BY s.step_order
    ) AS routing,
    (extract(epoch FROM coalesce(b.ended, b.ends) AT TIME ZONE %(time_zone)s - b.begun) / 86400)::float8 AS days,
    b.ended IS NOT NULL AS is_ended
FROM (
    SELECT
        j.id,
        least(j.created_at, j.started_at, j.completed_at) AT TIME ZONE %(time_zone)s AS begun,
        CASE WHEN j.completed_at < %(ends)s THEN j.completed_at END AS ended,
        %(ends)s::timestamptz AS ends
    FROM public.jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.status <> 'cancelled'
        AND (j.status <> 'completed' OR j.completed_at IS NOT NULL)
) AS b
WHERE b.begun >= %(day)s::date + 1
    AND b.begun < %(day)s::date + 8
ORDER BY b.id

-- name: ended_late
-- reads: jobs
-- Of these jobs, whether they ended late; null where that is not known yet.
SELECT
    j.id,
    CASE
        WHEN j.completed_at < %(ends)s THEN local_day(j.completed_at, %(time_zone)s) > j.due_date
        WHEN j.due_date < local_day(%(ends)s, %(time_zone)s) THEN true
    END AS is_late
FROM public.jobs AS j
WHERE j.tenant_id = %(tenant_id)s
    AND j.id = ANY(%(ids)s)

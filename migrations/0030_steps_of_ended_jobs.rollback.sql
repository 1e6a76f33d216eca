DROP TRIGGER IF EXISTS jobs_end_steps ON jobs;
DROP TRIGGER IF EXISTS job_steps_of_ended_jobs ON job_steps;
DROP TRIGGER IF EXISTS job_steps_touch ON job_steps;
CREATE TRIGGER job_steps_touch BEFORE UPDATE ON job_steps
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
DROP FUNCTION IF EXISTS end_steps_of_job();
DROP FUNCTION IF EXISTS end_new_job_steps();
DROP FUNCTION IF EXISTS touch_job_step();

DROP TRIGGER job_steps_insert ON job_steps;
DROP TRIGGER job_steps_delete ON job_steps;
DROP TRIGGER job_steps_update ON job_steps;
DROP FUNCTION count_job_steps();
DROP FUNCTION count_updated_job_steps();

SELECT make_counting_triggers(
    'job_steps',
    'job_steps',
    ARRAY['steps', 'steps_completed'],
    ARRAY['label', 'status', 'subject', 'assigned_user_id', 'ended', 'completed_at'],
    $$
    SELECT s.tenant_id, 'steps_completed' AS metric, s.subject, NULL AS label, s.ended AS moments
    FROM summed AS s
    WHERE s.label = 'completed'
        AND s.subject IS NOT NULL
    $$
);

CREATE OR REPLACE FUNCTION rollup_metrics_of_named_sources(
    source text,
    label text,
    subject bigint,
    is_active boolean,
    day date,
    began timestamptz,
    ended timestamptz,
    zone text
)
RETURNS TABLE (metric text, day date, subject bigint, label text)
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
    SELECT 'jobs', '-infinity'::date, 0::bigint, $2
    WHERE $1 = 'jobs'
    UNION ALL
    SELECT 'open_jobs', $5, 0, ''
    WHERE $1 = 'jobs'
        AND $2 IN ('draft', 'active', 'on_hold')
        AND $5 IS NOT NULL
    UNION ALL
    -- Null: it is as it was.
    SELECT 'jobs_created', public.local_day($6, $8), 0, ''
    WHERE $1 = 'jobs'
        AND $6 IS NOT NULL
    UNION ALL
    SELECT 'jobs_completed', public.local_day($7, $8), 0, ''
    WHERE $1 = 'jobs'
        AND $7 IS NOT NULL
    UNION ALL
    SELECT 'steps', '-infinity', coalesce($3, 0), $2
    WHERE $1 = 'job_steps'
    UNION ALL
    SELECT 'steps_completed', public.local_day($7, $8), $3, ''
    WHERE $1 = 'job_steps'
        AND $2 = 'completed'
        AND $3 IS NOT NULL
        AND $7 IS NOT NULL
    UNION ALL
    SELECT 'machines', '-infinity', 0, $2
    WHERE $1 = 'machines'
    UNION ALL
    SELECT CASE WHEN $4 THEN 'users_active' ELSE 'users_blocked' END, '-infinity', 0, $2
    WHERE $1 = 'users'
    UNION ALL
    SELECT CASE WHEN $4 THEN 'processes_active' ELSE 'processes_inactive' END, '-infinity', 0, ''
    WHERE $1 = 'processes'
    UNION ALL
    SELECT $1, '-infinity', 0, ''
    WHERE $1 IN ('customers', 'audit_logs')
$$;

CREATE OR REPLACE FUNCTION rollup_recount_of_named_sources(tenant bigint)
RETURNS TABLE (metric text, day date, subject bigint, label text, n bigint)
LANGUAGE sql
STABLE
AS $$
    SELECT 'jobs', '-infinity'::date, 0::bigint, j.status, count(*)
    FROM public.jobs AS j
    WHERE j.tenant_id = tenant
    GROUP BY j.status
    UNION ALL
    SELECT 'open_jobs', j.due_date, 0, '', count(*)
    FROM public.jobs AS j
    WHERE j.tenant_id = tenant
        AND j.status IN ('draft', 'active', 'on_hold')
        AND j.due_date IS NOT NULL
    GROUP BY j.due_date
    UNION ALL
    SELECT 'jobs_created', public.local_day(j.created_at, t.time_zone), 0, '', count(*)
    FROM public.tenants AS t
    JOIN public.jobs AS j ON j.tenant_id = t.id
    WHERE t.id = tenant
    GROUP BY public.local_day(j.created_at, t.time_zone)
    UNION ALL
    SELECT 'jobs_completed', public.local_day(j.completed_at, t.time_zone), 0, '', count(*)
    FROM public.tenants AS t
    JOIN public.jobs AS j ON j.tenant_id = t.id
    WHERE t.id = tenant
        AND j.completed_at IS NOT NULL
    GROUP BY public.local_day(j.completed_at, t.time_zone)
    UNION ALL
    SELECT 'steps', '-infinity', coalesce(s.assigned_user_id, 0), s.status, count(*)
    FROM public.job_steps AS s
    WHERE s.tenant_id = tenant
    GROUP BY s.assigned_user_id, s.status
    UNION ALL
    SELECT 'steps_completed', public.local_day(s.completed_at, t.time_zone), s.assigned_user_id, '', count(*)
    FROM public.tenants AS t
    JOIN public.job_steps AS s ON s.tenant_id = t.id
    WHERE t.id = tenant
        AND s.status = 'completed'
        AND s.assigned_user_id IS NOT NULL
        AND s.completed_at IS NOT NULL
    GROUP BY s.assigned_user_id, public.local_day(s.completed_at, t.time_zone)
    UNION ALL
    SELECT 'machines', '-infinity', 0, m.status, count(*)
    FROM public.machines AS m
    WHERE m.tenant_id = tenant
    GROUP BY m.status
    UNION ALL
    SELECT CASE WHEN u.is_active THEN 'users_active' ELSE 'users_blocked' END, '-infinity', 0, u.role, count(*)
    FROM public.users AS u
    WHERE u.tenant_id = tenant
    GROUP BY u.is_active, u.role
    UNION ALL
    SELECT CASE WHEN p.is_active THEN 'processes_active' ELSE 'processes_inactive' END, '-infinity', 0, '', count(*)
    FROM public.processes AS p
    WHERE p.tenant_id = tenant
    GROUP BY p.is_active
    UNION ALL
    SELECT 'customers', '-infinity', 0, '', count(*)
    FROM public.customers AS c
    WHERE c.tenant_id = tenant
    UNION ALL
    SELECT 'audit_logs', '-infinity', 0, '', count(*)
    FROM public.audit_logs AS a
    WHERE a.tenant_id = tenant
$$;

ALTER TABLE job_steps DROP COLUMN IF EXISTS job_ended;
-- Deltas not folded yet count for steps as before; folded counts of the removed metric are deleted.
SELECT hold_rollups();
DELETE FROM rollups WHERE metric = 'open_steps';

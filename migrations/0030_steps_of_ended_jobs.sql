-- depends: 0029_more_counts
-- Steps know whether their job has ended: a step of a completed or cancelled job that was never finished is no work that
-- waits. The flag is a column of the step, so that queues, the load of machines, lists and counts need no look at jobs.
--
-- A step takes it from its job when it becomes open (inserted, reopened, moved to another job), with the row of the job
-- locked FOR SHARE; a job hands it to its open steps when it ends or is reopened. One of two such writers waits for the
-- other, and then sees what that one did. All of these functions run as the writer, under the writer's row security.

ALTER TABLE job_steps ADD COLUMN job_ended boolean NOT NULL DEFAULT false;

DROP TRIGGER job_steps_touch ON job_steps;
DROP TRIGGER job_steps_insert ON job_steps;
DROP TRIGGER job_steps_delete ON job_steps;
DROP TRIGGER job_steps_update ON job_steps;
-- squawk-ignore ban-drop-function
DROP FUNCTION count_job_steps();
-- squawk-ignore ban-drop-function
DROP FUNCTION count_updated_job_steps();

-- The steps of before, while no trigger looks at each of them. Jobs are locked until this ends, so that none ends now.
-- Row security binds the owner too, so each business is bound in turn.
LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE;
DO $$
DECLARE
    tenant bigint;
    bound constant text := coalesce(current_setting('app.tenant_id', true), '');
BEGIN
    FOR tenant IN SELECT t.id FROM tenants AS t ORDER BY t.id LOOP
        PERFORM set_config('app.tenant_id', tenant::text, true);
        UPDATE job_steps AS s
        SET job_ended = true
        FROM jobs AS j
        WHERE s.tenant_id = tenant
            AND s.status IN ('pending', 'in_progress')
            AND j.tenant_id = tenant
            AND j.id = s.job_id
            AND j.status IN ('completed', 'cancelled');
    END LOOP;
    PERFORM set_config('app.tenant_id', bound, true);
END
$$;

-- In place of touch_updated_at. A step that only learns that its job has ended has not been changed by anybody, so its
-- updated_at stays.
CREATE FUNCTION touch_job_step() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.status NOT IN ('pending', 'in_progress') THEN
        NEW.job_ended := false;
        NEW.updated_at := clock_timestamp();
        RETURN NEW;
    END IF;
    IF NEW.job_ended = OLD.job_ended OR NEW.status <> OLD.status THEN
        NEW.updated_at := clock_timestamp();
    END IF;
    IF
        NEW.job_ended <> OLD.job_ended
        OR OLD.status NOT IN ('pending', 'in_progress')
        OR NEW.job_id <> OLD.job_id
        OR NEW.tenant_id <> OLD.tenant_id
    THEN
        NEW.job_ended := coalesce(
            (
                SELECT j.status IN ('completed', 'cancelled')
                FROM public.jobs AS j
                WHERE j.tenant_id = NEW.tenant_id
                    AND j.id = NEW.job_id
                FOR SHARE
            ),
            false
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER job_steps_touch BEFORE UPDATE ON job_steps
FOR EACH ROW EXECUTE FUNCTION touch_job_step();

-- New steps are taken to be of jobs that have not ended, as nearly all are. The jobs are locked in the order of their ids.
CREATE FUNCTION end_new_job_steps() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ended record;
BEGIN
    FOR ended IN
        SELECT j.tenant_id, j.id
        FROM (
            SELECT DISTINCT n.tenant_id, n.job_id
            FROM new_rows AS n
            WHERE n.status IN ('pending', 'in_progress')
            ORDER BY n.tenant_id, n.job_id
        ) AS n
        CROSS JOIN LATERAL (
            SELECT k.tenant_id, k.id, k.status
            FROM public.jobs AS k
            WHERE k.tenant_id = n.tenant_id
                AND k.id = n.job_id
            -- The status is that of the locked row: without this, the condition below would be looked at before the lock.
            OFFSET 0
            FOR SHARE
        ) AS j
        WHERE j.status IN ('completed', 'cancelled')
    LOOP
        UPDATE public.job_steps AS s
        SET job_ended = true
        WHERE s.tenant_id = ended.tenant_id
            AND s.job_id = ended.id
            AND s.status IN ('pending', 'in_progress')
            AND NOT s.job_ended;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE TRIGGER job_steps_of_ended_jobs AFTER INSERT ON job_steps REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION end_new_job_steps();

CREATE FUNCTION end_steps_of_job() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (OLD.status IN ('completed', 'cancelled')) <> (NEW.status IN ('completed', 'cancelled')) THEN
        UPDATE public.job_steps AS s
        SET job_ended = NOT s.job_ended
        WHERE s.tenant_id = NEW.tenant_id
            AND s.job_id = NEW.id
            AND s.status IN ('pending', 'in_progress')
            AND s.job_ended <> (NEW.status IN ('completed', 'cancelled'));
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER jobs_end_steps AFTER UPDATE ON jobs
FOR EACH ROW EXECUTE FUNCTION end_steps_of_job();

-- Counted as open_steps, of each person and nobody (0), by status.
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
    -- Work that waits or is being done. Null: noted before steps knew whether their job has ended.
    SELECT 'open_steps', '-infinity', coalesce($3, 0), $2
    WHERE $1 = 'job_steps'
        AND $2 IN ('pending', 'in_progress')
        AND NOT $4
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
    SELECT 'open_steps', '-infinity', coalesce(s.assigned_user_id, 0), s.status, count(*)
    FROM public.job_steps AS s
    JOIN public.jobs AS j ON j.tenant_id = s.tenant_id AND j.id = s.job_id
    WHERE s.tenant_id = tenant
        AND s.status IN ('pending', 'in_progress')
        AND j.status NOT IN ('completed', 'cancelled')
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


SELECT make_counting_triggers(
    'job_steps',
    'job_steps',
    ARRAY['steps', 'open_steps', 'steps_completed'],
    ARRAY[
        'label', 'status', 'subject', 'assigned_user_id', 'is_active', 'job_ended', 'ended', 'completed_at'
    ],
    $$
    SELECT s.tenant_id, 'steps_completed' AS metric, s.subject, NULL AS label, s.ended AS moments
    FROM summed AS s
    WHERE s.label = 'completed'
        AND s.subject IS NOT NULL
    $$
);

-- The counts of before. Deltas of before count nothing for the new metric, and nobody else writes until this ends.
SELECT rebuild_rollups(t.id) FROM tenants AS t;

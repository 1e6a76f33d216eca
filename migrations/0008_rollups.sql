-- depends: 0007_fleet
-- Counts that cost the same at any size, and are exact at any moment.
--
-- Writers only add rows to rollup_deltas, in their own transaction, so they never wait for each other: an image of what
-- counts of a row, with n = 1 for what it is and -1 for what it was. An UPDATE has both images in one row, which costs
-- half of two. fold_rollups(), called in the background, moves deltas into rollups. A count is the sum over both, in
-- one snapshot: rollup_counts().
--
-- A delta is a note that its table changed, too (see 0006), so a writer leaves one row and not two. Whoever listens
-- reads changes and, through changes_of_deltas(), what is not folded yet; folding moves the notes into changes as it
-- moves the counts, in one transaction. So every snapshot has each note exactly once.
--
-- Whoever changes rollups holds the advisory lock (1869640546, 3) until its transaction ends; writers and readers
-- never take it. Time zones come in when deltas are folded or read, not when they are written: a writer need not know
-- them, and a changed zone recounts its business alone.

CREATE TABLE rollup_deltas (
    tenant_id bigint NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    n bigint NOT NULL,
    subject bigint,
    began timestamptz,
    ended timestamptz,
    day date,
    is_active boolean,
    -- The table the image is of.
    source text NOT NULL,
    label text,
    -- True: what it was before is to be taken away n times.
    replaces boolean,
    was_subject bigint,
    was_ended timestamptz,
    was_day date,
    was_is_active boolean,
    was_label text,
    -- Of many rows at once, whose moments are seldom the same: no image. The source is the metric, which counts n for
    -- the day of each moment. A few dozen to a row, so that it stays in its page and a batch of rows is never long.
    moments timestamptz []
)
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

ALTER TABLE rollup_deltas ENABLE ROW LEVEL SECURITY;
ALTER TABLE rollup_deltas FORCE ROW LEVEL SECURITY;
CREATE POLICY rollup_deltas_isolation ON rollup_deltas
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
-- The functions below run as this role; the service may only read.
CREATE POLICY rollup_deltas_upkeep ON rollup_deltas TO CURRENT_USER USING (true) WITH CHECK (true);
GRANT SELECT ON rollup_deltas TO opsboard_app;

-- Serves: dashboard.stats (what is not folded yet)
CREATE INDEX idx_rollup_deltas_tenant ON rollup_deltas (tenant_id);
-- Serves: fleet.listen (through changes_of_deltas)
CREATE INDEX idx_rollup_deltas_xid ON rollup_deltas (xid);

-- The notes among the deltas that became visible since a snapshot, as listeners read them in changes: ids and names of
-- tables of all businesses, while the deltas themselves are for none but their own.
CREATE FUNCTION changes_of_deltas(seen pg_snapshot) RETURNS TABLE (tenant_id bigint, table_name text, xid xid8)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- The plan is kept, and the table may be empty when it is made.
SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY
    SELECT DISTINCT
        d.tenant_id,
        ltrim(d.source, '+'),
        d.xid
    FROM public.rollup_deltas AS d
    WHERE d.xid >= pg_snapshot_xmin(seen)
        AND NOT pg_visible_in_snapshot(d.xid, seen)
        AND d.moments IS NULL;
END
$$;

REVOKE ALL ON FUNCTION changes_of_deltas(pg_snapshot) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION changes_of_deltas(pg_snapshot) TO opsboard_app;

CREATE TABLE rollups (
    tenant_id bigint NOT NULL,
    -- What is counted; see rollup_metrics.
    metric text NOT NULL,
    -- Of the time zone of the business; -infinity: the metric is not by day.
    day date NOT NULL,
    -- The user a step is assigned to, or 0.
    subject bigint NOT NULL,
    -- A status or role, or ''.
    label text NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (tenant_id, metric, day, subject, label)
)
-- Room on each page, so that a changed count stays on its page and the index is not touched.
WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 500);

ALTER TABLE rollups ENABLE ROW LEVEL SECURITY;
ALTER TABLE rollups FORCE ROW LEVEL SECURITY;
CREATE POLICY rollups_isolation ON rollups
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
CREATE POLICY rollups_upkeep ON rollups TO CURRENT_USER USING (true) WITH CHECK (true);
GRANT SELECT ON rollups TO opsboard_app;

-- The functions from here to rollup_differences have no SET search_path: with one they could not become part of the
-- statement that uses them, and its conditions could not reach the indexes. Everything in them is named in full.

-- The day a moment belongs to. Days begin at their midnight AT TIME ZONE, as in the filters of lists; where the clock
-- goes back over midnight, the day of the local time would be another one for an hour.
CREATE FUNCTION local_day(moment timestamptz, zone text) RETURNS date
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
    SELECT (moment AT TIME ZONE zone)::date
        - (moment < (moment AT TIME ZONE zone)::date::timestamp AT TIME ZONE zone)::integer
$$;

-- What an image counts for. Not a VALUES list with a condition on it: that is evaluated anew, all of it, for each image,
-- and this asks once what an image is of. Folding takes less than half, reading what is not folded a quarter of the time.
CREATE FUNCTION rollup_metrics(
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

-- The images of a delta: what is to be added and, where there is such, what is to be taken away.
CREATE FUNCTION rollup_images(
    is_n bigint,
    is_subject bigint,
    is_ended timestamptz,
    is_day date,
    is_is_active boolean,
    is_label text,
    replaces boolean,
    was_subject bigint,
    was_ended timestamptz,
    was_day date,
    was_is_active boolean,
    was_label text
)
RETURNS TABLE (n bigint, subject bigint, ended timestamptz, day date, is_active boolean, label text)
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
ROWS 2
AS $$
    SELECT
        i.n,
        i.subject,
        i.ended,
        i.day,
        i.is_active,
        i.label
    FROM (
        VALUES
        ($1, $2, $3, $4, $5, $6, true),
        (-$1, $8, $9, $10, $11, $12, $7)
    ) AS i (n, subject, ended, day, is_active, label, counts)
    WHERE i.counts
$$;

-- The counts of a business: rows to be summed, folded and not folded, of the wanted metrics (null: of all).
CREATE FUNCTION rollup_counts(tenant bigint, wanted text [])
RETURNS TABLE (metric text, day date, subject bigint, label text, n bigint)
LANGUAGE sql
STABLE
ROWS 100
AS $$
    SELECT
        r.metric,
        r.day,
        r.subject,
        r.label,
        r.n
    FROM public.rollups AS r
    WHERE r.tenant_id = tenant
        AND (wanted IS NULL OR r.metric = ANY(wanted))
    UNION ALL
    SELECT
        m.metric,
        m.day,
        m.subject,
        m.label,
        i.n
    FROM public.rollup_deltas AS d
    JOIN public.tenants AS t ON t.id = tenant
    CROSS JOIN LATERAL public.rollup_images(
        d.n, d.subject, d.ended, d.day, d.is_active, d.label,
        d.replaces, d.was_subject, d.was_ended, d.was_day, d.was_is_active, d.was_label
    ) AS i
    CROSS JOIN LATERAL public.rollup_metrics(
        d.source, i.label, i.subject, i.is_active, i.day, d.began, i.ended, t.time_zone
    ) AS m
    WHERE d.tenant_id = tenant
        AND d.moments IS NULL
        AND (wanted IS NULL OR m.metric = ANY(wanted))
    UNION ALL
    SELECT
        d.source,
        public.local_day(m.moment, t.time_zone),
        coalesce(d.subject, 0),
        coalesce(d.label, ''),
        d.n
    FROM public.rollup_deltas AS d
    JOIN public.tenants AS t ON t.id = tenant
    CROSS JOIN LATERAL unnest(d.moments) AS m (moment)
    WHERE d.tenant_id = tenant
        AND (wanted IS NULL OR d.source = ANY(wanted))
$$;

-- The same counts from the tables themselves. Written another way than rollup_metrics, on purpose: each checks the other.
CREATE FUNCTION rollup_recount(tenant bigint)
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

-- Where the kept counts are not those of the tables; must never have a row. One statement, so one snapshot.
CREATE FUNCTION rollup_differences(tenant bigint)
RETURNS TABLE (metric text, day date, subject bigint, label text, kept bigint, counted bigint)
LANGUAGE sql
STABLE
ROWS 10
AS $$
    SELECT
        metric,
        day,
        subject,
        label,
        coalesce(k.n, 0),
        coalesce(c.n, 0)
    FROM (
        SELECT
            s.metric,
            s.day,
            s.subject,
            s.label,
            sum(s.n)::bigint AS n
        FROM public.rollup_counts(tenant, NULL) AS s
        GROUP BY s.metric, s.day, s.subject, s.label
    ) AS k
    FULL JOIN public.rollup_recount(tenant) AS c USING (metric, day, subject, label)
    WHERE coalesce(k.n, 0) <> coalesce(c.n, 0)
$$;

-- Wait for the one who writes rollups now, and keep others away until this transaction ends.
CREATE FUNCTION hold_rollups() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- The next statement must see everything that happened until the lock was ours.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'counts can only be changed as a whole in READ COMMITTED transactions'
            USING ERRCODE = 'feature_not_supported';
    END IF;
    PERFORM pg_advisory_xact_lock(1869640546, 3);
END
$$;

-- Move deltas into rollups, and their notes into changes; how many, or null when somebody else is at it. Blocks nobody
-- and waits for nobody.
CREATE FUNCTION fold_rollups(most integer DEFAULT 20000) RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    folded integer;
    emptied tid [];
    gone bigint [];
BEGIN
    IF NOT pg_try_advisory_xact_lock(1869640546, 3) THEN
        RETURN NULL;
    END IF;
    PERFORM public.hold_rollups();
    WITH taken AS (
        DELETE FROM public.rollup_deltas AS d
        WHERE d.ctid = ANY(ARRAY(SELECT l.ctid FROM public.rollup_deltas AS l LIMIT most))
        RETURNING d.*
    ),
    noted AS (
        INSERT INTO public.changes (tenant_id, xid, table_name)
        SELECT DISTINCT
            d.tenant_id,
            d.xid,
            ltrim(d.source, '+')
        FROM taken AS d
        WHERE d.moments IS NULL
    ),
    amounts AS (
        SELECT
            c.tenant_id,
            c.metric,
            c.day,
            c.subject,
            c.label,
            sum(c.n) AS n
        FROM (
            SELECT
                d.tenant_id,
                m.metric,
                m.day,
                m.subject,
                m.label,
                i.n
            FROM taken AS d
            JOIN public.tenants AS t ON t.id = d.tenant_id
            CROSS JOIN LATERAL public.rollup_images(
                d.n, d.subject, d.ended, d.day, d.is_active, d.label,
                d.replaces, d.was_subject, d.was_ended, d.was_day, d.was_is_active, d.was_label
            ) AS i
            CROSS JOIN LATERAL public.rollup_metrics(
                d.source, i.label, i.subject, i.is_active, i.day, d.began, i.ended, t.time_zone
            ) AS m
            WHERE d.moments IS NULL
            UNION ALL
            SELECT
                d.tenant_id,
                d.source,
                public.local_day(m.moment, t.time_zone),
                coalesce(d.subject, 0),
                coalesce(d.label, ''),
                d.n
            FROM taken AS d
            JOIN public.tenants AS t ON t.id = d.tenant_id
            CROSS JOIN LATERAL unnest(d.moments) AS m (moment)
        ) AS c
        GROUP BY c.tenant_id, c.metric, c.day, c.subject, c.label
        HAVING sum(c.n) <> 0
    ),
    added AS (
        INSERT INTO public.rollups AS r (tenant_id, metric, day, subject, label, n)
        SELECT
            a.tenant_id,
            a.metric,
            a.day,
            a.subject,
            a.label,
            a.n
        FROM amounts AS a
        ON CONFLICT (tenant_id, metric, day, subject, label) DO UPDATE SET n = r.n + EXCLUDED.n
        RETURNING r.ctid AS place, r.n
    )
    SELECT
        (SELECT count(*) FROM taken),
        (SELECT array_agg(a.place) FROM added AS a WHERE a.n = 0),
        (
            SELECT array_agg(DISTINCT d.tenant_id)
            FROM taken AS d
            WHERE NOT EXISTS (SELECT FROM public.tenants AS t WHERE t.id = d.tenant_id)
        )
    INTO folded, emptied, gone;
    DELETE FROM public.rollups AS r WHERE r.ctid = ANY(emptied);
    -- Of a business that was deleted; its id never comes back.
    DELETE FROM public.rollups AS r WHERE r.tenant_id = ANY(gone);
    RETURN folded;
END
$$;

-- Count a business anew; how many counts were wrong. Additive, so that neither writers nor readers are in the way:
-- what commits after the statement's snapshot is in none of its numbers, and in the deltas.
CREATE FUNCTION rebuild_rollups(tenant bigint) RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bound constant text := coalesce(current_setting('app.tenant_id', true), '');
    corrected bigint;
BEGIN
    PERFORM public.hold_rollups();
    -- Row security binds this role too.
    PERFORM set_config('app.tenant_id', tenant::text, true);
    INSERT INTO public.rollups AS r (tenant_id, metric, day, subject, label, n)
    SELECT
        tenant,
        d.metric,
        d.day,
        d.subject,
        d.label,
        d.counted - d.kept
    FROM public.rollup_differences(tenant) AS d
    ON CONFLICT (tenant_id, metric, day, subject, label) DO UPDATE SET n = r.n + EXCLUDED.n;
    GET DIAGNOSTICS corrected = ROW_COUNT;
    DELETE FROM public.rollups AS r
    WHERE r.tenant_id = tenant
        AND r.n = 0;
    IF corrected > 0 THEN
        -- Answers made from the wrong counts must go.
        INSERT INTO public.changes (tenant_id, table_name)
        SELECT
            tenant,
            s.name
        FROM unnest(ARRAY[
            'jobs', 'job_steps', 'machines', 'users', 'processes', 'customers', 'audit_logs'
        ]) AS s (name);
    END IF;
    PERFORM set_config('app.tenant_id', bound, true);
    RETURN corrected;
END
$$;

-- The days of a business are other days in another time zone.
CREATE FUNCTION count_days_anew() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM public.rebuild_rollups(NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER tenants_count_days AFTER UPDATE OF time_zone ON tenants
FOR EACH ROW
WHEN (OLD.time_zone <> NEW.time_zone)
EXECUTE FUNCTION count_days_anew();

REVOKE ALL ON FUNCTION fold_rollups(integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION rebuild_rollups(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION hold_rollups() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fold_rollups(integer) TO opsboard_app;

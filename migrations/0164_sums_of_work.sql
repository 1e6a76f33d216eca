-- depends: 0163_confirm_reasons
-- Time and pieces of work by day, in all and by person, machine and process, kept as the counts of 0008 are: a writer adds
-- an image of the record to rollup_deltas, and days come in when it is folded or read. Work that goes on counts nothing.
--
-- Metrics: work, work_of_people, work_of_machines, work_of_processes; labels: microseconds, records, good, rejected. A
-- record has its time on each day for the part that lies in it, and the rest on the day on which it ended.

-- Of a work record, with began and ended: person, machine, process, good and rejected pieces.
ALTER TABLE rollup_deltas ADD COLUMN work bigint [];

CREATE FUNCTION work_metrics(work bigint [], began timestamptz, ended timestamptz, zone text)
RETURNS TABLE (metric text, day date, subject bigint, label text, n bigint)
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
ROWS 16
AS $$
    SELECT
        g.metric,
        d.day,
        g.subject,
        a.label,
        a.n
    FROM (SELECT public.local_day($2, $4) AS first_day, public.local_day($3, $4) AS last_day) AS l
    CROSS JOIN LATERAL (
        SELECT l.first_day + i AS day
        FROM generate_series(0, l.last_day - l.first_day) AS i
    ) AS d
    CROSS JOIN LATERAL (
        VALUES
        (
            'microseconds',
            (
                extract(
                    epoch FROM least($3, (d.day + 1)::timestamp AT TIME ZONE $4)
                    - greatest($2, d.day::timestamp AT TIME ZONE $4)
                ) * 1000000
            )::bigint
        ),
        ('records', CASE WHEN d.day = l.last_day THEN 1 ELSE 0 END),
        ('good', CASE WHEN d.day = l.last_day THEN $1[4] ELSE 0 END),
        ('rejected', CASE WHEN d.day = l.last_day THEN $1[5] ELSE 0 END)
    ) AS a (label, n)
    CROSS JOIN LATERAL (
        VALUES
        ('work', 0::bigint),
        ('work_of_people', $1[1]),
        ('work_of_machines', coalesce($1[2], 0)),
        ('work_of_processes', coalesce($1[3], 0))
    ) AS g (metric, subject)
    WHERE a.n <> 0
$$;

-- Also of work that is not folded yet.
CREATE OR REPLACE FUNCTION rollup_counts(tenant bigint, wanted text [])
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
    UNION ALL
    SELECT
        m.metric,
        m.day,
        m.subject,
        m.label,
        m.n * d.n
    FROM public.rollup_deltas AS d
    JOIN public.tenants AS t ON t.id = tenant
    CROSS JOIN LATERAL public.work_metrics(d.work, d.began, d.ended, t.time_zone) AS m
    WHERE d.tenant_id = tenant
        AND d.work IS NOT NULL
        AND (wanted IS NULL OR m.metric = ANY(wanted))
$$;

CREATE OR REPLACE FUNCTION fold_rollups(most integer DEFAULT 20000) RETURNS integer
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
            UNION ALL
            SELECT
                d.tenant_id,
                m.metric,
                m.day,
                m.subject,
                m.label,
                m.n * d.n
            FROM taken AS d
            JOIN public.tenants AS t ON t.id = d.tenant_id
            CROSS JOIN LATERAL public.work_metrics(d.work, d.began, d.ended, t.time_zone) AS m
            WHERE d.work IS NOT NULL
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

-- The same sums from the records, written another way: each day of a record by its two midnights.
CREATE FUNCTION recount_work_records(tenant bigint)
RETURNS TABLE (metric text, day date, subject bigint, label text, n bigint)
LANGUAGE sql
STABLE
AS $$
    WITH records AS (
        SELECT
            r.started_at,
            r.ended_at,
            r.quantity_good::bigint AS good,
            r.quantity_rejected::bigint AS rejected,
            t.time_zone,
            public.local_day(r.ended_at, t.time_zone) AS last_day,
            ARRAY[0, r.user_id, coalesce(r.machine_id, 0), coalesce(r.process_id, 0)] AS subjects
        FROM public.tenants AS t
        JOIN public.work_records AS r ON r.tenant_id = t.id
        WHERE t.id = tenant
            AND r.ended_at IS NOT NULL
    ),
    amounts AS (
        SELECT
            r.subjects,
            d.day::date AS day,
            'microseconds' AS label,
            round(
                (extract(epoch FROM least(r.ended_at, d.midnight)) - extract(epoch FROM greatest(r.started_at, d.began)))
                * 1000000
            )::bigint AS n
        FROM records AS r
        CROSS JOIN LATERAL (
            SELECT
                x.day,
                x.day AT TIME ZONE r.time_zone AS began,
                (x.day + interval '1 day') AT TIME ZONE r.time_zone AS midnight
            FROM generate_series(
                (r.started_at AT TIME ZONE r.time_zone)::date - interval '1 day',
                (r.ended_at AT TIME ZONE r.time_zone)::date::timestamp,
                interval '1 day'
            ) AS x (day)
        ) AS d
        WHERE d.began < r.ended_at
            AND d.midnight > r.started_at
        UNION ALL
        SELECT r.subjects, r.last_day, 'records', 1
        FROM records AS r
        UNION ALL
        SELECT r.subjects, r.last_day, 'good', r.good
        FROM records AS r
        UNION ALL
        SELECT r.subjects, r.last_day, 'rejected', r.rejected
        FROM records AS r
    )
    SELECT
        (ARRAY['work', 'work_of_people', 'work_of_machines', 'work_of_processes'])[k.place],
        a.day,
        k.subject,
        a.label,
        sum(a.n)::bigint
    FROM amounts AS a
    CROSS JOIN LATERAL unnest(a.subjects) WITH ORDINALITY AS k (subject, place)
    GROUP BY k.place, a.day, k.subject, a.label
    HAVING sum(a.n) <> 0
$$;
SELECT put_recounts_together();

-- The delta of a record; one that has not ended leaves a note of the change alone.
CREATE FUNCTION count_work_records() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    sign constant bigint := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    INSERT INTO public.rollup_deltas (tenant_id, source, n, began, ended, work)
    SELECT
        r.tenant_id,
        'work_records',
        sign,
        r.started_at,
        r.ended_at,
        ARRAY[r.user_id, r.machine_id, r.process_id, r.quantity_good, r.quantity_rejected]
    FROM changed_rows AS r
    WHERE r.ended_at IS NOT NULL;
    INSERT INTO public.changes (tenant_id, table_name)
    SELECT DISTINCT
        r.tenant_id,
        'work_records'
    FROM changed_rows AS r
    WHERE r.ended_at IS NULL;
    RETURN NULL;
END
$$;

CREATE FUNCTION count_updated_work_records() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    was constant bigint [] := ARRAY[
        OLD.user_id, OLD.machine_id, OLD.process_id, OLD.quantity_good, OLD.quantity_rejected
    ];
    becomes constant bigint [] := ARRAY[
        NEW.user_id, NEW.machine_id, NEW.process_id, NEW.quantity_good, NEW.quantity_rejected
    ];
    is_counted constant boolean := (OLD.ended_at IS NOT NULL OR NEW.ended_at IS NOT NULL)
    AND (OLD.tenant_id, OLD.started_at, OLD.ended_at, was)
    IS DISTINCT FROM (NEW.tenant_id, NEW.started_at, NEW.ended_at, becomes);
    noted text;
BEGIN
    IF is_counted AND OLD.ended_at IS NOT NULL THEN
        INSERT INTO public.rollup_deltas (tenant_id, source, n, began, ended, work)
        VALUES (OLD.tenant_id, 'work_records', -1, OLD.started_at, OLD.ended_at, was);
    ELSIF OLD.tenant_id <> NEW.tenant_id THEN
        INSERT INTO public.changes (tenant_id, table_name) VALUES (OLD.tenant_id, 'work_records');
    END IF;
    IF is_counted AND NEW.ended_at IS NOT NULL THEN
        INSERT INTO public.rollup_deltas (tenant_id, source, n, began, ended, work)
        VALUES (NEW.tenant_id, 'work_records', 1, NEW.started_at, NEW.ended_at, becomes);
    -- As in note_updated_row.
    ELSIF
        current_setting('opsboard.noted_work_records', true)
        IS DISTINCT FROM NEW.tenant_id || '/' || pg_current_xact_id()::text
    THEN
        INSERT INTO public.changes (tenant_id, table_name) VALUES (NEW.tenant_id, 'work_records');
        noted := set_config(
            'opsboard.noted_work_records', NEW.tenant_id || '/' || pg_current_xact_id()::text, true
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER work_records_insert AFTER INSERT ON work_records REFERENCING NEW TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_work_records();
CREATE OR REPLACE TRIGGER work_records_delete AFTER DELETE ON work_records REFERENCING OLD TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_work_records();
CREATE OR REPLACE TRIGGER work_records_update AFTER UPDATE ON work_records
FOR EACH ROW EXECUTE FUNCTION count_updated_work_records();
CREATE OR REPLACE TRIGGER work_records_truncate AFTER TRUNCATE ON work_records
FOR EACH STATEMENT EXECUTE FUNCTION count_nothing(
    'work_records', 'work', 'work_of_people', 'work_of_machines', 'work_of_processes'
);

-- The summary reads sums now.
-- Serves: work.list_work (newest first, days)
COMMENT ON INDEX idx_work_records_started_at IS 'Records of work by their beginning.';

-- The triggers note changes and count nothing again. What is not folded yet stays as a note of its change.
CREATE OR REPLACE TRIGGER work_records_insert AFTER INSERT ON work_records REFERENCING NEW TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION note_changed_rows();
CREATE OR REPLACE TRIGGER work_records_delete AFTER DELETE ON work_records REFERENCING OLD TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION note_changed_rows();
CREATE OR REPLACE TRIGGER work_records_update AFTER UPDATE ON work_records
FOR EACH ROW EXECUTE FUNCTION note_updated_row();
CREATE OR REPLACE TRIGGER work_records_truncate AFTER TRUNCATE ON work_records
FOR EACH STATEMENT EXECUTE FUNCTION note_truncated_table();
DROP FUNCTION IF EXISTS count_work_records();
DROP FUNCTION IF EXISTS count_updated_work_records();
DROP FUNCTION IF EXISTS recount_work_records(bigint);
SELECT put_recounts_together();
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

SELECT hold_rollups();
DELETE FROM rollups AS r
WHERE r.metric IN ('work', 'work_of_people', 'work_of_machines', 'work_of_processes');
DROP FUNCTION IF EXISTS work_metrics(bigint [], timestamptz, timestamptz, text);
ALTER TABLE rollup_deltas DROP COLUMN IF EXISTS work;
COMMENT ON INDEX idx_work_records_started_at IS NULL;

-- depends: 0069_own_fields_everywhere
-- Numbers about the whole service for those who run it: counts that are not folded, sequences near their end, and counts
-- of every business. Each function gives back numbers alone; while a table is locked the number is null or the row missing.

-- How many changes of counts are not folded yet, over all businesses; at most 100001, so that it takes as long at any number.
CREATE FUNCTION unfolded_deltas() RETURNS bigint
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found bigint;
BEGIN
    SELECT count(*) INTO found FROM (SELECT FROM public.rollup_deltas LIMIT 100001) AS d;
    RETURN found;
EXCEPTION
    WHEN lock_not_available THEN
        RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION unfolded_deltas() FROM public;
GRANT EXECUTE ON FUNCTION unfolded_deltas() TO opsboard_app;

-- The last value of each sequence and the largest that it, or the column it fills, can have. Reading one waits for ALTER
-- SEQUENCE, so that those somebody has locked are left out.
CREATE FUNCTION sequence_use() RETURNS TABLE (name text, last_value bigint, largest bigint)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT
        c.relname::text,
        pg_sequence_last_value(c.oid),
        least(s.seqmax, CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE s.seqmax END)
    FROM pg_sequence AS s
    JOIN pg_class AS c ON c.oid = s.seqrelid
    LEFT JOIN pg_depend AS d
        ON d.classid = 'pg_class'::regclass
        AND d.objid = c.oid
        AND d.refclassid = 'pg_class'::regclass
        AND d.deptype IN ('a', 'i')
    LEFT JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE c.relnamespace = 'public'::regnamespace
        -- CASE, because the planner may look at tables before it joins.
        AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT, USAGE') END
        AND NOT EXISTS (
            SELECT FROM pg_locks AS l
            WHERE l.relation = c.oid
                AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        );
EXCEPTION
    WHEN lock_not_available THEN
        RETURN;
END
$$;
REVOKE ALL ON FUNCTION sequence_use() FROM public;
GRANT EXECUTE ON FUNCTION sequence_use() TO opsboard_app;

-- Counts of every business from the kept ones: jobs, leads and approvals by status, and open jobs that are overdue.
CREATE FUNCTION business_numbers() RETURNS TABLE (tenant_id bigint, slug text, metric text, label text, n bigint)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT
        t.id,
        t.slug,
        CASE c.metric WHEN 'open_jobs' THEN 'jobs_overdue' ELSE c.metric END,
        CASE c.metric WHEN 'open_jobs' THEN '' ELSE c.label END,
        sum(c.n)::bigint
    FROM public.tenants AS t
    CROSS JOIN LATERAL public.rollup_counts(t.id, ARRAY['jobs', 'open_jobs', 'leads', 'response_approvals']) AS c
    WHERE c.metric <> 'open_jobs'
        OR (
            c.day <> '-infinity'
            AND c.day < coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date)
        )
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 3, 4;
EXCEPTION
    WHEN lock_not_available THEN
        RETURN;
END
$$;
REVOKE ALL ON FUNCTION business_numbers() FROM public;
GRANT EXECUTE ON FUNCTION business_numbers() TO opsboard_app;

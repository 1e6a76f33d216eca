-- depends: 0131_events_of_writes
-- Numbers about deliveries for those who run the service: the oldest that waits, and counts of each business by status.

-- When the oldest delivery that waits was written, over all businesses; null: none waits, infinity: not known, because
-- somebody has a table to themselves.
CREATE FUNCTION oldest_delivery() RETURNS timestamptz
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    oldest timestamptz;
BEGIN
    SELECT min(o.created_at) INTO oldest
    FROM public.tenants AS t
    CROSS JOIN LATERAL (
        SELECT d.created_at
        FROM public.deliveries AS d
        WHERE d.tenant_id = t.id
            AND d.status = 'waiting'
        ORDER BY
            d.created_at,
            d.id
        LIMIT 1
    ) AS o;
    RETURN oldest;
EXCEPTION
    WHEN lock_not_available THEN
        RETURN 'infinity';
END
$$;
REVOKE ALL ON FUNCTION oldest_delivery() FROM public;
GRANT EXECUTE ON FUNCTION oldest_delivery() TO opsboard_app;

-- As before, with deliveries by status.
CREATE OR REPLACE FUNCTION business_numbers() RETURNS TABLE (tenant_id bigint, slug text, metric text, label text, n bigint)
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
    CROSS JOIN LATERAL public.rollup_counts(
        t.id, ARRAY['jobs', 'open_jobs', 'leads', 'response_approvals', 'deliveries']
    ) AS c
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

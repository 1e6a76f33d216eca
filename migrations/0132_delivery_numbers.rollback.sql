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
DROP FUNCTION IF EXISTS oldest_delivery();

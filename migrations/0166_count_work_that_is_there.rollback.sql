-- The sums go with 0164.
ANALYZE rollups;

-- In a transaction before the one that drops what it reads: a statement that is being planned then may have its text.
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

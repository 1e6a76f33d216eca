-- depends: 0029_more_counts
-- The service can tell whether its schema is that of its version, without reading who applied what and when.

-- Which of these migrations are not in the database, or are there by half.
CREATE FUNCTION missing_migrations(wanted text []) RETURNS text []
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(n.id ORDER BY n.id), '{}')
    FROM unnest(wanted) AS n (id)
    WHERE NOT EXISTS (
        SELECT FROM public.schema_migrations AS m
        WHERE m.id = n.id
            AND m.applied_at IS NOT NULL
    )
$$;
REVOKE ALL ON FUNCTION missing_migrations(text []) FROM public;
GRANT EXECUTE ON FUNCTION missing_migrations(text []) TO opsboard_app;

-- depends: 0029_more_counts
-- Statistics for tables an import has just filled: the service's role does not own them, so it cannot ANALYZE them.
-- Until autovacuum comes by, the planner would take the rows of a new business for none.

CREATE FUNCTION analyze_imported(tables text []) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    imported regclass;
BEGIN
    -- Only tables of businesses, whatever names are given. SKIP_LOCKED: who works on a table goes first.
    FOR imported IN
        SELECT c.oid::regclass
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relnamespace = 'public'::regnamespace
            AND c.relkind IN ('r', 'p')
            AND c.relname = ANY(tables)
    LOOP
        EXECUTE format('ANALYZE (SKIP_LOCKED) %s', imported);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION analyze_imported(text []) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION analyze_imported(text []) TO opsboard_app;

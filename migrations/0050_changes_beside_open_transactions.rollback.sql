CREATE OR REPLACE FUNCTION changes_of_deltas(seen pg_snapshot)
RETURNS TABLE (tenant_id bigint, table_name text, xid xid8)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
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

DROP FUNCTION IF EXISTS ended_since(pg_snapshot);

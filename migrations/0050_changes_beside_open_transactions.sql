-- depends: 0029_more_counts
-- A transaction that somebody left open no longer makes every worker read all changes since it began again and again.

-- The transactions that ran when the snapshot was taken and have ended since: of what that snapshot did not show, these
-- are the ones with a number below its xmax. Those that still run are left out, for nobody sees their rows.
CREATE FUNCTION ended_since(seen pg_snapshot) RETURNS xid8 []
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(
        SELECT ran.xid
        FROM pg_snapshot_xip(seen) AS ran (xid)
        EXCEPT
        SELECT runs.xid
        FROM pg_snapshot_xip(pg_current_snapshot()) AS runs (xid)
    )
$$;

REVOKE ALL ON FUNCTION ended_since(pg_snapshot) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ended_since(pg_snapshot) TO opsboard_app;

-- As before, with another bound: not visible in a snapshot is what has a number not below its xmax, and what ran then.
CREATE OR REPLACE FUNCTION changes_of_deltas(seen pg_snapshot)
RETURNS TABLE (tenant_id bigint, table_name text, xid xid8)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- The plan is kept, and the table may be empty when it is made.
SET enable_seqscan = off
AS $$
DECLARE
    ended_xids constant xid8 [] := public.ended_since(seen);
BEGIN
    RETURN QUERY
    SELECT DISTINCT
        d.tenant_id,
        ltrim(d.source, '+'),
        d.xid
    FROM public.rollup_deltas AS d
    WHERE (
        d.xid >= pg_snapshot_xmax(seen)
        OR d.xid = ANY(ended_xids)
    )
        AND d.moments IS NULL;
END
$$;

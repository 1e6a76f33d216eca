-- depends: 0062_api_tokens
-- How long the oldest due step of a journey has waited, over all businesses: tells if a runner is up.

-- No business, no journey and no number: the time alone; null: no step is due. Row security shows one business at a time, to the owner too.
CREATE FUNCTION oldest_due_step() RETURNS timestamptz
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bound text := coalesce(current_setting('app.tenant_id', true), '');
    tenant bigint;
    of_tenant timestamptz;
    oldest timestamptz;
BEGIN
    FOR tenant IN SELECT t.id FROM public.tenants AS t ORDER BY t.id LOOP
        PERFORM set_config('app.tenant_id', tenant::text, true);
        SELECT min(d.due_at) INTO of_tenant
        FROM public.journeys AS j
        CROSS JOIN LATERAL (
            SELECT c.due_at
            FROM public.journey_contacts AS c
            WHERE c.tenant_id = tenant
                AND c.journey_id = j.id
                AND c.status = 'active'
            ORDER BY c.due_at, c.id
            LIMIT 1
        ) AS d
        WHERE j.tenant_id = tenant
            AND j.status = 'active'
            AND d.due_at <= now();
        oldest := least(oldest, of_tenant);
    END LOOP;
    PERFORM set_config('app.tenant_id', bound, true);
    RETURN oldest;
EXCEPTION
    -- Somebody has a table to themselves: not known. What was bound is bound again.
    WHEN lock_not_available THEN
        RETURN 'infinity';
END
$$;
REVOKE ALL ON FUNCTION oldest_due_step() FROM public;
GRANT EXECUTE ON FUNCTION oldest_due_step() TO opsboard_app;

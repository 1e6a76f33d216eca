-- depends: 0077_alerts
-- How much each business uses the service, by day (UTC). Like workers and alerts it belongs to no business: ids and sums.
CREATE TABLE usage_by_day (
    business bigint NOT NULL,
    day date NOT NULL,
    requests bigint NOT NULL,
    seconds double precision NOT NULL,
    -- Of bodies, as they were sent.
    bytes bigint NOT NULL,
    PRIMARY KEY (day, business)
)
WITH (fillfactor = 70);
ALTER TABLE usage_by_day ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_by_day FORCE ROW LEVEL SECURITY;
CREATE POLICY usage_by_day_all ON usage_by_day USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_by_day TO opsboard_app;

-- The sums of each business from a day on, with its name; those that nobody used have none. Nothing while a table is locked.
CREATE FUNCTION usage_of_businesses(since date)
RETURNS TABLE (business bigint, slug text, name text, requests bigint, seconds double precision, bytes bigint)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT u.business, t.slug, t.name, sum(u.requests)::bigint, sum(u.seconds), sum(u.bytes)::bigint
    FROM public.usage_by_day AS u
    JOIN public.tenants AS t ON t.id = u.business
    WHERE u.day >= since
    GROUP BY u.business, t.slug, t.name
    ORDER BY sum(u.seconds) DESC, u.business;
EXCEPTION
    WHEN lock_not_available THEN
        RETURN;
END
$$;
REVOKE ALL ON FUNCTION usage_of_businesses(date) FROM public;
GRANT EXECUTE ON FUNCTION usage_of_businesses(date) TO opsboard_app;

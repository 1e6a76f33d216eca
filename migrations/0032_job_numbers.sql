-- depends: 0031_contradictions
-- Job numbers of each business: a sequence of its own, so that nobody waits for a counter, and no business sees in its
-- numbers how many jobs the others make. A number that a transaction took and did not use stays unused. Numbers that are
-- there already stay as they are; each business goes on behind its own highest one.

CREATE FUNCTION job_number_sequence(tenant bigint) RETURNS text
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('public.job_numbers_of_%s', tenant)
$$;

CREATE FUNCTION make_job_numbers(tenant bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- TRUNCATE of tenants leaves the sequences there, and ids may begin anew.
    IF to_regclass(public.job_number_sequence(tenant)) IS NOT NULL THEN
        EXECUTE format('DROP SEQUENCE %s', public.job_number_sequence(tenant));
    END IF;
    EXECUTE format('CREATE SEQUENCE %s', public.job_number_sequence(tenant));
    EXECUTE format('GRANT USAGE, SELECT, UPDATE ON SEQUENCE %s TO opsboard_app', public.job_number_sequence(tenant));
END
$$;

-- The sequence comes and goes with its business. As the owner, because the service may not create anything.
CREATE FUNCTION keep_job_numbers() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM public.make_job_numbers(NEW.id);
    ELSE
        EXECUTE format('DROP SEQUENCE IF EXISTS %s', public.job_number_sequence(OLD.id));
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER tenants_job_numbers AFTER INSERT OR DELETE ON tenants
FOR EACH ROW EXECUTE FUNCTION keep_job_numbers();

-- The next number that no job of the business has; people may have given some of them themselves.
CREATE FUNCTION next_job_number(tenant bigint) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    digits text;
BEGIN
    LOOP
        digits := nextval(public.job_number_sequence(tenant)::regclass)::text;
        digits := lpad(digits, greatest(6, length(digits)), '0');
        EXIT WHEN NOT EXISTS (
            SELECT
            FROM public.jobs AS j
            WHERE j.tenant_id = tenant
                AND j.job_number = 'J-' || digits
        );
    END LOOP;
    RETURN 'J-' || digits;
END
$$;

-- Go on behind the highest number that is there, after many jobs came with numbers of this form. Never back. Numbers of
-- more than 15 digits are taken for something else.
CREATE FUNCTION advance_job_numbers(tenant bigint) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    sequence constant regclass := public.job_number_sequence(tenant)::regclass;
    highest constant bigint := (
        SELECT max(substr(j.job_number, 3)::bigint)
        FROM public.jobs AS j
        WHERE j.tenant_id = tenant
            AND j.job_number ~ '^J-[0-9]{6,15}$'
    );
    reached bigint;
BEGIN
    reached := coalesce(pg_sequence_last_value(sequence), 0);
    IF highest > reached THEN
        reached := setval(sequence, highest);
    END IF;
    RETURN reached;
END
$$;

REVOKE ALL ON FUNCTION make_job_numbers(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION keep_job_numbers() FROM PUBLIC;
REVOKE ALL ON FUNCTION next_job_number(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION advance_job_numbers(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION next_job_number(bigint) TO opsboard_app;
GRANT EXECUTE ON FUNCTION advance_job_numbers(bigint) TO opsboard_app;

-- Row security binds the owner too, so each business is bound in turn.
DO $$
DECLARE
    tenant bigint;
    bound constant text := coalesce(current_setting('app.tenant_id', true), '');
BEGIN
    FOR tenant IN SELECT t.id FROM tenants AS t ORDER BY t.id LOOP
        PERFORM set_config('app.tenant_id', tenant::text, true);
        PERFORM make_job_numbers(tenant);
        PERFORM advance_job_numbers(tenant);
    END LOOP;
    PERFORM set_config('app.tenant_id', bound, true);
END
$$;

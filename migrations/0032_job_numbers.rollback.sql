DROP TRIGGER IF EXISTS tenants_job_numbers ON tenants;
-- Numbers come from ids again. Those are higher than any number a business was given here: it had one for each job.
DO $$
DECLARE
    tenant bigint;
BEGIN
    FOR tenant IN SELECT t.id FROM tenants AS t LOOP
        EXECUTE format('DROP SEQUENCE IF EXISTS %s', job_number_sequence(tenant));
    END LOOP;
END
$$;
DROP FUNCTION IF EXISTS advance_job_numbers(bigint);
DROP FUNCTION IF EXISTS next_job_number(bigint);
DROP FUNCTION IF EXISTS keep_job_numbers();
DROP FUNCTION IF EXISTS make_job_numbers(bigint);
DROP FUNCTION IF EXISTS job_number_sequence(bigint);

-- Nothing is archived any more: each row returns to the counts and the search as if it were restored.
DO $$
DECLARE
    bound constant text := coalesce(current_setting('app.tenant_id', true), '');
    tenant bigint;
    archived text;
BEGIN
    FOR tenant IN SELECT t.id FROM tenants AS t ORDER BY t.id LOOP
        PERFORM set_config('app.tenant_id', tenant::text, true);
        FOREACH archived IN ARRAY ARRAY['customers', 'contacts', 'leads', 'machines', 'processes', 'users', 'jobs'] LOOP
            EXECUTE format(
                'UPDATE %I SET archived_at = NULL WHERE tenant_id = $1 AND archived_at IS NOT NULL', archived
            ) USING tenant;
        END LOOP;
    END LOOP;
    PERFORM set_config('app.tenant_id', bound, true);
END
$$;

-- Change a text in the body of a function; each must be there. What is archived counts again.
CREATE FUNCTION pg_temp.rewrite(called text, old text, new text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    body constant text := pg_get_functiondef(called::regprocedure);
BEGIN
    IF strpos(body, old) = 0 THEN
        RAISE EXCEPTION '% has no %', called, old;
    END IF;
    EXECUTE replace(body, old, new);
END
$$;

CREATE OR REPLACE TRIGGER jobs_change_words AFTER UPDATE OF title, job_number ON jobs
FOR EACH ROW WHEN (
    OLD.title IS DISTINCT FROM NEW.title OR OLD.job_number IS DISTINCT FROM NEW.job_number
) EXECUTE FUNCTION change_words_of_jobs();
CREATE OR REPLACE TRIGGER customers_change_words AFTER UPDATE OF name, email, phone ON customers
FOR EACH ROW WHEN (
    OLD.name IS DISTINCT FROM NEW.name OR OLD.email IS DISTINCT FROM NEW.email OR OLD.phone IS DISTINCT FROM NEW.phone
) EXECUTE FUNCTION change_words_of_customers();
CREATE OR REPLACE TRIGGER contacts_change_words AFTER UPDATE OF name, email, phone ON contacts
FOR EACH ROW WHEN (
    OLD.name IS DISTINCT FROM NEW.name OR OLD.email IS DISTINCT FROM NEW.email OR OLD.phone IS DISTINCT FROM NEW.phone
) EXECUTE FUNCTION change_words_of_contacts();
CREATE OR REPLACE TRIGGER leads_change_words AFTER UPDATE OF name, email, phone ON leads
FOR EACH ROW WHEN (
    OLD.name IS DISTINCT FROM NEW.name OR OLD.email IS DISTINCT FROM NEW.email OR OLD.phone IS DISTINCT FROM NEW.phone
) EXECUTE FUNCTION change_words_of_leads();
CREATE OR REPLACE TRIGGER machines_change_words AFTER UPDATE OF name, location ON machines
FOR EACH ROW WHEN (
    OLD.name IS DISTINCT FROM NEW.name OR OLD.location IS DISTINCT FROM NEW.location
) EXECUTE FUNCTION change_words_of_machines();
CREATE OR REPLACE TRIGGER processes_change_words AFTER UPDATE OF name ON processes
FOR EACH ROW WHEN (
    OLD.name IS DISTINCT FROM NEW.name
) EXECUTE FUNCTION change_words_of_processes();
CREATE OR REPLACE TRIGGER users_change_words AFTER UPDATE OF full_name, email ON users
FOR EACH ROW WHEN (
    OLD.full_name IS DISTINCT FROM NEW.full_name OR OLD.email IS DISTINCT FROM NEW.email
) EXECUTE FUNCTION change_words_of_users();

SELECT
    pg_temp.rewrite(
        format('%s_words_of_%s', f.verb, t.name) || f.arguments,
        'WHERE r.archived_at IS NULL ON CONFLICT DO NOTHING',
        'ON CONFLICT DO NOTHING'
    )
FROM unnest(ARRAY['customers', 'contacts', 'leads', 'machines', 'processes', 'users', 'jobs']) AS t (name)
CROSS JOIN (VALUES ('add', '()'), ('change', '()'), ('fill', '(bigint,integer)')) AS f (verb, arguments);
SELECT
    pg_temp.rewrite(
        format('count_%s()', t.name), 'FROM changed_rows AS r WHERE r.archived_at IS NULL', 'FROM changed_rows AS r'
    )
FROM unnest(ARRAY['customers', 'contacts', 'leads', 'machines', 'processes', 'users', 'jobs']) AS t (name);
SELECT pg_temp.rewrite(
    'rollup_recount_of_named_sources(bigint)', 'WHERE j.tenant_id = tenant AND j.archived_at IS NULL', 'WHERE j.tenant_id = tenant'
);
SELECT pg_temp.rewrite(
    'rollup_recount_of_named_sources(bigint)', 'ON j.tenant_id = t.id AND j.archived_at IS NULL', 'ON j.tenant_id = t.id'
);
SELECT pg_temp.rewrite(
    'rollup_recount_of_named_sources(bigint)', 'WHERE m.tenant_id = tenant AND m.archived_at IS NULL', 'WHERE m.tenant_id = tenant'
);
SELECT pg_temp.rewrite(
    'rollup_recount_of_named_sources(bigint)', 'WHERE u.tenant_id = tenant AND u.archived_at IS NULL', 'WHERE u.tenant_id = tenant'
);
SELECT pg_temp.rewrite(
    'rollup_recount_of_named_sources(bigint)', 'WHERE p.tenant_id = tenant AND p.archived_at IS NULL', 'WHERE p.tenant_id = tenant'
);
SELECT pg_temp.rewrite(
    'rollup_recount_of_named_sources(bigint)', 'WHERE c.tenant_id = tenant AND c.archived_at IS NULL', 'WHERE c.tenant_id = tenant'
);
SELECT pg_temp.rewrite(
    'recount_contacts(bigint)', 'WHERE r.tenant_id = tenant AND r.archived_at IS NULL', 'WHERE r.tenant_id = tenant'
);
SELECT pg_temp.rewrite(
    'recount_leads(bigint)', 'WHERE r.tenant_id = tenant AND r.archived_at IS NULL', 'WHERE r.tenant_id = tenant'
);
SELECT pg_temp.rewrite(
    'recount_leads(bigint)', 'WHERE t.id = tenant AND r.archived_at IS NULL', 'WHERE t.id = tenant'
);

DROP TRIGGER customers_update_archived ON customers;
DROP TRIGGER customers_insert_archived ON customers;
DROP TRIGGER customers_delete_archived ON customers;
CREATE OR REPLACE TRIGGER customers_update AFTER UPDATE ON customers
FOR EACH ROW EXECUTE FUNCTION count_updated_customers();
DROP FUNCTION count_archived_customers();
DROP FUNCTION note_archived_customers();
DROP TRIGGER contacts_update_archived ON contacts;
DROP TRIGGER contacts_insert_archived ON contacts;
DROP TRIGGER contacts_delete_archived ON contacts;
CREATE OR REPLACE TRIGGER contacts_update AFTER UPDATE ON contacts
FOR EACH ROW EXECUTE FUNCTION count_updated_contacts();
DROP FUNCTION count_archived_contacts();
DROP FUNCTION note_archived_contacts();
DROP TRIGGER leads_update_archived ON leads;
DROP TRIGGER leads_insert_archived ON leads;
DROP TRIGGER leads_delete_archived ON leads;
CREATE OR REPLACE TRIGGER leads_update AFTER UPDATE ON leads
FOR EACH ROW EXECUTE FUNCTION count_updated_leads();
DROP FUNCTION count_archived_leads();
DROP FUNCTION note_archived_leads();
DROP TRIGGER machines_update_archived ON machines;
DROP TRIGGER machines_insert_archived ON machines;
DROP TRIGGER machines_delete_archived ON machines;
CREATE OR REPLACE TRIGGER machines_update AFTER UPDATE ON machines
FOR EACH ROW EXECUTE FUNCTION count_updated_machines();
DROP FUNCTION count_archived_machines();
DROP FUNCTION note_archived_machines();
DROP TRIGGER processes_update_archived ON processes;
DROP TRIGGER processes_insert_archived ON processes;
DROP TRIGGER processes_delete_archived ON processes;
CREATE OR REPLACE TRIGGER processes_update AFTER UPDATE ON processes
FOR EACH ROW EXECUTE FUNCTION count_updated_processes();
DROP FUNCTION count_archived_processes();
DROP FUNCTION note_archived_processes();
DROP TRIGGER users_update_archived ON users;
DROP TRIGGER users_insert_archived ON users;
DROP TRIGGER users_delete_archived ON users;
CREATE OR REPLACE TRIGGER users_update AFTER UPDATE ON users
FOR EACH ROW EXECUTE FUNCTION count_updated_users();
DROP FUNCTION count_archived_users();
DROP FUNCTION note_archived_users();
DROP TRIGGER jobs_update_archived ON jobs;
DROP TRIGGER jobs_insert_archived ON jobs;
DROP TRIGGER jobs_delete_archived ON jobs;
CREATE OR REPLACE TRIGGER jobs_update AFTER UPDATE ON jobs
FOR EACH ROW EXECUTE FUNCTION count_updated_jobs();
DROP FUNCTION count_archived_jobs();
DROP FUNCTION note_archived_jobs();
DROP FUNCTION count_unarchived(regclass, text, text []);

ALTER TABLE jobs DROP COLUMN archived_at;
ALTER TABLE routings DROP COLUMN archived_at;
ALTER TABLE users DROP COLUMN archived_at;
ALTER TABLE processes DROP COLUMN archived_at;
ALTER TABLE machines DROP COLUMN archived_at;
ALTER TABLE leads DROP COLUMN archived_at;
ALTER TABLE contacts DROP COLUMN archived_at;
ALTER TABLE customers DROP COLUMN archived_at;

-- depends: 0101_machine_stops
-- Records that are archived: lists, counts and the search leave them out, and their names stay where they are referred to.
--
-- To the counts an archived row is one that is not there: archiving it counts as its removal, restoring as its return, and
-- what happens to it in between counts nothing.

ALTER TABLE customers ADD COLUMN archived_at timestamptz;
ALTER TABLE contacts ADD COLUMN archived_at timestamptz;
ALTER TABLE leads ADD COLUMN archived_at timestamptz;
ALTER TABLE machines ADD COLUMN archived_at timestamptz;
ALTER TABLE processes ADD COLUMN archived_at timestamptz;
ALTER TABLE users ADD COLUMN archived_at timestamptz;
ALTER TABLE routings ADD COLUMN archived_at timestamptz;
ALTER TABLE jobs ADD COLUMN archived_at timestamptz;

-- Change a text in the body of a function; each must be there.
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

-- Let a counted table (see make_counting_triggers, whose image is given again) count the rows that are not archived. The
-- rows of one statement that are archived are noted as a change all the same.
CREATE FUNCTION count_unarchived(watched regclass, source text, image text []) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    table_name constant text := (SELECT c.relname FROM pg_class AS c WHERE c.oid = watched);
    kept constant text [] := ARRAY(SELECT image[i] FROM generate_series(1, cardinality(image), 2) AS i);
    own constant text [] := ARRAY(SELECT quote_ident(image[i + 1]) FROM generate_series(1, cardinality(image), 2) AS i);
BEGIN
    EXECUTE format(
        $body$
        CREATE FUNCTION public.count_archived_%1$s() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
        DECLARE
            noted text;
        BEGIN
            IF OLD.archived_at IS NULL THEN
                INSERT INTO public.rollup_deltas (%3$s tenant_id, source, n) VALUES (%4$s OLD.tenant_id, %2$L, -1);
            ELSIF NEW.archived_at IS NULL THEN
                INSERT INTO public.rollup_deltas (%3$s tenant_id, source, n) VALUES (%5$s NEW.tenant_id, %2$L, 1);
            -- As in note_updated_row.
            ELSIF
                current_setting('opsboard.noted_%1$s', true)
                IS DISTINCT FROM NEW.tenant_id || '/' || pg_current_xact_id()::text
            THEN
                INSERT INTO public.changes (tenant_id, table_name) VALUES (NEW.tenant_id, '%1$s');
                noted := set_config('opsboard.noted_%1$s', NEW.tenant_id || '/' || pg_current_xact_id()::text, true);
            END IF;
            RETURN NULL;
        END
        $f$;

        CREATE FUNCTION public.note_archived_%1$s() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
        BEGIN
            INSERT INTO public.changes (tenant_id, table_name)
            SELECT DISTINCT r.tenant_id, '%1$s' FROM changed_rows AS r WHERE r.archived_at IS NOT NULL;
            RETURN NULL;
        END
        $f$;

        CREATE OR REPLACE TRIGGER %1$s_update AFTER UPDATE ON public.%1$s
        FOR EACH ROW WHEN (OLD.archived_at IS NULL AND NEW.archived_at IS NULL)
        EXECUTE FUNCTION public.count_updated_%1$s();
        CREATE TRIGGER %1$s_update_archived AFTER UPDATE ON public.%1$s
        FOR EACH ROW WHEN (OLD.archived_at IS NOT NULL OR NEW.archived_at IS NOT NULL)
        EXECUTE FUNCTION public.count_archived_%1$s();
        CREATE TRIGGER %1$s_insert_archived AFTER INSERT ON public.%1$s REFERENCING NEW TABLE AS changed_rows
        FOR EACH STATEMENT EXECUTE FUNCTION public.note_archived_%1$s();
        CREATE TRIGGER %1$s_delete_archived AFTER DELETE ON public.%1$s REFERENCING OLD TABLE AS changed_rows
        FOR EACH STATEMENT EXECUTE FUNCTION public.note_archived_%1$s();
        $body$,
        table_name,
        source,
        listed('', kept),
        listed('OLD.', own),
        listed('NEW.', own)
    );
END
$$;
REVOKE ALL ON FUNCTION count_unarchived(regclass, text, text []) FROM PUBLIC;

SELECT count_unarchived('customers', 'customers', '{}');
SELECT count_unarchived('contacts', '+contacts', '{}');
SELECT count_unarchived('leads', '+leads', ARRAY['label', 'status', 'began', 'created_at']);
SELECT count_unarchived('machines', 'machines', ARRAY['label', 'status']);
SELECT count_unarchived('processes', 'processes', ARRAY['is_active', 'is_active']);
SELECT count_unarchived('users', 'users', ARRAY['label', 'role', 'is_active', 'is_active']);
SELECT count_unarchived(
    'jobs',
    'jobs',
    ARRAY['label', 'status', 'day', 'due_date', 'began', 'created_at', 'ended', 'completed_at']
);

-- The rows of one statement, the recounts, and the words: only those of what is not archived.
SELECT
    pg_temp.rewrite(
        format('count_%s()', t.name), 'FROM changed_rows AS r', 'FROM changed_rows AS r WHERE r.archived_at IS NULL'
    )
FROM unnest(ARRAY['customers', 'contacts', 'leads', 'machines', 'processes', 'users', 'jobs']) AS t (name);
SELECT pg_temp.rewrite(
    'rollup_recount_of_named_sources(bigint)', 'WHERE j.tenant_id = tenant', 'WHERE j.tenant_id = tenant AND j.archived_at IS NULL'
);
SELECT pg_temp.rewrite(
    'rollup_recount_of_named_sources(bigint)', 'ON j.tenant_id = t.id', 'ON j.tenant_id = t.id AND j.archived_at IS NULL'
);
SELECT pg_temp.rewrite(
    'rollup_recount_of_named_sources(bigint)', 'WHERE m.tenant_id = tenant', 'WHERE m.tenant_id = tenant AND m.archived_at IS NULL'
);
SELECT pg_temp.rewrite(
    'rollup_recount_of_named_sources(bigint)', 'WHERE u.tenant_id = tenant', 'WHERE u.tenant_id = tenant AND u.archived_at IS NULL'
);
SELECT pg_temp.rewrite(
    'rollup_recount_of_named_sources(bigint)', 'WHERE p.tenant_id = tenant', 'WHERE p.tenant_id = tenant AND p.archived_at IS NULL'
);
SELECT pg_temp.rewrite(
    'rollup_recount_of_named_sources(bigint)', 'WHERE c.tenant_id = tenant', 'WHERE c.tenant_id = tenant AND c.archived_at IS NULL'
);
SELECT pg_temp.rewrite(
    'recount_contacts(bigint)', 'WHERE r.tenant_id = tenant', 'WHERE r.tenant_id = tenant AND r.archived_at IS NULL'
);
SELECT pg_temp.rewrite(
    'recount_leads(bigint)', 'WHERE r.tenant_id = tenant', 'WHERE r.tenant_id = tenant AND r.archived_at IS NULL'
);
SELECT pg_temp.rewrite(
    'recount_leads(bigint)', 'WHERE t.id = tenant', 'WHERE t.id = tenant AND r.archived_at IS NULL'
);
SELECT
    pg_temp.rewrite(
        format('%s_words_of_%s', f.verb, t.name) || f.arguments,
        'ON CONFLICT DO NOTHING',
        'WHERE r.archived_at IS NULL ON CONFLICT DO NOTHING'
    )
FROM unnest(ARRAY['customers', 'contacts', 'leads', 'machines', 'processes', 'users', 'jobs']) AS t (name)
CROSS JOIN (VALUES ('add', '()'), ('change', '()'), ('fill', '(bigint,integer)')) AS f (verb, arguments);

CREATE OR REPLACE TRIGGER jobs_change_words AFTER UPDATE OF title, job_number, archived_at ON jobs
FOR EACH ROW WHEN (
    OLD.title IS DISTINCT FROM NEW.title OR OLD.job_number IS DISTINCT FROM NEW.job_number
    OR (OLD.archived_at IS NULL) <> (NEW.archived_at IS NULL)
) EXECUTE FUNCTION change_words_of_jobs();
CREATE OR REPLACE TRIGGER customers_change_words AFTER UPDATE OF name, email, phone, archived_at ON customers
FOR EACH ROW WHEN (
    OLD.name IS DISTINCT FROM NEW.name OR OLD.email IS DISTINCT FROM NEW.email OR OLD.phone IS DISTINCT FROM NEW.phone
    OR (OLD.archived_at IS NULL) <> (NEW.archived_at IS NULL)
) EXECUTE FUNCTION change_words_of_customers();
CREATE OR REPLACE TRIGGER contacts_change_words AFTER UPDATE OF name, email, phone, archived_at ON contacts
FOR EACH ROW WHEN (
    OLD.name IS DISTINCT FROM NEW.name OR OLD.email IS DISTINCT FROM NEW.email OR OLD.phone IS DISTINCT FROM NEW.phone
    OR (OLD.archived_at IS NULL) <> (NEW.archived_at IS NULL)
) EXECUTE FUNCTION change_words_of_contacts();
CREATE OR REPLACE TRIGGER leads_change_words AFTER UPDATE OF name, email, phone, archived_at ON leads
FOR EACH ROW WHEN (
    OLD.name IS DISTINCT FROM NEW.name OR OLD.email IS DISTINCT FROM NEW.email OR OLD.phone IS DISTINCT FROM NEW.phone
    OR (OLD.archived_at IS NULL) <> (NEW.archived_at IS NULL)
) EXECUTE FUNCTION change_words_of_leads();
CREATE OR REPLACE TRIGGER machines_change_words AFTER UPDATE OF name, location, archived_at ON machines
FOR EACH ROW WHEN (
    OLD.name IS DISTINCT FROM NEW.name OR OLD.location IS DISTINCT FROM NEW.location
    OR (OLD.archived_at IS NULL) <> (NEW.archived_at IS NULL)
) EXECUTE FUNCTION change_words_of_machines();
CREATE OR REPLACE TRIGGER processes_change_words AFTER UPDATE OF name, archived_at ON processes
FOR EACH ROW WHEN (
    OLD.name IS DISTINCT FROM NEW.name
    OR (OLD.archived_at IS NULL) <> (NEW.archived_at IS NULL)
) EXECUTE FUNCTION change_words_of_processes();
CREATE OR REPLACE TRIGGER users_change_words AFTER UPDATE OF full_name, email, archived_at ON users
FOR EACH ROW WHEN (
    OLD.full_name IS DISTINCT FROM NEW.full_name OR OLD.email IS DISTINCT FROM NEW.email
    OR (OLD.archived_at IS NULL) <> (NEW.archived_at IS NULL)
) EXECUTE FUNCTION change_words_of_users();

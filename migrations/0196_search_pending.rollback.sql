-- Nothing may stay pending: from here on triggers write the words.
SELECT write_pending_words(2147483647, false);

DROP FUNCTION anonymise_at_once(text, text, bigint);
GRANT EXECUTE ON FUNCTION anonymise(text, text, bigint) TO opsboard_app;

DROP PROCEDURE fill_search_words();
DROP FUNCTION rebuild_words(bigint);
DROP FUNCTION word_differences(bigint);
DROP FUNCTION searched_tables();
DROP FUNCTION fold_words(integer);
DROP FUNCTION write_pending_words(integer, boolean);
DROP FUNCTION note_searched_rows() CASCADE;
DROP FUNCTION note_searched_row() CASCADE;
DROP FUNCTION empty_searched_table() CASCADE;
DO $$
DECLARE
    old_function regprocedure;
BEGIN
    FOR old_function IN
        SELECT p.oid::regprocedure
        FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace
            AND p.proname ~ '^(write_|unfolded_)?words_of_'
    LOOP
        EXECUTE format('DROP FUNCTION %s', old_function);
    END LOOP;
END
$$;
DROP FUNCTION unfolded_rows(bigint, name);
DROP FUNCTION words_may_lack(text);
DROP TABLE search_pending;

-- Keep the words of a table by triggers; each argument is an SQL expression over its row r, or null. A table with
-- another name for what it shows needs one line: SELECT watch_words('it', 'r.name', NULL, NULL, NULL, ARRAY['name']).
CREATE OR REPLACE FUNCTION watch_words(
    watched regclass, texts text, number text, email text, phone text, columns text []
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    table_name constant text := (SELECT c.relname FROM pg_class AS c WHERE c.oid = watched);
    entries constant text := format(
        'public.search_entries(%s, %s, %s, %s) AS e',
        coalesce(texts, 'NULL'), coalesce(number, 'NULL'), coalesce(email, 'NULL'), coalesce(phone, 'NULL')
    );
    added constant text := format(
        $f$
        INSERT INTO public.search_words (tenant_id, source, is_address, word, row_id, words)
        SELECT r.tenant_id, %L, e.is_address, e.word, r.id, e.words
        FROM %%s AS r CROSS JOIN LATERAL %s
        ON CONFLICT DO NOTHING
        $f$,
        table_name,
        entries
    );
    removed constant text := format(
        $f$
        DELETE FROM public.search_words AS w
        USING %%s AS r CROSS JOIN LATERAL %s
        WHERE w.tenant_id = r.tenant_id AND w.source = %L AND w.is_address = e.is_address AND w.word = e.word
            AND w.row_id = r.id
        $f$,
        entries,
        table_name
    );
    head constant text := $f$
        CREATE FUNCTION public.%s_words_of_%s() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        AS $b$ BEGIN %s; RETURN NULL; END $b$
    $f$;
BEGIN
    EXECUTE format(head, 'add', table_name, format(added, 'added'));
    EXECUTE format(head, 'remove', table_name, format(removed, 'removed'));
    EXECUTE format(
        head, 'change', table_name, format(removed, '(SELECT OLD.*)') || ';' || format(added, '(SELECT NEW.*)')
    );
    EXECUTE format(
        head, 'empty', table_name, format('DELETE FROM public.search_words AS w WHERE w.source = %L', table_name)
    );
    EXECUTE format(
        'CREATE TRIGGER %1$s_add_words AFTER INSERT ON public.%1$I REFERENCING NEW TABLE AS added '
        'FOR EACH STATEMENT EXECUTE FUNCTION public.add_words_of_%1$s()',
        table_name
    );
    EXECUTE format(
        'CREATE TRIGGER %1$s_remove_words AFTER DELETE ON public.%1$I REFERENCING OLD TABLE AS removed '
        'FOR EACH STATEMENT EXECUTE FUNCTION public.remove_words_of_%1$s()',
        table_name
    );
    EXECUTE format(
        'CREATE TRIGGER %1$s_change_words AFTER UPDATE OF %2$s ON public.%1$I FOR EACH ROW WHEN (%3$s) '
        'EXECUTE FUNCTION public.change_words_of_%1$s()',
        table_name,
        (SELECT string_agg(quote_ident(c.name), ', ') FROM unnest(columns) AS c (name)),
        (SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c.name), ' OR ') FROM unnest(columns) AS c (name))
    );
    EXECUTE format(
        'CREATE TRIGGER %1$s_empty_words AFTER TRUNCATE ON public.%1$I '
        'FOR EACH STATEMENT EXECUTE FUNCTION public.empty_words_of_%1$s()',
        table_name
    );
    -- Rows of before, so many from an id on; the last id. They are locked, so that nobody changes them meanwhile.
    EXECUTE format(
        $f$
        CREATE FUNCTION public.fill_words_of_%1$s(after_id bigint, most integer) RETURNS bigint
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
        AS $b$
        DECLARE
            last_id bigint;
        BEGIN
            WITH batch AS MATERIALIZED (
                SELECT q.* FROM public.%1$I AS q
                WHERE q.tenant_id = (SELECT current_setting('app.tenant_id')::bigint) AND q.id > after_id
                ORDER BY q.tenant_id, q.id LIMIT most
                FOR SHARE
            ),
            filled AS (%2$s)
            SELECT max(b.id) INTO last_id FROM batch AS b;
            RETURN last_id;
        END
        $b$
        $f$,
        table_name,
        format(added, 'batch')
    );
    EXECUTE format(
        'REVOKE ALL ON FUNCTION public.add_words_of_%1$s(), public.remove_words_of_%1$s(), '
        'public.change_words_of_%1$s(), public.empty_words_of_%1$s(), '
        'public.fill_words_of_%1$s(bigint, integer) FROM PUBLIC',
        table_name
    );
END
$$;

-- The opposite, for the migration back of a table.
CREATE OR REPLACE FUNCTION unwatch_words(table_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    EXECUTE format(
        'DROP FUNCTION IF EXISTS public.add_words_of_%1$s(), public.remove_words_of_%1$s(), '
        'public.change_words_of_%1$s(), public.empty_words_of_%1$s(), '
        'public.fill_words_of_%1$s(bigint, integer) CASCADE',
        table_name
    );
    DELETE FROM public.search_words AS w WHERE w.source = table_name;
END
$$;

-- The words of the rows that were there before, 2,000 rows a transaction; again does no harm. It has no search path of
-- its own, because such a procedure may not end transactions.
CREATE PROCEDURE fill_search_words()
LANGUAGE plpgsql
AS $$
DECLARE
    tenant bigint;
    filler text;
    reached bigint;
BEGIN
    FOR tenant IN SELECT t.id FROM public.tenants AS t ORDER BY t.id LOOP
        FOR filler IN
            SELECT p.proname
            FROM pg_catalog.pg_proc AS p
            WHERE p.pronamespace = 'public'::pg_catalog.regnamespace
                AND p.proname LIKE 'fill\_words\_of\_%'
            ORDER BY p.proname
        LOOP
            reached := 0;
            WHILE reached IS NOT NULL LOOP
                PERFORM pg_catalog.set_config('app.tenant_id', tenant::text, true);
                EXECUTE pg_catalog.format('SELECT public.%I($1, 2000)', filler) INTO reached USING reached;
                COMMIT;
            END LOOP;
        END LOOP;
    END LOOP;
END
$$;

REVOKE ALL ON PROCEDURE fill_search_words() FROM PUBLIC;

SELECT watch_words('jobs', 'r.title', 'r.job_number', NULL, NULL, ARRAY['title', 'job_number']);
SELECT watch_words(
    'customers', 'r.name', NULL, 'r.email', 'r.phone', ARRAY['name', 'email', 'phone']
);
SELECT watch_words('contacts', 'r.name', NULL, 'r.email', 'r.phone', ARRAY['name', 'email', 'phone']);
SELECT watch_words('leads', 'r.name', NULL, 'r.email', 'r.phone', ARRAY['name', 'email', 'phone']);
SELECT watch_words('machines', $$concat_ws(' ', r.name, r.location)$$, NULL, NULL, NULL, ARRAY['name', 'location']);
SELECT watch_words('processes', 'r.name', NULL, NULL, NULL, ARRAY['name']);
SELECT watch_words('users', 'r.full_name', NULL, 'r.email', NULL, ARRAY['full_name', 'email']);
SELECT watch_words('documents', $$concat_ws(' ', r.title, r.file_name)$$, NULL, NULL, NULL, ARRAY['title', 'file_name']);

-- Archived records have no words, as in 0150.
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

DROP FUNCTION pg_temp.rewrite(text, text, text);

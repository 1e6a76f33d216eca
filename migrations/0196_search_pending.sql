-- depends: 0195_index_of_words
-- The words of a record are written after the record, in the background, because that takes longer than the record itself.
--
-- A writer only adds a row to search_pending, in its own transaction: the ids of what it changed. fold_words(), called in
-- the background, writes the words of these records as they are by then and removes the row, in one transaction. A search
-- reads the words of pending records from the records themselves: unfolded_words_of_...(). So each snapshot has the words
-- of each record exactly once, however far the folding is.
--
-- A search reads at most 50 rows of search_pending for a table. While there are more, after a bulk statement, it says that
-- its answer is not complete, and each folding notes a change of the table, which ends the cached answers of lists.
--
-- The session that writes search_words holds the advisory lock (1869640546, 110) until its transaction ends; writers and
-- readers never take it.

CREATE TABLE search_pending (
    tenant_id bigint NOT NULL,
    -- The table of the records. No text: a text would be searched for names of people who are anonymised.
    source name NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    row_ids bigint [] NOT NULL,
    PRIMARY KEY (tenant_id, source, id)
)
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

ALTER TABLE search_pending ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_pending FORCE ROW LEVEL SECURITY;
CREATE POLICY search_pending_isolation ON search_pending
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
-- The functions below run as this role; the service may only read.
CREATE POLICY search_pending_upkeep ON search_pending TO CURRENT_USER USING (true) WITH CHECK (true);
GRANT SELECT ON search_pending TO opsboard_app;

-- The triggers of 0090 and 0150 and what they called. The words stay.
DO $$
DECLARE
    old_function regprocedure;
BEGIN
    FOR old_function IN
        SELECT p.oid::regprocedure
        FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace
            AND p.proname ~ '^(add|remove|change|empty|fill)_words_of_'
    LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', old_function);
    END LOOP;
END
$$;

-- Rows that were added or deleted. The first two have a row each, which for a single one costs half of what a GROUP BY
-- does; the others share one by tens.
CREATE FUNCTION note_searched_rows() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    noted bigint;
BEGIN
    INSERT INTO public.search_pending (tenant_id, source, row_ids)
    SELECT
        r.tenant_id,
        TG_TABLE_NAME,
        ARRAY[r.id]
    FROM changed_rows AS r
    LIMIT 2;
    GET DIAGNOSTICS noted = ROW_COUNT;
    IF noted = 2 THEN
        INSERT INTO public.search_pending (tenant_id, source, row_ids)
        SELECT
            p.tenant_id,
            TG_TABLE_NAME,
            array_agg(p.id)
        FROM (
            SELECT
                r.tenant_id,
                r.id,
                (row_number() OVER (PARTITION BY r.tenant_id) - 1) / 10 AS part
            FROM (SELECT r.tenant_id, r.id FROM changed_rows AS r OFFSET 2) AS r
        ) AS p
        GROUP BY p.tenant_id, p.part;
    END IF;
    RETURN NULL;
END
$$;

-- A row whose words changed.
CREATE FUNCTION note_searched_row() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.search_pending (tenant_id, source, row_ids) VALUES (NEW.tenant_id, TG_TABLE_NAME, ARRAY[NEW.id]);
    IF OLD.tenant_id <> NEW.tenant_id OR OLD.id <> NEW.id THEN
        INSERT INTO public.search_pending (tenant_id, source, row_ids) VALUES (OLD.tenant_id, TG_TABLE_NAME, ARRAY[OLD.id]);
    END IF;
    RETURN NULL;
END
$$;

-- A table without rows has no words. Rows of search_pending stay: folding them finds nothing.
CREATE FUNCTION empty_searched_table() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM public.search_words AS w WHERE w.source = TG_TABLE_NAME;
    RETURN NULL;
END
$$;

-- The ids of the pending records of a table: of the oldest 50 rows of search_pending. Like the functions that watch_words
-- makes it has no SET, so that it becomes part of the statement that uses it.
CREATE FUNCTION unfolded_rows(tenant bigint, of_table name) RETURNS TABLE (id bigint)
LANGUAGE sql
STABLE
ROWS 10
AS $$
    SELECT i.id
    FROM (
        SELECT p.row_ids
        FROM public.search_pending AS p
        WHERE p.tenant_id = tenant
            AND p.source = of_table
        ORDER BY p.id
        LIMIT 50
    ) AS q
    CROSS JOIN LATERAL unnest(q.row_ids) AS i (id)
$$;

-- True if a text may begin with this although the words asked for are not the beginnings of its words: this ends within
-- the leading zeros of a number, is read as a telephone number, or has no words.
CREATE FUNCTION words_may_lack(value text) RETURNS boolean
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
    SELECT public.search_form(value) ~ '(^|[^0-9])0+$'
        OR value ~ '^[^[:alpha:]]*$'
        OR cardinality(public.asked_terms(value)) = 0
$$;

-- Keep the words of a table; each argument is an SQL expression over its row r, or null. A table with another name for
-- what it shows needs one line: SELECT watch_words('it', 'r.name', NULL, NULL, NULL, ARRAY['name']).
CREATE OR REPLACE FUNCTION watch_words(
    watched regclass, texts text, number text, email text, phone text, columns text []
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    table_name constant text := (SELECT c.relname FROM pg_class AS c WHERE c.oid = watched);
    -- Archived records have no words.
    can_be_archived constant boolean := EXISTS (
        SELECT FROM pg_attribute AS a WHERE a.attrelid = watched AND a.attname = 'archived_at' AND NOT a.attisdropped
    );
BEGIN
    EXECUTE format(
        $f$
        -- Of all records, as they are now.
        CREATE FUNCTION public.words_of_%1$s(tenant bigint)
        RETURNS TABLE (row_id bigint, is_address boolean, word text, words text)
        LANGUAGE sql STABLE
        AS $b$
            SELECT r.id, e.is_address, e.word, e.words
            FROM public.%1$I AS r
            CROSS JOIN LATERAL public.search_entries(%2$s, %3$s, %4$s, %5$s) AS e
            WHERE r.tenant_id = tenant%8$s
        $b$;

        -- Of the pending ones. LIMIT makes the planner look each up by its key.
        CREATE FUNCTION public.unfolded_words_of_%1$s(tenant bigint)
        RETURNS TABLE (row_id bigint, is_address boolean, word text, words text)
        LANGUAGE sql STABLE ROWS 10
        AS $b$
            SELECT q.id, e.is_address, e.word, e.words
            FROM public.unfolded_rows(tenant, '%1$s') AS q
            CROSS JOIN LATERAL (
                SELECT r.* FROM public.%1$I AS r WHERE r.tenant_id = tenant AND r.id = q.id%8$s LIMIT 1
            ) AS r
            CROSS JOIN LATERAL public.search_entries(%2$s, %3$s, %4$s, %5$s) AS e
        $b$;

        -- The lock comes first: TRUNCATE holds its own while it removes words.
        CREATE FUNCTION public.write_words_of_%1$s(tenant bigint, ids bigint []) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
        AS $b$
        BEGIN
            LOCK TABLE public.%1$I IN ACCESS SHARE MODE;
            DELETE FROM public.search_words AS w
            WHERE w.tenant_id = tenant AND w.source = '%1$s' AND w.row_id = ANY(ids);
            INSERT INTO public.search_words (tenant_id, source, is_address, word, row_id, words)
            SELECT tenant, '%1$s', n.is_address, n.word, n.row_id, n.words
            FROM public.words_of_%1$s(tenant) AS n
            WHERE n.row_id = ANY(ids)
            ON CONFLICT DO NOTHING;
        END
        $b$;

        REVOKE ALL ON FUNCTION public.write_words_of_%1$s(bigint, bigint []) FROM PUBLIC;

        CREATE TRIGGER %1$s_add_words AFTER INSERT ON public.%1$I REFERENCING NEW TABLE AS changed_rows
        FOR EACH STATEMENT EXECUTE FUNCTION public.note_searched_rows();
        CREATE TRIGGER %1$s_remove_words AFTER DELETE ON public.%1$I REFERENCING OLD TABLE AS changed_rows
        FOR EACH STATEMENT EXECUTE FUNCTION public.note_searched_rows();
        CREATE TRIGGER %1$s_change_words AFTER UPDATE OF tenant_id, id%9$s, %6$s ON public.%1$I
        FOR EACH ROW WHEN (OLD.tenant_id <> NEW.tenant_id OR OLD.id <> NEW.id%10$s OR %7$s)
        EXECUTE FUNCTION public.note_searched_row();
        CREATE TRIGGER %1$s_empty_words AFTER TRUNCATE ON public.%1$I
        FOR EACH STATEMENT EXECUTE FUNCTION public.empty_searched_table();
        $f$,
        table_name,
        coalesce(texts, 'NULL'),
        coalesce(number, 'NULL'),
        coalesce(email, 'NULL'),
        coalesce(phone, 'NULL'),
        (SELECT string_agg(quote_ident(c.name), ', ') FROM unnest(columns) AS c (name)),
        (SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c.name), ' OR ') FROM unnest(columns) AS c (name)),
        CASE WHEN can_be_archived THEN ' AND r.archived_at IS NULL' END,
        CASE WHEN can_be_archived THEN ', archived_at' END,
        CASE WHEN can_be_archived THEN ' OR (OLD.archived_at IS NULL) <> (NEW.archived_at IS NULL)' END
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
        $f$
        DROP TRIGGER IF EXISTS %1$s_add_words ON public.%1$I;
        DROP TRIGGER IF EXISTS %1$s_remove_words ON public.%1$I;
        DROP TRIGGER IF EXISTS %1$s_change_words ON public.%1$I;
        DROP TRIGGER IF EXISTS %1$s_empty_words ON public.%1$I;
        DROP FUNCTION IF EXISTS public.write_words_of_%1$s(bigint, bigint []);
        DROP FUNCTION IF EXISTS public.unfolded_words_of_%1$s(bigint);
        DROP FUNCTION IF EXISTS public.words_of_%1$s(bigint);
        $f$,
        table_name
    );
    DELETE FROM public.search_pending AS p WHERE p.source = table_name;
    DELETE FROM public.search_words AS w WHERE w.source = table_name;
END
$$;

-- Write the words of pending records: of all, or of those alone that this transaction noted. Returns the number of rows of
-- search_pending that it removed. The caller holds the lock.
CREATE FUNCTION write_pending_words(most integer, only_own boolean) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bound constant text := coalesce(current_setting('app.tenant_id', true), '');
    folded integer := 0;
    part record;
BEGIN
    FOR part IN
        WITH taken AS (
            DELETE FROM public.search_pending AS p
            WHERE p.ctid = ANY(ARRAY(
                SELECT q.ctid
                FROM public.search_pending AS q
                WHERE NOT only_own
                    OR q.xmin = pg_current_xact_id()::xid
                LIMIT most
            ))
            RETURNING p.tenant_id, p.source, p.id, p.row_ids
        )
        SELECT
            t.tenant_id,
            t.source,
            count(DISTINCT t.id)::integer AS n,
            (sum(count(DISTINCT t.id)) OVER ())::integer AS n_all,
            array_agg(DISTINCT i.id) AS ids
        FROM taken AS t
        CROSS JOIN LATERAL unnest(t.row_ids) AS i (id)
        GROUP BY t.tenant_id, t.source
    LOOP
        folded := part.n_all;
        -- Row security binds this role too.
        PERFORM set_config('app.tenant_id', part.tenant_id::text, true);
        EXECUTE format('SELECT public.write_words_of_%s($1, $2)', part.source) USING part.tenant_id, part.ids;
        -- An answer that was made before may lack some of them. Of those that were pending for such an answer, all beyond
        -- ten are folded in one batch, or in batches that are full.
        IF part.n > 10 OR folded = most THEN
            INSERT INTO public.changes (tenant_id, table_name) VALUES (part.tenant_id, part.source);
        END IF;
    END LOOP;
    PERFORM set_config('app.tenant_id', bound, true);
    RETURN folded;
END
$$;

-- Write the words of at most so many rows of search_pending; how many, or null when somebody else is at it. Blocks no writer
-- and waits for none.
CREATE FUNCTION fold_words(most integer DEFAULT 500) RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(1869640546, 110) THEN
        RETURN NULL;
    END IF;
    RETURN public.write_pending_words(most, false);
END
$$;

-- The words of all records again, 5,000 records a transaction; again does no harm. It has no search path of its own, because
-- such a procedure may not end transactions.
CREATE OR REPLACE PROCEDURE fill_search_words()
LANGUAGE plpgsql
AS $$
DECLARE
    tenant bigint;
    source pg_catalog.name;
BEGIN
    FOR tenant IN SELECT t.id FROM public.tenants AS t ORDER BY t.id LOOP
        PERFORM pg_catalog.set_config('app.tenant_id', tenant::text, false);
        FOR source IN SELECT s.source FROM public.searched_tables() AS s LOOP
            EXECUTE pg_catalog.format(
                'INSERT INTO public.search_pending (tenant_id, source, row_ids) '
                'SELECT $1, $2, pg_catalog.array_agg(r.id) '
                'FROM (SELECT r.id, (pg_catalog.row_number() OVER () - 1) / 10 AS part FROM public.%I AS r '
                'WHERE r.tenant_id = $1) AS r GROUP BY r.part',
                source
            )
            USING tenant, source;
            COMMIT;
            WHILE public.fold_words() > 0 LOOP
                COMMIT;
            END LOOP;
        END LOOP;
    END LOOP;
    PERFORM pg_catalog.set_config('app.tenant_id', '', false);
END
$$;

-- The tables whose words are kept.
CREATE FUNCTION searched_tables() RETURNS TABLE (source name)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT substr(p.proname, 10)::name
    FROM pg_proc AS p
    WHERE p.pronamespace = 'public'::regnamespace
        AND p.proname LIKE 'words\_of\_%'
    ORDER BY p.proname
$$;

-- Where the kept words are not those of the records; must never have a row. Pending records are left out, for they are read
-- from the records themselves.
CREATE FUNCTION word_differences(tenant bigint)
RETURNS TABLE (source name, row_id bigint, is_address boolean, word text, is_kept boolean)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    one name;
BEGIN
    FOR one IN SELECT s.source FROM public.searched_tables() AS s LOOP
        RETURN QUERY EXECUTE format(
            $f$
            WITH pending AS (
                SELECT i.id
                FROM public.search_pending AS p
                CROSS JOIN LATERAL unnest(p.row_ids) AS i (id)
                WHERE p.tenant_id = $1 AND p.source = $2
            )
            SELECT $2, d.row_id, d.is_address, d.word, d.is_kept
            FROM (
                SELECT row_id, is_address, word, k.words IS NOT NULL AS is_kept
                FROM (
                    SELECT w.row_id, w.is_address, w.word, w.words
                    FROM public.search_words AS w
                    WHERE w.tenant_id = $1 AND w.source = $2
                ) AS k
                FULL JOIN (SELECT DISTINCT n.* FROM public.words_of_%s($1) AS n) AS c USING (row_id, is_address, word)
                WHERE k.words IS DISTINCT FROM c.words
            ) AS d
            WHERE d.row_id NOT IN (SELECT p.id FROM pending AS p)
            $f$,
            one
        )
        USING tenant, one;
    END LOOP;
END
$$;

-- Note the records whose words are wrong, so that the next folding writes them; how many.
CREATE FUNCTION rebuild_words(tenant bigint) RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bound constant text := coalesce(current_setting('app.tenant_id', true), '');
    corrected bigint;
BEGIN
    -- Row security binds this role too.
    PERFORM set_config('app.tenant_id', tenant::text, true);
    INSERT INTO public.search_pending (tenant_id, source, row_ids)
    SELECT DISTINCT
        tenant,
        d.source,
        ARRAY[d.row_id]
    FROM public.word_differences(tenant) AS d;
    GET DIAGNOSTICS corrected = ROW_COUNT;
    -- Answers made from the wrong words must go.
    INSERT INTO public.changes (tenant_id, table_name)
    SELECT
        tenant,
        s.source
    FROM public.searched_tables() AS s
    WHERE corrected > 0;
    PERFORM set_config('app.tenant_id', bound, true);
    RETURN corrected;
END
$$;

-- Nothing of an anonymised person may wait for the next folding: no words of theirs are left when it commits. The lock comes
-- first, because a folding that has begun may have read the old names.
REVOKE ALL ON FUNCTION anonymise(text, text, bigint) FROM opsboard_app;
CREATE FUNCTION anonymise_at_once(source text, of_entity text, of_id bigint) RETURNS boolean
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1869640546, 110);
    PERFORM public.anonymise(source, of_entity, of_id);
    PERFORM public.write_pending_words(2147483647, true);
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION write_pending_words(integer, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION fold_words(integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION rebuild_words(bigint) FROM PUBLIC;
REVOKE ALL ON PROCEDURE fill_search_words() FROM PUBLIC;
REVOKE ALL ON FUNCTION anonymise_at_once(text, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fold_words(integer) TO opsboard_app;
GRANT EXECUTE ON FUNCTION anonymise_at_once(text, text, bigint) TO opsboard_app;

SELECT watch_words('jobs', 'r.title', 'r.job_number', NULL, NULL, ARRAY['title', 'job_number']);
SELECT watch_words('customers', 'r.name', NULL, 'r.email', 'r.phone', ARRAY['name', 'email', 'phone']);
SELECT watch_words('contacts', 'r.name', NULL, 'r.email', 'r.phone', ARRAY['name', 'email', 'phone']);
SELECT watch_words('leads', 'r.name', NULL, 'r.email', 'r.phone', ARRAY['name', 'email', 'phone']);
SELECT watch_words('machines', $$concat_ws(' ', r.name, r.location)$$, NULL, NULL, NULL, ARRAY['name', 'location']);
SELECT watch_words('processes', 'r.name', NULL, NULL, NULL, ARRAY['name']);
SELECT watch_words('users', 'r.full_name', NULL, 'r.email', NULL, ARRAY['full_name', 'email']);
SELECT watch_words('documents', $$concat_ws(' ', r.title, r.file_name)$$, NULL, NULL, NULL, ARRAY['title', 'file_name']);

-- depends: 0069_own_fields_everywhere
-- The words by which records are found: a row for each word of a record, kept by triggers. A search is a range over
-- their index, because row security lets no other operator use one (see 0002_shop).

-- The words of a text in the form of search_form(). Leading zeros of a number are left out, those behind letters too, so
-- that 11999 finds J-011999. PL/pgSQL is five times as fast here as SQL that cannot become part of its statement.
CREATE FUNCTION search_terms(value text) RETURNS text []
LANGUAGE plpgsql
IMMUTABLE
PARALLEL SAFE
AS $$
DECLARE
    folded text := public.search_form(value);
BEGIN
    IF octet_length(folded) = length(folded) THEN
        folded := regexp_replace(folded, '[^0-9a-z]+', ' ', 'g');
    ELSE
        folded := regexp_replace(
            folded,
            '[\u0001-\u002F\u003A-\u0060\u007B-\u00A9\u00AB-\u00B1\u00B4\u00B6-\u00B8\u00BB\u00BF\u00D7\u00F7\u2000-\u206F\u3000-\u3003]+',
            ' ',
            'g'
        );
    END IF;
    IF strpos(folded, '0') > 0 THEN
        folded := regexp_replace(folded, '(^|[^0-9])0+(?=[0-9])', '\1', 'g');
    END IF;
    RETURN array_remove(string_to_array(folded, ' '), '');
END
$$;

-- The words asked for, the longest first, or the digits alone where it looks like a telephone number.
CREATE FUNCTION asked_terms(value text) RETURNS text []
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN value ~ '^[-+()./ \u00A0\u202F]*[0-9][-+()./ \u00A0\u202F0-9]*$' AND length(public.phone_form(value)) > 6
            THEN ARRAY[ltrim(public.phone_form(value), '0')]
        ELSE ARRAY(SELECT left(t.term, 100) FROM unnest(public.search_terms(value)) AS t (term) ORDER BY length(t.term) DESC, t.term)
    END
$$;

-- How a word is looked for: by its beginning, and a number of three digits and more also by the end of a telephone number,
-- which is kept backwards.
CREATE FUNCTION term_forms(term text) RETURNS text []
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
    SELECT CASE WHEN term ~ '^[0-9]{3,}$' THEN ARRAY[term, '~' || reverse(term)] ELSE ARRAY[term] END
$$;

-- Regular expressions that the words of a record (see search_words) match if it has these terms in one of their forms. No
-- term has a character with a meaning of its own.
CREATE FUNCTION term_patterns(terms text []) RETURNS text []
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
    SELECT coalesce(
        array_agg(
            CASE WHEN t.term ~ '^[0-9]{3,}$' THEN format(' (%s|~%s)', t.term, reverse(t.term)) ELSE ' ' || t.term END
        ),
        '{}'
    )
    FROM unnest(terms) AS t (term)
$$;

CREATE TABLE search_words (
    tenant_id bigint NOT NULL,
    -- The table of the record.
    source text NOT NULL COLLATE "C",
    -- Of an e-mail address or a telephone number, which operators do not see.
    is_address boolean NOT NULL,
    word text NOT NULL COLLATE "C",
    row_id bigint NOT NULL,
    -- All words of the record, a space before each, those of its addresses in a second line: the other words of a
    -- search are looked for in them.
    words text NOT NULL,
    PRIMARY KEY (tenant_id, source, is_address, word, row_id)
);

ALTER TABLE search_words ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_words FORCE ROW LEVEL SECURITY;
CREATE POLICY search_words_isolation ON search_words
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
CREATE POLICY search_words_upkeep ON search_words TO CURRENT_USER USING (true) WITH CHECK (true);
GRANT SELECT ON search_words TO opsboard_app;

-- The rows of a record: of its texts, its number (also as one word), its e-mail address without the top-level domain,
-- which is looked for only beside other words, and its telephone number forwards and backwards.
CREATE FUNCTION search_entries(texts text, number text, email text, phone text)
RETURNS TABLE (is_address boolean, word text, words text)
LANGUAGE plpgsql
IMMUTABLE
PARALLEL SAFE
AS $$
DECLARE
    shown text [] := public.search_terms(texts);
    hidden text [] := '{}';
    entry_words text;
    digits text;
BEGIN
    IF number IS NOT NULL THEN
        -- The first word of the number is the beginning of the number as one word.
        shown := shown || (public.search_terms(number)) [2:]
            || public.search_terms(regexp_replace(number, '[-_./# ]', '', 'g'));
    END IF;
    IF phone <> '' THEN
        digits := public.phone_form(phone);
        IF digits <> '' THEN
            hidden := ARRAY[ltrim(digits, '0'), '~' || reverse(digits)];
        END IF;
    END IF;
    IF email <> '' THEN
        hidden := hidden || public.search_terms(email);
    END IF;
    entry_words := ' ' || array_to_string(shown, ' ') || E'\n ' || array_to_string(hidden, ' ');
    IF email <> '' THEN
        hidden := trim_array(hidden, 1);
    END IF;
    -- Cut, because a row of an index has no more than 2,700 bytes.
    RETURN QUERY
    SELECT false, left(s.term, 100), entry_words FROM unnest(shown) AS s (term) WHERE s.term <> ''
    UNION ALL
    SELECT true, left(h.term, 100), entry_words FROM unnest(hidden) AS h (term) WHERE h.term <> '';
END
$$;

-- Keep the words of a table by triggers; each argument is an SQL expression over its row r, or null. A table with
-- another name for what it shows needs one line: SELECT watch_words('it', 'r.name', NULL, NULL, NULL, ARRAY['name']).
CREATE FUNCTION watch_words(
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
CREATE FUNCTION unwatch_words(table_name text) RETURNS void
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

REVOKE ALL ON FUNCTION watch_words(regclass, text, text, text, text, text []) FROM PUBLIC;
REVOKE ALL ON FUNCTION unwatch_words(text) FROM PUBLIC;
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

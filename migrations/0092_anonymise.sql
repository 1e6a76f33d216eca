-- depends: 0091_fill_search_words
-- Remove a person from everything that a business has: names and contact data of the record itself, and wherever else they
-- were written, also where rows are only added (audit log, messages). Counts stay as they are.

ALTER TABLE customers ADD COLUMN anonymised_at timestamptz;
ALTER TABLE contacts ADD COLUMN anonymised_at timestamptz;
ALTER TABLE leads ADD COLUMN anonymised_at timestamptz;
ALTER TABLE users ADD COLUMN anonymised_at timestamptz;

-- A regular expression of these texts, however they are written: names and addresses between other words, and telephone
-- numbers with anything but letters and digits between their digits, also as they are dialled at home. Null: there is
-- nothing to look for.
CREATE FUNCTION traces_of(names text [], phones text []) RETURNS text
LANGUAGE sql
IMMUTABLE
AS $$
    WITH digits AS (
        SELECT public.phone_form(f.phone) AS number
        FROM unnest(phones) AS f (phone)
    ),
    dialled AS (
        SELECT d.number
        FROM digits AS d
        WHERE length(d.number) > 5
        UNION
        SELECT '0' || substr(d.number, c.length + 1)
        FROM digits AS d
        CROSS JOIN generate_series(1, 3) AS c (length)
        WHERE length(d.number) > 9
    ),
    words AS (
        SELECT n.name
        FROM unnest(names) AS n (name)
        WHERE length(n.name) > 1
        UNION
        SELECT f.phone
        FROM unnest(phones) AS f (phone)
    )
    SELECT string_agg(p.pattern, '|')
    FROM (
        SELECT
            '(?<![[:alnum:]])'
            || regexp_replace(regexp_replace(w.name, '([][\\.^$*+?(){}|/-])', '\\\1', 'g'), '\s+', '\\s+', 'g')
            || '(?![[:alnum:]])' AS pattern
        FROM words AS w
        UNION
        SELECT
            '(?<![[:alnum:]])(?:\+|00)?'
            || regexp_replace(d.number, '([0-9])(?=[0-9])', '\1(?:[^[:alnum:]"]|\\(0\\)){0,4}', 'g')
            || '(?![[:alnum:]])'
        FROM dialled AS d
    ) AS p
$$;

-- A JSON value with the pattern replaced in its texts and its numbers.
CREATE FUNCTION json_without(value jsonb, pattern text) RETURNS jsonb
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE jsonb_typeof(value)
        WHEN 'object' THEN (
            SELECT coalesce(
                jsonb_object_agg(regexp_replace(e.key, pattern, '***', 'gi'), public.json_without(e.value, pattern)),
                '{}'
            )
            FROM jsonb_each(value) AS e
        )
        WHEN 'array' THEN (
            SELECT coalesce(jsonb_agg(public.json_without(e.value, pattern) ORDER BY e.place), '[]')
            FROM jsonb_array_elements(value) WITH ORDINALITY AS e (value, place)
        )
        WHEN 'string' THEN to_jsonb(regexp_replace(value #>> '{}', pattern, '***', 'gi'))
        WHEN 'number' THEN CASE WHEN value #>> '{}' ~* pattern THEN 'null'::jsonb ELSE value END
        ELSE value
    END;
END
$$;

-- Every text the record had in its columns of names and contact data, now and before.
CREATE FUNCTION known_texts(tenant bigint, of_entity text, of_id bigint, row_now jsonb, columns text []) RETURNS text []
LANGUAGE sql
STABLE
AS $$
    SELECT coalesce(array_agg(DISTINCT v.text), '{}')
    FROM (
        SELECT row_now ->> c.name AS text
        FROM unnest(columns) AS c (name)
        UNION ALL
        SELECT e.text
        FROM public.audit_logs AS a
        CROSS JOIN unnest(columns) AS c (name)
        CROSS JOIN LATERAL jsonb_array_elements_text(
            CASE WHEN jsonb_typeof(a.changes -> c.name) = 'array' THEN a.changes -> c.name ELSE '[]' END
        ) AS e (text)
        WHERE a.tenant_id = tenant
            AND a.entity = of_entity
            AND a.entity_id = of_id
    ) AS v
    WHERE v.text <> ''
$$;

-- Replace the pattern in each text and JSON column of each table of the business. Names of other records stay: two
-- people may be called the same.
CREATE FUNCTION remove_traces(tenant bigint, pattern text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed record;
BEGIN
    FOR changed IN
        SELECT
            c.relname AS table_name,
            string_agg(
                format(
                    CASE
                        WHEN t.typname = 'jsonb' THEN '%1$I = public.json_without(r.%1$I, $2)'
                        WHEN a.attname = 'external_id' THEN '%1$I = CASE WHEN r.%1$I ~* $2 THEN NULL ELSE r.%1$I END'
                        -- Keys stay keys.
                        WHEN a.attname IN ('key', 'event_key', 'job_number')
                            THEN '%1$I = CASE WHEN r.%1$I ~* $2 THEN left(''a-'' || md5(r.%1$I), 50) ELSE r.%1$I END'
                        ELSE '%1$I = left(regexp_replace(r.%1$I, $2, ''***'', ''gi''), greatest(length(r.%1$I), 3))'
                    END,
                    a.attname
                ),
                ', '
            ) AS assignments,
            string_agg(format('r.%I::text ~* $2', a.attname), ' OR ') AS conditions
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid
        JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE c.relnamespace = 'public'::regnamespace
            AND c.relkind IN ('r', 'p')
            AND c.relname NOT IN ('search_words', 'rollups', 'rollup_deltas', 'changes', 'tenants')
            AND a.attnum > 0
            AND NOT a.attisdropped
            AND a.attgenerated = ''
            AND t.typname IN ('text', 'jsonb')
            -- No text of a person: hashes, states and keys, and what says who another record is.
            AND a.attname NOT IN (
                'password_hash', 'token_hash', 'token_id', 'hint', 'status', 'role', 'kind', 'channel', 'entity', 'action', 'slug',
                'sha256', 'media_type', 'document_type', 'direction', 'state', 'fingerprint'
            )
            AND (c.relname, a.attname) NOT IN (
                ('customers', 'name'), ('contacts', 'name'), ('leads', 'name'), ('users', 'full_name'), ('users', 'email')
            )
            AND EXISTS (
                SELECT
                FROM pg_attribute AS q
                WHERE q.attrelid = c.oid
                    AND q.attname = 'tenant_id'
                    AND NOT q.attisdropped
            )
        GROUP BY c.relname
        ORDER BY c.relname
    LOOP
        EXECUTE format(
            'UPDATE public.%I AS r SET %s WHERE r.tenant_id = $1 AND (%s)',
            changed.table_name,
            changed.assignments,
            changed.conditions
        )
        USING tenant, pattern;
    END LOOP;
END
$$;

-- Anonymise a row of customers, contacts, leads or users. The caller has locked it and knows that it may. As the owner,
-- because the service may not change the audit log; only rows of the bound business are visible to it.
CREATE FUNCTION anonymise(source text, of_entity text, of_id bigint) RETURNS boolean
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tenant constant bigint := current_setting('app.tenant_id')::bigint;
    row_now jsonb;
    names text [];
    phones text [];
    pattern text;
BEGIN
    IF source NOT IN ('customers', 'contacts', 'leads', 'users') THEN
        RAISE EXCEPTION 'rows of % are no people', source;
    END IF;
    EXECUTE format('SELECT to_jsonb(r) FROM public.%I AS r WHERE r.tenant_id = $1 AND r.id = $2', source)
    INTO row_now USING tenant, of_id;
    names := public.known_texts(tenant, of_entity, of_id, row_now, ARRAY['name', 'full_name', 'email', 'address']);
    phones := public.known_texts(tenant, of_entity, of_id, row_now, ARRAY['phone']);
    pattern := public.traces_of(names, phones);
    -- Where the same address is a recipient it must stay one of a kind.
    UPDATE public.campaign_recipients AS r
    SET name = NULL, address = format('anonymised-%s@invalid', r.id), own_fields = '{}', external_id = NULL
    WHERE r.tenant_id = tenant
        AND (
            source = 'leads' AND r.lead_id = of_id
            OR r.address_search IN (SELECT public.recipient_form(v.text) FROM unnest(names || phones) AS v (text))
        );
    UPDATE public.suppressions AS s
    SET address = format('anonymised-%s@invalid', s.id), note = NULL, own_fields = '{}', external_id = NULL
    WHERE s.tenant_id = tenant
        AND s.address_search IN (SELECT public.recipient_form(v.text) FROM unnest(names || phones) AS v (text));
    IF source = 'users' THEN
        UPDATE public.users AS u
        SET
            full_name = format('Anonymised person %s', of_id),
            email = format('anonymised-%s@invalid', of_id),
            password_hash = NULL,
            own_fields = '{}',
            external_id = NULL,
            anonymised_at = now()
        WHERE u.tenant_id = tenant AND u.id = of_id;
        UPDATE public.sessions AS s SET device = '', address = ''
        WHERE s.tenant_id = tenant AND s.user_id = of_id;
    ELSE
        EXECUTE format(
            'UPDATE public.%I AS r SET name = $3, email = NULL, phone = NULL, own_fields = ''{}'', external_id = NULL, '
            'anonymised_at = now()%s WHERE r.tenant_id = $1 AND r.id = $2',
            source,
            CASE source WHEN 'customers' THEN ', address = NULL' WHEN 'leads' THEN ', notes = NULL' END
        )
        USING tenant, of_id, format('Anonymised %s %s', of_entity, of_id);
    END IF;
    UPDATE public.audit_logs AS a SET own_fields = '{}', changes = (
        SELECT coalesce(jsonb_object_agg(e.key, e.value), '{}')
        FROM jsonb_each(a.changes) AS e
        WHERE e.key NOT IN (
            'name', 'full_name', 'email', 'phone', 'address', 'notes', 'own_fields', 'external_id', 'name_search',
            'full_name_search', 'email_search', 'phone_search'
        )
    )
    WHERE a.tenant_id = tenant AND a.entity = of_entity AND a.entity_id = of_id;
    IF pattern IS NOT NULL THEN
        PERFORM public.remove_traces(tenant, pattern);
    END IF;
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION traces_of(text [], text []) FROM PUBLIC;
REVOKE ALL ON FUNCTION json_without(jsonb, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION known_texts(bigint, text, bigint, jsonb, text []) FROM PUBLIC;
REVOKE ALL ON FUNCTION remove_traces(bigint, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION anonymise(text, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION anonymise(text, text, bigint) TO opsboard_app;

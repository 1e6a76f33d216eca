-- depends: 0029_more_counts
-- One form of each text. normal_form() is what is stored, search_form() what is searched and sorted by, address_form()
-- and recipient_form() decide whether two addresses are the same, phone_form() is the digits of a number.
-- docs/decisions.md has the reasons. Names are qualified: a restored dump computes the columns without a search path.

-- NFC, without characters that never show, trimmed. opsboard/text.py does the same to what comes in.
CREATE FUNCTION normal_form(value text) RETURNS text
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
    SELECT CASE
        -- ASCII, which needs no tables.
        WHEN octet_length(value) = length(value) THEN btrim(value, E' \t\n\v\f\r\x1C\x1D\x1E\x1F')
        ELSE regexp_replace(
            normalize(regexp_replace(value, '[\u00AD\u200B\u2060\uFEFF]', '', 'g'), NFC),
            '^[\u0009-\u000D\u001C-\u0020\u0085\u00A0\u061C\u1680\u180E\u2000-\u200F\u2028-\u202F\u205F-\u206F\u3000]+'
            || '|[\u0009-\u000D\u001C-\u0020\u0085\u00A0\u061C\u1680\u180E\u2000-\u200F\u2028-\u202F\u205F-\u206F\u3000]+$',
            '',
            'g'
        )
    END
$$;

-- Compatibility forms made equal (full-width, ligatures), accents of Latin, Greek and Cyrillic removed, lower case, one
-- sigma, ss for the sharp s, nothing that does not show.
CREATE FUNCTION search_form(value text) RETURNS text
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN octet_length(value) = length(value) THEN lower(value)
        ELSE normalize(
            replace(
                replace(
                    replace(
                        translate(
                            lower(
                                regexp_replace(
                                    normalize(value, NFKD),
                                    '[\u00AD\u0300-\u036F\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u206F\uFE00-\uFE0F\uFEFF]',
                                    '',
                                    'g'
                                )
                            ),
                            U&'\03C2\00F8\0142\0111\0131',
                            U&'\03C3oldi'
                        ),
                        U&'\00DF',
                        'ss'
                    ),
                    U&'\00E6',
                    'ae'
                ),
                U&'\0153',
                'oe'
            ),
            NFKC
        )
    END
$$;

-- Upper and lower case, composed and decomposed, wide and narrow are the same address. Accents are kept: they make
-- another mailbox.
CREATE FUNCTION address_form(value text) RETURNS text
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN octet_length(value) = length(value) THEN lower(value)
        ELSE normalize(
            replace(
                translate(
                    lower(
                        normalize(
                            regexp_replace(
                                value,
                                '[\u00AD\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u206F\uFE00-\uFE0F\uFEFF]',
                                '',
                                'g'
                            ),
                            NFKC
                        )
                    ),
                    U&'\03C2',
                    U&'\03C3'
                ),
                U&'\00DF',
                'ss'
            ),
            NFKC
        )
    END
$$;

-- +49 (0)30 555-0, 0049 30 5550 and 49305550 are one number. The (0) is dialled at home only.
CREATE FUNCTION phone_form(value text) RETURNS text
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
    SELECT regexp_replace(
        regexp_replace(
            regexp_replace(normalize(value, NFKC), '([0-9][^0-9()]*)\(\s*0\s*\)', '\1'),
            '[^0-9]',
            '',
            'g'
        ),
        '^00',
        ''
    )
$$;

-- Where a message goes: a number where there are only digits and what stands between them, else an address.
CREATE FUNCTION recipient_form(value text) RETURNS text
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN value ~ '^[-+()./ \u00A0\u202F]*[0-9][-+()./ \u00A0\u202F0-9]*$' THEN public.phone_form(value)
        ELSE public.address_form(value)
    END
$$;

-- Rows that are one in the forms above and were two before. Both stay as they are: only people can say which one is
-- right. `other_id` is the row that has the form already.
CREATE TABLE text_collisions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    table_name text NOT NULL,
    column_name text NOT NULL,
    row_id bigint NOT NULL,
    other_id bigint NOT NULL,
    value text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);

ALTER TABLE text_collisions ENABLE ROW LEVEL SECURITY;
ALTER TABLE text_collisions FORCE ROW LEVEL SECURITY;
CREATE POLICY text_collisions_isolation ON text_collisions
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT ON text_collisions TO opsboard_app;

SELECT watch_changes('text_collisions');

-- A row of before that has the address of another one. What comes later cannot be one.
ALTER TABLE users ADD COLUMN is_duplicate boolean NOT NULL DEFAULT false;
ALTER TABLE campaign_recipients ADD COLUMN is_duplicate boolean NOT NULL DEFAULT false;

DROP POLICY users_sign_in ON users;
-- The unique indexes below take their place.
-- squawk-ignore ban-drop-constraint
ALTER TABLE users DROP CONSTRAINT users_email_key;
-- squawk-ignore ban-drop-constraint
ALTER TABLE campaign_recipients DROP CONSTRAINT campaign_recipients_address_key;

-- Bring a column of one business into normal form; a key whose form another row has stays as it is and is reported.
CREATE FUNCTION pg_temp.normalise_column(tenant bigint, changed text, changed_column text, is_key boolean) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF is_key THEN
        EXECUTE format(
            $f$
            WITH odd AS (
                SELECT id, %2$I AS value, public.normal_form(%2$I) AS normal
                FROM public.%1$I
                WHERE tenant_id = $1 AND %2$I <> public.normal_form(%2$I)
            ),
            found AS (
                SELECT o.id, min(t.id) AS other_id, o.value
                FROM odd AS o
                JOIN public.%1$I AS t ON t.tenant_id = $1 AND t.%2$I = o.normal
                GROUP BY o.id, o.value
                UNION ALL
                SELECT o.id, min(p.id) AS other_id, o.value
                FROM odd AS o
                JOIN odd AS p ON p.normal = o.normal AND p.id < o.id
                WHERE NOT EXISTS (SELECT FROM public.%1$I AS t WHERE t.tenant_id = $1 AND t.%2$I = o.normal)
                GROUP BY o.id, o.value
            )
            INSERT INTO public.text_collisions (tenant_id, table_name, column_name, row_id, other_id, value)
            SELECT $1, %1$L, %2$L, f.id, f.other_id, f.value
            FROM found AS f
            ORDER BY f.id
            $f$,
            changed,
            changed_column
        )
        USING tenant;
    END IF;
    EXECUTE format(
        $f$
        UPDATE public.%1$I AS t
        SET %2$I = public.normal_form(t.%2$I)
        WHERE t.tenant_id = $1
            AND t.%2$I <> public.normal_form(t.%2$I)
            AND public.normal_form(t.%2$I) <> ''
            AND NOT EXISTS (
                SELECT
                FROM public.text_collisions AS c
                WHERE c.tenant_id = $1
                    AND c.table_name = %1$L
                    AND c.column_name = %2$L
                    -- Of an address that two rows have, either may be the right one.
                    AND (c.row_id = t.id OR c.other_id = t.id AND NOT $2)
            )
        $f$,
        changed,
        changed_column
    )
    USING tenant, is_key;
END
$$;

-- Mark and report all rows but the first of those with one form in a business.
CREATE FUNCTION pg_temp.mark_duplicates(tenant bigint, changed text, changed_column text, form text, same text)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format(
        $f$
        WITH numbered AS (
            SELECT
                id,
                %2$I AS value,
                first_value(id) OVER (PARTITION BY %4$s, public.%3$I(%2$I) ORDER BY id) AS other_id
            FROM public.%1$I
            WHERE tenant_id = $1
        ),
        marked AS (
            UPDATE public.%1$I AS t
            SET is_duplicate = true
            FROM numbered AS n
            WHERE t.tenant_id = $1
                AND t.id = n.id
                AND n.id > n.other_id
            RETURNING n.id, n.other_id, n.value
        )
        INSERT INTO public.text_collisions (tenant_id, table_name, column_name, row_id, other_id, value)
        SELECT $1, %1$L, %2$L, m.id, m.other_id, m.value
        FROM marked AS m
        ORDER BY m.id
        $f$,
        changed,
        changed_column,
        form,
        same
    )
    USING tenant;
END
$$;

DO $$
DECLARE
    tenant bigint;
    changed record;
    bound constant text := coalesce(current_setting('app.tenant_id', true), '');
    collisions bigint;
BEGIN
    FOR tenant IN SELECT t.id FROM public.tenants AS t ORDER BY t.id LOOP
        PERFORM set_config('app.tenant_id', tenant::text, true);
        UPDATE public.tenants AS t SET name = public.normal_form(t.name)
        WHERE t.id = tenant AND t.name <> public.normal_form(t.name) AND public.normal_form(t.name) <> '';
        PERFORM pg_temp.mark_duplicates(tenant, 'users', 'email', 'address_form', 'tenant_id');
        PERFORM pg_temp.mark_duplicates(tenant, 'campaign_recipients', 'address', 'recipient_form', 'campaign_id');
        FOR changed IN
            SELECT
                c.relname AS table_name,
                'external_id' AS column_name,
                true AS is_key
            FROM pg_attribute AS a
            JOIN pg_class AS c ON c.oid = a.attrelid
            WHERE c.relnamespace = 'public'::regnamespace
                AND c.relkind IN ('r', 'p')
                AND a.attname = 'external_id'
                AND NOT a.attisdropped
            UNION ALL
            SELECT v.table_name, v.column_name, v.is_key
            FROM (
                VALUES
                ('jobs', 'job_number', true),
                ('workflows', 'name', true),
                ('users', 'email', false),
                ('users', 'full_name', false),
                ('customers', 'name', false),
                ('customers', 'email', false),
                ('customers', 'phone', false),
                ('customers', 'address', false),
                ('processes', 'name', false),
                ('machines', 'name', false),
                ('machines', 'location', false),
                ('jobs', 'title', false),
                ('jobs', 'description', false),
                ('leads', 'name', false),
                ('leads', 'email', false),
                ('leads', 'phone', false),
                ('leads', 'source', false),
                ('leads', 'category', false),
                ('leads', 'notes', false),
                ('campaigns', 'name', false),
                ('campaign_recipients', 'address', false),
                ('campaign_recipients', 'name', false),
                ('campaign_recipients', 'segment', false),
                ('contacts', 'name', false),
                ('contacts', 'email', false),
                ('contacts', 'phone', false),
                ('call_log', 'from_number', false),
                ('call_log', 'to_number', false),
                ('call_log', 'topic', false),
                ('documents', 'title', false),
                ('documents', 'file_name', false),
                ('journeys', 'name', false)
            ) AS v (table_name, column_name, is_key)
        LOOP
            PERFORM pg_temp.normalise_column(tenant, changed.table_name, changed.column_name, changed.is_key);
        END LOOP;
        SELECT count(*) INTO collisions FROM public.text_collisions AS c WHERE c.tenant_id = tenant;
        IF collisions > 0 THEN
            RAISE WARNING 'business %: % rows have the text of another row; both are kept', tenant, collisions
                USING HINT = 'opsboard collisions lists them.';
        END IF;
    END LOOP;
    PERFORM set_config('app.tenant_id', bound, true);
END
$$;

-- Compute columns anew by another expression, with their indexes as they were. Before PostgreSQL 17 that takes a new
-- column; all of a table at once, so that it is written once.
CREATE FUNCTION pg_temp.compute_again(changed regclass, columns text [], expressions text []) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    definitions constant text [] := ARRAY(
        SELECT pg_get_indexdef(i.indexrelid)
        FROM pg_index AS i
        WHERE i.indrelid = changed
            AND EXISTS (
                SELECT
                FROM pg_attribute AS a
                WHERE a.attrelid = changed
                    AND a.attname = ANY(columns)
                    AND a.attnum = ANY(i.indkey::smallint [])
            )
    );
    definition text;
BEGIN
    EXECUTE format('ALTER TABLE %s ', changed) || (
        SELECT string_agg(format('DROP COLUMN IF EXISTS %1$I, ADD COLUMN %1$I text COLLATE "C" GENERATED ALWAYS AS (%2$s) STORED', c.name, c.expression), ', ')
        FROM unnest(columns, expressions) AS c (name, expression)
    );
    FOREACH definition IN ARRAY definitions LOOP
        EXECUTE definition;
    END LOOP;
END
$$;

SELECT
    pg_temp.compute_again(
        'users', '{email_search,full_name_search}', '{public.address_form(email),public.search_form(full_name)}'
    ),
    pg_temp.compute_again(
        'customers',
        '{name_search,email_search,phone_search}',
        '{public.search_form(name),public.search_form(email),public.phone_form(phone)}'
    ),
    pg_temp.compute_again('processes', '{name_search}', '{public.search_form(name)}'),
    pg_temp.compute_again('machines', '{name_search}', '{public.search_form(name)}'),
    pg_temp.compute_again('jobs', '{job_number_search}', '{public.search_form(job_number)}'),
    pg_temp.compute_again(
        'leads',
        '{name_search,email_search,phone_search}',
        '{public.search_form(name),public.search_form(email),public.phone_form(phone)}'
    ),
    pg_temp.compute_again(
        'contacts',
        '{name_search,email_search,phone_search}',
        '{public.search_form(name),public.search_form(email),public.phone_form(phone)}'
    ),
    pg_temp.compute_again('journeys', '{name_search}', '{public.search_form(name)}'),
    pg_temp.compute_again('campaign_recipients', '{address_search}', '{public.recipient_form(address)}');

-- squawk-ignore ban-drop-function
DROP FUNCTION pg_temp.compute_again(regclass, text [], text []);
-- squawk-ignore ban-drop-function
DROP FUNCTION pg_temp.normalise_column(bigint, text, text, boolean);
-- squawk-ignore ban-drop-function
DROP FUNCTION pg_temp.mark_duplicates(bigint, text, text, text, text);

-- Sign-in knows an e-mail address before it knows the tenant.
CREATE POLICY users_sign_in ON users FOR SELECT
USING (email_search = (SELECT address_form(nullif(current_setting('app.login_email', true), ''))));

-- The tables were written anew in this transaction and are locked: nobody could use an index built beside writers.
-- squawk-ignore-file require-concurrent-index-creation
-- Serves: uniqueness (one account of an address)
CREATE UNIQUE INDEX users_email_key ON users (tenant_id, email_search) WHERE NOT is_duplicate;
-- Serves: uniqueness (one recipient of an address)
CREATE UNIQUE INDEX campaign_recipients_address_key ON campaign_recipients (tenant_id, campaign_id, address_search)
WHERE NOT is_duplicate;
-- Serves: contacts.list_contacts (search by e-mail address)
CREATE INDEX idx_contacts_email ON contacts (tenant_id, email_search);

DROP INDEX IF EXISTS idx_contacts_email;
DROP INDEX IF EXISTS campaign_recipients_address_key;
DROP INDEX IF EXISTS users_email_key;
DROP POLICY IF EXISTS users_sign_in ON users;

-- As in the migration itself.
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
        SELECT string_agg(format('DROP COLUMN %1$I, ADD COLUMN %1$I text COLLATE "C" GENERATED ALWAYS AS (%2$s) STORED', c.name, c.expression), ', ')
        FROM unnest(columns, expressions) AS c (name, expression)
    );
    FOREACH definition IN ARRAY definitions LOOP
        EXECUTE definition;
    END LOOP;
END
$$;

SELECT
    pg_temp.compute_again('users', '{email_search,full_name_search}', '{lower(email),lower(full_name)}'),
    pg_temp.compute_again(
        'customers',
        '{name_search,email_search,phone_search}',
        ARRAY['lower(name)', 'lower(email)', $$regexp_replace(phone, '[^0-9]', '', 'g')$$]
    ),
    pg_temp.compute_again('processes', '{name_search}', '{lower(name)}'),
    pg_temp.compute_again('machines', '{name_search}', '{lower(name)}'),
    pg_temp.compute_again('jobs', '{job_number_search}', '{lower(job_number)}'),
    pg_temp.compute_again(
        'leads',
        '{name_search,email_search,phone_search}',
        ARRAY['lower(name)', 'lower(email)', $$regexp_replace(phone, '[^0-9]', '', 'g')$$]
    ),
    pg_temp.compute_again(
        'contacts', '{name_search,phone_search}', ARRAY['lower(name)', $$regexp_replace(phone, '[^0-9]', '', 'g')$$]
    ),
    pg_temp.compute_again('journeys', '{name_search}', '{lower(name)}');

DROP FUNCTION pg_temp.compute_again(regclass, text [], text []);

ALTER TABLE contacts DROP COLUMN IF EXISTS email_search;
ALTER TABLE campaign_recipients DROP COLUMN IF EXISTS address_search, DROP COLUMN IF EXISTS is_duplicate;
ALTER TABLE users DROP COLUMN IF EXISTS is_duplicate;
ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (tenant_id, email_search);
ALTER TABLE campaign_recipients
ADD CONSTRAINT campaign_recipients_address_key UNIQUE (tenant_id, campaign_id, address);
CREATE POLICY users_sign_in ON users FOR SELECT
USING (email_search = (SELECT lower(nullif(current_setting('app.login_email', true), ''))));

DROP TABLE IF EXISTS text_collisions;
DROP FUNCTION IF EXISTS recipient_form(text);
DROP FUNCTION IF EXISTS phone_form(text);
DROP FUNCTION IF EXISTS address_form(text);
DROP FUNCTION IF EXISTS search_form(text);
DROP FUNCTION IF EXISTS normal_form(text);

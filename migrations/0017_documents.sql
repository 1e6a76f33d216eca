-- depends: 0016_workflows
-- Documents: what was uploaded, by whom, of which type. The files themselves lie elsewhere.
--
-- And the way a further table is counted: SELECT watch_counts('its_name', ...) in place of watch_changes. The functions
-- that count the shop keep their bodies under another name; those with the known names add the further tables.

-- Within this transaction another function takes the name at once.
ALTER FUNCTION rollup_metrics(text, text, bigint, boolean, date, timestamptz, timestamptz, text)
-- squawk-ignore renaming-object
RENAME TO rollup_metrics_of_named_sources;

-- What an image counts for. That of a further table, whose source begins with +, counts for the metric of its name and,
-- where it has a moment, for another one by day: the first stays small however many days there are. Where it has a
-- subject it counts for one more by label alone, which stays small however many subjects there are.
CREATE FUNCTION rollup_metrics(
    source text,
    label text,
    subject bigint,
    is_active boolean,
    day date,
    began timestamptz,
    ended timestamptz,
    zone text
)
RETURNS TABLE (metric text, day date, subject bigint, label text)
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
    SELECT
        m.metric,
        m.day,
        m.subject,
        m.label
    FROM public.rollup_metrics_of_named_sources($1, $2, $3, $4, $5, $6, $7, $8) AS m
    UNION ALL
    SELECT
        substr($1, 2),
        '-infinity',
        coalesce($3, 0),
        coalesce($2, '')
    WHERE $1 LIKE '+%'
    UNION ALL
    SELECT
        substr($1, 2) || '_by_day',
        public.local_day($6, $8),
        coalesce($3, 0),
        coalesce($2, '')
    WHERE $1 LIKE '+%'
        AND $6 IS NOT NULL
    UNION ALL
    SELECT
        substr($1, 2) || '_by_label',
        '-infinity',
        0,
        coalesce($2, '')
    WHERE $1 LIKE '+%'
        AND $3 IS NOT NULL
$$;

-- squawk-ignore renaming-object
ALTER FUNCTION rollup_recount(bigint) RENAME TO rollup_recount_of_named_sources;

-- The further tables, each counted by the function that watch_counts made for it: put together anew with each of them,
-- in SQL and without SET, so that all of it becomes part of the statement that asks. Its tables are then locked before it
-- takes its snapshot: a TRUNCATE, which old snapshots see, has ended before that or waits.
CREATE FUNCTION put_recounts_together() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    nothing constant text := 'SELECT NULL::text, NULL::date, NULL::bigint, NULL::text, NULL::bigint WHERE false';
    recounts constant text := (
        SELECT
            string_agg(
                format('SELECT c.metric, c.day, c.subject, c.label, c.n FROM public.%I(tenant) AS c', f.proname),
                ' UNION ALL '
                ORDER BY f.proname
            )
        FROM pg_proc AS f
        WHERE f.pronamespace = 'public'::regnamespace
            AND f.proname LIKE 'recount\_%'
    );
BEGIN
    EXECUTE format(
        $body$
        CREATE OR REPLACE FUNCTION public.rollup_recount_of_watched_tables(tenant bigint)
        RETURNS TABLE (metric text, day date, subject bigint, label text, n bigint)
        LANGUAGE sql STABLE AS $f$ %s $f$
        $body$,
        coalesce(recounts, nothing)
    );
END
$$;

REVOKE ALL ON FUNCTION put_recounts_together() FROM PUBLIC;
SELECT put_recounts_together();

CREATE FUNCTION rollup_recount(tenant bigint)
RETURNS TABLE (metric text, day date, subject bigint, label text, n bigint)
LANGUAGE sql
STABLE
AS $$
    SELECT
        c.metric,
        c.day,
        c.subject,
        c.label,
        c.n
    FROM public.rollup_recount_of_named_sources(tenant) AS c
    UNION ALL
    SELECT
        w.metric,
        w.day,
        w.subject,
        w.label,
        w.n
    FROM public.rollup_recount_of_watched_tables(tenant) AS w
$$;

ALTER FUNCTION rebuild_rollups(bigint)
-- squawk-ignore renaming-object
RENAME TO rebuild_rollups_and_tell_named_sources;

-- Count a business anew; how many counts were wrong. Answers made from those of further tables must go too.
CREATE FUNCTION rebuild_rollups(tenant bigint) RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    corrected constant bigint := public.rebuild_rollups_and_tell_named_sources(tenant);
BEGIN
    IF corrected > 0 THEN
        INSERT INTO public.changes (tenant_id, table_name)
        SELECT
            tenant,
            substr(f.proname, 9)
        FROM pg_proc AS f
        WHERE f.pronamespace = 'public'::regnamespace
            AND f.proname LIKE 'recount\_%';
    END IF;
    RETURN corrected;
END
$$;

REVOKE ALL ON FUNCTION rebuild_rollups(bigint) FROM PUBLIC;

-- Watch a table and count it: the metric of its name by a label and a subject, <name>_by_day by the day of a moment
-- too, and <name>_by_label by the label of rows that have a subject; each the name of a column or null. Writing costs
-- what it does with the tables of 0009.
CREATE FUNCTION watch_counts(watched regclass, label text, subject text, began text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    table_name constant text := (SELECT c.relname FROM pg_class AS c WHERE c.oid = watched);
    row_label constant text := coalesce('r.' || quote_ident(label), 'NULL::text');
    row_subject constant text := coalesce('r.' || quote_ident(subject), 'NULL::bigint');
    row_began constant text := 'r.' || quote_ident(began);
BEGIN
    PERFORM make_counting_triggers(
        watched,
        '+' || table_name,
        ARRAY[table_name, table_name || '_by_day', table_name || '_by_label'],
        CASE WHEN label IS NOT NULL THEN ARRAY['label', label] END
        || CASE WHEN subject IS NOT NULL THEN ARRAY['subject', subject] END
        || CASE WHEN began IS NOT NULL THEN ARRAY['began', began] END
        || '{}'::text [],
        CASE WHEN began IS NOT NULL THEN format(
            'SELECT s.tenant_id, %L AS metric, %s AS subject, %s AS label, s.began AS moments FROM summed AS s',
            table_name || '_by_day',
            CASE WHEN subject IS NULL THEN 'NULL::bigint' ELSE 's.subject' END,
            CASE WHEN label IS NULL THEN 'NULL' ELSE 's.label' END
        ) END
    );
    EXECUTE format(
        concat(
            $body$
            CREATE FUNCTION public.recount_%1$s(tenant bigint)
            RETURNS TABLE (metric text, day date, subject bigint, label text, n bigint)
            LANGUAGE sql STABLE AS $f$
                SELECT '%1$s', '-infinity'::date, coalesce(%3$s, 0), coalesce(%4$s, ''), count(*)
                FROM public.%1$s AS r
                WHERE r.tenant_id = tenant
                GROUP BY 3, 4
            $body$,
            CASE WHEN began IS NOT NULL THEN $body$
                UNION ALL
                SELECT '%1$s_by_day', public.local_day(%2$s, t.time_zone), coalesce(%3$s, 0), coalesce(%4$s, ''), count(*)
                FROM public.tenants AS t
                JOIN public.%1$s AS r ON r.tenant_id = t.id
                WHERE t.id = tenant
                    AND %2$s IS NOT NULL
                GROUP BY 2, 3, 4
            $body$ END,
            CASE WHEN subject IS NOT NULL THEN $body$
                UNION ALL
                SELECT '%1$s_by_label', '-infinity', 0, coalesce(%4$s, ''), count(*)
                FROM public.%1$s AS r
                WHERE r.tenant_id = tenant
                    AND %3$s IS NOT NULL
                GROUP BY 4
            $body$ END,
            '$f$'
        ),
        table_name,
        row_began,
        row_subject,
        row_label
    );
    PERFORM put_recounts_together();
END
$$;

-- The opposite, for the migration back: the table itself goes with its triggers.
CREATE FUNCTION unwatch_counts(table_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    EXECUTE format(
        'DROP FUNCTION IF EXISTS public.count_%1$s(), public.count_updated_%1$s(), public.recount_%1$s(bigint)',
        table_name
    );
    PERFORM put_recounts_together();
    PERFORM public.hold_rollups();
    DELETE FROM public.rollup_deltas AS d WHERE d.source IN ('+' || table_name, table_name || '_by_day');
    DELETE FROM public.rollups AS r
    WHERE r.metric IN (table_name, table_name || '_by_day', table_name || '_by_label');
END
$$;

REVOKE ALL ON FUNCTION watch_counts(regclass, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION unwatch_counts(text) FROM PUBLIC;

CREATE TABLE documents (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- Who uploaded it; null: nobody who signs in.
    user_id bigint,
    document_type text NOT NULL DEFAULT 'other'
    CHECK (document_type IN ('contract', 'drawing', 'invoice', 'photo', 'quote', 'report', 'other')),
    title text NOT NULL CHECK (title <> '' AND length(title) <= 200),
    file_name text NOT NULL CHECK (file_name <> '' AND length(file_name) <= 255),
    media_type text NOT NULL DEFAULT 'application/octet-stream' CHECK (length(media_type) <= 100),
    size_bytes bigint NOT NULL DEFAULT 0 CHECK (size_bytes >= 0),
    -- Of the content, so that two uploads of the same file can be told.
    sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT documents_user_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE documents FORCE ROW LEVEL SECURITY;
CREATE POLICY documents_isolation ON documents
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON documents TO opsboard_app;

CREATE TRIGGER documents_touch BEFORE UPDATE ON documents
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: the foreign key of documents to users, documents.list_documents (of one person, counted)
CREATE INDEX idx_documents_user_id ON documents (tenant_id, user_id);
-- Serves: documents.list_documents (one type, newest first)
CREATE INDEX idx_documents_document_type ON documents (tenant_id, document_type, uploaded_at, id);
-- Serves: documents.list_documents (newest first, days)
CREATE INDEX idx_documents_uploaded_at ON documents (tenant_id, uploaded_at, id);
-- Serves: documents.list_documents (one person and type, newest first)
CREATE INDEX idx_documents_user_id_document_type ON documents (tenant_id, user_id, document_type, uploaded_at, id);
-- Serves: documents.list_documents (of one person, newest first)
CREATE INDEX idx_documents_user_id_uploaded_at ON documents (tenant_id, user_id, uploaded_at, id);

SELECT watch_counts('documents', 'document_type', NULL, 'uploaded_at');

-- The document somebody works with at present.
ALTER TABLE users ADD COLUMN active_document_id bigint;
ALTER TABLE users ADD CONSTRAINT users_active_document_fkey
FOREIGN KEY (tenant_id, active_document_id) REFERENCES documents (tenant_id, id) NOT VALID;

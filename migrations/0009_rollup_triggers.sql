-- depends: 0008_rollups
-- What writers add to rollup_deltas. These triggers take the place of those of watch_changes, for a delta is a note of
-- the change, too; an UPDATE that changes nothing that is counted leaves a note alone.
--
-- INSERT and DELETE are counted by statement, which is what loading and clearing tables want, UPDATE by row, as in
-- 0006. No WHEN: it is parsed anew for each statement and costs more than the IF.

-- A table without rows counts nothing. It is locked against writers, so all their deltas are in sight. Its arguments are
-- the source and the metrics.
CREATE FUNCTION count_nothing() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM public.hold_rollups();
    DELETE FROM public.rollup_deltas AS d WHERE d.source = ANY(TG_ARGV);
    DELETE FROM public.rollups AS r WHERE r.metric = ANY(TG_ARGV);
    INSERT INTO public.changes (tenant_id, table_name) VALUES (NULL, TG_TABLE_NAME);
    RETURN NULL;
END
$$;

-- The names with a comma after each.
CREATE FUNCTION listed(before text, names text []) RETURNS text
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(before || n.name || ', ', '' ORDER BY n.place), '')
    FROM unnest(names) WITH ORDINALITY AS n (name, place)
$$;

-- Watch a table and count it, in place of watch_changes: its triggers, and functions made for the table, so that nothing
-- has to be looked up while somebody writes. `image`: the columns of a delta, each beside the column of the table that
-- it is taken from. `moments`: where `began` and `ended` of many rows at once count, a SELECT, mostly from `summed` with the
-- columns of the image and lists of both, of tenant_id, metric, subject, label and such a list.
CREATE FUNCTION make_counting_triggers(
    watched regclass, source text, metrics text [], image text [], moments text DEFAULT NULL
)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $make$
DECLARE
    table_name constant text := (SELECT c.relname FROM pg_class AS c WHERE c.oid = watched);
    arguments constant text := (SELECT string_agg(quote_literal(a), ', ') FROM unnest(source || metrics) AS a);
    kept constant text [] := ARRAY(SELECT image[i] FROM generate_series(1, cardinality(image), 2) AS i);
    own constant text [] := ARRAY(SELECT quote_ident(image[i + 1]) FROM generate_series(1, cardinality(image), 2) AS i);
    began constant text := own[array_position(kept, 'began')];
    ended constant text := own[array_position(kept, 'ended')];
    -- Moments are seldom the same, so many rows are summed up without them and have them in lists.
    summed constant text [] := array_remove(array_remove(kept, 'began'), 'ended');
    named constant text [] := ARRAY(
        SELECT quote_ident(image[i + 1]) || ' AS ' || image[i]
        FROM generate_series(1, cardinality(image), 2) AS i
        WHERE image[i] = ANY(summed)
    );
    -- With began, label and subject of a further table (see 0017) count for its day too: then all change together.
    together constant text [] := CASE
        WHEN began IS NULL THEN '{}'
        WHEN source LIKE '+%' THEN own
        ELSE ARRAY[began]
    END;
BEGIN
    -- The first two rows are counted as they are, which for a single row costs half of what a GROUP BY does.
    EXECUTE format(
        $body$
        CREATE FUNCTION public.count_%1$s() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
        DECLARE
            sign constant bigint := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
            counted bigint;
        BEGIN
            INSERT INTO public.rollup_deltas (%3$s tenant_id, source, n)
            SELECT %4$s r.tenant_id, %2$L, sign
            FROM changed_rows AS r
            LIMIT 2;
            GET DIAGNOSTICS counted = ROW_COUNT;
            IF counted = 2 THEN
                WITH summed AS (
                    SELECT %5$s r.tenant_id, count(*) AS n %6$s
                    FROM (SELECT %4$s r.tenant_id FROM changed_rows AS r OFFSET 2) AS r
                    GROUP BY %7$s r.tenant_id
                )
                %8$s
                INSERT INTO public.rollup_deltas (%9$s tenant_id, source, n)
                SELECT %10$s s.tenant_id, %2$L, sign * s.n
                FROM summed AS s;
            END IF;
            RETURN NULL;
        END
        $f$
        $body$,
        table_name,
        source,
        listed('', kept),
        listed('r.', own),
        listed('r.', named),
        concat(
            ', array_agg(r.' || began || ') FILTER (WHERE r.' || began || ' IS NOT NULL) AS began',
            ', array_agg(r.' || ended || ') FILTER (WHERE r.' || ended || ' IS NOT NULL) AS ended'
        ),
        listed('r.', array_remove(array_remove(own, began), ended)),
        ', listed AS (
            INSERT INTO public.rollup_deltas (tenant_id, source, subject, label, n, moments)
            SELECT l.tenant_id, l.metric, l.subject, l.label, sign, l.moments[i : i + 49]
            FROM (' || moments || ') AS l
            CROSS JOIN LATERAL generate_series(1, cardinality(l.moments), 50) AS i
        )',
        listed('', summed),
        listed('s.', summed)
    );
    EXECUTE format(
        $body$
        CREATE FUNCTION public.count_updated_%1$s() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
        DECLARE
            noted text;
        BEGIN
            -- Hardly ever: then both images as a whole, each of its business.
            IF ROW(%6$s OLD.tenant_id) IS DISTINCT FROM ROW(%7$s NEW.tenant_id) THEN
                INSERT INTO public.rollup_deltas (%3$s tenant_id, source, n)
                VALUES
                (%4$s OLD.tenant_id, %2$L, -1),
                (%5$s NEW.tenant_id, %2$L, 1);
            ELSIF ROW(%10$s OLD.tenant_id) IS DISTINCT FROM ROW(%11$s NEW.tenant_id) THEN
                INSERT INTO public.rollup_deltas (%8$s %9$s tenant_id, source, replaces, n)
                VALUES (%11$s %10$s NEW.tenant_id, %2$L, true, 1);
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

        CREATE OR REPLACE TRIGGER %1$s_insert AFTER INSERT ON public.%1$s REFERENCING NEW TABLE AS changed_rows
        FOR EACH STATEMENT EXECUTE FUNCTION public.count_%1$s();
        CREATE OR REPLACE TRIGGER %1$s_delete AFTER DELETE ON public.%1$s REFERENCING OLD TABLE AS changed_rows
        FOR EACH STATEMENT EXECUTE FUNCTION public.count_%1$s();
        CREATE OR REPLACE TRIGGER %1$s_update AFTER UPDATE ON public.%1$s
        FOR EACH ROW EXECUTE FUNCTION public.count_updated_%1$s();
        CREATE OR REPLACE TRIGGER %1$s_truncate AFTER TRUNCATE ON public.%1$s
        FOR EACH STATEMENT EXECUTE FUNCTION public.count_nothing(%12$s);
        $body$,
        table_name,
        source,
        listed('', kept),
        listed('OLD.', own),
        listed('NEW.', own),
        listed('OLD.', together),
        listed('NEW.', together),
        listed('', array_remove(kept, 'began')),
        listed('was_', array_remove(kept, 'began')),
        listed('OLD.', array_remove(own, began)),
        listed('NEW.', array_remove(own, began)),
        arguments
    );
END
$make$;

REVOKE ALL ON FUNCTION make_counting_triggers(regclass, text, text [], text [], text) FROM PUBLIC;
REVOKE ALL ON FUNCTION listed(text, text []) FROM PUBLIC;

SELECT make_counting_triggers(
    'jobs',
    'jobs',
    ARRAY['open_jobs', 'jobs_created', 'jobs_completed'],
    ARRAY['label', 'status', 'day', 'due_date', 'began', 'created_at', 'ended', 'completed_at'],
    -- By themselves: there are more pairs of status and due date than it takes to make long lists.
    $$
    SELECT r.tenant_id, 'jobs_created' AS metric, NULL::bigint AS subject, NULL AS label, array_agg(r.created_at) AS moments
    FROM (SELECT r.tenant_id, r.created_at FROM changed_rows AS r OFFSET 2) AS r
    GROUP BY r.tenant_id
    UNION ALL
    SELECT r.tenant_id, 'jobs_completed', NULL, NULL, array_agg(r.completed_at) FILTER (WHERE r.completed_at IS NOT NULL)
    FROM (SELECT r.tenant_id, r.completed_at FROM changed_rows AS r OFFSET 2) AS r
    GROUP BY r.tenant_id
    $$
);
SELECT make_counting_triggers(
    'job_steps',
    'job_steps',
    ARRAY['steps', 'steps_completed'],
    ARRAY['label', 'status', 'subject', 'assigned_user_id', 'ended', 'completed_at'],
    $$
    SELECT s.tenant_id, 'steps_completed' AS metric, s.subject, NULL AS label, s.ended AS moments
    FROM summed AS s
    WHERE s.label = 'completed'
        AND s.subject IS NOT NULL
    $$
);
SELECT make_counting_triggers('machines', 'machines', '{}', ARRAY['label', 'status']);
SELECT make_counting_triggers(
    'users', 'users', ARRAY['users_active', 'users_blocked'], ARRAY['label', 'role', 'is_active', 'is_active']
);
SELECT make_counting_triggers(
    'processes', 'processes', ARRAY['processes_active', 'processes_inactive'], ARRAY['is_active', 'is_active']
);
SELECT make_counting_triggers('customers', 'customers', '{}', '{}');
SELECT make_counting_triggers('audit_logs', 'audit_logs', '{}', '{}');

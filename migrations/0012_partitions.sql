-- depends: 0011_idempotency_keys
-- Tables that only grow, cut by month: PARTITION BY RANGE of one timestamptz column, in months of UTC.
--
-- Each has a partition for all that is older than its first month (<table>_before), one for each month made ahead, and
-- one for what fits nowhere else (<table>_rest), so that no row is ever refused. Imported history lies in `before`;
-- `rest` stays empty as long as months are made in time, so to look through it, as Postgres does when a month is
-- added, costs nothing.
--
-- Partitions live in a schema of their own that the service may not enter: it reaches them through their table alone,
-- whose policies and grants are the ones that count. They have row security without a policy all the same: who finds
-- a way in sees nothing.
--
-- What a new table does, after its indexes: SELECT make_partitions('its_name', current_date, current_date + 92);
-- SELECT watch_partitioned('its_name'). Its primary key ends with the column it is cut by. One that is counted: see
-- count_updates_by_statement.

CREATE SCHEMA partitions;

-- A partition, empty and not attached yet, with the columns, checks and indexes of its table.
CREATE FUNCTION new_partition(parent regclass, partition_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    EXECUTE format(
        'CREATE TABLE partitions.%I (LIKE %s INCLUDING ALL EXCLUDING IDENTITY)', partition_name, parent
    );
    EXECUTE format('ALTER TABLE partitions.%I ENABLE ROW LEVEL SECURITY', partition_name);
    EXECUTE format('ALTER TABLE partitions.%I FORCE ROW LEVEL SECURITY', partition_name);
END
$$;

-- Take the rows of a month out of `rest` into its partition. The owner is bound by row security too, so it is lifted
-- for the moment; nobody else gets near, for the table is locked.
CREATE FUNCTION move_from_rest(parent regclass, partition_name text, cut_by name, since text, until text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    rest constant text := format(
        'partitions.%I', (SELECT c.relname FROM pg_class AS c WHERE c.oid = parent) || '_rest'
    );
    columns constant text := (
        SELECT string_agg(quote_ident(a.attname), ', ')
        FROM pg_attribute AS a
        WHERE a.attrelid = parent
            AND a.attnum > 0
            AND NOT a.attisdropped
            AND a.attgenerated = ''
    );
BEGIN
    EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', rest);
    EXECUTE format('ALTER TABLE partitions.%I NO FORCE ROW LEVEL SECURITY', partition_name);
    EXECUTE format(
        'WITH moved AS (DELETE FROM %1$s AS r WHERE r.%2$I >= %3$L AND r.%2$I < %4$L RETURNING %5$s) '
        'INSERT INTO partitions.%6$I (%5$s) SELECT %5$s FROM moved',
        rest, cut_by, since, until, columns, partition_name
    );
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', rest);
    EXECUTE format('ALTER TABLE partitions.%I FORCE ROW LEVEL SECURITY', partition_name);
END
$$;

-- Make what is missing of the months from the one of `first` to the one of `last`; how many were made. Attached rather
-- than created in place: that locks neither readers nor writers of the table out.
CREATE FUNCTION make_partitions(parent regclass, first date, last date) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    table_name constant text := (SELECT c.relname FROM pg_class AS c WHERE c.oid = parent);
    cut_by constant name := (
        SELECT a.attname
        FROM pg_partitioned_table AS p
        JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        WHERE p.partrelid = parent
    );
    month date := date_trunc('month', first::timestamp);
    older text := table_name || '_before';
    partition_name text;
    begins timestamptz;
    made integer := 0;
BEGIN
    IF to_regclass(format('partitions.%I', older)) IS NULL THEN
        PERFORM public.new_partition(parent, older);
        EXECUTE format(
            'ALTER TABLE %s ATTACH PARTITION partitions.%I FOR VALUES FROM (MINVALUE) TO (%L)',
            parent, older, month || ' 00:00+00'
        );
        PERFORM public.new_partition(parent, table_name || '_rest');
        EXECUTE format('ALTER TABLE %s ATTACH PARTITION partitions.%I DEFAULT', parent, table_name || '_rest');
    END IF;
    -- FOR VALUES FROM (MINVALUE) TO ('2026-11-01 00:00:00+00')
    begins := (
        SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']+)''\)')::timestamptz
        FROM pg_class AS c
        WHERE c.oid = to_regclass(format('partitions.%I', older))
    );
    WHILE month <= last LOOP
        partition_name := table_name || to_char(month, '_YYYY_MM');
        IF
            (month || ' 00:00+00')::timestamptz >= begins
            AND to_regclass(format('partitions.%I', partition_name)) IS NULL
        THEN
            PERFORM public.new_partition(parent, partition_name);
            EXECUTE format('LOCK TABLE partitions.%I IN ACCESS EXCLUSIVE MODE', table_name || '_rest');
            PERFORM public.move_from_rest(
                parent,
                partition_name,
                cut_by,
                month || ' 00:00+00',
                (month + interval '1 month')::date || ' 00:00+00'
            );
            EXECUTE format(
                'ALTER TABLE %s ATTACH PARTITION partitions.%I FOR VALUES FROM (%L) TO (%L)',
                parent,
                partition_name,
                month || ' 00:00+00',
                (month + interval '1 month')::date || ' 00:00+00'
            );
            made := made + 1;
        END IF;
        month := month + interval '1 month';
    END LOOP;
    RETURN made;
END
$$;

-- Make the months that are missing of every table cut by month, from this one on; how many tables could not be
-- served because somebody held a lock (ask again later), or null when another worker is at it.
CREATE FUNCTION ensure_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET lock_timeout = '200ms'
AS $$
DECLARE
    today constant date := (now() AT TIME ZONE 'UTC')::date;
    parent regclass;
    busy integer := 0;
    made integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(1869640546, 5) THEN
        RETURN NULL;
    END IF;
    FOR parent IN
        SELECT c.oid::regclass
        FROM pg_partitioned_table AS p
        JOIN pg_class AS c ON c.oid = p.partrelid
        WHERE c.relnamespace = 'public'::regnamespace
        ORDER BY c.relname
    LOOP
        BEGIN
            made := public.make_partitions(
                parent, today, (today + least(greatest(months_ahead, 0), 24) * interval '1 month')::date
            );
        EXCEPTION
            WHEN lock_not_available THEN busy := busy + 1;
        END;
    END LOOP;
    RETURN busy;
END
$$;

-- As note_changed_rows, for an UPDATE of many rows at once.
CREATE FUNCTION note_updated_rows() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.changes (tenant_id, table_name)
    SELECT
        n.tenant_id,
        TG_TABLE_NAME
    FROM new_rows AS n
    UNION
    SELECT
        o.tenant_id,
        TG_TABLE_NAME
    FROM old_rows AS o;
    RETURN NULL;
END
$$;

-- watch_changes for a table cut by month. Its triggers are all of statements: one of rows would run on the partition
-- and note the partition's name, which nobody has ever read from.
CREATE FUNCTION watch_partitioned(watched regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    table_name constant text := (SELECT c.relname FROM pg_class AS c WHERE c.oid = watched);
BEGIN
    EXECUTE format(
        'CREATE TRIGGER %I AFTER INSERT ON %s REFERENCING NEW TABLE AS changed_rows '
        'FOR EACH STATEMENT EXECUTE FUNCTION note_changed_rows()',
        table_name || '_insert', watched
    );
    EXECUTE format(
        'CREATE TRIGGER %I AFTER DELETE ON %s REFERENCING OLD TABLE AS changed_rows '
        'FOR EACH STATEMENT EXECUTE FUNCTION note_changed_rows()',
        table_name || '_delete', watched
    );
    EXECUTE format(
        'CREATE TRIGGER %I AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows '
        'FOR EACH STATEMENT EXECUTE FUNCTION note_updated_rows()',
        table_name || '_update', watched
    );
    EXECUTE format(
        'CREATE TRIGGER %I AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION note_truncated_table()',
        table_name || '_truncate', watched
    );
END
$$;

-- For a table cut by month that is counted, after its other triggers were made: an UPDATE is counted and noted by
-- statement. One that moves a row to another month runs no trigger of rows for UPDATE, and would be neither. `source` is
-- that of its deltas, label and subject are the columns it is counted by, or null.
CREATE FUNCTION count_updates_by_statement(watched regclass, source text, label text, subject text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $make$
DECLARE
    table_name constant text := (SELECT c.relname FROM pg_class AS c WHERE c.oid = watched);
BEGIN
    EXECUTE format(
        $body$
        CREATE FUNCTION public.count_rewritten_%1$s() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
        BEGIN
            INSERT INTO public.rollup_deltas (tenant_id, source, label, subject, n)
            SELECT c.tenant_id, %2$L, c.label, c.subject, sum(c.n)
            FROM (
                SELECT r.tenant_id, %3$s AS label, %4$s AS subject, 1 AS n FROM new_rows AS r
                UNION ALL
                SELECT r.tenant_id, %3$s, %4$s, -1 FROM old_rows AS r
            ) AS c
            GROUP BY c.tenant_id, c.label, c.subject
            HAVING sum(c.n) <> 0;
            -- Most rows are counted as they were, and it is a change all the same.
            INSERT INTO public.changes (tenant_id, table_name)
            SELECT r.tenant_id, '%1$s' FROM new_rows AS r
            UNION
            SELECT r.tenant_id, '%1$s' FROM old_rows AS r;
            RETURN NULL;
        END
        $f$;

        DROP TRIGGER IF EXISTS %1$s_update ON public.%1$s;
        CREATE TRIGGER %1$s_update AFTER UPDATE ON public.%1$s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION public.count_rewritten_%1$s();
        $body$,
        table_name,
        source,
        coalesce('r.' || quote_ident(label), 'NULL::text'),
        coalesce('r.' || quote_ident(subject), 'NULL::bigint')
    );
END
$make$;

REVOKE ALL ON FUNCTION count_updates_by_statement(regclass, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION new_partition(regclass, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION move_from_rest(regclass, text, name, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION make_partitions(regclass, date, date) FROM PUBLIC;
REVOKE ALL ON FUNCTION watch_partitioned(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION ensure_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_partitions(integer) TO opsboard_app;

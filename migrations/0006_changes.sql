-- depends: 0005_more_indexes
-- What changed: one short row for each transaction, business and table, written in the transaction of the writer.
--
-- Each worker reads, every few milliseconds, the rows that became visible since it last looked, and drops what it had
-- made from those tables. Whoever writes is covered, because triggers write the rows: the service, psql, an import.
-- Tables that are counted have them in their deltas first, see 0008.
-- Rows are only added, so writers never wait for each other here, and there is no NOTIFY, which takes a lock that
-- every commit of the server would queue for.
--
-- Unlogged: half the cost, and a crash empties it. A reader that sees pg_postmaster_start_time() change must drop
-- everything it has made.

-- The role that migrates keeps these tables up, for all businesses; it sees the list of them, and nothing else more.
CREATE POLICY tenants_upkeep ON tenants FOR SELECT TO CURRENT_USER USING (true);

CREATE UNLOGGED TABLE changes (
    -- Null: of every business (TRUNCATE).
    tenant_id bigint,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    table_name text NOT NULL
)
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

ALTER TABLE changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE changes FORCE ROW LEVEL SECURITY;
CREATE POLICY changes_isolation ON changes
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
-- Ids and names of tables only, and every worker needs those of all businesses.
CREATE POLICY changes_read ON changes FOR SELECT USING (true);
-- The functions below run as this role; the service may only read.
CREATE POLICY changes_upkeep ON changes TO CURRENT_USER USING (true) WITH CHECK (true);
GRANT SELECT ON changes TO opsboard_app;

-- Serves: fleet.listen
CREATE INDEX idx_changes_xid ON changes (xid);

-- Of statements: the businesses whose rows came or went.
CREATE FUNCTION note_changed_rows() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.changes (tenant_id, table_name)
    SELECT DISTINCT
        r.tenant_id,
        TG_TABLE_NAME
    FROM changed_rows AS r;
    RETURN NULL;
END
$$;

-- Of rows: an UPDATE of one row is what the service does most, and for one row this costs half of what a transition
-- table does. The first row of a transaction speaks for all; a rollback to a savepoint takes back the setting together
-- with the note. Expressions, not PERFORM, and no WHEN: each would cost more than the note itself.
CREATE FUNCTION note_updated_row() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    setting constant text := 'opsboard.noted_' || TG_TABLE_NAME;
    -- The number of the transaction is in it: what an earlier one left behind says nothing.
    note constant text := NEW.tenant_id || '/' || pg_current_xact_id()::text;
    noted text;
BEGIN
    IF current_setting(setting, true) IS DISTINCT FROM note THEN
        INSERT INTO public.changes (tenant_id, table_name) VALUES (NEW.tenant_id, TG_TABLE_NAME);
        noted := set_config(setting, note, true);
    END IF;
    IF OLD.tenant_id <> NEW.tenant_id THEN
        INSERT INTO public.changes (tenant_id, table_name) VALUES (OLD.tenant_id, TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END
$$;

-- Of tenants, whose key is its id.
CREATE FUNCTION note_changed_tenants() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.changes (tenant_id, table_name)
    SELECT
        r.id,
        TG_TABLE_NAME
    FROM changed_rows AS r;
    RETURN NULL;
END
$$;

CREATE FUNCTION note_truncated_table() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.changes (tenant_id, table_name) VALUES (NULL, TG_TABLE_NAME);
    RETURN NULL;
END
$$;

-- Watch a table. Every migration that makes a table with a tenant_id ends with SELECT watch_changes('its_name').
CREATE FUNCTION watch_changes(watched regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    table_name constant text := (SELECT c.relname FROM pg_class AS c WHERE c.oid = watched);
    by_statement constant text := CASE table_name
        WHEN 'tenants' THEN 'FOR EACH STATEMENT EXECUTE FUNCTION note_changed_tenants()'
        ELSE 'FOR EACH STATEMENT EXECUTE FUNCTION note_changed_rows()'
    END;
    on_update constant text := CASE table_name
        WHEN 'tenants' THEN 'REFERENCING NEW TABLE AS changed_rows ' || by_statement
        ELSE 'FOR EACH ROW EXECUTE FUNCTION note_updated_row()'
    END;
BEGIN
    EXECUTE format(
        'CREATE TRIGGER %I AFTER INSERT ON %s REFERENCING NEW TABLE AS changed_rows %s',
        table_name || '_insert', watched, by_statement
    );
    EXECUTE format(
        'CREATE TRIGGER %I AFTER DELETE ON %s REFERENCING OLD TABLE AS changed_rows %s',
        table_name || '_delete', watched, by_statement
    );
    EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %s %s', table_name || '_update', watched, on_update);
    EXECUTE format(
        'CREATE TRIGGER %I AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION note_truncated_table()',
        table_name || '_truncate', watched
    );
END
$$;

-- Remove rows that every worker has had time to read. Age alone would not do: a row of a long transaction is old
-- when it becomes visible. So the caller names a snapshot it took a while ago: what was visible then has been seen.
CREATE FUNCTION prune_changes(seen pg_snapshot) RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    pruned bigint;
BEGIN
    -- Of several workers one does it; nobody waits.
    IF NOT pg_try_advisory_xact_lock(1869640546, 4) THEN
        RETURN NULL;
    END IF;
    DELETE FROM public.changes AS c
    WHERE c.xid < pg_snapshot_xmax(seen)
        AND pg_visible_in_snapshot(c.xid, seen)
        AND c.at < clock_timestamp() - interval '60 seconds';
    GET DIAGNOSTICS pruned = ROW_COUNT;
    RETURN pruned;
END
$$;

REVOKE ALL ON FUNCTION watch_changes(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION prune_changes(pg_snapshot) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_changes(pg_snapshot) TO opsboard_app;

SELECT watch_changes('tenants');
SELECT watch_changes('users');
SELECT watch_changes('customers');
SELECT watch_changes('processes');
SELECT watch_changes('role_process_permissions');
SELECT watch_changes('machines');
SELECT watch_changes('jobs');
SELECT watch_changes('job_steps');
SELECT watch_changes('notifications');
SELECT watch_changes('audit_logs');

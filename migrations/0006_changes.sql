-- depends: 0005_more_indexes
-- placeholder of this branch, replaced at the merge
CREATE UNLOGGED TABLE changes (
    tenant_id bigint NOT NULL,
    table_name text NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Serves: fleet.listen
CREATE INDEX idx_changes_xid ON changes (xid);
ALTER TABLE changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE changes FORCE ROW LEVEL SECURITY;
CREATE POLICY changes_read ON changes USING (true);
GRANT SELECT, INSERT, DELETE ON changes TO opsboard_app;
CREATE FUNCTION note_change_new() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO changes (tenant_id, table_name) SELECT DISTINCT n.tenant_id, TG_TABLE_NAME FROM n;
    RETURN NULL;
END $$;
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['users','customers','processes','machines','jobs','job_steps','notifications'] LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %I REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION note_change_new()', t || '_note_i', t);
        EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %I REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION note_change_new()', t || '_note_u', t);
    END LOOP;
END $$;

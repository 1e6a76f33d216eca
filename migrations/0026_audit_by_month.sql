-- depends: 0025_import_keys
-- The audit log is cut by month, as are all tables that only grow: see 0012_partitions.
--
-- Its rows are copied, in one transaction that keeps readers and writers of the log away until it ends. That is for a
-- table without much history, and no release had one that was not cut.

-- Its names (of indexes, constraints, the sequence) are free again in the schema it leaves, and within this transaction
-- another table takes its own.
-- squawk-ignore ban-set-schema
ALTER TABLE audit_logs SET SCHEMA partitions;

-- Append-only: the service may add rows and read them, nothing else.
CREATE TABLE audit_logs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- Null: done by the command line.
    user_id bigint,
    action text NOT NULL CHECK (action <> '' AND length(action) <= 50),
    entity text NOT NULL CHECK (entity <> '' AND length(entity) <= 50),
    entity_id bigint,
    -- The changed columns: {"status": ["draft", "active"]}.
    changes jsonb NOT NULL DEFAULT '{}',
    request_id text,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id, created_at),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
)
PARTITION BY RANGE (created_at);

SELECT make_partitions('audit_logs', current_date, current_date + 92);

-- Before there are triggers: what is copied is counted already and changes no answer. The owner is bound by row security
-- too, so it is lifted from what is dropped below, and the new table gets it afterwards.
ALTER TABLE partitions.audit_logs NO FORCE ROW LEVEL SECURITY;
INSERT INTO audit_logs (
    id, tenant_id, user_id, action, entity, entity_id, changes, request_id, external_id, created_at
)
OVERRIDING SYSTEM VALUE
SELECT
    a.id,
    a.tenant_id,
    a.user_id,
    a.action,
    a.entity,
    a.entity_id,
    a.changes,
    a.request_id,
    a.external_id,
    a.created_at
FROM partitions.audit_logs AS a
ORDER BY a.id;
SELECT setval('audit_logs_id_seq', s.last_value, s.is_called) FROM partitions.audit_logs_id_seq AS s;
-- Every row of it is in the new one.
-- squawk-ignore ban-drop-table
DROP TABLE partitions.audit_logs;

ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_logs_isolation ON audit_logs
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT ON audit_logs TO opsboard_app;

-- Serves: audit.list_audit_logs (newest first)
CREATE INDEX idx_audit_logs_created_at ON audit_logs (tenant_id, created_at, id);
-- Serves: audit.list_audit_logs (of one thing)
CREATE INDEX idx_audit_logs_entity ON audit_logs (tenant_id, entity, entity_id, created_at, id);
-- Serves: audit.list_audit_logs (of one person)
CREATE INDEX idx_audit_logs_user ON audit_logs (tenant_id, user_id, created_at, id);
-- Serves: imports (what is stored is found by the key it has outside)
CREATE UNIQUE INDEX audit_logs_external_id_key ON audit_logs (tenant_id, external_id, created_at)
WHERE external_id IS NOT NULL;

-- It is counted by the functions that 0009 made for it, and a delta is its note of a change: so not watch_partitioned.
CREATE TRIGGER audit_logs_insert AFTER INSERT ON audit_logs REFERENCING NEW TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_audit_logs();
CREATE TRIGGER audit_logs_delete AFTER DELETE ON audit_logs REFERENCING OLD TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_audit_logs();
CREATE TRIGGER audit_logs_truncate AFTER TRUNCATE ON audit_logs
FOR EACH STATEMENT EXECUTE FUNCTION count_nothing('audit_logs');
-- Nobody but an administrator changes what was logged.
SELECT count_updates_by_statement('audit_logs', 'audit_logs', NULL, NULL);

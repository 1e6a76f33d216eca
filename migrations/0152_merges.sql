-- depends: 0150_archive
-- Merges of two customers, contacts or leads, each with all that it takes to undo it. The merged record is archived.

CREATE TABLE merges (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- The table of both records. They are rows of one of three tables, so no foreign key leads to them.
    kind text NOT NULL CHECK (kind IN ('customers', 'contacts', 'leads')),
    kept_id bigint NOT NULL,
    merged_id bigint NOT NULL CHECK (merged_id <> kept_id),
    merged_by bigint,
    -- Table -> the ids of its rows that referred to the merged record.
    moved jsonb NOT NULL DEFAULT '{}',
    -- Column of the kept record -> what it was and what it took from the merged one.
    taken jsonb NOT NULL DEFAULT '{}',
    undone_at timestamptz,
    undone_by bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT merges_merged_by_fkey FOREIGN KEY (tenant_id, merged_by) REFERENCES users (tenant_id, id),
    CONSTRAINT merges_undone_by_fkey FOREIGN KEY (tenant_id, undone_by) REFERENCES users (tenant_id, id)
);

ALTER TABLE merges ENABLE ROW LEVEL SECURITY;
ALTER TABLE merges FORCE ROW LEVEL SECURITY;
CREATE POLICY merges_isolation ON merges
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON merges TO opsboard_app;

-- Serves: merges.list_merges (newest first)
CREATE INDEX idx_merges_created_at ON merges (tenant_id, created_at, id);
-- Serves: merges.list_merges (of a kind)
CREATE INDEX idx_merges_kind ON merges (tenant_id, kind, created_at, id);
-- Serves: merges.list_merges (into a record)
CREATE INDEX idx_merges_kept ON merges (tenant_id, kept_id, created_at, id);
-- Serves: merges.list_merges (of a record), customers.restore, contacts.restore, leads.restore
CREATE INDEX idx_merges_merged ON merges (tenant_id, merged_id, created_at, id);
-- Serves: the foreign key of who merged
CREATE INDEX idx_merges_merged_by ON merges (tenant_id, merged_by);
-- Serves: the foreign key of who undid it
CREATE INDEX idx_merges_undone_by ON merges (tenant_id, undone_by);

SELECT watch_changes('merges');

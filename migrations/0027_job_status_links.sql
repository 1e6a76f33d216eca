-- depends: 0026_audit_by_month
-- Links by which a customer sees how far a job is, without signing in. The token of a link is not here: it is a signature
-- over this row's tenant, id and expires_at, made again whenever it is asked for.

CREATE TABLE job_status_links (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    job_id bigint NOT NULL,
    created_by bigint,
    -- Whole seconds, because the token carries it.
    expires_at timestamptz(0) NOT NULL,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);

ALTER TABLE job_status_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_status_links FORCE ROW LEVEL SECURITY;
CREATE POLICY job_status_links_isolation ON job_status_links
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON job_status_links TO opsboard_app;

-- Serves: jobs.list_status_links (newest first), and the foreign key
CREATE INDEX idx_job_status_links_job ON job_status_links (tenant_id, job_id, created_at DESC, id DESC);
-- Serves: the foreign key of who made it
CREATE INDEX idx_job_status_links_created_by ON job_status_links (tenant_id, created_by);

SELECT watch_changes('job_status_links');

-- depends: 0015_campaigns
-- Workflows that run elsewhere, watched here: each run, and what somebody must look at.

CREATE TABLE workflows (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    description text CHECK (length(description) <= 2000),
    is_active boolean NOT NULL DEFAULT true,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT workflows_name_key UNIQUE (tenant_id, name),
    CONSTRAINT workflows_external_id_key UNIQUE (tenant_id, external_id)
);

ALTER TABLE workflows ENABLE ROW LEVEL SECURITY;
ALTER TABLE workflows FORCE ROW LEVEL SECURITY;
CREATE POLICY workflows_isolation ON workflows
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON workflows TO opsboard_app;

CREATE TRIGGER workflows_touch BEFORE UPDATE ON workflows
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: workflow_monitoring.list_workflows
CREATE INDEX idx_workflows_created_at ON workflows (tenant_id, created_at, id);

SELECT watch_changes('workflows');

CREATE TABLE workflow_execution_monitoring (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    workflow_id bigint NOT NULL,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),
    -- Where it is, or where it ended.
    step text CHECK (length(step) <= 200),
    error text CHECK (length(error) <= 2000),
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id, started_at),
    CONSTRAINT workflow_execution_finished CHECK ((status = 'running') = (finished_at IS NULL)),
    CONSTRAINT workflow_execution_workflow_fkey FOREIGN KEY (tenant_id, workflow_id)
    REFERENCES workflows (tenant_id, id) ON DELETE CASCADE
)
PARTITION BY RANGE (started_at);

ALTER TABLE workflow_execution_monitoring ENABLE ROW LEVEL SECURITY;
ALTER TABLE workflow_execution_monitoring FORCE ROW LEVEL SECURITY;
CREATE POLICY workflow_execution_monitoring_isolation ON workflow_execution_monitoring
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON workflow_execution_monitoring TO opsboard_app;

CREATE TRIGGER workflow_execution_monitoring_touch BEFORE UPDATE ON workflow_execution_monitoring
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: workflow_monitoring.list_history
CREATE INDEX idx_workflow_execution_started ON workflow_execution_monitoring (tenant_id, started_at, id);
-- Serves: workflow_monitoring.list_history (of a workflow, one status), and the foreign key
CREATE INDEX idx_workflow_execution_workflow_status_started
ON workflow_execution_monitoring (tenant_id, workflow_id, status, started_at);
-- Serves: workflow_monitoring.list_active
CREATE INDEX idx_workflow_execution_active ON workflow_execution_monitoring (tenant_id, started_at, id)
WHERE status = 'running';

-- Serves: imports (what is stored is found by the key it has outside)
CREATE UNIQUE INDEX workflow_execution_external_id_key
ON workflow_execution_monitoring (tenant_id, external_id, started_at)
WHERE external_id IS NOT NULL;

SELECT make_partitions('workflow_execution_monitoring', current_date, current_date + 92);
SELECT watch_partitioned('workflow_execution_monitoring');

CREATE TABLE workflow_alerts (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    workflow_id bigint NOT NULL,
    -- Of workflow_execution_monitoring, whose months may be gone before the alert is.
    execution_id bigint,
    severity text NOT NULL DEFAULT 'warning' CHECK (severity IN ('info', 'warning', 'critical')),
    message text NOT NULL CHECK (message <> '' AND length(message) <= 2000),
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'acknowledged')),
    acknowledged_by bigint,
    acknowledged_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT workflow_alerts_acknowledged CHECK ((status = 'open') = (acknowledged_at IS NULL)),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, acknowledged_by) REFERENCES users (tenant_id, id)
);

ALTER TABLE workflow_alerts ENABLE ROW LEVEL SECURITY;
ALTER TABLE workflow_alerts FORCE ROW LEVEL SECURITY;
CREATE POLICY workflow_alerts_isolation ON workflow_alerts
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON workflow_alerts TO opsboard_app;

CREATE TRIGGER workflow_alerts_touch BEFORE UPDATE ON workflow_alerts
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: workflow_monitoring.list_alerts
CREATE INDEX idx_workflow_alerts_created_at ON workflow_alerts (tenant_id, created_at, id);
-- Serves: workflow_monitoring.list_alerts (open)
CREATE INDEX idx_workflow_alerts_open ON workflow_alerts (tenant_id, created_at, id) WHERE status = 'open';
-- Serves: workflow_monitoring.list_alerts (of a workflow), and the foreign key
CREATE INDEX idx_workflow_alerts_workflow ON workflow_alerts (tenant_id, workflow_id, created_at, id);
-- Serves: the foreign key of who acknowledged
CREATE INDEX idx_workflow_alerts_acknowledged_by ON workflow_alerts (tenant_id, acknowledged_by);

SELECT watch_changes('workflow_alerts');

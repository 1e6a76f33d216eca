-- depends: 0100_work_records
-- When a machine stood still, and why. While a stop has no end, its machine is in maintenance.

CREATE TABLE machine_stops (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    machine_id bigint NOT NULL,
    reason text NOT NULL CHECK (reason <> '' AND length(reason) <= 200),
    note text CHECK (length(note) <= 500),
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    reported_by bigint,
    ended_by bigint,
    external_id text CHECK (external_id <> ''),
    own_fields jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT machine_stops_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT machine_stops_machine_fkey FOREIGN KEY (tenant_id, machine_id) REFERENCES machines (tenant_id, id),
    CONSTRAINT machine_stops_reported_by_fkey FOREIGN KEY (tenant_id, reported_by) REFERENCES users (tenant_id, id),
    CONSTRAINT machine_stops_ended_by_fkey FOREIGN KEY (tenant_id, ended_by) REFERENCES users (tenant_id, id),
    CONSTRAINT machine_stops_times CHECK (ended_at >= started_at)
);

ALTER TABLE machine_stops ENABLE ROW LEVEL SECURITY;
ALTER TABLE machine_stops FORCE ROW LEVEL SECURITY;
CREATE POLICY machine_stops_isolation ON machine_stops
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON machine_stops TO opsboard_app;

CREATE TRIGGER machine_stops_touch BEFORE UPDATE ON machine_stops
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: the uniqueness of the open stop of a machine
CREATE UNIQUE INDEX machine_stops_open_key ON machine_stops (tenant_id, machine_id) WHERE ended_at IS NULL;
-- Serves: stops.list_stops (newest first, days)
CREATE INDEX idx_machine_stops_started_at ON machine_stops (tenant_id, started_at, id);
-- Serves: stops.list_stops (one machine), the foreign key of the machine
CREATE INDEX idx_machine_stops_machine ON machine_stops (tenant_id, machine_id, started_at, id);
-- Serves: stops.list_stops (machines that stand still now)
CREATE INDEX idx_machine_stops_open ON machine_stops (tenant_id, started_at, id) WHERE ended_at IS NULL;
-- Serves: the foreign key of who reported it
CREATE INDEX idx_machine_stops_reported_by ON machine_stops (tenant_id, reported_by);
-- Serves: the foreign key of who ended it
CREATE INDEX idx_machine_stops_ended_by ON machine_stops (tenant_id, ended_by);

SELECT watch_changes('machine_stops');

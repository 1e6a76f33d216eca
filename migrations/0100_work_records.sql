-- depends: 0069_own_fields_everywhere
-- Records of work on steps: the worker, begin, end and the pieces made. A step may be worked on several times
-- and by several people; a record without an end is work in progress.

CREATE TABLE work_records (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    step_id bigint NOT NULL,
    user_id bigint NOT NULL,
    -- Where the work was done: a step may move to another machine between two records.
    machine_id bigint,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    quantity_good integer NOT NULL DEFAULT 0 CHECK (quantity_good >= 0),
    quantity_rejected integer NOT NULL DEFAULT 0 CHECK (quantity_rejected >= 0),
    reject_reason text CHECK (reject_reason <> '' AND length(reject_reason) <= 200),
    note text CHECK (length(note) <= 500),
    -- The last manager to correct it, and the reason.
    corrected_by bigint,
    correction text CHECK (correction <> '' AND length(correction) <= 500),
    external_id text CHECK (external_id <> ''),
    own_fields jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT work_records_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT work_records_step_fkey FOREIGN KEY (tenant_id, step_id)
    REFERENCES job_steps (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT work_records_user_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    CONSTRAINT work_records_machine_fkey FOREIGN KEY (tenant_id, machine_id) REFERENCES machines (tenant_id, id),
    CONSTRAINT work_records_corrected_by_fkey FOREIGN KEY (tenant_id, corrected_by) REFERENCES users (tenant_id, id),
    CONSTRAINT work_records_times CHECK (ended_at >= started_at),
    CONSTRAINT work_records_pieces CHECK (ended_at IS NOT NULL OR (quantity_good = 0 AND quantity_rejected = 0))
);

ALTER TABLE work_records ENABLE ROW LEVEL SECURITY;
ALTER TABLE work_records FORCE ROW LEVEL SECURITY;
CREATE POLICY work_records_isolation ON work_records
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON work_records TO opsboard_app;

CREATE TRIGGER work_records_touch BEFORE UPDATE ON work_records
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: the uniqueness of the open record of a person and step
CREATE UNIQUE INDEX work_records_open_key ON work_records (tenant_id, step_id, user_id) WHERE ended_at IS NULL;
-- Serves: work.list_work (newest first, days), work.summary
CREATE INDEX idx_work_records_started_at ON work_records (tenant_id, started_at, id);
-- Serves: work.list_work (one step), the foreign key of the step
CREATE INDEX idx_work_records_step ON work_records (tenant_id, step_id, started_at, id);
-- Serves: work.list_work (one person), the foreign key of the person
CREATE INDEX idx_work_records_user ON work_records (tenant_id, user_id, started_at, id);
-- Serves: work.list_work (one machine), the foreign key of the machine
CREATE INDEX idx_work_records_machine ON work_records (tenant_id, machine_id, started_at, id);
-- Serves: the foreign key of who corrected it
CREATE INDEX idx_work_records_corrected_by ON work_records (tenant_id, corrected_by);
-- Serves: work.list_work (what is open)
CREATE INDEX idx_work_records_open ON work_records (tenant_id, started_at, id) WHERE ended_at IS NULL;

SELECT watch_changes('work_records');

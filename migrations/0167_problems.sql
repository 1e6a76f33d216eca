-- depends: 0166_count_work_that_is_there
-- Problems: reported on a step or a machine, answered by a manager, closed. A problem may hold its step until it is closed.

CREATE TABLE problems (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    step_id bigint,
    machine_id bigint,
    kind text NOT NULL CHECK (kind IN ('material', 'machine', 'tool', 'drawing', 'quality', 'safety', 'other')),
    description text NOT NULL CHECK (description <> '' AND length(description) <= 2000),
    holds_step boolean NOT NULL DEFAULT false,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'answered', 'closed')),
    answer text CHECK (answer <> '' AND length(answer) <= 2000),
    reported_by bigint,
    answered_by bigint,
    answered_at timestamptz,
    closed_by bigint,
    closed_at timestamptz,
    external_id text CHECK (external_id <> ''),
    own_fields jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT problems_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT problems_step_fkey FOREIGN KEY (tenant_id, step_id)
    REFERENCES job_steps (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT problems_machine_fkey FOREIGN KEY (tenant_id, machine_id) REFERENCES machines (tenant_id, id),
    CONSTRAINT problems_reported_by_fkey FOREIGN KEY (tenant_id, reported_by) REFERENCES users (tenant_id, id),
    CONSTRAINT problems_answered_by_fkey FOREIGN KEY (tenant_id, answered_by) REFERENCES users (tenant_id, id),
    CONSTRAINT problems_closed_by_fkey FOREIGN KEY (tenant_id, closed_by) REFERENCES users (tenant_id, id),
    CONSTRAINT problems_place CHECK (step_id IS NOT NULL OR machine_id IS NOT NULL),
    CONSTRAINT problems_hold CHECK (step_id IS NOT NULL OR NOT holds_step)
);

ALTER TABLE problems ENABLE ROW LEVEL SECURITY;
ALTER TABLE problems FORCE ROW LEVEL SECURITY;
CREATE POLICY problems_isolation ON problems
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON problems TO opsboard_app;

CREATE TRIGGER problems_touch BEFORE UPDATE ON problems
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: problems.list_problems (newest first)
CREATE INDEX idx_problems_created_at ON problems (tenant_id, created_at, id);
-- Serves: problems.list_problems (one status, one kind)
CREATE INDEX idx_problems_status ON problems (tenant_id, status, created_at, id);
-- Serves: problems.list_problems (one step), the foreign key of the step
CREATE INDEX idx_problems_step ON problems (tenant_id, step_id, created_at, id);
-- Serves: work.start_work (what holds the step), work.next_work
CREATE INDEX idx_problems_holding ON problems (tenant_id, step_id) WHERE holds_step AND status <> 'closed';
-- Serves: problems.list_problems (one machine), the foreign key of the machine
CREATE INDEX idx_problems_machine ON problems (tenant_id, machine_id, created_at, id);
-- Serves: problems.list_problems (one's own), the foreign key of who reported it
CREATE INDEX idx_problems_reported_by ON problems (tenant_id, reported_by, created_at, id);
-- Serves: the foreign key of who answered it
CREATE INDEX idx_problems_answered_by ON problems (tenant_id, answered_by);
-- Serves: the foreign key of who closed it
CREATE INDEX idx_problems_closed_by ON problems (tenant_id, closed_by);
-- Serves: dashboard.stats (the last change)
CREATE INDEX idx_problems_updated_at ON problems (tenant_id, updated_at);

SELECT watch_counts('problems', 'status', NULL, NULL);

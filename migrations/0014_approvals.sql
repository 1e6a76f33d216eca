-- depends: 0013_leads
-- Answers to leads that somebody must approve before they go out: the request, its place in the queue, what was decided
-- by whom, and the answers that went out.

CREATE TABLE response_approvals (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    lead_id bigint,
    subject text NOT NULL CHECK (subject <> '' AND length(subject) <= 200),
    response text CHECK (length(response) <= 10000),
    status text NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'approved', 'rejected', 'changes_requested')),
    requested_by bigint,
    -- Of the last decision; a request that was returned and sent in again keeps neither.
    decided_by bigint,
    decided_at timestamptz,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT response_approvals_decided CHECK ((status = 'pending') = (decided_at IS NULL)),
    CONSTRAINT response_approvals_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT response_approvals_lead_fkey FOREIGN KEY (tenant_id, lead_id) REFERENCES leads (tenant_id, id),
    FOREIGN KEY (tenant_id, requested_by) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, decided_by) REFERENCES users (tenant_id, id)
);

ALTER TABLE response_approvals ENABLE ROW LEVEL SECURITY;
ALTER TABLE response_approvals FORCE ROW LEVEL SECURITY;
CREATE POLICY response_approvals_isolation ON response_approvals
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON response_approvals TO opsboard_app;

CREATE TRIGGER response_approvals_touch BEFORE UPDATE ON response_approvals
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: workflow_approvals.list_approvals (oldest or newest first)
CREATE INDEX idx_response_approvals_created_at ON response_approvals (tenant_id, created_at, id);
-- Serves: workflow_approvals.list_approvals (one status)
CREATE INDEX idx_response_approvals_status_created ON response_approvals (tenant_id, status, created_at, id);
-- Serves: workflow_approvals.list_pending, dashboard.stats (the oldest)
CREATE INDEX idx_response_approvals_pending ON response_approvals (tenant_id, created_at, id)
WHERE status = 'pending';
-- Serves: workflow_approvals.list_approvals (of a lead), and the foreign key
CREATE INDEX idx_response_approvals_lead ON response_approvals (tenant_id, lead_id, created_at, id);
-- Serves: workflow_approvals.list_approvals (last decided first, decided today)
CREATE INDEX idx_response_approvals_decided_at ON response_approvals (tenant_id, decided_at, id)
WHERE decided_at IS NOT NULL;
-- Serves: dashboard.stats (the last change)
CREATE INDEX idx_response_approvals_updated_at ON response_approvals (tenant_id, updated_at, id);
-- Serves: the foreign key of who asked
CREATE INDEX idx_response_approvals_requested_by ON response_approvals (tenant_id, requested_by);
-- Serves: the foreign key of who decided
CREATE INDEX idx_response_approvals_decided_by ON response_approvals (tenant_id, decided_by);

SELECT watch_changes('response_approvals');

-- One entry for each request: who should look at it and until when.
CREATE TABLE approval_queue (
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    approval_id bigint NOT NULL,
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'done')),
    priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    assigned_user_id bigint,
    due_at timestamptz,
    entered_at timestamptz NOT NULL DEFAULT now(),
    left_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, approval_id),
    CONSTRAINT approval_queue_left CHECK ((status = 'waiting') = (left_at IS NULL)),
    FOREIGN KEY (tenant_id, approval_id) REFERENCES response_approvals (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT approval_queue_assigned_user_fkey FOREIGN KEY (tenant_id, assigned_user_id)
    REFERENCES users (tenant_id, id)
);

ALTER TABLE approval_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE approval_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY approval_queue_isolation ON approval_queue
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON approval_queue TO opsboard_app;

CREATE TRIGGER approval_queue_touch BEFORE UPDATE ON approval_queue
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: the foreign key of who should look at it
CREATE INDEX idx_approval_queue_assigned_user ON approval_queue (tenant_id, assigned_user_id);

SELECT watch_changes('approval_queue');

-- Append-only: the service may add rows and read them, nothing else.
CREATE TABLE approval_history (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    approval_request_id bigint NOT NULL,
    action text NOT NULL CHECK (action <> '' AND length(action) <= 100),
    -- Null: the request came into being.
    from_status text CHECK (from_status IN ('pending', 'approved', 'rejected', 'changes_requested')),
    to_status text NOT NULL CHECK (to_status IN ('pending', 'approved', 'rejected', 'changes_requested')),
    -- Null: done by the command line.
    acted_by bigint,
    comment text CHECK (length(comment) <= 2000),
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id, created_at),
    FOREIGN KEY (tenant_id, approval_request_id) REFERENCES response_approvals (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, acted_by) REFERENCES users (tenant_id, id)
)
PARTITION BY RANGE (created_at);

ALTER TABLE approval_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE approval_history FORCE ROW LEVEL SECURITY;
CREATE POLICY approval_history_isolation ON approval_history
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT ON approval_history TO opsboard_app;

-- Serves: workflow_approvals.list_history, workflow_approvals.get_approval
CREATE INDEX idx_approval_history_request_created
ON approval_history (tenant_id, approval_request_id, created_at, id);
-- Serves: the foreign key of who acted
CREATE INDEX idx_approval_history_acted_by ON approval_history (tenant_id, acted_by);

-- Serves: imports (what is stored is found by the key it has outside)
CREATE UNIQUE INDEX approval_history_external_id_key ON approval_history (tenant_id, external_id, created_at)
WHERE external_id IS NOT NULL;

SELECT make_partitions('approval_history', current_date, current_date + 92);
SELECT watch_partitioned('approval_history');

-- What goes out to a lead, at most once for each request.
CREATE TABLE auto_responses (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    lead_id bigint NOT NULL,
    approval_id bigint,
    channel text NOT NULL DEFAULT 'email' CHECK (channel IN ('email', 'whatsapp', 'phone')),
    subject text NOT NULL CHECK (subject <> '' AND length(subject) <= 200),
    response text CHECK (length(response) <= 10000),
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sent', 'failed', 'cancelled')),
    sent_at timestamptz,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT auto_responses_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT auto_responses_approval_key UNIQUE (tenant_id, approval_id),
    FOREIGN KEY (tenant_id, lead_id) REFERENCES leads (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, approval_id) REFERENCES response_approvals (tenant_id, id)
);

ALTER TABLE auto_responses ENABLE ROW LEVEL SECURITY;
ALTER TABLE auto_responses FORCE ROW LEVEL SECURITY;
CREATE POLICY auto_responses_isolation ON auto_responses
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON auto_responses TO opsboard_app;

CREATE TRIGGER auto_responses_touch BEFORE UPDATE ON auto_responses
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: workflow_approvals.list_auto_responses (newest first)
CREATE INDEX idx_auto_responses_created_at ON auto_responses (tenant_id, created_at, id);
-- Serves: workflow_approvals.list_auto_responses (one status)
CREATE INDEX idx_auto_responses_status ON auto_responses (tenant_id, status, created_at, id);
-- Serves: workflow_approvals.list_auto_responses (of a lead, one status), and the foreign key
CREATE INDEX idx_auto_responses_lead_status_created ON auto_responses (tenant_id, lead_id, status, created_at);

SELECT watch_changes('auto_responses');

-- depends: 0020_contacts_and_messages
-- Calls: with whom, by whom, when, how long and what came of it.

CREATE TABLE call_log (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    customer_id bigint,
    lead_id bigint,
    contact_id bigint,
    -- Who spoke for the business.
    user_id bigint,
    direction text NOT NULL DEFAULT 'out' CHECK (direction IN ('in', 'out')),
    status text NOT NULL DEFAULT 'completed'
    CHECK (status IN ('in_progress', 'completed', 'missed', 'busy', 'failed')),
    from_number text CHECK (length(from_number) <= 50),
    to_number text CHECK (length(to_number) <= 50),
    topic text CHECK (length(topic) <= 200),
    outcome text CHECK (length(outcome) <= 200),
    notes text CHECK (length(notes) <= 10000),
    duration_seconds integer NOT NULL DEFAULT 0 CHECK (duration_seconds >= 0),
    -- Until it was answered.
    waited_seconds integer CHECK (waited_seconds >= 0),
    -- What the caller thought of it: 1 to 5.
    rating integer CHECK (rating >= 1 AND rating < 6),
    started_at timestamptz NOT NULL DEFAULT now(),
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT call_log_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT call_log_customer_fkey FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT call_log_lead_fkey FOREIGN KEY (tenant_id, lead_id) REFERENCES leads (tenant_id, id),
    CONSTRAINT call_log_contact_fkey FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    CONSTRAINT call_log_user_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

ALTER TABLE call_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE call_log FORCE ROW LEVEL SECURITY;
CREATE POLICY call_log_isolation ON call_log
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON call_log TO opsboard_app;

CREATE TRIGGER call_log_touch BEFORE UPDATE ON call_log
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: calls.list_calls (one status, newest first)
CREATE INDEX idx_call_log_business_status_created ON call_log (tenant_id, status, created_at DESC, id DESC);
-- Serves: calls.list_calls (newest first)
CREATE INDEX idx_call_logs_created_at ON call_log (tenant_id, created_at DESC, id DESC);
-- Serves: calls.list_calls (some statuses in a range of days, counted)
CREATE INDEX idx_call_logs_tenant_created_status ON call_log (tenant_id, created_at DESC, status);
-- Serves: calls.list_calls (of a customer), intelligence.list_customers (count and last call), and the foreign key
CREATE INDEX idx_call_log_customer ON call_log (tenant_id, customer_id, created_at DESC, id DESC);
-- Serves: calls.list_calls (of a lead), and the foreign key
CREATE INDEX idx_call_log_lead ON call_log (tenant_id, lead_id, created_at DESC, id DESC);
-- Serves: calls.list_calls (with a contact), and the foreign key
CREATE INDEX idx_call_log_contact ON call_log (tenant_id, contact_id, created_at DESC, id DESC);
-- Serves: calls.list_calls (of a person), and the foreign key
CREATE INDEX idx_call_log_user ON call_log (tenant_id, user_id, created_at DESC, id DESC);

SELECT watch_counts('call_log', 'status', NULL, NULL);

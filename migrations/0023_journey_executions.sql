-- depends: 0022_journeys
-- What was done for whom in which round, once, and the messages that are to be sent.

-- One row says that a node was executed for a contact in a round. It is a table of its own because the executions are
-- partitioned by month, and a key of theirs would have to contain the time, which makes nothing unique.
CREATE TABLE journey_step_keys (
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    journey_contact_id bigint NOT NULL,
    node_id bigint NOT NULL,
    round integer NOT NULL CHECK (round > 0),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, journey_contact_id, node_id, round),
    CONSTRAINT journey_step_keys_contact_fkey FOREIGN KEY (tenant_id, journey_contact_id)
    REFERENCES journey_contacts (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE journey_step_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE journey_step_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY journey_step_keys_isolation ON journey_step_keys
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT ON journey_step_keys TO opsboard_app;

-- Append-only: the service may add rows and read them, nothing else. Cut by month.
CREATE TABLE journey_node_executions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    journey_id bigint NOT NULL,
    journey_contact_id bigint NOT NULL,
    node_id bigint NOT NULL,
    round integer NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('executed', 'skipped')),
    branch text CHECK (branch IN ('next', 'yes', 'no')),
    -- Why it was skipped.
    detail text,
    -- Null: skipped.
    executed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id, created_at),
    -- The journey's own key makes its deletion reach this table before the nodes are looked at.
    CONSTRAINT journey_node_executions_journey_fkey FOREIGN KEY (tenant_id, journey_id)
    REFERENCES journeys (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT journey_node_executions_node_fkey FOREIGN KEY (tenant_id, node_id) REFERENCES journey_nodes (tenant_id, id),
    CONSTRAINT journey_node_executions_contact_fkey FOREIGN KEY (tenant_id, journey_contact_id)
    REFERENCES journey_contacts (tenant_id, id) ON DELETE CASCADE
)
PARTITION BY RANGE (created_at);

ALTER TABLE journey_node_executions ENABLE ROW LEVEL SECURITY;
ALTER TABLE journey_node_executions FORCE ROW LEVEL SECURITY;
CREATE POLICY journey_node_executions_isolation ON journey_node_executions
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT ON journey_node_executions TO opsboard_app;

-- Serves: journeys.execute_node (loops, a repeated call), journeys.list_executions (of one node and contact)
CREATE INDEX idx_journey_node_executions_node_contact_tenant ON journey_node_executions
(tenant_id, node_id, journey_contact_id, created_at, id);
-- Serves: journeys.list_executions (last executed first)
CREATE INDEX idx_journey_node_executions_executed_at ON journey_node_executions (tenant_id, executed_at DESC, id DESC)
WHERE executed_at IS NOT NULL;
-- Serves: journeys.list_executions (of one contact, last executed first)
CREATE INDEX idx_journey_node_executions_contact_tenant_executed ON journey_node_executions
(tenant_id, journey_contact_id, executed_at DESC, id DESC);
-- Serves: journeys.get_contact (current and previous), journeys.list_executions (history of a contact)
CREATE INDEX idx_journey_node_executions_contact_created ON journey_node_executions
(tenant_id, journey_contact_id, created_at, id);
-- Serves: journeys.list_executions (of one journey), the foreign key of executions to journeys
CREATE INDEX idx_journey_node_executions_journey ON journey_node_executions (tenant_id, journey_id, created_at, id);
-- Serves: journeys.list_executions (newest first)
CREATE INDEX idx_journey_node_executions_created_at ON journey_node_executions (tenant_id, created_at, id);
-- Serves: journeys.list_executions (of one node, newest first)
CREATE INDEX idx_journey_node_executions_node_created ON journey_node_executions (tenant_id, node_id, created_at, id);

-- Messages to be sent, written in the transaction of the step that wants them; sending them is another program's work.
CREATE TABLE journey_messages (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    journey_contact_id bigint NOT NULL,
    node_id bigint NOT NULL,
    round integer NOT NULL,
    channel text NOT NULL CHECK (channel IN ('email', 'phone')),
    recipient text NOT NULL CHECK (recipient <> ''),
    subject text CHECK (length(subject) <= 200),
    body text NOT NULL CHECK (length(body) <= 10000),
    -- Null: still to be sent.
    sent_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT journey_messages_step_key UNIQUE (tenant_id, journey_contact_id, node_id, round),
    CONSTRAINT journey_messages_step_fkey FOREIGN KEY (tenant_id, journey_contact_id, node_id, round)
    REFERENCES journey_step_keys (tenant_id, journey_contact_id, node_id, round) ON DELETE CASCADE
);

ALTER TABLE journey_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE journey_messages FORCE ROW LEVEL SECURITY;
CREATE POLICY journey_messages_isolation ON journey_messages
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON journey_messages TO opsboard_app;

-- Serves: journeys.run_due (messages of the last hour), journeys.list_messages (of one contact)
CREATE INDEX idx_journey_messages_contact ON journey_messages (tenant_id, journey_contact_id, created_at, id);
-- Serves: journeys.list_messages (newest first)
CREATE INDEX idx_journey_messages_created_at ON journey_messages (tenant_id, created_at, id);
-- Serves: journeys.list_messages (to be sent, oldest first)
CREATE INDEX idx_journey_messages_to_send ON journey_messages (tenant_id, created_at, id) WHERE sent_at IS NULL;

-- The runner works for every business and must know which there are; ids only.
CREATE FUNCTION businesses_of_journeys() RETURNS SETOF bigint
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.id FROM public.tenants AS t ORDER BY t.id
$$;
REVOKE ALL ON FUNCTION businesses_of_journeys() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION businesses_of_journeys() TO opsboard_app;

SELECT watch_changes('journey_step_keys');
SELECT make_partitions('journey_node_executions', current_date, current_date + 92);
SELECT watch_counts('journey_node_executions', NULL, 'journey_id', NULL);
SELECT count_updates_by_statement('journey_node_executions', '+journey_node_executions', NULL, 'journey_id');
SELECT watch_counts('journey_messages', NULL, NULL, NULL);

-- depends: 0021_calls
-- Journeys: what happens to a customer step by step, as a graph of nodes, and who is where in it.

CREATE TABLE journeys (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    name_search text COLLATE "C" GENERATED ALWAYS AS (lower(name)) STORED,
    description text CHECK (length(description) <= 2000),
    status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'active', 'paused', 'archived')),
    -- Most messages to one contact in an hour. Null: JOURNEY_MESSAGES_PER_HOUR.
    messages_per_hour integer CHECK (messages_per_hour BETWEEN 1 AND 1000),
    -- How often a contact may come round. A cap per hour alone bounds a day, not a year.
    max_rounds integer NOT NULL DEFAULT 12 CHECK (max_rounds BETWEEN 1 AND 1000),
    created_by bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT journeys_created_by_fkey FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);

ALTER TABLE journeys ENABLE ROW LEVEL SECURITY;
ALTER TABLE journeys FORCE ROW LEVEL SECURITY;
CREATE POLICY journeys_isolation ON journeys
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON journeys TO opsboard_app;

CREATE TRIGGER journeys_touch BEFORE UPDATE ON journeys
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: journeys.list_journeys (newest first)
CREATE INDEX idx_journeys_created_at ON journeys (tenant_id, created_at, id);
-- Serves: journeys.list_journeys (one status), journeys.run_due (the active ones)
CREATE INDEX idx_journeys_status ON journeys (tenant_id, status, created_at, id);
-- Serves: dashboard.stats (the last change)
CREATE INDEX idx_journeys_updated_at ON journeys (tenant_id, updated_at, id);
-- Serves: journeys.list_journeys (by name; beginning with)
CREATE INDEX idx_journeys_name ON journeys (tenant_id, name_search, id);
-- Serves: the foreign key of journeys to the user who made them
CREATE INDEX idx_journeys_created_by ON journeys (tenant_id, created_by);

CREATE TABLE journey_nodes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    journey_id bigint NOT NULL,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 100),
    type text NOT NULL CHECK (type IN ('start', 'message', 'wait', 'condition', 'action', 'exit')),
    -- What the type needs; the service checks it all, the database what a step could fail on.
    config jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(config) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT journey_nodes_name_key UNIQUE (tenant_id, journey_id, name),
    CONSTRAINT journey_nodes_journey_fkey FOREIGN KEY (tenant_id, journey_id)
    REFERENCES journeys (tenant_id, id) ON DELETE CASCADE,
    -- Two of the shortest waits are longer than the longest JOURNEY_LOOP_WINDOW, so that loops are told from returns.
    CONSTRAINT journey_nodes_wait_check CHECK (type <> 'wait' OR coalesce((config ->> 'seconds')::integer, 0) >= 60),
    CONSTRAINT journey_nodes_condition_check CHECK (
        type <> 'condition'
        OR config ->> 'operator' IS DISTINCT FROM 'at_least'
        OR coalesce((config ->> 'value')::integer, 0) > 0
    )
);

ALTER TABLE journey_nodes ENABLE ROW LEVEL SECURITY;
ALTER TABLE journey_nodes FORCE ROW LEVEL SECURITY;
CREATE POLICY journey_nodes_isolation ON journey_nodes
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON journey_nodes TO opsboard_app;

CREATE TRIGGER journey_nodes_touch BEFORE UPDATE ON journey_nodes
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: journeys.get_node, journeys.get_journey, the foreign keys of edges and contacts to nodes of their own journey
CREATE UNIQUE INDEX idx_journey_nodes_journey_id_tenant ON journey_nodes (tenant_id, journey_id, id);

-- Both ends are nodes of the journey the edge belongs to: the keys leave no other way.
CREATE TABLE journey_edges (
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    journey_id bigint NOT NULL,
    from_node_id bigint NOT NULL,
    -- A condition has yes and no, everything else next.
    branch text NOT NULL DEFAULT 'next' CHECK (branch IN ('next', 'yes', 'no')),
    to_node_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, journey_id, from_node_id, branch),
    CONSTRAINT journey_edges_from_fkey FOREIGN KEY (tenant_id, journey_id, from_node_id)
    REFERENCES journey_nodes (tenant_id, journey_id, id) ON DELETE CASCADE,
    CONSTRAINT journey_edges_to_fkey FOREIGN KEY (tenant_id, journey_id, to_node_id)
    REFERENCES journey_nodes (tenant_id, journey_id, id) ON DELETE CASCADE
);

ALTER TABLE journey_edges ENABLE ROW LEVEL SECURITY;
ALTER TABLE journey_edges FORCE ROW LEVEL SECURITY;
CREATE POLICY journey_edges_isolation ON journey_edges
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON journey_edges TO opsboard_app;

-- Serves: the foreign key of edges to the node they lead to
CREATE INDEX idx_journey_edges_to ON journey_edges (tenant_id, journey_id, to_node_id);

CREATE TABLE journey_contacts (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    journey_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'completed', 'failed', 'removed')),
    -- The node to be executed next, at due_at.
    node_id bigint NOT NULL,
    round integer NOT NULL DEFAULT 1 CHECK (round > 0),
    due_at timestamptz NOT NULL DEFAULT now(),
    -- Rises with every step: who locks the row and finds another number than their snapshot shows has looked too early.
    steps bigint NOT NULL DEFAULT 0,
    failure text CHECK (failure IN ('loop', 'rounds', 'lost')),
    finished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT journey_contacts_customer_key UNIQUE (tenant_id, journey_id, customer_id),
    CONSTRAINT journey_contacts_journey_fkey FOREIGN KEY (tenant_id, journey_id)
    REFERENCES journeys (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT journey_contacts_node_fkey FOREIGN KEY (tenant_id, journey_id, node_id)
    REFERENCES journey_nodes (tenant_id, journey_id, id),
    CONSTRAINT journey_contacts_customer_fkey FOREIGN KEY (tenant_id, customer_id)
    REFERENCES customers (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE journey_contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE journey_contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY journey_contacts_isolation ON journey_contacts
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON journey_contacts TO opsboard_app;

CREATE TRIGGER journey_contacts_touch BEFORE UPDATE ON journey_contacts
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: journeys.run_due (who is due, longest first)
CREATE INDEX idx_journey_contacts_active ON journey_contacts (tenant_id, journey_id, due_at, id) WHERE status = 'active';
-- Serves: journeys.list_contacts (of one journey, one status)
CREATE INDEX idx_journey_contacts_journey_tenant_status ON journey_contacts
(tenant_id, journey_id, status, created_at, id);
-- Serves: journeys.list_contacts (of one journey, newest first)
CREATE INDEX idx_journey_contacts_journey ON journey_contacts (tenant_id, journey_id, created_at, id);
-- Serves: journeys.list_contacts (one status)
CREATE INDEX idx_journey_contacts_status ON journey_contacts (tenant_id, status, created_at, id);
-- Serves: journeys.list_contacts (newest first)
CREATE INDEX idx_journey_contacts_created_at ON journey_contacts (tenant_id, created_at, id);
-- Serves: dashboard.stats (the last change)
CREATE INDEX idx_journey_contacts_updated_at ON journey_contacts (tenant_id, updated_at, id);
-- Serves: journeys.list_contacts (soonest due first)
CREATE INDEX idx_journey_contacts_due_at ON journey_contacts (tenant_id, due_at, id);
-- Serves: journeys.list_contacts (of one customer), the foreign key of contacts to customers
CREATE INDEX idx_journey_contacts_customer ON journey_contacts (tenant_id, customer_id, created_at, id);
-- Serves: the foreign key of contacts to their node
CREATE INDEX idx_journey_contacts_node ON journey_contacts (tenant_id, journey_id, node_id);

SELECT watch_counts('journeys', 'status', NULL, NULL);
SELECT watch_changes('journey_nodes');
SELECT watch_changes('journey_edges');
SELECT watch_counts('journey_contacts', 'status', 'journey_id', NULL);

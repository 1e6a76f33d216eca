-- depends: 0069_own_fields_everywhere
-- Routings: named routes of steps, from which the steps of jobs are made; and the reasons for rejects, stops and holds.

CREATE TABLE routings (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    name_search text COLLATE "C" GENERATED ALWAYS AS (search_form(name)) STORED,
    description text CHECK (length(description) <= 2000),
    own_fields jsonb NOT NULL DEFAULT '{}',
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT routings_external_id_key UNIQUE (tenant_id, external_id)
);

ALTER TABLE routings ENABLE ROW LEVEL SECURITY;
ALTER TABLE routings FORCE ROW LEVEL SECURITY;
CREATE POLICY routings_isolation ON routings
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON routings TO opsboard_app;

CREATE TRIGGER routings_touch BEFORE UPDATE ON routings
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: routings.list_routings
CREATE INDEX idx_routings_name ON routings (tenant_id, name_search, id);

SELECT watch_changes('routings');

CREATE TABLE routing_steps (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    routing_id bigint NOT NULL,
    step_order integer NOT NULL CHECK (step_order >= 0),
    process_id bigint NOT NULL,
    -- Null: any machine; it is chosen when the step is planned or started.
    machine_id bigint,
    setup_minutes integer CHECK (setup_minutes >= 0),
    seconds_per_piece integer CHECK (seconds_per_piece >= 0),
    instructions text CHECK (length(instructions) <= 10000),
    own_fields jsonb NOT NULL DEFAULT '{}',
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT routing_steps_order_key UNIQUE (tenant_id, routing_id, step_order),
    CONSTRAINT routing_steps_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT routing_steps_routing_fkey FOREIGN KEY (tenant_id, routing_id)
    REFERENCES routings (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT routing_steps_process_fkey FOREIGN KEY (tenant_id, process_id) REFERENCES processes (tenant_id, id),
    CONSTRAINT routing_steps_machine_fkey FOREIGN KEY (tenant_id, machine_id) REFERENCES machines (tenant_id, id)
);

ALTER TABLE routing_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE routing_steps FORCE ROW LEVEL SECURITY;
CREATE POLICY routing_steps_isolation ON routing_steps
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON routing_steps TO opsboard_app;

CREATE TRIGGER routing_steps_touch BEFORE UPDATE ON routing_steps
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: the foreign key of the process
CREATE INDEX idx_routing_steps_process ON routing_steps (tenant_id, process_id);
-- Serves: the foreign key of the machine
CREATE INDEX idx_routing_steps_machine ON routing_steps (tenant_id, machine_id);

SELECT watch_changes('routing_steps');

CREATE TABLE reasons (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('reject', 'stop', 'hold')),
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    name_search text COLLATE "C" GENERATED ALWAYS AS (search_form(name)) STORED,
    description text CHECK (length(description) <= 2000),
    own_fields jsonb NOT NULL DEFAULT '{}',
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT reasons_name_key UNIQUE (tenant_id, kind, name_search),
    CONSTRAINT reasons_external_id_key UNIQUE (tenant_id, external_id)
);

ALTER TABLE reasons ENABLE ROW LEVEL SECURITY;
ALTER TABLE reasons FORCE ROW LEVEL SECURITY;
CREATE POLICY reasons_isolation ON reasons
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON reasons TO opsboard_app;

CREATE TRIGGER reasons_touch BEFORE UPDATE ON reasons
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: reasons.list_reasons
CREATE INDEX idx_reasons_name ON reasons (tenant_id, name_search, id);
-- Serves: reasons.list_reasons (one kind)
CREATE INDEX idx_reasons_kind ON reasons (tenant_id, kind, name_search, id);

SELECT watch_changes('reasons');

-- depends: 0001_tenants_and_users
-- The shop: customers order jobs; a job runs through steps, each a process done on a machine by somebody.
--
-- Columns named ..._search hold the text as it is looked for: in lower case, in byte order. A prefix search is
-- a range over them, because LIKE cannot use an index under row security (it is not leakproof).

CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    name_search text COLLATE "C" GENERATED ALWAYS AS (lower(name)) STORED,
    email text CHECK (length(email) <= 254),
    email_search text COLLATE "C" GENERATED ALWAYS AS (lower(email)) STORED,
    phone text CHECK (length(phone) <= 50),
    -- Digits only, so that "555 01-42" finds (555) 0142.
    phone_search text COLLATE "C" GENERATED ALWAYS AS (regexp_replace(phone, '[^0-9]', '', 'g')) STORED,
    address text CHECK (length(address) <= 1000),
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT customers_external_id_key UNIQUE (tenant_id, external_id)
);

ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE customers FORCE ROW LEVEL SECURITY;
CREATE POLICY customers_isolation ON customers
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON customers TO opsboard_app;

CREATE TRIGGER customers_touch BEFORE UPDATE ON customers
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE processes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    name_search text COLLATE "C" GENERATED ALWAYS AS (lower(name)) STORED,
    description text CHECK (length(description) <= 2000),
    is_active boolean NOT NULL DEFAULT true,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT processes_external_id_key UNIQUE (tenant_id, external_id)
);

ALTER TABLE processes ENABLE ROW LEVEL SECURITY;
ALTER TABLE processes FORCE ROW LEVEL SECURITY;
CREATE POLICY processes_isolation ON processes
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON processes TO opsboard_app;

CREATE TRIGGER processes_touch BEFORE UPDATE ON processes
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Which roles may work on the steps of a process. A process without any row is open to every role;
-- with rows, only the roles that have one with can_operate. An admin always may.
CREATE TABLE role_process_permissions (
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('admin', 'manager', 'operator')),
    process_id bigint NOT NULL,
    can_operate boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, role, process_id),
    FOREIGN KEY (tenant_id, process_id) REFERENCES processes (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE role_process_permissions ENABLE ROW LEVEL SECURITY;
ALTER TABLE role_process_permissions FORCE ROW LEVEL SECURITY;
CREATE POLICY role_process_permissions_isolation ON role_process_permissions
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON role_process_permissions TO opsboard_app;

CREATE TABLE machines (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    name_search text COLLATE "C" GENERATED ALWAYS AS (lower(name)) STORED,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'maintenance', 'inactive')),
    is_active boolean GENERATED ALWAYS AS (status = 'active') STORED,
    location text CHECK (length(location) <= 200),
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT machines_external_id_key UNIQUE (tenant_id, external_id)
);

ALTER TABLE machines ENABLE ROW LEVEL SECURITY;
ALTER TABLE machines FORCE ROW LEVEL SECURITY;
CREATE POLICY machines_isolation ON machines
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON machines TO opsboard_app;

CREATE TRIGGER machines_touch BEFORE UPDATE ON machines
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    job_number text NOT NULL CHECK (job_number <> '' AND length(job_number) <= 50),
    job_number_search text COLLATE "C" GENERATED ALWAYS AS (lower(job_number)) STORED,
    title text NOT NULL CHECK (title <> '' AND length(title) <= 200),
    description text CHECK (length(description) <= 10000),
    customer_id bigint,
    status text NOT NULL DEFAULT 'draft'
    CHECK (status IN ('draft', 'active', 'on_hold', 'completed', 'cancelled')),
    priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    quantity integer NOT NULL DEFAULT 1 CHECK (quantity > 0),
    due_date date,
    -- Jobs without a due date come last. An expression in the index would not do: coalesce is not leakproof either.
    due_date_search date GENERATED ALWAYS AS (coalesce(due_date, 'infinity'::date)) STORED,
    started_at timestamptz,
    completed_at timestamptz,
    created_by bigint,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT jobs_job_number_key UNIQUE (tenant_id, job_number),
    CONSTRAINT jobs_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT jobs_customer_fkey FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT jobs_created_by_fkey FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);

ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY jobs_isolation ON jobs
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON jobs TO opsboard_app;
-- A job without a number is named after its id, which must be known before.
GRANT USAGE ON SEQUENCE jobs_id_seq TO opsboard_app;

CREATE TRIGGER jobs_touch BEFORE UPDATE ON jobs
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE job_steps (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    job_id bigint NOT NULL,
    step_order integer NOT NULL CHECK (step_order >= 0),
    process_id bigint,
    machine_id bigint,
    assigned_user_id bigint,
    status text NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'in_progress', 'completed', 'skipped')),
    planned_start timestamptz,
    planned_end timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    quantity_done integer NOT NULL DEFAULT 0 CHECK (quantity_done >= 0),
    quantity_rejected integer NOT NULL DEFAULT 0 CHECK (quantity_rejected >= 0),
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT job_steps_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT job_steps_job_fkey FOREIGN KEY (tenant_id, job_id)
    REFERENCES jobs (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT job_steps_process_fkey FOREIGN KEY (tenant_id, process_id) REFERENCES processes (tenant_id, id),
    CONSTRAINT job_steps_machine_fkey FOREIGN KEY (tenant_id, machine_id) REFERENCES machines (tenant_id, id),
    CONSTRAINT job_steps_assigned_user_fkey FOREIGN KEY (tenant_id, assigned_user_id)
    REFERENCES users (tenant_id, id)
);

ALTER TABLE job_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_steps FORCE ROW LEVEL SECURITY;
CREATE POLICY job_steps_isolation ON job_steps
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON job_steps TO opsboard_app;

CREATE TRIGGER job_steps_touch BEFORE UPDATE ON job_steps
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

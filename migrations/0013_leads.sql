-- depends: 0012_partitions
-- Leads: who may become a customer, from where they came, and every step on their way.

CREATE TABLE leads (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    customer_id bigint,
    assigned_user_id bigint,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    name_search text COLLATE "C" GENERATED ALWAYS AS (lower(name)) STORED,
    email text CHECK (length(email) <= 254),
    email_search text COLLATE "C" GENERATED ALWAYS AS (lower(email)) STORED,
    phone text CHECK (length(phone) <= 50),
    phone_search text COLLATE "C" GENERATED ALWAYS AS (regexp_replace(phone, '[^0-9]', '', 'g')) STORED,
    source text CHECK (source <> '' AND length(source) <= 100),
    category text CHECK (category <> '' AND length(category) <= 100),
    status text NOT NULL DEFAULT 'unprocessed'
    CHECK (status IN ('unprocessed', 'new', 'contacted', 'qualified', 'won', 'lost')),
    is_processed boolean GENERATED ALWAYS AS (status <> 'unprocessed') STORED,
    notes text CHECK (length(notes) <= 10000),
    -- When the lead was found, which may be long before it was entered.
    scraped_at timestamptz NOT NULL DEFAULT now(),
    processed_at timestamptz,
    closed_at timestamptz,
    -- Who works on it now, and from when on somebody else may take it: the end of the claim.
    claimed_by bigint,
    claimable_at timestamptz NOT NULL DEFAULT now(),
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT leads_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT leads_customer_fkey FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT leads_assigned_user_fkey FOREIGN KEY (tenant_id, assigned_user_id)
    REFERENCES users (tenant_id, id),
    CONSTRAINT leads_claimed_by_fkey FOREIGN KEY (tenant_id, claimed_by) REFERENCES users (tenant_id, id)
);

ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
ALTER TABLE leads FORCE ROW LEVEL SECURITY;
CREATE POLICY leads_isolation ON leads
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON leads TO opsboard_app;

CREATE TRIGGER leads_touch BEFORE UPDATE ON leads
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: leads.list_leads (newest first, entered today)
CREATE INDEX idx_leads_created_at ON leads (tenant_id, created_at, id);
-- Serves: leads.list_leads (last changed first), dashboard.stats (the last change)
CREATE INDEX idx_leads_updated_at ON leads (tenant_id, updated_at, id);
-- Serves: leads.list_leads (last found first)
CREATE INDEX idx_leads_scraped_at ON leads (tenant_id, scraped_at, id);
-- Serves: leads.list_leads (search and sort by name)
CREATE INDEX idx_leads_name ON leads (tenant_id, name_search, id);
-- Serves: leads.list_leads (search by e-mail)
CREATE INDEX idx_leads_email ON leads (tenant_id, email_search);
-- Serves: leads.list_leads (search by phone)
CREATE INDEX idx_leads_phone ON leads (tenant_id, phone_search);
-- Serves: leads.list_leads (one status, newest first)
CREATE INDEX idx_leads_tenant_status_created ON leads (tenant_id, status, created_at DESC, id DESC);
-- Serves: leads.list_leads (one status and category, found in a range of days)
CREATE INDEX idx_leads_status_scraped_category ON leads (tenant_id, status, scraped_at, category);
-- Serves: leads.list_leads (one category, newest first)
CREATE INDEX idx_leads_category ON leads (tenant_id, category, created_at, id);
-- Serves: leads.list_leads (one source, newest first)
CREATE INDEX idx_leads_source ON leads (tenant_id, source, created_at, id);
-- Serves: leads.list_leads (of a customer), and the foreign key
CREATE INDEX idx_leads_customer ON leads (tenant_id, customer_id, created_at, id);
-- Serves: leads.list_leads (of a person), and the foreign key
CREATE INDEX idx_leads_assigned_user ON leads (tenant_id, assigned_user_id, created_at, id);
-- Serves: the foreign key of claims; few leads are claimed
CREATE INDEX idx_leads_claimed_by ON leads (tenant_id, claimed_by) WHERE claimed_by IS NOT NULL;
-- Serves: leads.claim_leads (what may be taken is in front, what is claimed comes after now)
CREATE INDEX idx_leads_unprocessed ON leads (tenant_id, claimable_at, id) WHERE is_processed = false;

SELECT watch_changes('leads');

-- Append-only: the service may add rows and read them, nothing else.
CREATE TABLE lead_status_history (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    lead_id bigint NOT NULL,
    -- Null: the lead came into being.
    from_status text,
    to_status text NOT NULL
    CHECK (to_status IN ('unprocessed', 'new', 'contacted', 'qualified', 'won', 'lost')),
    -- Null: done by the command line.
    changed_by bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id, created_at),
    FOREIGN KEY (tenant_id, lead_id) REFERENCES leads (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, changed_by) REFERENCES users (tenant_id, id)
)
PARTITION BY RANGE (created_at);

ALTER TABLE lead_status_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_status_history FORCE ROW LEVEL SECURITY;
CREATE POLICY lead_status_history_isolation ON lead_status_history
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT ON lead_status_history TO opsboard_app;

-- Serves: leads.list_timeline
CREATE INDEX idx_lead_status_history_lead_created
ON lead_status_history (tenant_id, lead_id, created_at DESC, id DESC);
-- Serves: the foreign key of who changed it
CREATE INDEX idx_lead_status_history_changed_by ON lead_status_history (tenant_id, changed_by);

SELECT make_partitions('lead_status_history', current_date, current_date + 92);
SELECT watch_partitioned('lead_status_history');

-- depends: 0014_approvals
-- Campaigns: to whom they go, what became of each message, and the numbers of each day.

CREATE TABLE campaigns (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    channel text NOT NULL DEFAULT 'email' CHECK (channel IN ('email', 'whatsapp', 'phone')),
    status text NOT NULL DEFAULT 'draft'
    CHECK (status IN ('draft', 'scheduled', 'running', 'paused', 'completed', 'cancelled')),
    scheduled_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT campaigns_external_id_key UNIQUE (tenant_id, external_id)
);

ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaigns FORCE ROW LEVEL SECURITY;
CREATE POLICY campaigns_isolation ON campaigns
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON campaigns TO opsboard_app;

CREATE TRIGGER campaigns_touch BEFORE UPDATE ON campaigns
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: campaigns.list_campaigns
CREATE INDEX idx_campaigns_created_at ON campaigns (tenant_id, created_at, id);
-- Serves: campaigns.list_campaigns (one status)
CREATE INDEX idx_campaigns_status ON campaigns (tenant_id, status, created_at, id);
-- Serves: dashboard.stats (the last change)
CREATE INDEX idx_campaigns_updated_at ON campaigns (tenant_id, updated_at, id);
-- Serves: campaigns.list_active, dashboard.stats (whose recipients are counted)
CREATE INDEX idx_campaigns_active ON campaigns (tenant_id, created_at, id)
WHERE status IN ('scheduled', 'running');

SELECT watch_changes('campaigns');

CREATE TABLE campaign_recipients (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    campaign_id bigint NOT NULL,
    lead_id bigint,
    -- Where it goes: an e-mail address or a number.
    address text NOT NULL CHECK (address <> '' AND length(address) <= 254),
    name text CHECK (length(name) <= 200),
    segment text CHECK (length(segment) <= 100),
    -- The furthest that is known of their message.
    status text NOT NULL DEFAULT 'pending' CHECK (
        status IN ('pending', 'sent', 'delivered', 'opened', 'clicked', 'converted', 'bounced', 'unsubscribed')
    ),
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT campaign_recipients_address_key UNIQUE (tenant_id, campaign_id, address),
    CONSTRAINT campaign_recipients_external_id_key UNIQUE (tenant_id, external_id),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT campaign_recipients_lead_fkey FOREIGN KEY (tenant_id, lead_id) REFERENCES leads (tenant_id, id)
);

ALTER TABLE campaign_recipients ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_recipients FORCE ROW LEVEL SECURITY;
CREATE POLICY campaign_recipients_isolation ON campaign_recipients
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON campaign_recipients TO opsboard_app;

CREATE TRIGGER campaign_recipients_touch BEFORE UPDATE ON campaign_recipients
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: campaigns.list_recipients, and the foreign key
CREATE INDEX idx_campaign_recipients_campaign ON campaign_recipients (tenant_id, campaign_id, created_at, id);
-- Serves: campaigns.list_recipients (one status)
CREATE INDEX idx_campaign_recipients_campaign_status
ON campaign_recipients (tenant_id, campaign_id, status, created_at, id);
-- Serves: campaigns.list_active_recipients (last changed first), dashboard.stats (the last change)
CREATE INDEX idx_campaign_recipients_updated_at ON campaign_recipients (tenant_id, updated_at, id);
-- Serves: the foreign key of the lead
CREATE INDEX idx_campaign_recipients_lead ON campaign_recipients (tenant_id, lead_id);

SELECT watch_changes('campaign_recipients');

-- Append-only: the service may add rows and read them, nothing else.
CREATE TABLE campaign_tracking_events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    recipient_id bigint NOT NULL,
    event_key text NOT NULL CHECK (event_key <> '' AND length(event_key) <= 200),
    kind text NOT NULL CHECK (kind IN ('sent', 'delivered', 'opened', 'clicked', 'converted', 'bounced', 'unsubscribed')),
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id, occurred_at),
    FOREIGN KEY (tenant_id, recipient_id) REFERENCES campaign_recipients (tenant_id, id) ON DELETE CASCADE
)
PARTITION BY RANGE (occurred_at);

ALTER TABLE campaign_tracking_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_tracking_events FORCE ROW LEVEL SECURITY;
CREATE POLICY campaign_tracking_events_isolation ON campaign_tracking_events
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT ON campaign_tracking_events TO opsboard_app;

-- Serves: campaigns.list_recipients (the last events of each), and the foreign key
CREATE INDEX idx_campaign_tracking_events_recipient
ON campaign_tracking_events (tenant_id, recipient_id, occurred_at, id);

SELECT make_partitions('campaign_tracking_events', current_date, current_date + 92);
SELECT watch_partitioned('campaign_tracking_events');

-- Which events have been taken in. A table of its own: a key of the events would have to contain their time, and an
-- event that is told twice with two times would count twice.
CREATE TABLE campaign_event_keys (
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    event_key text NOT NULL CHECK (event_key <> '' AND length(event_key) <= 200),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, event_key)
);

ALTER TABLE campaign_event_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_event_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY campaign_event_keys_isolation ON campaign_event_keys
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT ON campaign_event_keys TO opsboard_app;

SELECT watch_changes('campaign_event_keys');

-- How many events of each kind a campaign had on a day: of the time zone that the business had when they came in.
-- Kept by the statement that takes events in.
CREATE TABLE campaign_metrics (
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    campaign_id bigint NOT NULL,
    date date NOT NULL,
    sent bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    opened bigint NOT NULL DEFAULT 0,
    clicked bigint NOT NULL DEFAULT 0,
    converted bigint NOT NULL DEFAULT 0,
    bounced bigint NOT NULL DEFAULT 0,
    unsubscribed bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id) ON DELETE CASCADE
);

-- Serves: campaigns.get_metrics, campaigns.get_campaign, and the foreign key
CREATE UNIQUE INDEX idx_campaign_metrics_campaign_date ON campaign_metrics (tenant_id, campaign_id, date);
ALTER TABLE campaign_metrics
ADD CONSTRAINT idx_campaign_metrics_campaign_date PRIMARY KEY USING INDEX idx_campaign_metrics_campaign_date;

ALTER TABLE campaign_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_metrics FORCE ROW LEVEL SECURITY;
CREATE POLICY campaign_metrics_isolation ON campaign_metrics
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON campaign_metrics TO opsboard_app;

CREATE TRIGGER campaign_metrics_touch BEFORE UPDATE ON campaign_metrics
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

SELECT watch_changes('campaign_metrics');

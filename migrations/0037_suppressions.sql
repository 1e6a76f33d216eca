-- depends: 0036_campaign_people
-- Suppressed addresses of each business and channel: unsubscribed, bounced, complained,
-- and who was entered by hand. Campaigns and journeys look here in the statement that takes a recipient.

CREATE TABLE suppressions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    channel text NOT NULL CHECK (channel IN ('email', 'whatsapp', 'phone', 'sms')),
    address text NOT NULL CHECK (address <> '' AND length(address) <= 254),
    address_search text COLLATE "C" GENERATED ALWAYS AS (recipient_form(address)) STORED,
    reason text NOT NULL DEFAULT 'manual' CHECK (reason IN ('unsubscribed', 'bounced', 'complained', 'manual')),
    note text CHECK (length(note) <= 500),
    -- The campaign whose event it was; null: entered or imported.
    campaign_id bigint,
    created_by bigint,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT suppressions_address_key UNIQUE (tenant_id, channel, address_search),
    CONSTRAINT suppressions_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT suppressions_campaign_fkey FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id),
    CONSTRAINT suppressions_created_by_fkey FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);

ALTER TABLE suppressions ENABLE ROW LEVEL SECURITY;
ALTER TABLE suppressions FORCE ROW LEVEL SECURITY;
CREATE POLICY suppressions_isolation ON suppressions
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON suppressions TO opsboard_app;

CREATE TRIGGER suppressions_touch BEFORE UPDATE ON suppressions
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: suppressions.list_suppressions
CREATE INDEX idx_suppressions_created_at ON suppressions (tenant_id, created_at, id);
-- Serves: suppressions.list_suppressions (one channel)
CREATE INDEX idx_suppressions_channel ON suppressions (tenant_id, channel, created_at, id);
-- Serves: suppressions.list_suppressions (one reason)
CREATE INDEX idx_suppressions_reason ON suppressions (tenant_id, reason, created_at, id);
-- Serves: suppressions.list_suppressions (search and sort by address)
CREATE INDEX idx_suppressions_address ON suppressions (tenant_id, address_search, id);
-- Serves: the foreign key of the campaign
CREATE INDEX idx_suppressions_campaign ON suppressions (tenant_id, campaign_id);
-- Serves: the foreign key of who entered it
CREATE INDEX idx_suppressions_created_by ON suppressions (tenant_id, created_by);

SELECT watch_changes('suppressions');

-- Those who unsubscribed or whose messages came back before there was a list. Who did both, unsubscribed.
DO $$
DECLARE
    tenant bigint;
    bound constant text := coalesce(current_setting('app.tenant_id', true), '');
BEGIN
    FOR tenant IN SELECT t.id FROM public.tenants AS t ORDER BY t.id LOOP
        PERFORM set_config('app.tenant_id', tenant::text, true);
        INSERT INTO public.suppressions (tenant_id, channel, address, reason, campaign_id, created_at)
        SELECT DISTINCT ON (c.channel, r.address_search)
            tenant,
            c.channel,
            r.address,
            r.status,
            c.id,
            r.updated_at
        FROM public.campaign_recipients AS r
        JOIN public.campaigns AS c ON c.tenant_id = tenant AND c.id = r.campaign_id
        WHERE r.tenant_id = tenant
            AND r.status IN ('unsubscribed', 'bounced')
        ORDER BY c.channel, r.address_search, r.status DESC, r.updated_at;
    END LOOP;
    PERFORM set_config('app.tenant_id', bound, true);
END
$$;

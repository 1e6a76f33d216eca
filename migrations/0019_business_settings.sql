-- depends: 0018_document_indexes
-- How a business wants to be served: one row each, made when it first says so. Until then settings.get_settings has
-- the defaults.

CREATE TABLE business_settings (
    tenant_id bigint PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
    locale text NOT NULL CHECK (locale ~ '^[a-z]{2}(-[A-Z]{2})?$'),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    contact_email text CHECK (contact_email LIKE '%_@_%' AND length(contact_email) <= 254),
    contact_phone text CHECK (length(contact_phone) <= 50),
    -- The number that messages are sent from.
    whatsapp_number text CHECK (length(whatsapp_number) <= 50),
    opens_at time NOT NULL,
    closes_at time NOT NULL,
    auto_reply boolean NOT NULL,
    auto_reply_text text CHECK (length(auto_reply_text) <= 1000),
    -- What integrations keep for themselves.
    options jsonb NOT NULL CHECK (jsonb_typeof(options) = 'object' AND length(options::text) <= 20000),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (opens_at < closes_at)
);

ALTER TABLE business_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE business_settings FORCE ROW LEVEL SECURITY;
CREATE POLICY business_settings_isolation ON business_settings
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON business_settings TO opsboard_app;

CREATE TRIGGER business_settings_touch BEFORE UPDATE ON business_settings
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

SELECT watch_changes('business_settings');

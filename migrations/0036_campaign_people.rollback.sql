-- A key of several campaigns is one again.
ALTER TABLE campaign_event_keys NO FORCE ROW LEVEL SECURITY;
DELETE FROM campaign_event_keys AS k
USING campaign_event_keys AS o
WHERE o.tenant_id = k.tenant_id
    AND o.event_key = k.event_key
    AND o.campaign_id < k.campaign_id;
ALTER TABLE campaign_event_keys FORCE ROW LEVEL SECURITY;
ALTER TABLE campaign_event_keys DROP CONSTRAINT IF EXISTS campaign_event_keys_campaign_fkey;
ALTER TABLE campaign_event_keys DROP CONSTRAINT IF EXISTS campaign_event_keys_pkey;
ALTER TABLE campaign_event_keys DROP COLUMN IF EXISTS campaign_id;
ALTER TABLE campaign_event_keys ADD CONSTRAINT campaign_event_keys_pkey PRIMARY KEY (tenant_id, event_key);
ALTER TABLE campaign_recipients DROP COLUMN IF EXISTS kinds;
ALTER TABLE campaign_metrics
DROP COLUMN IF EXISTS sent_people,
DROP COLUMN IF EXISTS delivered_people,
DROP COLUMN IF EXISTS opened_people,
DROP COLUMN IF EXISTS clicked_people,
DROP COLUMN IF EXISTS converted_people,
DROP COLUMN IF EXISTS bounced_people,
DROP COLUMN IF EXISTS unsubscribed_people;

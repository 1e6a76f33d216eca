DROP TABLE IF EXISTS campaign_metrics;
DROP TABLE IF EXISTS campaign_event_keys;
DROP TABLE IF EXISTS campaign_tracking_events;
DROP TABLE IF EXISTS campaign_recipients;
DROP TABLE IF EXISTS campaigns;

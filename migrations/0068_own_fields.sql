-- depends: 0065_journeys_waiting
-- Values of imported columns that have no column of their own, kept with each record.

ALTER TABLE customers ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE processes ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE machines ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE jobs ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE job_steps ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE leads ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE campaigns ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE campaign_recipients ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE contacts ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE call_log ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE response_approvals ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';

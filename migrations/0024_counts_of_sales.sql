-- depends: 0023_journey_executions
-- Leads, approvals, campaigns and their recipients are counted as they are written: see watch_counts in 0017_documents.
-- Leads by the day they were entered, approvals by the day they were decided, recipients for each campaign.

DROP TRIGGER leads_insert ON leads;
DROP TRIGGER leads_delete ON leads;
DROP TRIGGER leads_update ON leads;
DROP TRIGGER leads_truncate ON leads;
DROP TRIGGER response_approvals_insert ON response_approvals;
DROP TRIGGER response_approvals_delete ON response_approvals;
DROP TRIGGER response_approvals_update ON response_approvals;
DROP TRIGGER response_approvals_truncate ON response_approvals;
DROP TRIGGER campaigns_insert ON campaigns;
DROP TRIGGER campaigns_delete ON campaigns;
DROP TRIGGER campaigns_update ON campaigns;
DROP TRIGGER campaigns_truncate ON campaigns;
DROP TRIGGER campaign_recipients_insert ON campaign_recipients;
DROP TRIGGER campaign_recipients_delete ON campaign_recipients;
DROP TRIGGER campaign_recipients_update ON campaign_recipients;
DROP TRIGGER campaign_recipients_truncate ON campaign_recipients;

SELECT watch_counts('leads', 'status', NULL, 'created_at');
SELECT watch_counts('response_approvals', 'status', NULL, 'decided_at');
SELECT watch_counts('campaigns', 'status', NULL, NULL);
SELECT watch_counts('campaign_recipients', 'status', 'campaign_id', NULL);

-- Those that were there before. Not in a migration of its own: nothing has been written to these tables for long.
SELECT rebuild_rollups(t.id) FROM tenants AS t;

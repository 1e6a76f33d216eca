DROP TRIGGER IF EXISTS leads_insert ON leads;
DROP TRIGGER IF EXISTS leads_delete ON leads;
DROP TRIGGER IF EXISTS leads_update ON leads;
DROP TRIGGER IF EXISTS leads_truncate ON leads;
DROP TRIGGER IF EXISTS response_approvals_insert ON response_approvals;
DROP TRIGGER IF EXISTS response_approvals_delete ON response_approvals;
DROP TRIGGER IF EXISTS response_approvals_update ON response_approvals;
DROP TRIGGER IF EXISTS response_approvals_truncate ON response_approvals;
DROP TRIGGER IF EXISTS campaigns_insert ON campaigns;
DROP TRIGGER IF EXISTS campaigns_delete ON campaigns;
DROP TRIGGER IF EXISTS campaigns_update ON campaigns;
DROP TRIGGER IF EXISTS campaigns_truncate ON campaigns;
DROP TRIGGER IF EXISTS campaign_recipients_insert ON campaign_recipients;
DROP TRIGGER IF EXISTS campaign_recipients_delete ON campaign_recipients;
DROP TRIGGER IF EXISTS campaign_recipients_update ON campaign_recipients;
DROP TRIGGER IF EXISTS campaign_recipients_truncate ON campaign_recipients;

SELECT unwatch_counts('leads');
SELECT unwatch_counts('response_approvals');
SELECT unwatch_counts('campaigns');
SELECT unwatch_counts('campaign_recipients');

SELECT watch_changes('leads');
SELECT watch_changes('response_approvals');
SELECT watch_changes('campaigns');
SELECT watch_changes('campaign_recipients');

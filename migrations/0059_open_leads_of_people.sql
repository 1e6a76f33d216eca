-- transactional: false
-- depends: 0058_document_content
-- How many leads of somebody are still open, without reading those that they won or lost in all the years before.

-- Serves: users.list_users, users.get_user (the work left with inactive people)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_leads_assigned_open
ON leads (tenant_id, assigned_user_id) WHERE status NOT IN ('won', 'lost');

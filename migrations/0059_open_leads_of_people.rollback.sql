-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS idx_leads_assigned_open;

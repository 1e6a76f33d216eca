-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS idx_customers_archived;
DROP INDEX CONCURRENTLY IF EXISTS idx_contacts_archived;
DROP INDEX CONCURRENTLY IF EXISTS idx_leads_archived;
DROP INDEX CONCURRENTLY IF EXISTS idx_machines_archived;
DROP INDEX CONCURRENTLY IF EXISTS idx_processes_archived;
DROP INDEX CONCURRENTLY IF EXISTS idx_users_archived;
DROP INDEX CONCURRENTLY IF EXISTS idx_routings_archived;
DROP INDEX CONCURRENTLY IF EXISTS idx_jobs_archived;

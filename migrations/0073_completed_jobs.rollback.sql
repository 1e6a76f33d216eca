-- transactional: false
-- Both indexes are older than this migration and stay.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_completed_at ON jobs (tenant_id, completed_at, id)
WHERE completed_at IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_created_at ON jobs (tenant_id, created_at, id);

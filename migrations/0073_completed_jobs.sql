-- transactional: false
-- depends: 0005_more_indexes
-- A promised date is no longer learned from the jobs that finished last: jobs that take long were missing among them.

-- Serves: jobs.list_jobs (completed since), jobs.list_at_risk, jobs.lateness_risk (newest finished)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_completed_at ON jobs (tenant_id, completed_at, id)
WHERE completed_at IS NOT NULL;
-- Serves: jobs.list_jobs (newest first), dashboard.recent_jobs, jobs.promise_date (jobs of each of the last days)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_created_at ON jobs (tenant_id, created_at, id);

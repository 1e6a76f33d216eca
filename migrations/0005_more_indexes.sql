-- transactional: false
-- depends: 0004_indexes
-- Indexes beyond the 31: foreign keys that had none, sign-in, and lists that sort over every status.

-- Serves: auth.find_accounts (the e-mail address is known before the tenant)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_email ON users (email_search);
-- Serves: users.list_users (newest first)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_created_at ON users (tenant_id, created_at, id);
-- Serves: jobs.list_jobs (newest first), dashboard.recent_jobs
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_created_at ON jobs (tenant_id, created_at, id);
-- Serves: jobs.list_jobs (completed since), jobs.list_at_risk, jobs.lateness_risk, jobs.promise_date (newest finished)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_completed_at ON jobs (tenant_id, completed_at, id)
WHERE completed_at IS NOT NULL;
-- Serves: jobs.list_jobs (by due date; jobs without one come last)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_due_date_all
ON jobs (tenant_id, due_date_search, id);
-- Serves: jobs.list_jobs (one priority)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_priority ON jobs (tenant_id, priority, created_at, id);
-- Serves: jobs.list_jobs (of one customer), customers.get_customer
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_customer ON jobs (tenant_id, customer_id, created_at, id);
-- Serves: the foreign key of jobs to the user who made them
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_jobs_created_by ON jobs (tenant_id, created_by);
-- Serves: job_steps.list_job_steps (of one process)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_job_steps_process ON job_steps (tenant_id, process_id, created_at, id);
-- Serves: dashboard.stats (the last change), job_steps.list_job_steps (last changed first)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_job_steps_updated_at ON job_steps (tenant_id, updated_at, id);
-- Serves: job_steps.list_job_steps (one status)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_job_steps_status ON job_steps (tenant_id, status, created_at, id);

-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS idx_job_steps_process;
DROP INDEX CONCURRENTLY IF EXISTS idx_jobs_created_by;
DROP INDEX CONCURRENTLY IF EXISTS idx_jobs_customer;
DROP INDEX CONCURRENTLY IF EXISTS idx_jobs_due_date_all;
DROP INDEX CONCURRENTLY IF EXISTS idx_jobs_completed_at;
DROP INDEX CONCURRENTLY IF EXISTS idx_jobs_created_at;
DROP INDEX CONCURRENTLY IF EXISTS idx_users_created_at;
DROP INDEX CONCURRENTLY IF EXISTS idx_users_email;

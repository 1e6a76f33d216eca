-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS idx_job_steps_waiting_completed_at;
DROP INDEX CONCURRENTLY IF EXISTS idx_job_steps_status_completed_at;

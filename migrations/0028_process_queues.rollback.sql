-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS idx_job_steps_process_status;

-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS idx_jobs_open_due_date;

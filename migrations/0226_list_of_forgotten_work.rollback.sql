-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS idx_work_records_forgotten;

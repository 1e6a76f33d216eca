-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS idx_problems_kind;
DROP INDEX CONCURRENTLY IF EXISTS idx_work_records_rejected_started_at;

-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS idx_problems_kind;
DROP INDEX CONCURRENTLY IF EXISTS idx_work_records_rejected_started_at;
-- It is older than this migration and stays.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_work_records_rejected ON work_records (tenant_id, ended_at, id)
WHERE quantity_rejected > 0;

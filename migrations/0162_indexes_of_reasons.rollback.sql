-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS idx_machine_stops_reason;
DROP INDEX CONCURRENTLY IF EXISTS idx_work_records_rejected;
DROP INDEX CONCURRENTLY IF EXISTS idx_work_records_ended_at;
DROP INDEX CONCURRENTLY IF EXISTS idx_work_records_reject_reason;
DROP INDEX CONCURRENTLY IF EXISTS idx_work_records_process;

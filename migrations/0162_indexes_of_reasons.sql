-- transactional: false
-- depends: 0161_fill_reasons_of_records
-- Records by process, reason and the day on which they ended; stops by reason.

-- Serves: work.list_work (one process), the foreign key of the process
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_work_records_process
ON work_records (tenant_id, process_id, started_at, id);
-- Serves: work.list_work (one reason), the foreign key of the reason
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_work_records_reject_reason
ON work_records (tenant_id, reject_reason_id, started_at, id);
-- Serves: work.list_work (ended since)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_work_records_ended_at ON work_records (tenant_id, ended_at, id)
WHERE ended_at IS NOT NULL;
-- Serves: work.rejects, work.list_work (with rejected pieces)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_work_records_rejected ON work_records (tenant_id, ended_at, id)
WHERE quantity_rejected > 0;
-- Serves: stops.list_stops (one reason), the foreign key of the reason
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_machine_stops_reason
ON machine_stops (tenant_id, reason_id, started_at, id);

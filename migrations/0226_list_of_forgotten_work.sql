-- transactional: false
-- depends: 0225_forgotten_work

-- Serves: work.list_work (what was forgotten)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_work_records_forgotten ON work_records (tenant_id, started_at, id)
WHERE is_forgotten;

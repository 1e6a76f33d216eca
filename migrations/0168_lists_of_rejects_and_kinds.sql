-- transactional: false
-- depends: 0167_problems
-- Two filters of lists that read rows in vain on large tables.

-- Serves: work.list_work (with rejected pieces, newest first)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_work_records_rejected_started_at ON work_records (tenant_id, started_at, id)
WHERE quantity_rejected > 0;
-- Serves: problems.list_problems (one kind)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_problems_kind ON problems (tenant_id, kind, created_at, id);
-- Older than this migration; the list has the index above now.
-- Serves: work.rejects
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_work_records_rejected ON work_records (tenant_id, ended_at, id)
WHERE quantity_rejected > 0;

-- transactional: false
-- depends: 0024_counts_of_sales
-- A second import finds notifications and audit entries by the keys they have outside. Those the service writes have
-- none; audit entries without are not in the index, so that every write goes on to cost what it did.

-- Serves: imports (what is stored is found by the key it has outside)
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS notifications_external_id_key ON notifications (tenant_id, external_id);
-- Serves: imports (what is stored is found by the key it has outside)
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS audit_logs_external_id_key
ON audit_logs (tenant_id, external_id, created_at)
WHERE external_id IS NOT NULL;

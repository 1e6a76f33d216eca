-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS audit_logs_external_id_key;
DROP INDEX CONCURRENTLY IF EXISTS notifications_external_id_key;

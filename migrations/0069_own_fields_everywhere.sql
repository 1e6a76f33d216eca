-- depends: 0068_own_fields
-- Own fields of the other tables that an import can fill. A table cut by month hands the column to its parts.

ALTER TABLE suppressions ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE workflows ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE workflow_execution_monitoring ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE notifications ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE approval_queue ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE approval_history ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';
ALTER TABLE audit_logs ADD COLUMN own_fields jsonb NOT NULL DEFAULT '{}';

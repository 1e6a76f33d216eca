ALTER TABLE suppressions DROP COLUMN IF EXISTS own_fields;
ALTER TABLE workflows DROP COLUMN IF EXISTS own_fields;
ALTER TABLE workflow_execution_monitoring DROP COLUMN IF EXISTS own_fields;
ALTER TABLE notifications DROP COLUMN IF EXISTS own_fields;
ALTER TABLE approval_queue DROP COLUMN IF EXISTS own_fields;
ALTER TABLE approval_history DROP COLUMN IF EXISTS own_fields;
ALTER TABLE audit_logs DROP COLUMN IF EXISTS own_fields;

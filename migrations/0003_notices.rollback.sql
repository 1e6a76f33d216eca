DROP FUNCTION IF EXISTS changed_columns(jsonb, jsonb);
DROP TABLE IF EXISTS audit_logs;
DROP TABLE IF EXISTS notifications;

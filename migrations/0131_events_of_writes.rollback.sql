DROP TRIGGER IF EXISTS audit_logs_publish ON audit_logs;
DROP FUNCTION IF EXISTS publish_audited();
DROP FUNCTION IF EXISTS event_data(text, bigint, bigint);

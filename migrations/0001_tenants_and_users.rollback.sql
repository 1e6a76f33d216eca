-- The role opsboard_app stays: it belongs to the server and other databases may use it.
DROP TABLE IF EXISTS revocations;
DROP TABLE IF EXISTS users;
DROP TABLE IF EXISTS tenants;
DROP FUNCTION IF EXISTS end_tokens_of_changed_user();
DROP FUNCTION IF EXISTS touch_updated_at();
REVOKE USAGE ON SCHEMA public FROM opsboard_app;

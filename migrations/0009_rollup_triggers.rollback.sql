-- CASCADE: their triggers too.
DROP FUNCTION IF EXISTS count_nothing() CASCADE;
DROP FUNCTION IF EXISTS count_jobs(), count_updated_jobs() CASCADE;
DROP FUNCTION IF EXISTS count_job_steps(), count_updated_job_steps() CASCADE;
DROP FUNCTION IF EXISTS count_machines(), count_updated_machines() CASCADE;
DROP FUNCTION IF EXISTS count_users(), count_updated_users() CASCADE;
DROP FUNCTION IF EXISTS count_processes(), count_updated_processes() CASCADE;
DROP FUNCTION IF EXISTS count_customers(), count_updated_customers() CASCADE;
DROP FUNCTION IF EXISTS count_audit_logs(), count_updated_audit_logs() CASCADE;
DROP FUNCTION IF EXISTS make_counting_triggers(regclass, text, text [], text [], text);
DROP FUNCTION IF EXISTS listed(text, text []);
SELECT watch_changes('jobs');
SELECT watch_changes('job_steps');
SELECT watch_changes('machines');
SELECT watch_changes('users');
SELECT watch_changes('processes');
SELECT watch_changes('customers');
SELECT watch_changes('audit_logs');
-- The tables these counts are in go with 0008.
SELECT hold_rollups();
DELETE FROM rollups;

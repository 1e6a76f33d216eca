DROP FUNCTION IF EXISTS prune_changes(pg_snapshot);
DROP FUNCTION IF EXISTS watch_changes(regclass);
-- CASCADE: the triggers that watch_changes made.
DROP FUNCTION IF EXISTS note_truncated_table() CASCADE;
DROP FUNCTION IF EXISTS note_changed_tenants() CASCADE;
DROP FUNCTION IF EXISTS note_updated_row() CASCADE;
DROP FUNCTION IF EXISTS note_changed_rows() CASCADE;
DROP TABLE IF EXISTS changes;
DROP POLICY IF EXISTS tenants_upkeep ON tenants;

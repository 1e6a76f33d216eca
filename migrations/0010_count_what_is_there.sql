-- depends: 0009_rollup_triggers
-- The counts of businesses that were there before. Not part of 0009: counting takes a while, and that one holds locks
-- that writers wait for; here they go on.
SELECT rebuild_rollups(t.id) FROM tenants AS t;

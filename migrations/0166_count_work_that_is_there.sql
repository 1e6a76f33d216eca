-- depends: 0165_work_that_is_not_folded
-- Work that was recorded before. It only adds to the counts, so writers and readers do not wait.
SELECT rebuild_rollups(t.id) FROM tenants AS t;

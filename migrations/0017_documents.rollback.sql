ALTER TABLE users DROP COLUMN IF EXISTS active_document_id;
DROP TABLE IF EXISTS documents;
SELECT unwatch_counts('documents');
DROP FUNCTION IF EXISTS unwatch_counts(text);
DROP FUNCTION IF EXISTS watch_counts(regclass, text, text, text);
DROP FUNCTION IF EXISTS rebuild_rollups(bigint);
ALTER FUNCTION rebuild_rollups_and_tell_named_sources(bigint) RENAME TO rebuild_rollups;
DROP FUNCTION IF EXISTS rollup_recount(bigint);
DROP FUNCTION IF EXISTS rollup_recount_of_watched_tables(bigint);
DROP FUNCTION IF EXISTS put_recounts_together();
ALTER FUNCTION rollup_recount_of_named_sources(bigint) RENAME TO rollup_recount;
DROP FUNCTION IF EXISTS rollup_metrics(text, text, bigint, boolean, date, timestamptz, timestamptz, text);
ALTER FUNCTION rollup_metrics_of_named_sources(text, text, bigint, boolean, date, timestamptz, timestamptz, text)
RENAME TO rollup_metrics;

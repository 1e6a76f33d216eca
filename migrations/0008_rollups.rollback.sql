DROP TRIGGER IF EXISTS tenants_count_days ON tenants;
DROP FUNCTION IF EXISTS count_days_anew();
DROP FUNCTION IF EXISTS rebuild_rollups(bigint);
DROP FUNCTION IF EXISTS fold_rollups(integer);
DROP FUNCTION IF EXISTS hold_rollups();
DROP FUNCTION IF EXISTS rollup_differences(bigint);
DROP FUNCTION IF EXISTS rollup_recount(bigint);
DROP FUNCTION IF EXISTS rollup_counts(bigint, text []);
DROP FUNCTION IF EXISTS rollup_images(
    bigint, bigint, timestamptz, date, boolean, text, boolean, bigint, timestamptz, date, boolean, text
);
DROP FUNCTION IF EXISTS rollup_metrics(text, text, bigint, boolean, date, timestamptz, timestamptz, text);
DROP FUNCTION IF EXISTS local_day(timestamptz, text);
DROP TABLE IF EXISTS rollups;
DROP FUNCTION IF EXISTS changes_of_deltas(pg_snapshot);
DROP TABLE IF EXISTS rollup_deltas;

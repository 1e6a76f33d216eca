-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS idx_rollup_deltas_work;

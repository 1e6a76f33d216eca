-- transactional: false
-- depends: 0164_sums_of_work
-- The images of work among all deltas: a board that asks for other counts reads none of them.

-- Serves: work.summary, work.numbers (what is not folded yet)
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_rollup_deltas_work ON rollup_deltas (tenant_id)
WHERE work IS NOT NULL;

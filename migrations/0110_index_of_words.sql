-- transactional: false
-- depends: 0101_machine_stops
-- Serves: fleet.fold_words
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_search_words_row ON search_words (tenant_id, source, row_id);

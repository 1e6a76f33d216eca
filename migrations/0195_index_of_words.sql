-- transactional: false
-- depends: 0151_archived_lists
-- Serves: fleet.fold_words
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_search_words_row ON search_words (tenant_id, source, row_id);

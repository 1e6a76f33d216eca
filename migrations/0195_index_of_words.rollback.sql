-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS idx_search_words_row;

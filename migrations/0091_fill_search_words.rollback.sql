-- The words go with their table.
ANALYZE search_words;

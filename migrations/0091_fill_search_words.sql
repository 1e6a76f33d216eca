-- transactional: false
-- depends: 0090_search_words
-- Records that were there before are found, too. In transactions of their own, so that writers wait for none of it.
CALL fill_search_words();
ANALYZE search_words;

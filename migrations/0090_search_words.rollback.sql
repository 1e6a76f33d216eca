SELECT unwatch_words(t.name)
FROM unnest(ARRAY['jobs', 'customers', 'contacts', 'leads', 'machines', 'processes', 'users', 'documents']) AS t (name);
DROP PROCEDURE fill_search_words();
DROP FUNCTION unwatch_words(text);
DROP FUNCTION watch_words(regclass, text, text, text, text, text []);
DROP FUNCTION search_entries(text, text, text, text);
DROP TABLE search_words;
DROP FUNCTION term_forms(text);
DROP FUNCTION term_patterns(text []);
DROP FUNCTION asked_terms(text);
DROP FUNCTION search_terms(text);

DROP FUNCTION anonymise(text, text, bigint);
DROP FUNCTION remove_traces(bigint, text);
DROP FUNCTION known_texts(bigint, text, bigint, jsonb, text []);
DROP FUNCTION json_without(jsonb, text);
DROP FUNCTION traces_of(text [], text []);
ALTER TABLE customers DROP COLUMN anonymised_at;
ALTER TABLE contacts DROP COLUMN anonymised_at;
ALTER TABLE leads DROP COLUMN anonymised_at;
ALTER TABLE users DROP COLUMN anonymised_at;

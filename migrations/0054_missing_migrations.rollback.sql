DROP FUNCTION IF EXISTS missing_migrations(text []);

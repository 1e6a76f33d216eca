DROP TRIGGER IF EXISTS users_end_password_links ON users;
DROP FUNCTION IF EXISTS end_password_links();
DROP TABLE IF EXISTS password_links;
ALTER TABLE users DROP CONSTRAINT IF EXISTS users_service_password;
ALTER TABLE users DROP COLUMN IF EXISTS is_service;

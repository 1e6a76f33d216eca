-- The two roles and the database, on a server of its own or in the compose file's. Run once, as a superuser:
-- psql reads the passwords from its environment, so that no command line shows them.
--
--   read -rs OPSBOARD_OWNER_PASSWORD; read -rs OPSBOARD_APP_PASSWORD
--   export OPSBOARD_OWNER_PASSWORD OPSBOARD_APP_PASSWORD
--   psql -v ON_ERROR_STOP=1 -f deploy/roles.sql postgres
\set ON_ERROR_STOP 1
\getenv owner_password OPSBOARD_OWNER_PASSWORD
\getenv app_password OPSBOARD_APP_PASSWORD

-- The server's log must not show them either.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;

-- Owns the tables and migrates. Row security binds it too, for every table has it FORCEd.
CREATE ROLE opsboard_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
-- The service. Owns nothing and is a member of nothing.
CREATE ROLE opsboard_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'app_password';

-- A statement that fails (a job number that is taken, say) has customers' data in it. The service writes its own line about
-- each, with the name of the query; the server's log gets the error without the statement.
ALTER ROLE opsboard_app SET log_min_error_statement = 'panic';

CREATE DATABASE opsboard OWNER opsboard_owner TEMPLATE template0 ENCODING 'UTF8';
REVOKE CONNECT ON DATABASE opsboard FROM PUBLIC;
GRANT CONNECT ON DATABASE opsboard TO opsboard_owner, opsboard_app;

\connect opsboard
-- PostgreSQL 14 lets everybody make tables here; from 15 on only the database's owner.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO opsboard_owner;

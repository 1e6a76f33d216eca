-- Who uses Opsboard: businesses (tenants), the people who sign in, and tokens that are no longer good.
--
-- Row security: every table is ENABLEd and FORCEd, so it binds the owner too. A row is visible to a
-- statement that names its tenant in app.tenant_id (set for one transaction by db/tenancy.py).

-- The role the service connects as. Roles belong to the server, not to the database: another database
-- may have made it already, or be making it at this moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'opsboard_app') THEN
        CREATE ROLE opsboard_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'role opsboard_app is missing and this role may not create it'
            USING HINT = 'As an administrator: CREATE ROLE opsboard_app LOGIN NOBYPASSRLS;';
END
$$;

GRANT USAGE ON SCHEMA public TO opsboard_app;

CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END
$$;

CREATE TABLE tenants (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    -- Days and months are cut in this zone.
    time_zone text NOT NULL DEFAULT 'UTC',
    -- A business loaded from old records is looked at as of this day; null: as of now.
    as_of date,
    created_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenants_isolation ON tenants
USING (id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
-- Whoever can name a business by its slug may learn its id: sign-in and the command line start there.
CREATE POLICY tenants_by_slug ON tenants FOR SELECT
USING (slug = (SELECT nullif(current_setting('app.tenant_slug', true), '')));
GRANT SELECT, INSERT, UPDATE ON tenants TO opsboard_app;
-- A new business must be bound, by its id, before its row may be added.
GRANT USAGE ON SEQUENCE tenants_id_seq TO opsboard_app;

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    email text NOT NULL CHECK (email LIKE '%_@_%' AND length(email) <= 254),
    email_search text COLLATE "C" GENERATED ALWAYS AS (lower(email)) STORED,
    full_name text NOT NULL DEFAULT '' CHECK (length(full_name) <= 200),
    full_name_search text COLLATE "C" GENERATED ALWAYS AS (lower(full_name)) STORED,
    role text NOT NULL DEFAULT 'operator' CHECK (role IN ('admin', 'manager', 'operator')),
    is_active boolean NOT NULL DEFAULT true,
    -- argon2id in its encoded form; null: cannot sign in with a password.
    password_hash text,
    -- Part of every token; a higher number here ends the tokens with a lower one.
    token_version integer NOT NULL DEFAULT 1,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT users_email_key UNIQUE (tenant_id, email_search),
    CONSTRAINT users_external_id_key UNIQUE (tenant_id, external_id)
);

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY users_isolation ON users
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
-- Sign-in knows an e-mail address before it knows the tenant.
CREATE POLICY users_sign_in ON users FOR SELECT
USING (email_search = (SELECT lower(nullif(current_setting('app.login_email', true), ''))));
GRANT SELECT, INSERT, UPDATE ON users TO opsboard_app;

CREATE TRIGGER users_touch BEFORE UPDATE ON users
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Tokens that ended before they expired. Each worker reads what became visible since it last looked
-- (xid), whatever order transactions commit in. Holds ids only, and is readable across tenants for that.
CREATE TABLE revocations (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id bigint NOT NULL,
    -- One token (sign-out), or null: all tokens of the user below a version.
    token_id text,
    below_version integer,
    expires_at timestamptz NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
    CHECK ((token_id IS NULL) <> (below_version IS NULL))
);

ALTER TABLE revocations ENABLE ROW LEVEL SECURITY;
ALTER TABLE revocations FORCE ROW LEVEL SECURITY;
CREATE POLICY revocations_isolation ON revocations
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
CREATE POLICY revocations_read ON revocations FOR SELECT USING (true);
GRANT SELECT, INSERT, DELETE ON revocations TO opsboard_app;

-- Serves: fleet.listen
CREATE INDEX idx_revocations_xid ON revocations (xid);
-- Serves: the foreign key
CREATE INDEX idx_revocations_user ON revocations (tenant_id, user_id);

-- A changed role or password, or a blocked user, ends the tokens made before, whoever made the change.
CREATE FUNCTION end_tokens_of_changed_user() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF TG_WHEN = 'BEFORE' THEN
        NEW.token_version := OLD.token_version + 1;
        RETURN NEW;
    END IF;
    INSERT INTO revocations (tenant_id, user_id, below_version, expires_at)
    VALUES (NEW.tenant_id, NEW.id, NEW.token_version, now() + interval '8 days');
    RETURN NULL;
END
$$;

CREATE TRIGGER users_new_token_version BEFORE UPDATE OF role, is_active, password_hash ON users
FOR EACH ROW
WHEN (
    OLD.role <> NEW.role
    OR OLD.is_active <> NEW.is_active
    OR OLD.password_hash IS DISTINCT FROM NEW.password_hash
)
EXECUTE FUNCTION end_tokens_of_changed_user();

CREATE TRIGGER users_revoke_tokens AFTER UPDATE OF role, is_active, password_hash ON users
FOR EACH ROW
WHEN (OLD.token_version <> NEW.token_version)
EXECUTE FUNCTION end_tokens_of_changed_user();

-- depends: 0059_open_leads_of_people
-- People are invited by a link by which they set their password; service accounts are users who never have one.

ALTER TABLE users ADD COLUMN is_service boolean NOT NULL DEFAULT false;
-- A business has few users: the check is done at once.
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE users ADD CONSTRAINT users_service_password CHECK (NOT is_service OR password_hash IS NULL);

-- Links by which somebody sets their password, once: an invitation or a reset. The token of a link is not here: it is a
-- signature over this row's tenant, id and expires_at, made when the link is shown to the admin.
CREATE TABLE password_links (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('invitation', 'reset')),
    -- Null: made by the command line.
    created_by bigint,
    -- Whole seconds, because the token carries it.
    expires_at timestamptz(0) NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);

ALTER TABLE password_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE password_links FORCE ROW LEVEL SECURITY;
CREATE POLICY password_links_isolation ON password_links
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON password_links TO opsboard_app;

-- Serves: uniqueness (one open link of a person)
CREATE UNIQUE INDEX password_links_open_key ON password_links (tenant_id, user_id)
WHERE used_at IS NULL AND revoked_at IS NULL;
-- Serves: the foreign key
CREATE INDEX idx_password_links_user ON password_links (tenant_id, user_id);
-- Serves: the foreign key of who made it
CREATE INDEX idx_password_links_created_by ON password_links (tenant_id, created_by);

SELECT watch_changes('password_links');

-- A password that was set otherwise, or a deactivated user, ends the links made before, by any writer.
CREATE FUNCTION end_password_links() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE public.password_links AS k
    SET revoked_at = now()
    WHERE k.tenant_id = NEW.tenant_id
        AND k.user_id = NEW.id
        AND k.used_at IS NULL
        AND k.revoked_at IS NULL;
    RETURN NULL;
END
$$;

CREATE TRIGGER users_end_password_links AFTER UPDATE OF is_active, password_hash ON users
FOR EACH ROW
WHEN (OLD.is_active AND NOT NEW.is_active OR OLD.password_hash IS DISTINCT FROM NEW.password_hash)
EXECUTE FUNCTION end_password_links();

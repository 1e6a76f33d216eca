-- depends: 0029_more_counts
-- Removing a user, or a business with its users, ends their tokens on every worker, as deactivating does.

-- The row that ends a token has to outlive the user and the business that it names.
-- squawk-ignore ban-drop-constraint
ALTER TABLE revocations DROP CONSTRAINT revocations_tenant_id_user_id_fkey;
-- squawk-ignore ban-drop-constraint
ALTER TABLE revocations DROP CONSTRAINT revocations_tenant_id_fkey;
-- Serves: auth.check_token
COMMENT ON INDEX idx_revocations_user IS 'Finds the ends of one user''s tokens.';
-- The functions below, and those that remove old rows, run as this role.
CREATE POLICY revocations_upkeep ON revocations TO CURRENT_USER USING (true) WITH CHECK (true);

CREATE FUNCTION end_tokens_of_removed_users() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.revocations (tenant_id, user_id, below_version, expires_at)
    SELECT
        u.tenant_id,
        u.id,
        u.token_version + 1,
        now() + interval '8 days'
    FROM removed_users AS u;
    RETURN NULL;
END
$$;

CREATE TRIGGER users_removed AFTER DELETE ON users
REFERENCING OLD TABLE AS removed_users
FOR EACH STATEMENT EXECUTE FUNCTION end_tokens_of_removed_users();

-- A user that is moved has another id to their tokens: tenant and id together.
CREATE FUNCTION end_tokens_of_moved_user() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.revocations (tenant_id, user_id, below_version, expires_at)
    VALUES (OLD.tenant_id, OLD.id, OLD.token_version + 1, now() + interval '8 days');
    RETURN NULL;
END
$$;

CREATE TRIGGER users_moved AFTER UPDATE OF tenant_id, id ON users
FOR EACH ROW
WHEN (OLD.tenant_id <> NEW.tenant_id OR OLD.id <> NEW.id)
EXECUTE FUNCTION end_tokens_of_moved_user();

-- TRUNCATE has no old rows to look at afterwards, so they are read before. This role sees the users of one business at
-- a time, as everybody does.
CREATE FUNCTION end_tokens_of_truncated_users() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bound constant text := coalesce(current_setting('app.tenant_id', true), '');
    business bigint;
BEGIN
    FOR business IN SELECT t.id FROM public.tenants AS t LOOP
        PERFORM set_config('app.tenant_id', business::text, true);
        INSERT INTO public.revocations (tenant_id, user_id, below_version, expires_at)
        SELECT
            u.tenant_id,
            u.id,
            u.token_version + 1,
            now() + interval '8 days'
        FROM public.users AS u
        WHERE u.tenant_id = business;
    END LOOP;
    PERFORM set_config('app.tenant_id', bound, true);
    RETURN NULL;
END
$$;

CREATE TRIGGER users_truncated BEFORE TRUNCATE ON users
FOR EACH STATEMENT EXECUTE FUNCTION end_tokens_of_truncated_users();

REVOKE ALL ON FUNCTION end_tokens_of_removed_users() FROM PUBLIC;
REVOKE ALL ON FUNCTION end_tokens_of_moved_user() FROM PUBLIC;
REVOKE ALL ON FUNCTION end_tokens_of_truncated_users() FROM PUBLIC;

-- depends: 0046_tokens_of_removed_users
-- Failed sign-ins of the last minutes, counted for all workers together. A row stands for an account, or for an account and
-- where somebody tried from; both are digests, so that the table names nobody. Belongs to no business: before sign-in there
-- is none.
--
-- Unlogged: half the cost, and a crash forgets a few minutes of failures.
CREATE UNLOGGED TABLE sign_in_attempts (
    -- Digest of the account, or of account and place.
    key text PRIMARY KEY CHECK (length(key) <= 64),
    failures integer NOT NULL,
    -- Then it counts anew.
    ends_at timestamptz NOT NULL,
    -- Tells if somebody was refused in this time, which is noted once.
    is_refused boolean NOT NULL DEFAULT false
)
WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

ALTER TABLE sign_in_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY sign_in_attempts_all ON sign_in_attempts USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_attempts TO opsboard_app;

-- Serves: fleet.prune_sign_ins
CREATE INDEX idx_sign_in_attempts_end ON sign_in_attempts (ends_at);

-- Remove what has ended: counts of attempts, and the ends of tokens that expired long ago, of removed businesses too.
CREATE FUNCTION prune_sign_ins(most integer) RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    pruned bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(1869640546, 46) THEN
        RETURN NULL;
    END IF;
    DELETE FROM public.sign_in_attempts AS a
    WHERE a.key IN (
        SELECT o.key
        FROM public.sign_in_attempts AS o
        WHERE o.ends_at < now()
        ORDER BY o.ends_at
        LIMIT most
    );
    GET DIAGNOSTICS pruned = ROW_COUNT;
    DELETE FROM public.revocations AS r
    WHERE r.expires_at < now() - interval '1 day';
    RETURN pruned;
END
$$;

REVOKE ALL ON FUNCTION prune_sign_ins(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_sign_ins(integer) TO opsboard_app;

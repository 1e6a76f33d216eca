-- depends: 0010_count_what_is_there
-- Answers of writes that came with an Idempotency-Key, kept for a day. The row is made in the transaction of the write
-- itself, so there are both or neither, and who sends the same key at the same moment waits for it to end.
--
-- Not watched (see watch_changes): nothing that is kept is made from it.

CREATE TABLE idempotency_keys (
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id bigint NOT NULL,
    key text NOT NULL CHECK (key <> '' AND length(key) <= 255),
    -- Digest of method, address and body: the same key with another request is refused.
    fingerprint text NOT NULL,
    -- The answer; null only inside the transaction that makes it.
    status integer,
    body text,
    location text,
    media_type text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id, key),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
)
-- Room on each page, so that the answer finds place beside its key and no index is touched.
WITH (fillfactor = 70);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY idempotency_keys_isolation ON idempotency_keys
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
-- The function below runs as this role.
CREATE POLICY idempotency_keys_upkeep ON idempotency_keys TO CURRENT_USER USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON idempotency_keys TO opsboard_app;

-- Serves: fleet.prune_idempotency_keys
CREATE INDEX idx_idempotency_keys_created ON idempotency_keys (tenant_id, created_at);

-- Remove keys that are older than a day, at most so many; how many, or null when another worker is at it.
CREATE FUNCTION prune_idempotency_keys(most integer) RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    pruned bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(1869640546, 5) THEN
        RETURN NULL;
    END IF;
    DELETE FROM public.idempotency_keys AS k
    USING (
        SELECT
            o.tenant_id,
            o.user_id,
            o.key
        FROM public.tenants AS t
        CROSS JOIN LATERAL (
            SELECT
                i.tenant_id,
                i.user_id,
                i.key
            FROM public.idempotency_keys AS i
            WHERE i.tenant_id = t.id
                -- Not clock_timestamp(): it is another at each row, so that no index could end the search.
                AND i.created_at < now() - interval '24 hours'
            ORDER BY i.created_at
            LIMIT most
        ) AS o
        LIMIT most
    ) AS old
    WHERE k.tenant_id = old.tenant_id
        AND k.user_id = old.user_id
        AND k.key = old.key;
    GET DIAGNOSTICS pruned = ROW_COUNT;
    RETURN pruned;
END
$$;

REVOKE ALL ON FUNCTION prune_idempotency_keys(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_idempotency_keys(integer) TO opsboard_app;

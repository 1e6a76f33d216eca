-- depends: 0006_changes
-- What the workers of all machines tell each other. Numbers and names of endpoints only, nothing of any business.

-- The last word of each worker; lost in a crash of the server and told anew within a second.
CREATE UNLOGGED TABLE workers (
    id text PRIMARY KEY,
    machine text NOT NULL,
    pid integer NOT NULL,
    started_at timestamptz NOT NULL,
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The last clear of the cache that it has obeyed.
    cleared_to bigint NOT NULL DEFAULT 0,
    report jsonb NOT NULL
);

ALTER TABLE workers ENABLE ROW LEVEL SECURITY;
ALTER TABLE workers FORCE ROW LEVEL SECURITY;
CREATE POLICY workers_all ON workers USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON workers TO opsboard_app;

-- Orders to drop kept answers; each worker obeys what it has not seen yet.
CREATE TABLE cache_clears (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Null: everything.
    prefix text CHECK (length(prefix) <= 100),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    ordered_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE cache_clears ENABLE ROW LEVEL SECURITY;
ALTER TABLE cache_clears FORCE ROW LEVEL SECURITY;
CREATE POLICY cache_clears_all ON cache_clears USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON cache_clears TO opsboard_app;

-- Serves: fleet.listen
CREATE INDEX idx_cache_clears_xid ON cache_clears (xid);

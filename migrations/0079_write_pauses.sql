-- depends: 0069_own_fields_everywhere
-- Maintenance mode: while there is a row, the workers of all machines refuse writes. Like workers it belongs to no business.

CREATE TABLE write_pauses (
    -- One pause at most.
    id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    -- Seconds until a client should try again.
    retry_after integer NOT NULL CHECK (retry_after BETWEEN 1 AND 86400),
    -- For people; may be empty.
    reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 200),
    began_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE write_pauses ENABLE ROW LEVEL SECURITY;
ALTER TABLE write_pauses FORCE ROW LEVEL SECURITY;
CREATE POLICY write_pauses_all ON write_pauses USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON write_pauses TO opsboard_app;

-- depends: 0060_people
-- Where somebody is signed in. A row is for people to look at and to end: whether a token is valid is decided by its
-- signature and by `revocations`, as before. The last use is written once a minute, not with each request.

CREATE TABLE sessions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id bigint NOT NULL,
    -- The id in every token of the session; a renewed token keeps it.
    token_id text NOT NULL CHECK (token_id <> '' AND length(token_id) <= 100),
    token_version integer NOT NULL,
    device text NOT NULL DEFAULT '' CHECK (length(device) <= 300),
    address text NOT NULL DEFAULT '' CHECK (length(address) <= 100),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    -- Of its latest token.
    expires_at timestamptz NOT NULL,
    -- No token of the session is valid after this.
    ends_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT sessions_token_key UNIQUE (tenant_id, token_id),
    -- A user who is moved takes the rows along; their tokens end.
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY sessions_isolation ON sessions
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO opsboard_app;

-- Serves: the foreign key
CREATE INDEX idx_sessions_user ON sessions (tenant_id, user_id);

-- depends: 0061_sessions
-- Tokens for programs: of a user or a service account, for some of what they may do, until a day. The token itself is not
-- here, only its hash and its public part.

CREATE TABLE api_tokens (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id bigint NOT NULL,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    scopes text [] NOT NULL CHECK (
        cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'write', 'health', 'metrics']
    ),
    -- The token without its signature: tells tokens apart and opens nothing.
    hint text NOT NULL CHECK (length(hint) <= 100),
    -- SHA-256 of the whole token.
    token_hash text NOT NULL CHECK (length(token_hash) = 64),
    -- Null: made by the command line.
    created_by bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    -- Written once a minute, not with each request.
    last_used_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT api_tokens_hint_key UNIQUE (tenant_id, hint),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);

ALTER TABLE api_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY api_tokens_isolation ON api_tokens
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON api_tokens TO opsboard_app;

-- Serves: tokens.list_tokens (of a business)
CREATE INDEX idx_api_tokens_created ON api_tokens (tenant_id, created_at, id);
-- Serves: tokens.list_tokens (of a user), and the foreign key
CREATE INDEX idx_api_tokens_user ON api_tokens (tenant_id, user_id, created_at, id);
-- Serves: the foreign key of who made it
CREATE INDEX idx_api_tokens_created_by ON api_tokens (tenant_id, created_by);

SELECT watch_changes('api_tokens');

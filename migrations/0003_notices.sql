-- depends: 0002_shop
-- What people are told, and what they did.

CREATE TABLE notifications (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind <> '' AND length(kind) <= 50),
    title text NOT NULL CHECK (title <> '' AND length(title) <= 200),
    body text CHECK (length(body) <= 2000),
    link text CHECK (length(link) <= 500),
    read_at timestamptz,
    -- What it is counted by (see 0029).
    state text NOT NULL GENERATED ALWAYS AS (CASE WHEN read_at IS NULL THEN 'unread' ELSE 'read' END) STORED,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE notifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE notifications FORCE ROW LEVEL SECURITY;
CREATE POLICY notifications_isolation ON notifications
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE ON notifications TO opsboard_app;

-- Append-only: the service may add rows and read them, nothing else.
CREATE TABLE audit_logs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- Null: done by the command line.
    user_id bigint,
    action text NOT NULL CHECK (action <> '' AND length(action) <= 50),
    entity text NOT NULL CHECK (entity <> '' AND length(entity) <= 50),
    entity_id bigint,
    -- The changed columns: {"status": ["draft", "active"]}.
    changes jsonb NOT NULL DEFAULT '{}',
    request_id text,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_logs_isolation ON audit_logs
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT ON audit_logs TO opsboard_app;

-- What a change changed: {"status": ["draft", "active"]}, the old value and the new. Columns that only follow
-- others are left out.
CREATE FUNCTION changed_columns(before jsonb, after jsonb) RETURNS jsonb
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_object_agg(k.key, jsonb_build_array(before -> k.key, after -> k.key)), '{}')
    FROM jsonb_object_keys(after) AS k (key)
    WHERE before -> k.key IS DISTINCT FROM after -> k.key
        AND k.key <> 'updated_at'
        AND right(k.key, 7) <> '_search'
$$;
GRANT EXECUTE ON FUNCTION changed_columns(jsonb, jsonb) TO opsboard_app;

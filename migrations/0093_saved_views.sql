-- depends: 0092_anonymise
-- The address of a list (filters, sort, columns) under a name: of one person, or shown to everybody.

CREATE TABLE saved_views (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id bigint NOT NULL,
    -- The list: the path of its page, such as jobs or jobs/at-risk.
    area text NOT NULL CHECK (area <> '' AND length(area) <= 50),
    name text NOT NULL COLLATE "C" CHECK (name <> '' AND length(name) <= 100),
    -- The query string of its address, without the question mark.
    query text NOT NULL DEFAULT '' CHECK (length(query) <= 2000),
    is_shared boolean NOT NULL DEFAULT false,
    -- Shown when the list is opened without filters.
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT saved_views_name_key UNIQUE (tenant_id, user_id, area, name),
    CONSTRAINT saved_views_user_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE saved_views ENABLE ROW LEVEL SECURITY;
ALTER TABLE saved_views FORCE ROW LEVEL SECURITY;
CREATE POLICY saved_views_isolation ON saved_views
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON saved_views TO opsboard_app;

CREATE TRIGGER saved_views_touch BEFORE UPDATE ON saved_views
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: saved_views.list_saved_views
CREATE INDEX idx_saved_views_name ON saved_views (tenant_id, name, id);
-- Serves: uniqueness (one default of a person for each list)
CREATE UNIQUE INDEX saved_views_default_key ON saved_views (tenant_id, user_id, area) WHERE is_default;

SELECT watch_changes('saved_views');

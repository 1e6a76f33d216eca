-- depends: 0076_operation_numbers
-- Alerts of the whole service and the checks that some of them are about. Like workers they belong to no business: rules,
-- numbers and names of endpoints and queries; of a business and of a person the id.
CREATE TABLE alerts (
    rule text NOT NULL CHECK (rule <> '' AND length(rule) <= 100),
    -- Its subject, if the rule is about several: a worker, an endpoint, the id of a business.
    subject text NOT NULL CHECK (length(subject) <= 200),
    value double precision,
    -- Seconds its condition has to hold before it fires.
    lasts double precision NOT NULL,
    -- Since when the condition holds; null: it does not.
    began_at timestamptz,
    -- Null: it does not fire.
    fired_at timestamptz,
    cleared_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by bigint,
    silenced_until timestamptz,
    PRIMARY KEY (rule, subject)
)
WITH (fillfactor = 70);
ALTER TABLE alerts ENABLE ROW LEVEL SECURITY;
ALTER TABLE alerts FORCE ROW LEVEL SECURITY;
CREATE POLICY alerts_all ON alerts USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON alerts TO opsboard_app;

-- Results of what is looked at rarely, because it takes long: the recount of a business, the certificate of PUBLIC_URL.
CREATE TABLE checks (
    name text PRIMARY KEY CHECK (name <> '' AND length(name) <= 100),
    value double precision NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE checks ENABLE ROW LEVEL SECURITY;
ALTER TABLE checks FORCE ROW LEVEL SECURITY;
CREATE POLICY checks_all ON checks USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON checks TO opsboard_app;

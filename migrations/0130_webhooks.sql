-- depends: 0101_machine_stops
-- Webhooks and mail: who is told about what, and the outbox of everything that is to be sent.

CREATE TABLE webhooks (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- https:, http: or mailto:
    url text NOT NULL CHECK (url <> '' AND length(url) <= 2000),
    description text CHECK (length(description) <= 200),
    -- Types of events; empty: all.
    events text [] NOT NULL DEFAULT '{}',
    is_active boolean NOT NULL DEFAULT true,
    -- The secret itself is stored nowhere: it is derived from SECRET_KEY and this.
    secret_id text NOT NULL CHECK (length(secret_id) <= 100),
    old_secret_id text CHECK (length(old_secret_id) <= 100),
    -- Until then deliveries are signed with the old secret, too.
    old_secret_until timestamptz,
    -- Attempts that failed since the last success, and until when it is left alone for that.
    failures integer NOT NULL DEFAULT 0,
    rests_until timestamptz NOT NULL DEFAULT '-infinity',
    created_by bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT webhooks_created_by_fkey FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);

ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhooks FORCE ROW LEVEL SECURITY;
CREATE POLICY webhooks_isolation ON webhooks
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
-- The functions below run as this role.
CREATE POLICY webhooks_upkeep ON webhooks FOR SELECT TO CURRENT_USER USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks TO opsboard_app;

-- Not of what deliveries change: an admin who edits a webhook that fails holds its present ETag.
CREATE TRIGGER webhooks_touch BEFORE UPDATE OF url, description, events, is_active, secret_id ON webhooks
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: webhooks.list_webhooks
CREATE INDEX idx_webhooks_created_at ON webhooks (tenant_id, created_at, id);
-- Serves: the foreign key of who made it
CREATE INDEX idx_webhooks_created_by ON webhooks (tenant_id, created_by);

SELECT watch_changes('webhooks');

-- The outbox: one row for each event and each webhook that wants it, and for each letter of the service itself, written
-- in the transaction of the change that it tells of.
CREATE TABLE deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- Null: a letter to a person, such as an invitation.
    webhook_id bigint,
    -- Deliveries of one lane and one subject are sent in the order of their ids.
    lane bigint GENERATED ALWAYS AS (coalesce(webhook_id, 0)) STORED,
    -- The same for every delivery of an event: a receiver drops doubles by it.
    event_id text NOT NULL CHECK (event_id <> '' AND length(event_id) <= 100),
    event_type text NOT NULL CHECK (event_type <> '' AND length(event_type) <= 100),
    subject text NOT NULL CHECK (subject <> '' AND length(subject) <= 300),
    -- The body as it is sent and signed, to the byte.
    body text NOT NULL,
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    -- The next attempt. While one is under way: when another may be made, because nothing was heard of that one.
    due_at timestamptz NOT NULL DEFAULT now(),
    -- Since when an attempt is under way.
    claimed_at timestamptz,
    -- The last attempt is made then.
    expires_at timestamptz NOT NULL DEFAULT now() + interval '3 days',
    last_status integer,
    last_error text CHECK (length(last_error) <= 1000),
    -- Of each attempt: at, status, error, milliseconds, response.
    attempt_log jsonb NOT NULL DEFAULT '[]',
    replay_of bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT deliveries_finished CHECK ((status = 'waiting') = (finished_at IS NULL)),
    CONSTRAINT deliveries_webhook_fkey FOREIGN KEY (tenant_id, webhook_id)
    REFERENCES webhooks (tenant_id, id) ON DELETE CASCADE
)
WITH (fillfactor = 80);

ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY deliveries_isolation ON deliveries
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
CREATE POLICY deliveries_upkeep ON deliveries TO CURRENT_USER USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON deliveries TO opsboard_app;

-- Serves: webhooks.list_deliveries (newest first)
CREATE INDEX idx_deliveries_created_at ON deliveries (tenant_id, created_at, id);
-- Serves: webhooks.list_deliveries (of one webhook), the foreign key of the webhook
CREATE INDEX idx_deliveries_webhook ON deliveries (tenant_id, webhook_id, created_at, id);
-- Serves: webhooks.list_deliveries (in one state)
CREATE INDEX idx_deliveries_status ON deliveries (tenant_id, status, created_at, id);
-- Serves: webhooks.claim (what is due), businesses_with_deliveries()
CREATE INDEX idx_deliveries_due ON deliveries (tenant_id, lane, due_at, id) WHERE status = 'waiting';
-- Serves: webhooks.claim and webhooks.finish (what stands before and behind it)
CREATE INDEX idx_deliveries_subject ON deliveries (tenant_id, lane, subject, id) WHERE status = 'waiting';
-- Serves: uniqueness (one digest of a day)
CREATE UNIQUE INDEX deliveries_digest_key ON deliveries (tenant_id, lane, subject)
WHERE event_type = 'board.digest' AND replay_of IS NULL;

SELECT watch_counts('deliveries', 'status', NULL, NULL);

-- The worker sends for every business and must know which have something due; ids only.
CREATE FUNCTION businesses_with_deliveries() RETURNS SETOF bigint
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.id
    FROM public.tenants AS t
    WHERE EXISTS (
        SELECT
        FROM public.deliveries AS d
        WHERE d.tenant_id = t.id
            AND d.status = 'waiting'
            AND d.due_at <= now()
    )
    ORDER BY t.id
$$;
REVOKE ALL ON FUNCTION businesses_with_deliveries() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION businesses_with_deliveries() TO opsboard_app;

-- Businesses that want the digest of today (in their own time, from an hour on) and have none yet.
CREATE FUNCTION businesses_without_digest(from_hour integer) RETURNS TABLE (tenant_id bigint, today date)
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT DISTINCT
        t.id,
        (now() AT TIME ZONE t.time_zone)::date
    FROM public.tenants AS t
    JOIN public.webhooks AS w ON w.tenant_id = t.id
    WHERE w.is_active
        AND (w.events = '{}' OR 'board.digest' = ANY(w.events))
        AND extract(hour FROM now() AT TIME ZONE t.time_zone) >= from_hour
        AND NOT EXISTS (
            SELECT
            FROM public.deliveries AS d
            WHERE d.tenant_id = w.tenant_id
                AND d.lane = w.id
                AND d.subject = 'board/' || (now() AT TIME ZONE t.time_zone)::date
                AND d.event_type = 'board.digest'
                AND d.replay_of IS NULL
        )
$$;
REVOKE ALL ON FUNCTION businesses_without_digest(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION businesses_without_digest(integer) TO opsboard_app;

-- Deliveries that ended so many days ago are removed, at most so many at once.
CREATE FUNCTION prune_deliveries(most integer, days integer) RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    pruned bigint;
BEGIN
    DELETE FROM public.deliveries AS d
    USING (
        SELECT
            o.tenant_id,
            o.id
        FROM public.tenants AS t
        CROSS JOIN LATERAL (
            SELECT
                c.tenant_id,
                c.id
            FROM public.deliveries AS c
            WHERE c.tenant_id = t.id
                AND c.created_at < now() - days * interval '24 hours'
                AND (c.status <> 'waiting' OR c.expires_at < now() - interval '24 hours')
            ORDER BY
                c.created_at,
                c.id
            LIMIT most
            FOR UPDATE SKIP LOCKED
        ) AS o
        LIMIT most
    ) AS old
    WHERE d.tenant_id = old.tenant_id
        AND d.id = old.id;
    GET DIAGNOSTICS pruned = ROW_COUNT;
    RETURN pruned;
END
$$;
REVOKE ALL ON FUNCTION prune_deliveries(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_deliveries(integer, integer) TO opsboard_app;

-- Tell the businesses that run the service that an alert fires or is over; called in the transaction that stores it.
-- Without a list of them it is the only business there is.
CREATE FUNCTION publish_alert(operators bigint [], told_type text, told_subject text, told json) RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    published bigint;
BEGIN
    WITH told_to AS (
        SELECT t.id
        FROM public.tenants AS t
        WHERE t.id = ANY(operators)
            OR operators = '{}' AND (SELECT count(*) FROM public.tenants) = 1
    ),
    event AS MATERIALIZED (
        SELECT 'evt_' || gen_random_uuid() AS id
    )
    INSERT INTO public.deliveries (tenant_id, webhook_id, event_id, event_type, subject, body)
    SELECT
        w.tenant_id,
        w.id,
        e.id,
        told_type,
        told_subject,
        json_build_object('type', told_type, 'id', e.id, 'timestamp', now(), 'data', told)::text
    FROM told_to AS t
    JOIN public.webhooks AS w ON w.tenant_id = t.id
    CROSS JOIN event AS e
    WHERE w.is_active
        AND (w.events = '{}' OR told_type = ANY(w.events));
    GET DIAGNOSTICS published = ROW_COUNT;
    RETURN published;
END
$$;
REVOKE ALL ON FUNCTION publish_alert(bigint [], text, text, json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION publish_alert(bigint [], text, text, json) TO opsboard_app;

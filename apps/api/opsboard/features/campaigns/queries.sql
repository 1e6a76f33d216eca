-- constraint campaign_recipients_lead_fkey: There is no such lead (lead_id).

-- fragment: campaign_members
        'id', c.id,
        'name', c.name,
        'channel', c.channel,
        'status', c.status,
        'scheduled_at', c.scheduled_at,
        'started_at', c.started_at,
        'completed_at', c.completed_at,
        'own_fields', c.own_fields,
        'created_at', c.created_at,
        'updated_at', c.updated_at

-- fragment: people
-- People who had an event of the kind.
                'sent', coalesce(sum(m.sent_people), 0),
                'delivered', coalesce(sum(m.delivered_people), 0),
                'opened', coalesce(sum(m.opened_people), 0),
                'clicked', coalesce(sum(m.clicked_people), 0),
                'converted', coalesce(sum(m.converted_people), 0),
                'bounced', coalesce(sum(m.bounced_people), 0),
                'unsubscribed', coalesce(sum(m.unsubscribed_people), 0)

-- fragment: events
                'sent', coalesce(sum(m.sent), 0),
                'delivered', coalesce(sum(m.delivered), 0),
                'opened', coalesce(sum(m.opened), 0),
                'clicked', coalesce(sum(m.clicked), 0),
                'converted', coalesce(sum(m.converted), 0),
                'bounced', coalesce(sum(m.bounced), 0),
                'unsubscribed', coalesce(sum(m.unsubscribed), 0)

-- name: list_campaigns
-- reads: campaigns, tenants
-- from: campaigns AS c
-- filter status: c.status = ANY(%(status)s)
-- sort created_at: c.created_at | timestamptz
-- total: campaigns
-- total status: campaigns | c.label = ANY(%(status)s)
-- Campaigns.
SELECT
    page.position,
    json_build_object(
        /* include campaign_members */
    ) AS item
FROM page
JOIN campaigns AS c ON c.tenant_id = %(tenant_id)s AND c.id = page.id

-- name: list_active
-- reads: campaigns, tenants
-- from: campaigns AS c
-- filter active: c.status IN ('scheduled', 'running')
-- sort created_at: c.created_at | timestamptz
-- total active: campaigns | c.label IN ('scheduled', 'running')
-- Campaigns that are scheduled or running.
SELECT
    page.position,
    json_build_object(
        /* include campaign_members */
    ) AS item
FROM page
JOIN campaigns AS c ON c.tenant_id = %(tenant_id)s AND c.id = page.id

-- name: get_campaign
-- reads: campaigns, campaign_metrics, campaign_recipients, tenants
-- locks: campaigns AS k | k.tenant_id = %(tenant_id)s AND k.id = %(campaign_id)s
-- One campaign with how many people had an event of each kind, how many events there were, and how many recipients have
-- each status, as the list of recipients counts them.
SELECT json_build_object(
        /* include campaign_members */,
        'totals', (
            SELECT json_build_object(
                /* include people */
            )
            FROM campaign_metrics AS m
            WHERE m.tenant_id = %(tenant_id)s
                AND m.campaign_id = c.id
        ),
        'events', (
            SELECT json_build_object(
                /* include events */
            )
            FROM campaign_metrics AS m
            WHERE m.tenant_id = %(tenant_id)s
                AND m.campaign_id = c.id
        ),
        'recipients', (
            SELECT json_object_agg(k.status, coalesce(n.n, 0) ORDER BY k.place)
            FROM unnest(
                ARRAY['pending', 'sent', 'delivered', 'opened', 'clicked', 'converted', 'bounced', 'unsubscribed']
            ) WITH ORDINALITY AS k (status, place)
            LEFT JOIN (
                SELECT
                    x.label,
                    sum(x.n) AS n
                FROM rollup_counts(%(tenant_id)s, ARRAY['campaign_recipients']) AS x
                WHERE x.subject = c.id
                GROUP BY x.label
            ) AS n ON n.label = k.status
        )
)::text
FROM campaigns AS c
WHERE c.tenant_id = %(tenant_id)s
    AND c.id = %(campaign_id)s

-- name: get_metrics
-- reads: campaigns, campaign_metrics, tenants
-- The number of people who had their first event of each kind on each day of a range (the last 30 days when none is
-- given), and in all; and the number of events.
WITH clock AS (
    SELECT coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date) AS today
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
),
m AS MATERIALIZED (
    SELECT
        n.date,
        n.sent,
        n.delivered,
        n.opened,
        n.clicked,
        n.converted,
        n.bounced,
        n.unsubscribed,
        n.sent_people,
        n.delivered_people,
        n.opened_people,
        n.clicked_people,
        n.converted_people,
        n.bounced_people,
        n.unsubscribed_people
    FROM campaign_metrics AS n
    WHERE n.tenant_id = %(tenant_id)s
        AND n.campaign_id = %(campaign_id)s
        AND n.date >= coalesce(%(date_from)s::date, (SELECT today - 29 FROM clock))
        AND n.date <= coalesce(%(date_to)s::date, (SELECT today FROM clock))
)
SELECT json_build_object(
        'campaign', json_build_object('id', c.id, 'name', c.name),
        'date_from', coalesce(%(date_from)s::date, k.today - 29),
        'date_to', coalesce(%(date_to)s::date, k.today),
        'totals', (
            SELECT json_build_object(
                /* include people */
            )
            FROM m
        ),
        'events', (
            SELECT json_build_object(
                /* include events */
            )
            FROM m
        ),
        'days', (
            SELECT coalesce(
                json_agg(
                    json_build_object(
                        'date', m.date,
                        'sent', m.sent_people,
                        'delivered', m.delivered_people,
                        'opened', m.opened_people,
                        'clicked', m.clicked_people,
                        'converted', m.converted_people,
                        'bounced', m.bounced_people,
                        'unsubscribed', m.unsubscribed_people,
                        'events', json_build_object(
                            'sent', m.sent,
                            'delivered', m.delivered,
                            'opened', m.opened,
                            'clicked', m.clicked,
                            'converted', m.converted,
                            'bounced', m.bounced,
                            'unsubscribed', m.unsubscribed
                        )
                    )
                    ORDER BY m.date
                ),
                '[]'
            )
            FROM m
        )
)::text
FROM campaigns AS c
CROSS JOIN clock AS k
WHERE c.tenant_id = %(tenant_id)s
    AND c.id = %(campaign_id)s

-- name: list_recipients
-- reads: campaign_recipients, campaigns, campaign_tracking_events, leads, suppressions, tenants
-- from: campaign_recipients AS r
-- within: campaigns AS w | w.id = %(campaign_id)s
-- filter campaign_id: r.campaign_id = %(campaign_id)s
-- filter status: r.status = ANY(%(status)s)
-- sort created_at: r.created_at | timestamptz
-- total campaign_id: campaign_recipients | c.day = '-infinity' AND c.subject = %(campaign_id)s
-- total campaign_id,status: campaign_recipients | c.day = '-infinity' AND c.subject = %(campaign_id)s AND c.label = ANY(%(status)s)
-- Recipients of a campaign, each with the campaign and the last events of their message.
SELECT
    page.position,
    json_build_object(
        'id', r.id,
        'campaign', json_build_object('id', c.id, 'name', c.name, 'channel', c.channel, 'status', c.status),
        'address', CASE WHEN /* include sees_addresses */ THEN r.address END,
        'name', r.name,
        'segment', r.segment,
        'status', r.status,
        'suppressed', s.reason,
        'lead', CASE WHEN l.id IS NOT NULL THEN json_build_object('id', l.id, 'name', l.name) END,
        'events', t.events,
        'own_fields', CASE WHEN /* include sees_addresses */ THEN r.own_fields END,
        'created_at', r.created_at,
        'updated_at', r.updated_at
    ) AS item
FROM page
JOIN campaign_recipients AS r ON r.tenant_id = %(tenant_id)s AND r.id = page.id
LEFT JOIN campaigns AS c ON c.tenant_id = %(tenant_id)s AND c.id = r.campaign_id
LEFT JOIN leads AS l ON l.tenant_id = %(tenant_id)s AND l.id = r.lead_id
LEFT JOIN suppressions AS s ON s.tenant_id = %(tenant_id)s AND s.channel = c.channel AND s.address_search = r.address_search
CROSS JOIN LATERAL (
    SELECT coalesce(
        json_agg(
            json_build_object('id', e.id, 'kind', e.kind, 'occurred_at', e.occurred_at)
            ORDER BY e.occurred_at DESC, e.id DESC
        ),
        '[]'
    ) AS events
    FROM (
        SELECT
            v.id,
            v.kind,
            v.occurred_at
        FROM campaign_tracking_events AS v
        WHERE v.tenant_id = %(tenant_id)s
            AND v.recipient_id = r.id
        ORDER BY
            v.occurred_at DESC,
            v.id DESC
        LIMIT %(events)s
    ) AS e
) AS t

-- name: list_active_recipients
-- reads: campaign_recipients, campaigns, leads, suppressions, tenants
-- from: campaign_recipients AS r
-- filter active: r.campaign_id = ANY(ARRAY(SELECT k.id FROM campaigns AS k WHERE k.tenant_id = %(tenant_id)s AND k.status IN ('scheduled', 'running')))
-- filter status: r.status = ANY(%(status)s)
-- sort updated_at: r.updated_at | timestamptz
-- total active: campaign_recipients | c.day = '-infinity' AND c.subject = ANY(ARRAY(SELECT k.id FROM campaigns AS k WHERE k.tenant_id = %(tenant_id)s AND k.status IN ('scheduled', 'running')))
-- total active,status: campaign_recipients | c.day = '-infinity' AND c.subject = ANY(ARRAY(SELECT k.id FROM campaigns AS k WHERE k.tenant_id = %(tenant_id)s AND k.status IN ('scheduled', 'running'))) AND c.label = ANY(%(status)s)
-- Recipients of all campaigns that are scheduled or running.
SELECT
    page.position,
    json_build_object(
        'id', r.id,
        'campaign', json_build_object('id', c.id, 'name', c.name),
        'address', CASE WHEN /* include sees_addresses */ THEN r.address END,
        'name', r.name,
        'segment', r.segment,
        'status', r.status,
        'suppressed', s.reason,
        'lead', CASE WHEN l.id IS NOT NULL THEN json_build_object('id', l.id, 'name', l.name) END,
        'own_fields', CASE WHEN /* include sees_addresses */ THEN r.own_fields END,
        'created_at', r.created_at,
        'updated_at', r.updated_at
    ) AS item
FROM page
JOIN campaign_recipients AS r ON r.tenant_id = %(tenant_id)s AND r.id = page.id
LEFT JOIN campaigns AS c ON c.tenant_id = %(tenant_id)s AND c.id = r.campaign_id
LEFT JOIN leads AS l ON l.tenant_id = %(tenant_id)s AND l.id = r.lead_id
LEFT JOIN suppressions AS s ON s.tenant_id = %(tenant_id)s AND s.channel = c.channel AND s.address_search = r.address_search

-- name: create_campaign
-- writes: campaigns, audit_logs
-- Make a campaign; only the name is needed.
WITH c AS (
    INSERT INTO campaigns (tenant_id, name, channel, status, scheduled_at, started_at, completed_at)
    VALUES (
        %(tenant_id)s,
        %(name)s,
        %(channel)s,
        %(status)s,
        %(scheduled_at)s::timestamptz,
        CASE WHEN %(status)s IN ('running', 'paused', 'completed') THEN now() END,
        CASE WHEN %(status)s = 'completed' THEN now() END
    )
    RETURNING id, name, channel, status, scheduled_at, started_at, completed_at, own_fields, created_at, updated_at
),
/* include audited_create campaign c name */
SELECT
    json_build_object(
        /* include campaign_members */
    )::text,
    c.id,
    NULL AS problem,
    NULL AS detail
FROM c

-- name: update_campaign
-- writes: campaigns, audit_logs
-- Change some columns of a campaign; its times of start and completion follow its status.
WITH before AS (
    SELECT
        c.id,
        c AS was
    FROM campaigns AS c
    WHERE c.tenant_id = %(tenant_id)s
        AND c.id = %(campaign_id)s
    FOR UPDATE
),
changed AS (
    UPDATE campaigns AS c
    SET
        name = n.name,
        channel = n.channel,
        status = n.status,
        scheduled_at = n.scheduled_at,
        started_at = CASE
            WHEN n.status IN ('running', 'paused', 'completed') THEN coalesce((b.was).started_at, now())
            WHEN n.status IN ('draft', 'scheduled') THEN NULL
            ELSE (b.was).started_at
        END,
        completed_at = CASE WHEN n.status = 'completed' THEN coalesce((b.was).completed_at, now()) END
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    WHERE c.tenant_id = %(tenant_id)s
        AND c.id = b.id
    RETURNING c.*
),
/* include audited_update campaign */
SELECT
    json_build_object(
        /* include campaign_members */
    )::text,
    c.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS c

-- name: add_recipients
-- reads: campaigns, suppressions
-- writes: campaign_recipients, audit_logs
-- Add many recipients at once. One who is in the campaign already, by whatever spelling, stays as they are; one who is on
-- the suppression list, and an address that does not fit the channel, are not added. Each is reported.
WITH campaign AS (
    SELECT
        c.id,
        c.channel,
        CASE c.channel WHEN 'email' THEN 'email' ELSE 'number' END AS takes
    FROM campaigns AS c
    WHERE c.tenant_id = %(tenant_id)s
        AND c.id = %(campaign_id)s
),
given AS MATERIALIZED (
    SELECT DISTINCT ON (recipient_form(g.address))
        g.address,
        recipient_form(g.address) AS address_search,
        g.name,
        g.segment,
        g.lead_id,
        g.kind,
        s.reason
    FROM campaign AS c
    CROSS JOIN jsonb_to_recordset(%(recipients)s::jsonb) AS g (
        place bigint, address text, kind text, name text, segment text, lead_id bigint
    )
    LEFT JOIN suppressions AS s
        ON s.tenant_id = %(tenant_id)s AND s.channel = c.channel AND s.address_search = recipient_form(g.address)
    ORDER BY
        recipient_form(g.address),
        g.place
),
welcome AS (
    SELECT
        c.id AS campaign_id,
        g.address,
        g.address_search,
        g.name,
        g.segment,
        g.lead_id
    FROM campaign AS c
    JOIN given AS g ON g.kind = c.takes AND g.reason IS NULL
),
added AS (
    INSERT INTO campaign_recipients (tenant_id, campaign_id, address, name, segment, lead_id)
    SELECT
        %(tenant_id)s,
        w.campaign_id,
        w.address,
        w.name,
        w.segment,
        w.lead_id
    FROM welcome AS w
    ORDER BY w.address_search
    ON CONFLICT (tenant_id, campaign_id, address_search) WHERE NOT is_duplicate DO NOTHING
    RETURNING id, address_search
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'add_recipients',
        'campaign',
        c.id,
        jsonb_build_object('recipients', jsonb_build_array(NULL, (SELECT count(*) FROM added))),
        %(request_id)s
    FROM campaign AS c
)
SELECT
    json_build_object(
        'added', (SELECT count(*) FROM added),
        'known', (
            SELECT coalesce(json_agg(w.address ORDER BY w.address), '[]')
            FROM welcome AS w
            WHERE NOT EXISTS (SELECT FROM added AS a WHERE a.address_search = w.address_search)
        ),
        'suppressed', (
            SELECT coalesce(
                json_agg(json_build_object('address', g.address, 'reason', g.reason) ORDER BY g.address), '[]'
            )
            FROM given AS g
            WHERE g.reason IS NOT NULL
                AND g.kind = c.takes
        ),
        'refused', (
            SELECT coalesce(
                json_agg(json_build_object('address', r.address, 'message', r.message) ORDER BY r.address), '[]'
            )
            FROM (
                SELECT
                    x.address,
                    x.message
                FROM jsonb_to_recordset(%(refused)s::jsonb) AS x (address text, message text)
                UNION ALL
                SELECT
                    g.address,
                    CASE c.takes
                        WHEN 'email' THEN 'is not an e-mail address'
                        ELSE 'is not a telephone number'
                    END AS message
                FROM given AS g
                WHERE g.kind <> c.takes
            ) AS r
        )
    )::text,
    c.id,
    NULL AS problem,
    NULL AS detail
FROM campaign AS c

-- name: take_events
-- reads: campaigns, tenants
-- writes: campaign_tracking_events, campaign_event_keys, campaign_metrics, campaign_recipients, suppressions
-- Take in many events at once: each key of a campaign counts once however often and by however many it is sent. The days'
-- numbers, the recipients' status and the suppression list follow in the same statement. Keys, days and recipients are taken in order, so that two who
-- tell the same things wait for each other instead of deadlocking.
WITH campaign AS (
    SELECT
        c.id,
        c.channel,
        t.time_zone
    FROM campaigns AS c
    JOIN tenants AS t ON t.id = %(tenant_id)s
    WHERE c.tenant_id = %(tenant_id)s
        AND c.id = %(campaign_id)s
),
given AS MATERIALIZED (
    SELECT
        g.place,
        g.one ->> 'key' AS event_key,
        (g.one ->> 'recipient_id')::bigint AS recipient_id,
        g.one ->> 'kind' AS kind,
        (g.one ->> 'occurred_at')::timestamptz AS occurred_at
    FROM jsonb_array_elements(%(events)s::jsonb) WITH ORDINALITY AS g (one, place)
),
known AS MATERIALIZED (
    SELECT
        r.id,
        r.address,
        r.address_search,
        -- As they are once the lock is got, so that of two who send at once one is the first.
        r.kinds
    FROM campaign_recipients AS r
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = ANY(ARRAY(SELECT g.recipient_id FROM given AS g))
        AND r.campaign_id = %(campaign_id)s
    ORDER BY r.id
    FOR UPDATE
),
candidates AS MATERIALIZED (
    SELECT DISTINCT ON (g.event_key)
        g.place,
        g.event_key,
        g.recipient_id,
        g.kind,
        g.occurred_at
    FROM given AS g
    JOIN known AS k ON k.id = g.recipient_id
    ORDER BY
        g.event_key,
        g.place
),
keys AS (
    INSERT INTO campaign_event_keys (tenant_id, campaign_id, event_key)
    SELECT
        %(tenant_id)s,
        %(campaign_id)s,
        n.event_key
    FROM candidates AS n
    ORDER BY n.event_key
    ON CONFLICT (tenant_id, campaign_id, event_key) DO NOTHING
    RETURNING event_key
),
fresh AS MATERIALIZED (
    SELECT
        n.place,
        n.event_key,
        n.recipient_id,
        n.kind,
        n.occurred_at
    FROM keys AS y
    JOIN candidates AS n ON n.event_key = y.event_key
),
stored AS (
    INSERT INTO campaign_tracking_events (tenant_id, recipient_id, event_key, kind, occurred_at)
    SELECT
        %(tenant_id)s,
        f.recipient_id,
        f.event_key,
        f.kind,
        f.occurred_at
    FROM fresh AS f
    ORDER BY f.place
),
firsts AS MATERIALIZED (
    SELECT
        f.recipient_id,
        f.kind,
        min(f.occurred_at) AS occurred_at
    FROM fresh AS f
    JOIN known AS k ON k.id = f.recipient_id
    WHERE f.kind <> ALL(k.kinds)
    GROUP BY
        f.recipient_id,
        f.kind
),
numbers AS (
    SELECT
        local_day(f.occurred_at, c.time_zone) AS date,
        f.kind,
        1 AS events,
        0 AS people
    FROM fresh AS f
    CROSS JOIN campaign AS c
    UNION ALL
    SELECT
        local_day(f.occurred_at, c.time_zone),
        f.kind,
        0,
        1
    FROM firsts AS f
    CROSS JOIN campaign AS c
),
counted AS (
    INSERT INTO campaign_metrics AS m (
        tenant_id, campaign_id, date,
        sent, delivered, opened, clicked, converted, bounced, unsubscribed,
        sent_people, delivered_people, opened_people, clicked_people, converted_people, bounced_people,
        unsubscribed_people
    )
    SELECT
        %(tenant_id)s,
        %(campaign_id)s,
        n.date,
        coalesce(sum(n.events) FILTER (WHERE n.kind = 'sent'), 0),
        coalesce(sum(n.events) FILTER (WHERE n.kind = 'delivered'), 0),
        coalesce(sum(n.events) FILTER (WHERE n.kind = 'opened'), 0),
        coalesce(sum(n.events) FILTER (WHERE n.kind = 'clicked'), 0),
        coalesce(sum(n.events) FILTER (WHERE n.kind = 'converted'), 0),
        coalesce(sum(n.events) FILTER (WHERE n.kind = 'bounced'), 0),
        coalesce(sum(n.events) FILTER (WHERE n.kind = 'unsubscribed'), 0),
        coalesce(sum(n.people) FILTER (WHERE n.kind = 'sent'), 0),
        coalesce(sum(n.people) FILTER (WHERE n.kind = 'delivered'), 0),
        coalesce(sum(n.people) FILTER (WHERE n.kind = 'opened'), 0),
        coalesce(sum(n.people) FILTER (WHERE n.kind = 'clicked'), 0),
        coalesce(sum(n.people) FILTER (WHERE n.kind = 'converted'), 0),
        coalesce(sum(n.people) FILTER (WHERE n.kind = 'bounced'), 0),
        coalesce(sum(n.people) FILTER (WHERE n.kind = 'unsubscribed'), 0)
    FROM numbers AS n
    GROUP BY n.date
    ORDER BY n.date
    ON CONFLICT (tenant_id, campaign_id, date) DO UPDATE SET
        sent = m.sent + EXCLUDED.sent,
        delivered = m.delivered + EXCLUDED.delivered,
        opened = m.opened + EXCLUDED.opened,
        clicked = m.clicked + EXCLUDED.clicked,
        converted = m.converted + EXCLUDED.converted,
        bounced = m.bounced + EXCLUDED.bounced,
        unsubscribed = m.unsubscribed + EXCLUDED.unsubscribed,
        sent_people = m.sent_people + EXCLUDED.sent_people,
        delivered_people = m.delivered_people + EXCLUDED.delivered_people,
        opened_people = m.opened_people + EXCLUDED.opened_people,
        clicked_people = m.clicked_people + EXCLUDED.clicked_people,
        converted_people = m.converted_people + EXCLUDED.converted_people,
        bounced_people = m.bounced_people + EXCLUDED.bounced_people,
        unsubscribed_people = m.unsubscribed_people + EXCLUDED.unsubscribed_people
),
ways AS (
    SELECT
        ARRAY['pending', 'sent', 'delivered', 'opened', 'clicked', 'converted', 'bounced', 'unsubscribed'] AS steps
),
reached AS (
    SELECT
        f.recipient_id,
        array_agg(f.kind ORDER BY f.kind) AS kinds,
        max(array_position(w.steps, f.kind)) AS step
    FROM firsts AS f
    CROSS JOIN ways AS w
    GROUP BY f.recipient_id
),
moved AS (
    UPDATE campaign_recipients AS r
    SET
        status = w.steps[greatest(n.step, array_position(w.steps, r.status))],
        kinds = r.kinds || n.kinds
    FROM reached AS n
    CROSS JOIN ways AS w
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = n.recipient_id
),
suppressed AS (
    INSERT INTO suppressions AS s (tenant_id, channel, address, reason, campaign_id)
    SELECT DISTINCT ON (k.address_search)
        %(tenant_id)s,
        c.channel,
        k.address,
        f.kind,
        c.id
    FROM firsts AS f
    JOIN known AS k ON k.id = f.recipient_id
    CROSS JOIN campaign AS c
    WHERE f.kind IN ('bounced', 'unsubscribed')
    ORDER BY
        k.address_search,
        -- A contact that did both counts as unsubscribed.
        f.kind DESC
    ON CONFLICT (tenant_id, channel, address_search) DO UPDATE SET reason = EXCLUDED.reason
    WHERE s.reason = 'bounced' AND EXCLUDED.reason = 'unsubscribed'
)
SELECT
    json_build_object(
        'accepted', (SELECT count(*) FROM fresh),
        'duplicates', (
            SELECT coalesce(json_agg(g.event_key ORDER BY g.place), '[]')
            FROM given AS g
            WHERE EXISTS (SELECT FROM known AS k WHERE k.id = g.recipient_id)
                AND NOT EXISTS (SELECT FROM fresh AS f WHERE f.place = g.place)
        ),
        'unknown_recipients', (
            SELECT coalesce(json_agg(g.event_key ORDER BY g.place), '[]')
            FROM given AS g
            WHERE NOT EXISTS (SELECT FROM known AS k WHERE k.id = g.recipient_id)
        )
    )::text,
    c.id,
    NULL AS problem,
    NULL AS detail
FROM campaign AS c

-- name: alert_numbers
-- reads: workers, checks
-- All that alerts are decided by: the last word of every worker, and numbers of the server and of each business.
SELECT json_build_object(
    'workers', /* include workers_now */,
    'last_backup', /* include last_backup */,
    'oldest_due_seconds', (
        SELECT CASE WHEN isfinite(d.due_at) THEN extract(epoch FROM clock_timestamp() - d.due_at) END
        FROM oldest_due_step() AS d (due_at)
    ),
    'oldest_delivery_seconds', (
        SELECT CASE WHEN isfinite(d.created_at) THEN extract(epoch FROM clock_timestamp() - d.created_at) END
        FROM oldest_delivery() AS d (created_at)
    ),
    'unfolded_deltas', unfolded_deltas(),
    'transaction_ids_used', (/* include transaction_ids_used */),
    'checks', (SELECT coalesce(json_object_agg(c.name, c.value), '{}') FROM checks AS c),
    'clock', extract(epoch FROM clock_timestamp()),
    -- Null: not known at the moment.
    'jobs_overdue', CASE
        WHEN /* include can_count_businesses */
            THEN (
                SELECT coalesce(json_object_agg(b.tenant_id, b.n), '{}')
                FROM business_numbers() AS b
                WHERE b.metric = 'jobs_overdue'
            )
    END
)::text

-- name: record_alerts
-- writes: alerts
-- Store the conditions that hold now. Returns the alerts that fire from now on and those that end now: of several workers
-- who decide at once, one is told of each. Webhooks of those who run the service are told in the same transaction.
WITH given AS (
    SELECT
        g.rule,
        g.subject,
        g.value,
        g.lasts,
        g.summary
    FROM json_to_recordset(%(conditions)s::json) AS g (
        rule text, subject text, value float, lasts float, summary text
    )
),
held AS (
    INSERT INTO alerts AS a (rule, subject, value, lasts, began_at, fired_at)
    SELECT
        g.rule,
        g.subject,
        g.value,
        g.lasts,
        now(),
        CASE WHEN g.lasts <= 0 THEN now() END
    FROM given AS g
    ORDER BY
        g.rule,
        g.subject
    ON CONFLICT (rule, subject) DO UPDATE SET
        value = excluded.value,
        lasts = excluded.lasts,
        began_at = coalesce(a.began_at, now()),
        fired_at = CASE
            WHEN a.fired_at IS NOT NULL THEN a.fired_at
            WHEN coalesce(a.began_at, now()) + make_interval(secs => excluded.lasts) <= now() THEN now()
        END
    RETURNING
        a.rule,
        a.subject,
        a.value,
        a.fired_at IS NOT DISTINCT FROM now() AS has_fired,
        coalesce(a.silenced_until > now(), false) AS is_silenced
),
over AS (
    UPDATE alerts AS a
    SET
        value = NULL,
        began_at = NULL,
        fired_at = NULL,
        cleared_at = CASE WHEN b.fired_at IS NOT NULL THEN now() ELSE a.cleared_at END,
        acknowledged_at = NULL,
        acknowledged_by = NULL
    FROM (
        SELECT
            o.rule,
            o.subject,
            o.fired_at
        FROM alerts AS o
        WHERE o.began_at IS NOT NULL
            AND NOT EXISTS (SELECT FROM given AS g WHERE g.rule = o.rule AND g.subject = o.subject)
        ORDER BY
            o.rule,
            o.subject
        FOR UPDATE
    ) AS b
    WHERE a.rule = b.rule
        AND a.subject = b.subject
    RETURNING
        a.rule,
        a.subject,
        b.fired_at,
        coalesce(a.silenced_until > now(), false) AS is_silenced
),
forgotten AS (
    DELETE FROM alerts AS a
    WHERE a.began_at IS NULL
        AND coalesce(a.silenced_until, '-infinity') < now()
        AND coalesce(a.cleared_at, '-infinity') < now() - interval '7 days'
        AND NOT EXISTS (SELECT FROM given AS g WHERE g.rule = a.rule AND g.subject = a.subject)
),
published AS (
    SELECT
        publish_alert(
            %(operators)s::bigint[],
            p.event_type,
            'alert/' || p.rule || '/' || p.subject,
            json_build_object(
                'rule', p.rule,
                'subject', p.subject,
                'severity', r.severity,
                'value', p.value,
                'is_silenced', p.is_silenced,
                'summary', p.summary,
                'action', r.action
            )
        ) AS webhooks
    FROM (
        SELECT
            'alert.fired' AS event_type,
            h.rule,
            h.subject,
            h.value,
            h.is_silenced,
            g.summary
        FROM held AS h
        JOIN given AS g ON g.rule = h.rule AND g.subject = h.subject
        WHERE h.has_fired
        UNION ALL
        SELECT
            'alert.cleared',
            e.rule,
            e.subject,
            NULL,
            e.is_silenced,
            'This is over.'
        FROM over AS e
        WHERE e.fired_at IS NOT NULL
    ) AS p
    JOIN json_to_recordset(%(rules)s::json) AS r (rule text, severity text, action text) ON r.rule = p.rule
)
SELECT json_build_object(
    'webhooks', (SELECT coalesce(sum(p.webhooks), 0) FROM published AS p),
    'fired', (
        SELECT coalesce(
            json_agg(
                json_build_object(
                    'rule', h.rule, 'subject', h.subject, 'value', h.value, 'is_silenced', h.is_silenced
                )
            ),
            '[]'
        )
        FROM held AS h
        WHERE h.has_fired
    ),
    'cleared', (
        SELECT coalesce(
            json_agg(json_build_object('rule', e.rule, 'subject', e.subject, 'is_silenced', e.is_silenced)), '[]'
        )
        FROM over AS e
        WHERE e.fired_at IS NOT NULL
    )
)::text

-- name: note_check
-- writes: checks
-- Keep the result of a check.
INSERT INTO checks (name, value)
VALUES (%(check_name)s, %(value)s)
ON CONFLICT (name) DO UPDATE SET
    value = excluded.value,
    checked_at = clock_timestamp()
RETURNING name

-- fragment: alert_document
json_build_object(
    'rule', $1.rule,
    'subject', $1.subject,
    'state', CASE
        WHEN $1.fired_at IS NOT NULL THEN 'firing'
        WHEN $1.began_at IS NOT NULL THEN 'pending'
        ELSE 'cleared'
    END,
    'value', $1.value,
    'since', $1.began_at,
    'fired_at', $1.fired_at,
    'cleared_at', $1.cleared_at,
    'acknowledged_at', $1.acknowledged_at,
    'acknowledged_by', $1.acknowledged_by,
    'silenced_until', CASE WHEN $1.silenced_until > now() THEN $1.silenced_until END
)

-- name: alerts
-- reads: alerts
-- Every alert that fires, is about to, fired in the last seven days or is silenced.
SELECT json_build_object(
    'alerts', coalesce(
        json_agg(
            /* include alert_document a */
            ORDER BY
                a.fired_at IS NULL,
                a.began_at IS NULL,
                a.rule,
                a.subject
        ),
        '[]'
    )
)::text
FROM alerts AS a

-- fragment: audited_alert
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        '$1',
        'alert',
        jsonb_build_object(
            'rule', jsonb_build_array(NULL, c.rule),
            'subject', jsonb_build_array(NULL, c.subject),
            'silenced_until', jsonb_build_array(NULL, c.silenced_until)
        ),
        %(request_id)s
    FROM changed AS c
)

-- name: acknowledge
-- writes: alerts, audit_logs
-- Note who looks after an alert that fires. No row: it does not.
WITH changed AS (
    UPDATE alerts AS a
    SET
        acknowledged_at = coalesce(a.acknowledged_at, now()),
        acknowledged_by = coalesce(a.acknowledged_by, %(user_id)s)
    WHERE a.rule = %(rule)s
        AND a.subject = %(subject)s
        AND a.fired_at IS NOT NULL
    RETURNING
        a.rule, a.subject, a.value, a.began_at, a.fired_at, a.cleared_at, a.acknowledged_at, a.acknowledged_by,
        a.silenced_until
),
/* include audited_alert acknowledge */
SELECT /* include alert_document c */::text
FROM changed AS c

-- name: silence
-- writes: alerts, audit_logs
-- Tell nobody of an alert for some minutes, before it fires or while it does; 0 minutes end that.
WITH changed AS (
    INSERT INTO alerts AS a (rule, subject, lasts, silenced_until)
    VALUES (%(rule)s, %(subject)s, 0, now() + make_interval(mins => %(minutes)s))
    ON CONFLICT (rule, subject) DO UPDATE SET silenced_until = excluded.silenced_until
    RETURNING
        a.rule, a.subject, a.value, a.began_at, a.fired_at, a.cleared_at, a.acknowledged_at, a.acknowledged_by,
        a.silenced_until
),
/* include audited_alert silence */
SELECT /* include alert_document c */::text
FROM changed AS c

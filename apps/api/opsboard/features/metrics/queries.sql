-- name: workers
-- reads: workers, checks
-- The last word of the workers of one machine, or of all when none is named, the connections of the server, how long
-- the oldest step of a journey that is due has waited (0 when none is due, null when that is not known), what is coming to
-- its end, and counts of every business for those who may have them.
SELECT json_build_object(
    'workers', (
        SELECT coalesce(
            json_agg(
                json_build_object(
                    'id', w.id,
                    'machine', w.machine,
                    'pid', w.pid,
                    'started_at', extract(epoch FROM w.started_at),
                    'silent_seconds', extract(epoch FROM clock_timestamp() - w.heard_at),
                    'report', w.report
                )
                ORDER BY w.started_at
            ),
            '[]'
        )
        FROM workers AS w
        WHERE %(machine)s::text IS NULL
            OR w.machine = %(machine)s
    ),
    'oldest_due_seconds', (
        SELECT CASE
            WHEN d.due_at IS NULL THEN 0
            WHEN isfinite(d.due_at) THEN extract(epoch FROM clock_timestamp() - d.due_at)
        END
        FROM oldest_due_step() AS d (due_at)
    ),
    'oldest_delivery_seconds', (
        SELECT CASE
            WHEN d.created_at IS NULL THEN 0
            WHEN isfinite(d.created_at) THEN extract(epoch FROM clock_timestamp() - d.created_at)
        END
        FROM oldest_delivery() AS d (created_at)
    ),
    'unfolded_deltas', unfolded_deltas(),
    'transaction_ids_used', (/* include transaction_ids_used */),
    'backup_age_seconds', /* include last_backup */ ->> 'age_seconds',
    'clock', extract(epoch FROM clock_timestamp()),
    'checks', (SELECT coalesce(json_object_agg(c.name, c.value), '{}') FROM checks AS c),
    'businesses', CASE
        WHEN %(with_businesses)s AND /* include can_count_businesses */
            THEN (
                SELECT coalesce(json_agg(json_build_array(b.slug, b.metric, b.label, b.n)), '[]')
                FROM business_numbers() AS b
            )
    END,
    'usage', CASE
        WHEN %(with_businesses)s
            THEN (
                SELECT coalesce(json_agg(json_build_array(u.slug, u.requests, u.seconds, u.bytes)), '[]')
                FROM usage_of_businesses(date_trunc('month', now() AT TIME ZONE 'UTC')::date) AS u
            )
    END,
    'server', json_build_object(
        'max_connections', current_setting('max_connections')::integer,
        'connections', (
            SELECT count(*)
            FROM pg_stat_activity AS a
            WHERE a.usesysid IS NOT NULL
                AND coalesce(a.backend_type, 'client backend') = 'client backend'
        )
    )
)::text

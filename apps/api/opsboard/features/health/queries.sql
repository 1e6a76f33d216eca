-- name: ready
-- reads: tenants
-- Whether the database answers and has our tables.
SELECT count(*) >= 0 FROM tenants AS t WHERE t.id = 0

-- name: test
-- reads: tenants
-- A real query, as the caller would run it: the server's answer, its version, and whether row security holds.
SELECT json_build_object(
    'answer', 1,
    'server_version', current_setting('server_version'),
    'database', current_database(),
    'role', current_user,
    'role_can_bypass_row_security', (SELECT r.rolsuper OR r.rolbypassrls FROM pg_roles AS r WHERE r.rolname = current_user),
    'read_only', current_setting('transaction_read_only') = 'on',
    'server_time', now(),
    'tenant_visible', (SELECT count(*) FROM tenants AS t WHERE t.id = %(tenant_id)s) = 1,
    'tenants_visible', (SELECT count(*) FROM tenants AS t)
)::text

-- name: who_cleared
-- reads: workers
-- Which workers have obeyed an order to clear, which that lately lived have not, and which of these are silent.
SELECT json_build_object(
    'cleared', coalesce(json_agg(w.id ORDER BY w.id) FILTER (WHERE w.cleared_to >= %(order_id)s), '[]'),
    'waiting', coalesce(json_agg(w.id ORDER BY w.id) FILTER (WHERE w.cleared_to < %(order_id)s), '[]'),
    'silent', count(*) FILTER (
        WHERE w.cleared_to < %(order_id)s
            AND w.heard_at < clock_timestamp() - make_interval(secs => %(silent_after)s)
    )
)::text
FROM workers AS w
WHERE w.heard_at > now() - interval '1 minute'

-- name: fleet
-- reads: workers
-- The last word of every worker on every machine, and what the server allows and how much of it is in use.
SELECT json_build_object(
    'workers', (
        SELECT coalesce(
            json_agg(
                json_build_object(
                    'id', w.id,
                    'machine', w.machine,
                    'pid', w.pid,
                    'uptime_seconds', floor(extract(epoch FROM clock_timestamp() - w.started_at)),
                    'silent_seconds', round(extract(epoch FROM clock_timestamp() - w.heard_at), 1),
                    'report', w.report
                )
                ORDER BY w.machine, w.pid
            ),
            '[]'
        )
        FROM workers AS w
    ),
    'server', json_build_object(
        'max_connections', current_setting('max_connections')::integer,
        'reserved_connections', current_setting('superuser_reserved_connections')::integer
        + coalesce(current_setting('reserved_connections', true), '0')::integer,
        'connections', (SELECT count(*) FROM pg_stat_activity AS a WHERE a.backend_type = 'client backend'),
        'our_connections', (
            SELECT count(*)
            FROM pg_stat_activity AS a
            WHERE a.datname = current_database()
                AND a.usename = current_user
        ),
        'server_version', current_setting('server_version')
    )
)::text

-- name: rollups
-- reads: jobs, job_steps, machines, users, processes, customers, audit_logs, tenants
-- Every count of the business made anew from its tables and compared with the one kept, in one snapshot.
SELECT json_build_object(
    'differences', (
        SELECT coalesce(
            json_agg(
                json_build_object(
                    'metric', d.metric,
                    'label', nullif(d.label, ''),
                    'user_id', nullif(d.subject, 0),
                    'day', nullif(d.day, '-infinity'),
                    'kept', d.kept,
                    'counted', d.counted
                )
                ORDER BY d.metric, d.label, d.subject, d.day
            ),
            '[]'
        )
        FROM rollup_differences(%(tenant_id)s) AS d
    ),
    'folded', (SELECT count(*) FROM rollups AS r WHERE r.tenant_id = %(tenant_id)s),
    'not_folded', (SELECT count(*) FROM rollup_deltas AS d WHERE d.tenant_id = %(tenant_id)s),
    'as_of', now()
)::text

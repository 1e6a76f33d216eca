-- fragment: query_name
substring($1.query FROM '/[*] ([a-z_]+[.][a-z_]+) [*]/')

-- fragment: seconds_since
round(extract(epoch FROM clock_timestamp() - $1.$2)::numeric, 1)

-- name: activity
-- reads:
-- Sessions of this database by state and query, what runs long, what waits and for whom, who keeps others out of a
-- table, what vacuum waits for, and what comes to its end: numbers of transactions, sequences, replication slots. Reads views of the server and no table.
WITH sessions AS MATERIALIZED (
    SELECT
        a.pid,
        a.usename AS owner,
        a.application_name AS name,
        a.state,
        /* include query_name a */ AS query,
        concat_ws(': ', a.wait_event_type, a.wait_event) AS waits_for,
        a.usename = current_user AS ours,
        /* include seconds_since a query_start */ AS query_seconds,
        /* include seconds_since a xact_start */ AS transaction_seconds,
        /* include seconds_since a state_change */ AS state_seconds
    FROM pg_stat_activity AS a
    WHERE a.datname = current_database()
        AND coalesce(a.backend_type, 'client backend') = 'client backend'
        AND a.pid <> pg_backend_pid()
),
slots AS (
    SELECT
        r.slot_name,
        r.active,
        r.wal_status,
        pg_wal_lsn_diff(
            CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
            r.restart_lsn
        ) AS bytes
    FROM pg_replication_slots AS r
)
SELECT json_build_object(
    'sessions', (
        SELECT coalesce(json_agg(g.document ORDER BY g.count DESC, g.owner, g.state, g.query), '[]')
        FROM (
            SELECT
                count(*) AS count,
                s.owner,
                s.state,
                s.query,
                json_build_object(
                    'user', s.owner,
                    'state', s.state,
                    'query', s.query,
                    'count', count(*),
                    'longest_seconds', max(s.state_seconds)
                ) AS document
            FROM sessions AS s
            GROUP BY
                s.owner,
                s.state,
                s.query
            ORDER BY count DESC
            LIMIT 100
        ) AS g
    ),
    'long_statements', (
        SELECT coalesce(json_agg(l.document ORDER BY l.query_seconds DESC), '[]')
        FROM (
            SELECT
                s.query_seconds,
                json_build_object(
                    'pid', s.pid,
                    'user', s.owner,
                    'name', s.name,
                    'query', s.query,
                    'waits_for', nullif(s.waits_for, ''),
                    'seconds', s.query_seconds
                ) AS document
            FROM sessions AS s
            WHERE s.state = 'active'
                AND s.query_seconds >= %(long)s
            ORDER BY s.query_seconds DESC
            LIMIT 50
        ) AS l
    ),
    'blocked', /* include blocked */,
    'locks', (
        SELECT coalesce(json_agg(k.document ORDER BY k.name, k.pid), '[]')
        FROM (
            SELECT
                t.relname AS name,
                l.pid,
                json_build_object(
                    'table', t.relname,
                    'keeps_out', CASE
                        WHEN bool_or(l.mode = 'AccessExclusiveLock') THEN 'readers and writers'
                        ELSE 'writers'
                    END,
                    'pid', l.pid,
                    'user', min(s.owner),
                    'name', min(s.name),
                    'query', min(s.query),
                    'seconds', min(s.transaction_seconds)
                ) AS document
            FROM pg_locks AS l
            LEFT JOIN pg_inherits AS h ON h.inhrelid = l.relation
            JOIN pg_class AS t ON t.oid = coalesce(h.inhparent, l.relation)
            LEFT JOIN sessions AS s ON s.pid = l.pid
            WHERE l.locktype = 'relation'
                AND l.granted
                AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                AND t.relkind IN ('r', 'p')
                AND t.relnamespace = 'public'::regnamespace
            GROUP BY
                t.relname,
                l.pid
            ORDER BY
                name,
                l.pid
            LIMIT 50
        ) AS k
    ),
    'idle_in_transaction', (
        SELECT coalesce(json_agg(l.document ORDER BY l.transaction_seconds DESC), '[]')
        FROM (
            SELECT
                s.transaction_seconds,
                json_build_object(
                    'pid', s.pid,
                    'user', s.owner,
                    'name', s.name,
                    'last_query', s.query,
                    'idle_seconds', s.state_seconds,
                    'transaction_seconds', s.transaction_seconds
                ) AS document
            FROM sessions AS s
            WHERE s.state LIKE 'idle in transaction%%'
            ORDER BY s.transaction_seconds DESC
            LIMIT 50
        ) AS l
    ),
    'oldest_transaction', /* include oldest_transaction */,
    'holds_up', json_build_object(
        'dead_rows', (SELECT sum(t.n_dead_tup) FROM pg_stat_user_tables AS t),
        'unfolded_deltas', unfolded_deltas()
    ),
    'transaction_ids', (
        SELECT json_build_object(
            'age', age(d.datfrozenxid),
            'multixact_age', mxid_age(d.datminmxid),
            'freeze_at', current_setting('autovacuum_freeze_max_age')::bigint,
            'multixact_freeze_at', current_setting('autovacuum_multixact_freeze_max_age')::bigint,
            -- The server refuses writes before it is 1.
            'used', (/* include transaction_ids_used */),
            'oldest_tables', (
                SELECT json_agg(json_build_object('name', o.relname, 'age', o.age) ORDER BY o.age DESC)
                FROM (
                    SELECT
                        c.relname,
                        age(c.relfrozenxid) AS age
                    FROM pg_class AS c
                    WHERE c.relkind IN ('r', 't', 'm')
                        AND c.relfrozenxid <> '0'
                    ORDER BY age DESC
                    LIMIT 5
                ) AS o
            )
        )
        FROM pg_database AS d
        WHERE d.datname = current_database()
    ),
    'sequences', (
        SELECT coalesce(
            json_agg(
                json_build_object('name', q.name, 'last_value', q.last_value, 'largest', q.largest, 'used', q.used)
                ORDER BY
                    q.used DESC,
                    q.name
            ),
            '[]'
        )
        FROM (
            SELECT
                u.name,
                u.last_value,
                u.largest,
                round(u.last_value / u.largest::numeric, 4) AS used
            FROM sequence_use() AS u
            WHERE u.last_value IS NOT NULL
            ORDER BY used DESC
            LIMIT 10
        ) AS q
    ),
    'replication', json_build_object(
        'is_standby', pg_is_in_recovery(),
        'slots', (
            SELECT coalesce(
                json_agg(
                    json_build_object(
                        'name', s.slot_name, 'active', s.active, 'wal_status', s.wal_status, 'bytes_behind', s.bytes
                    )
                    ORDER BY s.slot_name
                ),
                '[]'
            )
            FROM slots AS s
        ),
        'standbys', (
            SELECT coalesce(
                json_agg(
                    json_build_object(
                        'name', w.application_name,
                        'state', w.state,
                        'sync_state', w.sync_state,
                        'replay_lag_seconds', round(extract(epoch FROM w.replay_lag)::numeric, 1)
                    )
                    ORDER BY w.application_name
                ),
                '[]'
            )
            FROM pg_stat_replication AS w
        )
    ),
    'database', (
        SELECT json_build_object(
            'bytes', pg_database_size(d.datname),
            'cache_hit_ratio', round(d.blks_hit / nullif(d.blks_hit + d.blks_read, 0)::numeric, 4),
            'temporary_files', d.temp_files,
            'temporary_bytes', d.temp_bytes,
            'deadlocks', d.deadlocks,
            'since', d.stats_reset
        )
        FROM pg_stat_database AS d
        WHERE d.datname = current_database()
    ),
    'settings', (
        SELECT json_object_agg(n.name, current_setting(n.name, true))
        FROM unnest(%(settings)s::text []) AS n (name)
    )
)::text

-- fragment: session_to_end
-- One session of this database but the one that asks; `may`: its role is ours, or one that ours may signal.
target AS MATERIALIZED (
    SELECT
        a.pid,
        a.usename AS owner,
        a.application_name AS name,
        a.state,
        /* include query_name a */ AS query,
        pg_has_role(current_user, a.usesysid, 'USAGE')
        OR (
            pg_has_role(current_user, 'pg_signal_backend', 'USAGE')
            AND NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.oid = a.usesysid)
        ) AS may
    FROM pg_stat_activity AS a
    WHERE a.datname = current_database()
        AND coalesce(a.backend_type, 'client backend') = 'client backend'
        AND a.pid = %(pid)s
        AND a.pid <> pg_backend_pid()
        AND (
            %(query)s::text IS NULL
            OR /* include query_name a */ = %(query)s
        )
),
ended AS MATERIALIZED (
    SELECT
        t.pid,
        t.owner,
        t.name,
        t.state,
        t.query,
        t.may,
        CASE
            WHEN NOT t.may THEN false
            WHEN %(end_session)s THEN pg_terminate_backend(t.pid)
            ELSE pg_cancel_backend(t.pid)
        END AS is_signalled
    FROM target AS t
)

-- fragment: ended_session
SELECT json_build_object(
    'pid', e.pid,
    'user', e.owner,
    'name', e.name,
    'state', e.state,
    'query', e.query,
    'may', e.may,
    'is_signalled', e.is_signalled
)::text
FROM ended AS e

-- name: cancel
-- writes: audit_logs
-- Cancel the statement of a session, or end the session, and note it in the audit log of the operator's business.
WITH
/* include session_to_end */,
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        CASE WHEN %(end_session)s THEN 'end' ELSE 'cancel' END,
        'database_session',
        e.pid,
        jsonb_build_object(
            'user', jsonb_build_array(e.owner, NULL),
            'state', jsonb_build_array(e.state, NULL),
            'query', jsonb_build_array(e.query, NULL)
        ),
        %(request_id)s
    FROM ended AS e
    WHERE e.is_signalled
)
/* include ended_session */

-- name: cancel_unaudited
-- writes: audit_logs
-- The same without the note, for while somebody has locked the audit log: perhaps the very session that is to end.
WITH
/* include session_to_end */
/* include ended_session */

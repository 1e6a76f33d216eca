-- fragment: locked_relations
-- Reading more than the statistics of one of these waits, even behind a session that only waits for the lock.
locked AS (
    SELECT DISTINCT l.relation
    FROM pg_locks AS l
    WHERE l.locktype = 'relation'
        AND l.mode = 'AccessExclusiveLock'
        AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
)

-- fragment: server_members
'max_connections', current_setting('max_connections')::integer,
'reserved_connections', current_setting('superuser_reserved_connections')::integer
+ coalesce(current_setting('reserved_connections', true), '0')::integer,
-- Of other roles' sessions a role without pg_read_all_stats sees that they are there, not what they are.
'connections', (
    SELECT count(*)
    FROM pg_stat_activity AS a
    WHERE a.usesysid IS NOT NULL
        AND coalesce(a.backend_type, 'client backend') = 'client backend'
),
'our_connections', (
    SELECT count(*)
    FROM pg_stat_activity AS a
    WHERE a.datname = current_database()
        AND a.usename = current_user
),
'server_version', current_setting('server_version')

-- fragment: server_now
json_build_object(
    /* include server_members */,
    'blocked', /* include blocked */,
    'last_backup', /* include last_backup */,
    'oldest_transaction', /* include oldest_transaction */,
    'dead_rows', (SELECT sum(t.n_dead_tup) FROM pg_stat_user_tables AS t)
)

-- fragment: workers_now
(
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
)

-- fragment: oldest_transaction
-- The oldest thing that keeps vacuum from removing dead rows. Of sessions of another role the server tells ours
-- neither the state nor the time, but who they are and what they hold.
(
    SELECT json_build_object(
        'kind', o.kind,
        'pid', o.pid,
        'name', o.name,
        'user', o.owner,
        'ours', o.owner = current_user,
        'state', o.state,
        'xid', o.xid,
        'since', extract(epoch FROM o.began),
        'seconds', round(extract(epoch FROM clock_timestamp() - o.began)),
        'transactions_since', o.transactions
    )
    FROM (
        SELECT
            'session' AS kind,
            a.pid,
            a.application_name AS name,
            a.usename AS owner,
            a.state,
            a.xact_start AS began,
            a.backend_xid::text::bigint AS xid,
            greatest(age(a.backend_xid), age(a.backend_xmin)) AS transactions
        FROM pg_stat_activity AS a
        WHERE (a.datname = current_database() OR a.datname IS NULL)
            AND a.pid <> pg_backend_pid()
            -- A vacuum holds up no other.
            AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum AS v WHERE v.pid = a.pid)
        UNION ALL
        SELECT
            'prepared transaction',
            NULL,
            p.gid,
            p.owner,
            'prepared',
            p.prepared,
            p.transaction::text::bigint,
            age(p.transaction)
        FROM pg_prepared_xacts AS p
        WHERE p.database = current_database()
        UNION ALL
        SELECT
            'replication slot',
            r.active_pid,
            r.slot_name,
            NULL,
            CASE WHEN r.active THEN 'active' ELSE 'inactive' END,
            NULL,
            NULL,
            greatest(age(r.xmin), age(r.catalog_xmin))
        FROM pg_replication_slots AS r
    ) AS o
    WHERE o.transactions IS NOT NULL
    ORDER BY
        o.transactions DESC,
        o.began
    LIMIT 1
)

-- fragment: blocked
-- Sessions waiting for a lock, and its holders. The server hides state and time of other roles' sessions from ours.
(
    SELECT coalesce(json_agg(w.document ORDER BY w.since), '[]')
    FROM (
        SELECT
            min(l.waitstart) AS since,
            json_build_object(
                'pid', l.pid,
                'user', min(a.usename),
                'name', min(a.application_name),
                'waits_for', min(l.relation::regclass::text),
                'seconds', round(extract(epoch FROM clock_timestamp() - min(l.waitstart))::numeric, 1),
                'blocked_by', (
                    SELECT coalesce(
                        json_agg(
                            json_build_object(
                                'pid', b.pid,
                                'user', b.usename,
                                'name', b.application_name,
                                'state', b.state,
                                'seconds', round(extract(epoch FROM clock_timestamp() - b.xact_start)::numeric, 1)
                            )
                            ORDER BY b.pid
                        ),
                        '[]'
                    )
                    FROM pg_stat_activity AS b
                    WHERE b.pid = ANY(pg_blocking_pids(l.pid))
                )
            ) AS document
        FROM pg_locks AS l
        JOIN pg_stat_activity AS a ON a.pid = l.pid
        WHERE NOT l.granted
            AND a.datname = current_database()
        GROUP BY l.pid
        ORDER BY since
        LIMIT 20
    ) AS w
)

-- name: server
-- reads:
-- The server's limits and their use, blocked sessions, and the longest open transactions.
SELECT /* include server_now */::text

-- name: server_limits
-- reads:
-- The server's limits and their use.
SELECT json_build_object(
    /* include server_members */
)::text

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
-- Workers that carried out an order to clear, recently active ones that did not, and the silent ones among these.
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
    'workers', /* include workers_now */,
    'server', /* include server_now */
)::text

-- name: rollups
-- reads: jobs, job_steps, machines, users, processes, customers, audit_logs, documents, contacts, conversations, messages, call_log, leads, response_approvals, campaigns, campaign_recipients, journeys, journey_contacts, journey_node_executions, journey_messages, notifications, workflow_execution_monitoring, deliveries, work_records, problems, tenants
-- Every count of the business, recomputed from its tables and compared with the stored one, in one snapshot.
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

-- name: indexes
-- reads:
-- Every index with its use and its twins, and foreign keys that no index serves. What belongs to partitions is added up.
-- Parts that would wait for a lock are left out.
WITH
/* include locked_relations */,
known AS (
    SELECT
        i.indexrelid,
        i.indrelid,
        b.locked,
        c.relname AS name,
        t.relname AS table_name,
        i.indisunique,
        i.indisprimary,
        i.indisvalid AND i.indisready AS usable,
        i.indnkeyatts,
        -- Two with the same first part and the same second are twins; with one the beginning of the other, the
        -- longer does the work of both.
        concat_ws(' ', i.indkey, '') AS columns,
        concat_ws('/', i.indclass, i.indcollation, i.indoption) AS ways,
        CASE
            -- As they are stored: long, and as good to compare.
            WHEN b.locked THEN coalesce(i.indexprs::text, '') || '/' || coalesce(i.indpred::text, '')
            ELSE coalesce(pg_get_expr(i.indexprs, i.indrelid), '') || '/' || coalesce(pg_get_expr(i.indpred, i.indrelid), '')
        END AS form
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_class AS t ON t.oid = i.indrelid
    CROSS JOIN LATERAL (
        SELECT
            i.indexrelid IN (SELECT l.relation FROM locked AS l)
            OR i.indrelid IN (SELECT l.relation FROM locked AS l) AS locked
    ) AS b
    WHERE c.relnamespace = 'public'::regnamespace
        AND NOT c.relispartition
),
parts AS (
    SELECT
        k.indexrelid,
        k.indexrelid AS part
    FROM known AS k
    UNION ALL
    SELECT
        h.inhparent,
        h.inhrelid
    FROM pg_inherits AS h
    JOIN known AS k ON k.indexrelid = h.inhparent
),
used AS (
    SELECT
        p.indexrelid,
        sum(coalesce(s.idx_scan, 0)) AS scans,
        sum(coalesce(s.idx_tup_read, 0)) AS rows_read,
        sum(coalesce(s.idx_tup_fetch, 0)) AS rows_fetched,
        sum(
            CASE
                WHEN p.part IN (SELECT l.relation FROM locked AS l)
                    THEN c.relpages * current_setting('block_size')::bigint
                ELSE pg_relation_size(p.part)
            END
        ) AS bytes
    FROM parts AS p
    JOIN pg_class AS c ON c.oid = p.part
    LEFT JOIN pg_stat_user_indexes AS s ON s.indexrelid = p.part
    GROUP BY p.indexrelid
)
SELECT json_build_object(
    'since', (SELECT d.stats_reset FROM pg_stat_database AS d WHERE d.datname = current_database()),
    'indexes', (
        SELECT json_agg(
            json_build_object(
                'name', k.name,
                'table', k.table_name,
                'definition', CASE WHEN NOT k.locked THEN pg_get_indexdef(k.indexrelid) END,
                'locked', k.locked,
                'unique', k.indisunique,
                'valid', k.usable,
                'scans', u.scans,
                'rows_read', u.rows_read,
                'rows_fetched', u.rows_fetched,
                'bytes', u.bytes,
                'duplicates', (
                    SELECT coalesce(json_agg(o.name ORDER BY o.name), '[]')
                    FROM known AS o
                    WHERE o.indrelid = k.indrelid
                        AND o.indexrelid <> k.indexrelid
                        AND (o.columns, o.ways, o.form) = (k.columns, k.ways, k.form)
                ),
                'covered_by', (
                    SELECT coalesce(json_agg(o.name ORDER BY o.name), '[]')
                    FROM known AS o
                    WHERE o.indrelid = k.indrelid
                        AND NOT k.indisunique
                        AND o.form = k.form
                        AND o.columns <> k.columns
                        AND starts_with(o.columns, k.columns)
                )
            )
            ORDER BY
                k.table_name,
                k.name
        )
        FROM known AS k
        JOIN used AS u ON u.indexrelid = k.indexrelid
    ),
    'foreign_keys_without_index', (
        SELECT coalesce(
            json_agg(
                json_build_object(
                    'table', f.conrelid::regclass::text,
                    'name', f.conname,
                    'definition',
                    CASE
                        WHEN f.conrelid IN (SELECT l.relation FROM locked AS l)
                            OR f.confrelid IN (SELECT l.relation FROM locked AS l)
                            THEN ''
                        ELSE pg_get_constraintdef(f.oid)
                    END
                )
                ORDER BY f.conrelid::regclass::text, f.conname
            ),
            '[]'
        )
        FROM pg_constraint AS f
        WHERE f.contype = 'f'
            AND f.connamespace = 'public'::regnamespace
            AND f.conparentid = 0
            -- Its columns, in any order, are the first of some index that has every row that refers to something.
            AND NOT EXISTS (
                SELECT FROM pg_index AS i
                WHERE i.indrelid = f.conrelid
                    AND (
                        i.indpred IS NULL
                        OR i.indrelid IN (SELECT l.relation FROM locked AS l)
                        OR pg_get_expr(i.indpred, i.indrelid) IN (
                            SELECT '(' || quote_ident(a.attname) || ' IS NOT NULL)'
                            FROM pg_attribute AS a
                            WHERE a.attrelid = f.conrelid
                                AND a.attnum = ANY(f.conkey)
                        )
                    )
                    AND f.conkey @> (i.indkey::smallint [])[0:cardinality(f.conkey) - 1]
                    AND f.conkey <@ (i.indkey::smallint [])[0:cardinality(f.conkey) - 1]
            )
    )
)::text

-- name: slow_queries
-- reads: workers
-- The slowest statements as pg_stat_statements has them, null without it, and what the workers counted themselves.
SELECT json_build_object(
    -- By way of text and XML, for a statement that names a view that is not there is refused. Base64 because not every
    -- character of a statement is one of XML. The setting is known once the library is loaded.
    'statements', CASE
        WHEN to_regclass('pg_stat_statements') IS NOT NULL
            AND current_setting('pg_stat_statements.max', true) IS NOT NULL
            THEN convert_from(
                decode(
                    substring(
                        query_to_xml(
                            $found$
                            SELECT encode(convert_to(coalesce(json_agg(json_build_object(
                                'statement', left(t.query, 1000),
                                'calls', t.calls,
                                'mean_ms', round(t.mean_exec_time::numeric, 3),
                                'max_ms', round(t.max_exec_time::numeric, 3),
                                'total_ms', round(t.total_exec_time::numeric, 1),
                                'rows', t.rows
                            ) ORDER BY t.mean_exec_time DESC), '[]')::text, 'UTF8'), 'base64') AS told
                            FROM (
                                SELECT s.query, s.calls, s.mean_exec_time, s.max_exec_time, s.total_exec_time, s.rows
                                FROM pg_stat_statements AS s
                                JOIN pg_roles AS r ON r.oid = s.userid
                                JOIN pg_database AS d ON d.oid = s.dbid
                                WHERE d.datname = current_database()
                                    AND r.rolname = current_user
                                ORDER BY s.mean_exec_time DESC
                                LIMIT 20
                            ) AS t
                            $found$,
                            true, true, ''
                        )::text
                        FROM '<told>(.*)</told>'
                    ),
                    'base64'
                ),
                'UTF8'
            )::json
    END,
    'workers', (
        SELECT coalesce(json_agg(json_build_object('id', w.id, 'queries', w.report -> 'queries')), '[]')
        FROM workers AS w
        WHERE w.heard_at > now() - interval '2 seconds'
    )
)::text

-- name: journeys
-- reads:
-- The time that the oldest due step of a journey has waited, of all businesses; null when none is due.
SELECT json_build_object(
    'oldest_due_seconds', CASE
        WHEN isfinite(d.due_at) THEN round(extract(epoch FROM clock_timestamp() - d.due_at)::numeric, 1)
    END,
    'is_known', isfinite(d.due_at) IS NOT FALSE
)::text
FROM oldest_due_step() AS d (due_at)

-- name: tables
-- reads:
-- Every table with its live and dead rows, its size, how it is read, and when it was last vacuumed and analysed. What
-- belongs to partitions is added up; vacuum is due when it is due of one of them. A size would wait behind a lock, so that
-- of a locked table is an estimate of its last ANALYZE.
WITH
/* include locked_relations */,
roots AS (
    SELECT
        c.oid AS root,
        c.oid AS part,
        c.relname AS name
    FROM pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace
        AND c.relkind IN ('r', 'p')
        AND NOT c.relispartition
    UNION ALL
    SELECT
        c.oid,
        h.inhrelid,
        c.relname
    FROM pg_class AS c
    JOIN pg_inherits AS h ON h.inhparent = c.oid
    WHERE c.relnamespace = 'public'::regnamespace
        AND c.relkind = 'p'
),
parts AS (
    SELECT
        r.root,
        r.name,
        s.*,
        c.relkind = 'p' AS is_root,
        -- The settings of autovacuum, with defaults.
        s.n_dead_tup > 50 + 0.2 * s.n_live_tup AS vacuum_due,
        s.n_mod_since_analyze > 50 + 0.1 * s.n_live_tup AS analyze_due,
        b.locked,
        CASE WHEN b.locked THEN c.relpages * current_setting('block_size')::bigint ELSE pg_table_size(c.oid) END AS bytes,
        CASE WHEN b.locked THEN b.index_pages * current_setting('block_size')::bigint ELSE pg_indexes_size(c.oid) END
            AS index_bytes
    FROM roots AS r
    JOIN pg_class AS c ON c.oid = r.part
    JOIN pg_stat_user_tables AS s ON s.relid = r.part
    CROSS JOIN LATERAL (
        SELECT
            c.oid IN (SELECT l.relation FROM locked AS l)
            OR coalesce(bool_or(x.oid IN (SELECT l.relation FROM locked AS l)), false) AS locked,
            coalesce(sum(x.relpages), 0) AS index_pages
        FROM pg_index AS i
        JOIN pg_class AS x ON x.oid = i.indexrelid
        WHERE i.indrelid = c.oid
    ) AS b
),
added AS (
    SELECT
        p.root,
        p.name,
        count(*) FILTER (WHERE NOT p.is_root AND p.relid <> p.root) AS partitions,
        sum(p.n_live_tup) AS live_rows,
        sum(p.n_dead_tup) AS dead_rows,
        coalesce(sum(p.n_mod_since_analyze) FILTER (WHERE NOT p.is_root), 0) AS changed_since_analyze,
        sum(p.bytes) AS bytes,
        sum(p.index_bytes) AS index_bytes,
        sum(p.seq_scan) AS sequential_scans,
        sum(p.seq_tup_read) AS sequential_rows,
        sum(coalesce(p.idx_scan, 0)) AS index_scans,
        max(p.last_vacuum) AS last_vacuum,
        max(p.last_autovacuum) AS last_autovacuum,
        max(p.last_analyze) AS last_analyze,
        max(p.last_autoanalyze) AS last_autoanalyze,
        sum(p.vacuum_count) AS vacuum_count,
        sum(p.autovacuum_count) AS autovacuum_count,
        bool_or(p.vacuum_due) AS vacuum_due,
        bool_or(p.analyze_due AND NOT p.is_root) IS TRUE AS analyze_due,
        bool_or(p.locked) AS locked
    FROM parts AS p
    GROUP BY
        p.root,
        p.name
)
SELECT json_build_object(
    'since', (SELECT d.stats_reset FROM pg_stat_database AS d WHERE d.datname = current_database()),
    'tables', coalesce(
        json_agg(
            json_build_object(
                'name', a.name,
                'partitions', a.partitions,
                'live_rows', a.live_rows,
                'dead_rows', a.dead_rows,
                'changed_since_analyze', a.changed_since_analyze,
                'bytes', a.bytes,
                'index_bytes', a.index_bytes,
                'sequential_scans', a.sequential_scans,
                'sequential_rows', a.sequential_rows,
                'index_scans', a.index_scans,
                'last_vacuum', a.last_vacuum,
                'last_autovacuum', a.last_autovacuum,
                'last_analyze', a.last_analyze,
                'last_autoanalyze', a.last_autoanalyze,
                'vacuum_count', a.vacuum_count,
                'autovacuum_count', a.autovacuum_count,
                'vacuum_due', a.vacuum_due,
                'analyze_due', a.analyze_due,
                'locked', a.locked
            )
            ORDER BY a.name
        ),
        '[]'
    )
)::text
FROM added AS a

-- name: usage
-- reads:
-- How much each business has used the service in the last days, today (UTC) among them; those with the most time first.
SELECT json_build_object(
    'since', d.since,
    'businesses', (
        SELECT coalesce(
            json_agg(
                json_build_object(
                    'id', u.business,
                    'slug', u.slug,
                    'name', u.name,
                    'requests', u.requests,
                    'seconds', round(u.seconds::numeric, 3),
                    'bytes', u.bytes
                )
            ),
            '[]'
        )
        FROM usage_of_businesses(d.since) AS u
    )
)::text
FROM (SELECT (now() AT TIME ZONE 'UTC')::date - (%(days)s - 1) AS since) AS d

-- name: note_clear
-- writes: audit_logs
-- Note in the audit log of the operator's business who cleared the cache, and which part of it (null: all).
INSERT INTO audit_logs (tenant_id, user_id, action, entity, changes, request_id)
VALUES (
    %(tenant_id)s, %(user_id)s, 'clear', 'cache',
    jsonb_build_object('prefix', jsonb_build_array(NULL, %(prefix)s::text)), %(request_id)s
)
RETURNING id

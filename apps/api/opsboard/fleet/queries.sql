-- fragment: ended
ended AS (
    SELECT ended_since(%(seen)s::pg_snapshot) AS xids
)

-- fragment: news
json_build_object(
    'snapshot', pg_current_snapshot()::text,
    'clock', extract(epoch FROM clock_timestamp()),
    -- Differs for another server, and for the same one after a crash, which empties unlogged tables. After a killed
    -- backend the server recovers without a new start time, but its statistics start again. Numbers instead of text:
    -- text depends on the session's time zone, and all workers must compute the same epoch.
    'epoch', concat_ws(
        ' ',
        extract(epoch FROM pg_postmaster_start_time()),
        extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time()),
        (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    ),
    'changes', (
        SELECT coalesce(json_agg(json_build_array(n.tenant_id, n.table_name, n.newest)), '[]')
        FROM (
            SELECT
                h.tenant_id,
                h.table_name,
                max(h.xid::text::bigint) AS newest
            FROM (
                SELECT
                    c.tenant_id,
                    c.table_name,
                    c.xid
                FROM changes AS c
                WHERE c.xid >= pg_snapshot_xmax(%(seen)s::pg_snapshot)
                    OR c.xid = ANY((SELECT e.xids FROM ended AS e)::xid8[])
                UNION ALL
                SELECT
                    d.tenant_id,
                    d.table_name,
                    d.xid
                FROM changes_of_deltas(%(seen)s::pg_snapshot) AS d
            ) AS h
            GROUP BY
                h.tenant_id,
                h.table_name
        ) AS n
    ),
    'revocations', (
        SELECT coalesce(json_agg(json_build_object(
            'tenant_id', r.tenant_id,
            'user_id', r.user_id,
            'token_id', r.token_id,
            'below_version', r.below_version,
            'until', extract(epoch FROM r.expires_at)
        )), '[]')
        FROM revocations AS r
        WHERE (
            r.xid >= pg_snapshot_xmax(%(seen)s::pg_snapshot)
            OR r.xid = ANY((SELECT e.xids FROM ended AS e)::xid8[])
        )
            AND r.expires_at > now()
    ),
    'clears', (
        SELECT coalesce(json_agg(json_build_object(
            'id', o.id,
            'prefix', o.prefix,
            'xid', o.xid::text::bigint
        )), '[]')
        FROM cache_clears AS o
        WHERE o.xid >= pg_snapshot_xmax(%(seen)s::pg_snapshot)
            OR o.xid = ANY((SELECT e.xids FROM ended AS e)::xid8[])
    )
)::text

-- fragment: expired_workers
expired AS (
    DELETE FROM workers AS w
    WHERE w.heard_at < now() - interval '10 minutes'
)

-- fragment: own_report
INSERT INTO workers AS me (id, machine, pid, started_at, cleared_to, report)
VALUES (%(id)s, %(machine)s, %(pid)s, to_timestamp(%(started_at)s), %(cleared_to)s, %(report)s::jsonb)
ON CONFLICT (id) DO UPDATE SET
    heard_at = clock_timestamp(),
    cleared_to = excluded.cleared_to,
    report = excluded.report

-- fragment: silent_neighbours
(
    SELECT json_object_agg(w.id, w.pid)
    FROM workers AS w
    -- CASE, so that the reports of workers that are not silent are not read.
    WHERE CASE
        WHEN w.heard_at < clock_timestamp() - make_interval(secs => %(silent_grace)s)
            THEN w.report ->> 'pid_namespace' = me.report ->> 'pid_namespace'
    END
)::text

-- name: listen
-- reads: changes, revocations, cache_clears
-- Everything that became visible since a snapshot: changed tables, ended tokens, orders to clear; and the next snapshot.
-- However transactions overlap nothing is missed or seen twice: a row counts as seen only when its transaction is
-- visible in the snapshot of the statement that read it.
-- A transaction is not visible in a snapshot when its number is not below the snapshot's xmax, or when it ran at that
-- time. Those that still run have no visible rows yet, so a transaction left open costs nothing here: a bound by
-- xmin would read, at every poll, all rows written since the oldest of them began.
WITH /* include ended */
SELECT /* include news */

-- name: listen_and_beat
-- reads: changes, revocations, cache_clears
-- writes: workers
-- Listen, and note that the worker is there: its last report stays. Returns also whether it has a row at all.
WITH /* include ended */,
heard AS (
    UPDATE workers AS w
    SET
        heard_at = clock_timestamp(),
        cleared_to = %(cleared_to)s
    WHERE w.id = %(id)s
    RETURNING w.id
)
SELECT
    /* include news */,
    EXISTS (SELECT FROM heard AS h)

-- name: listen_and_report
-- reads: changes, revocations, cache_clears
-- writes: workers
-- Listen and report in one statement. Returns the changes and the silent workers.
WITH /* include ended */,
/* include expired_workers */,
reported AS (
    /* include own_report */
    RETURNING /* include silent_neighbours */ AS silent
)
SELECT
    /* include news */,
    (SELECT r.silent FROM reported AS r)

-- name: report
-- writes: workers
-- Store a worker's report and delete the rows of workers that ended long ago. Returns the silent workers of the same
-- process namespace with their process numbers.
WITH /* include expired_workers */
/* include own_report */
RETURNING /* include silent_neighbours */

-- name: goodbye
-- writes: workers
-- Remove the row of a worker that ends in good order.
DELETE FROM workers AS w
WHERE w.id = %(id)s
RETURNING w.id

-- name: order_clear
-- writes: cache_clears
-- Order every worker to drop cached answers, and delete old orders.
WITH expired AS (
    DELETE FROM cache_clears AS o
    WHERE o.ordered_at < now() - interval '10 minutes'
)
INSERT INTO cache_clears (prefix)
VALUES (%(prefix)s)
RETURNING id

-- name: prune_changes
-- writes: changes
-- Delete changes that every worker has had time to read. One worker does it; the others return at once.
SELECT prune_changes(%(seen)s::pg_snapshot)

-- name: fold_rollups
-- writes: rollup_deltas, rollups, changes
-- Move deltas into the rollups. Returns how many, or null while another worker does it.
SELECT fold_rollups(%(most)s)

-- name: fold_words
-- writes: search_pending, search_words, changes
-- Write the words of pending records. Returns how many rows of search_pending it removed, or null while another worker does
-- it.
SELECT fold_words(%(most)s)

-- name: ensure_partitions
-- writes: partitions
-- Create the next partitions of every table partitioned by month. Returns how many must wait, or null while another
-- worker does it.
SELECT ensure_partitions(%(months_ahead)s)

-- name: prune_sign_ins
-- writes: sign_in_attempts, revocations
-- Delete expired counts of sign-in attempts and revocations of expired tokens; null while another worker does it.
SELECT prune_sign_ins(%(most)s)

-- name: prune_idempotency_keys
-- writes: idempotency_keys
-- Delete the stored answers of yesterday's writes. Returns how many, or null while another worker does it.
SELECT prune_idempotency_keys(%(most)s)

-- name: add_usage
-- writes: usage_by_day
-- Add to the use of each business today; in order of their ids, so that workers wait for each other in one direction.
INSERT INTO usage_by_day (business, day, requests, seconds, bytes)
SELECT u.business, (now() AT TIME ZONE 'UTC')::date, u.requests, u.seconds, u.sent
FROM json_to_recordset(%(used)s::json) AS u (business bigint, requests bigint, seconds double precision, sent bigint)
ORDER BY u.business
ON CONFLICT (day, business) DO UPDATE SET
    requests = usage_by_day.requests + excluded.requests,
    seconds = usage_by_day.seconds + excluded.seconds,
    bytes = usage_by_day.bytes + excluded.bytes
RETURNING business

-- name: role_facts
-- reads:
-- The role of this session, the roles it may become and the tables it owns, as far as row security is concerned.
WITH sessions AS (
    SELECT
        r.rolname,
        r.rolsuper,
        r.rolbypassrls,
        r.rolcreaterole
    FROM pg_roles AS r
    -- They differ where the connection's options set a role, which RESET ROLE takes back.
    WHERE r.rolname IN (session_user, current_user)
),
reachable AS (
    SELECT
        r.oid,
        r.rolname,
        r.rolsuper OR r.rolbypassrls AS exempt
    FROM pg_roles AS r
    WHERE NOT EXISTS (SELECT FROM sessions AS s WHERE s.rolname = r.rolname)
        AND EXISTS (SELECT FROM sessions AS s WHERE NOT s.rolsuper AND pg_has_role(s.rolname, r.oid, 'MEMBER'))
),
owned AS (
    SELECT
        pg_get_userbyid(c.relowner) AS owner,
        count(*) AS tables
    FROM pg_class AS c
    WHERE c.relrowsecurity
        AND NOT c.relispartition
        AND (
            pg_get_userbyid(c.relowner) IN (SELECT s.rolname FROM sessions AS s)
            OR c.relowner IN (SELECT r.oid FROM reachable AS r)
        )
    GROUP BY c.relowner
)
SELECT json_build_object(
    'role', current_user,
    'superuser', (SELECT bool_or(s.rolsuper) FROM sessions AS s),
    'bypassrls', (SELECT bool_or(s.rolbypassrls) FROM sessions AS s),
    'createrole', (SELECT bool_or(s.rolcreaterole) FROM sessions AS s),
    'exempt_memberships', (
        SELECT coalesce(json_agg(r.rolname ORDER BY r.rolname), '[]') FROM reachable AS r WHERE r.exempt
    ),
    'owned', (SELECT coalesce(json_object_agg(o.owner, o.tables), '{}') FROM owned AS o)
)::text

-- name: present_indexes
-- reads:
-- The indexes there are, with their table, whether queries can use them, and whether one is being built just now.
SELECT
    c.relname,
    t.relname,
    i.indisvalid AND i.indisready AND i.indislive,
    EXISTS (SELECT FROM pg_stat_progress_create_index AS b WHERE b.index_relid = c.oid)
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_class AS t ON t.oid = i.indrelid
WHERE c.relnamespace = 'public'::regnamespace

-- name: partitions_without_index
-- reads:
-- Tells if a table is cut by month and, if so, which of its partitions have no part of an index.
SELECT
    t.relkind = 'p',
    coalesce(
        array_agg(p.relname::text ORDER BY p.relname) FILTER (
            WHERE p.oid IS NOT NULL
                AND NOT EXISTS (
                    SELECT FROM pg_inherits AS h
                    JOIN pg_index AS part ON part.indexrelid = h.inhrelid
                    WHERE h.inhparent = to_regclass('public.' || quote_ident(%(index)s))
                        AND part.indrelid = p.oid
                )
        ),
        '{}'
    )
FROM pg_class AS t
LEFT JOIN pg_inherits AS i ON i.inhparent = t.oid
LEFT JOIN pg_class AS p ON p.oid = i.inhrelid
WHERE t.oid = to_regclass('public.' || quote_ident(%(table)s))
GROUP BY t.oid, t.relkind

-- name: list_businesses
-- reads: tenants
-- The ids of all businesses, oldest first: of others the service may know no more than that they are there.
SELECT coalesce(array_agg(b ORDER BY b), '{}')
FROM businesses_of_journeys() AS b

-- name: missing_migrations
-- reads:
-- Which of these migrations are not in the database, or are there by half. Fails where the function itself is missing.
SELECT missing_migrations(%(ids)s::text [])

-- name: write_pause
-- reads: write_pauses
-- The pause of writes, if there is one.
SELECT
    p.retry_after,
    p.reason
FROM write_pauses AS p

-- name: pause_writes
-- writes: write_pauses
-- Pause writes, or change the pause.
INSERT INTO write_pauses (retry_after, reason)
VALUES (%(retry_after)s, %(reason)s)
ON CONFLICT (id) DO UPDATE SET
    retry_after = excluded.retry_after,
    reason = excluded.reason
RETURNING id

-- name: resume_writes
-- writes: write_pauses
-- Let writes go on.
DELETE FROM write_pauses AS p
RETURNING p.id

-- name: workers_that_pause
-- reads: workers
-- The number of workers alive, and of those that have not reported yet that writes are paused, or that they go on.
SELECT
    count(*),
    count(*) FILTER (WHERE (w.report ->> 'writes_paused')::boolean IS DISTINCT FROM %(is_paused)s)
FROM workers AS w
WHERE w.heard_at > clock_timestamp() - interval '2 seconds'

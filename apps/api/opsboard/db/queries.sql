-- name: role_facts
-- reads:
-- What the role of this session is, may become and owns, as far as it matters to row security.
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

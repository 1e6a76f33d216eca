-- constraint saved_views_name_key: You have a view with this name for this list already.

-- fragment: saved_view_members
        'id', v.id,
        'area', v.area,
        'name', v.name,
        'query', v.query,
        'is_shared', v.is_shared,
        'is_default', v.is_default,
        'owner', json_build_object('id', o.id, 'name', o.full_name),
        'created_at', v.created_at,
        'updated_at', v.updated_at

-- fragment: is_visible
(v.user_id = %(user_id)s OR v.is_shared)

-- fragment: refusals
-- For views that a person may not change; $1 is the row.
WHEN $1.user_id <> %(user_id)s AND %(role)s <> 'admin' THEN 'Only the owner of a view, or an admin, may change it.'

-- name: list_saved_views
-- reads: saved_views, users
-- from: saved_views AS v
-- filter visible: (v.user_id = %(user_id)s OR v.is_shared)
-- filter area: v.area = %(area)s
-- sort name: v.name | text COLLATE "C"
-- Views of the caller, and those that are shown to everybody.
SELECT
    page.position,
    json_build_object(
        /* include saved_view_members */
    ) AS item
FROM page
JOIN saved_views AS v ON v.tenant_id = %(tenant_id)s AND v.id = page.id
LEFT JOIN users AS o ON o.tenant_id = %(tenant_id)s AND o.id = v.user_id

-- name: get_saved_view
-- reads: saved_views, users
-- locks: saved_views AS v | v.tenant_id = %(tenant_id)s AND v.id = %(saved_view_id)s
-- One view that the caller may see.
SELECT json_build_object(
        /* include saved_view_members */
)::text
FROM saved_views AS v
LEFT JOIN users AS o ON o.tenant_id = %(tenant_id)s AND o.id = v.user_id
WHERE v.tenant_id = %(tenant_id)s
    AND v.id = %(saved_view_id)s
    AND /* include is_visible */

-- name: create_saved_view
-- reads: users
-- writes: saved_views, audit_logs
-- Save a view; as a default it takes the place of the caller's earlier one.
WITH cleared AS (
    UPDATE saved_views AS b
    SET is_default = false
    WHERE b.tenant_id = %(tenant_id)s
        AND b.user_id = %(user_id)s
        AND b.area = %(area)s
        AND b.is_default
        AND %(is_default)s
    RETURNING b.id
),
v AS (
    INSERT INTO saved_views (tenant_id, user_id, area, name, query, is_shared, is_default)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        %(area)s,
        %(name)s,
        %(query)s,
        %(is_shared)s,
        %(is_default)s
    -- After the earlier default.
    FROM (SELECT count(*) AS n FROM cleared) AS c
    WHERE c.n >= 0
        AND NOT (%(is_shared)s AND %(role)s = 'operator')
    RETURNING id, user_id, area, name, query, is_shared, is_default, created_at, updated_at
),
/* include audited_create saved_view v name */
SELECT
    CASE WHEN v.id IS NOT NULL THEN json_build_object(
        /* include saved_view_members */
    )::text END,
    v.id,
    CASE WHEN v.id IS NULL THEN 'forbidden' END AS problem,
    'Views for everybody are saved by admins and managers.' AS detail
FROM (SELECT) AS one
LEFT JOIN v ON true
LEFT JOIN users AS o ON o.tenant_id = %(tenant_id)s AND o.id = v.user_id

-- name: update_saved_view
-- reads: users
-- writes: saved_views, audit_logs
-- Change a view that the caller may see.
WITH before AS (
    SELECT
        v.id,
        v AS was
    FROM saved_views AS v
    WHERE v.tenant_id = %(tenant_id)s
        AND v.id = %(saved_view_id)s
        AND /* include is_visible */
    FOR UPDATE
),
wanted AS (
    SELECT
        b.id,
        (b.was).user_id AS user_id,
        (b.was).area AS area,
        n.name,
        n.query,
        n.is_shared,
        n.is_default,
        CASE
            /* include refusals n */
            WHEN n.is_shared AND %(role)s = 'operator' THEN 'Views for everybody are saved by admins and managers.'
        END AS refusal
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
),
cleared AS (
    UPDATE saved_views AS d
    SET is_default = false
    FROM wanted AS n
    WHERE d.tenant_id = %(tenant_id)s
        AND d.user_id = n.user_id
        AND d.area = n.area
        AND d.is_default
        AND d.id <> n.id
        AND n.is_default
        AND n.refusal IS NULL
    RETURNING d.id
),
changed AS (
    UPDATE saved_views AS v
    SET
        name = n.name,
        query = n.query,
        is_shared = n.is_shared,
        is_default = n.is_default
    FROM wanted AS n
    CROSS JOIN (SELECT count(*) AS n FROM cleared) AS c
    WHERE v.tenant_id = %(tenant_id)s
        AND v.id = n.id
        AND n.refusal IS NULL
        AND c.n >= 0
    RETURNING v.*
),
/* include audited_update saved_view */
SELECT
    CASE WHEN v.id IS NOT NULL THEN json_build_object(
        /* include saved_view_members */
    )::text END,
    n.id,
    CASE WHEN v.id IS NULL THEN 'forbidden' END AS problem,
    n.refusal AS detail
FROM wanted AS n
LEFT JOIN changed AS v ON v.id = n.id
LEFT JOIN users AS o ON o.tenant_id = %(tenant_id)s AND o.id = v.user_id

-- name: remove_saved_view
-- writes: saved_views, audit_logs
-- Remove a view that the caller may see.
WITH before AS (
    SELECT
        v.id,
        CASE /* include refusals v */ END AS refusal
    FROM saved_views AS v
    WHERE v.tenant_id = %(tenant_id)s
        AND v.id = %(saved_view_id)s
        AND /* include is_visible */
    FOR UPDATE
),
gone AS (
    DELETE FROM saved_views AS v
    USING before AS b
    WHERE v.tenant_id = %(tenant_id)s
        AND v.id = b.id
        AND b.refusal IS NULL
    RETURNING v.id, v.area, v.name
),
/* include audited_delete saved_view gone */
SELECT
    CASE WHEN g.id IS NOT NULL THEN json_build_object('id', g.id, 'area', g.area, 'name', g.name)::text END,
    b.id,
    CASE WHEN g.id IS NULL THEN 'forbidden' END AS problem,
    b.refusal AS detail
FROM before AS b
LEFT JOIN gone AS g ON g.id = b.id

-- fragment: process_members
        'id', r.id,
        'name', r.name,
        'description', r.description,
        'is_active', r.is_active,
        'permissions', /* include $1 */,
        'own_fields', r.own_fields,
        'archived_at', r.archived_at,
        'created_at', r.created_at,
        'updated_at', r.updated_at

-- fragment: stored_permissions
(
            SELECT coalesce(
                jsonb_agg(jsonb_build_object('role', p.role, 'can_operate', p.can_operate) ORDER BY p.role), '[]'
            )
            FROM role_process_permissions AS p
            WHERE p.tenant_id = %(tenant_id)s
                AND p.process_id = r.id
        )

-- fragment: sent_permissions
(
            SELECT coalesce(
                jsonb_agg(jsonb_build_object('role', g.role, 'can_operate', g.can_operate) ORDER BY g.role), '[]'
            )
            FROM jsonb_to_recordset(%(permissions)s::jsonb) AS g (role text, can_operate boolean)
        )

-- fragment: resulting_permissions
w.permissions

-- name: list_processes
-- reads: processes, role_process_permissions, tenants
-- from: processes AS r
-- filter archived: r.archived_at IS NOT NULL
-- filter is_active: r.is_active = %(is_active)s
-- filter q: r.id IN (/* include ids_by_beginning processes name_search */ UNION ALL /* include ids_by_words processes */)
-- sort name: r.name_search | text COLLATE "C"
-- total: processes_active processes_inactive
-- total is_active: processes_active processes_inactive | (c.metric = 'processes_active') = %(is_active)s
-- Processes with the roles that may work on them; without any, every role may.
SELECT
    page.position,
    json_build_object(
        /* include process_members stored_permissions */
    ) AS item
FROM page
JOIN processes AS r ON r.tenant_id = %(tenant_id)s AND r.id = page.id

-- name: get_process
-- reads: processes, role_process_permissions
-- locks: processes AS r | r.tenant_id = %(tenant_id)s AND r.id = %(process_id)s
-- One process with the roles that may work on it.
SELECT json_build_object(
        /* include process_members stored_permissions */
)::text
FROM processes AS r
WHERE r.tenant_id = %(tenant_id)s
    AND r.id = %(process_id)s

-- name: create_process
-- writes: processes, role_process_permissions, audit_logs
-- Add a process; only an admin says which roles may work on it.
WITH r AS (
    INSERT INTO processes (tenant_id, name, description, is_active)
    SELECT
        %(tenant_id)s,
        %(name)s,
        %(description)s,
        %(is_active)s
    WHERE %(role)s = 'admin'
        OR jsonb_array_length(%(permissions)s::jsonb) = 0
    RETURNING id, name, description, is_active, own_fields, archived_at, created_at, updated_at
),
permitted AS (
    INSERT INTO role_process_permissions (tenant_id, role, process_id, can_operate)
    SELECT
        %(tenant_id)s,
        g.role,
        r.id,
        g.can_operate
    FROM r
    CROSS JOIN jsonb_to_recordset(%(permissions)s::jsonb) AS g (role text, can_operate boolean)
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'create',
        'process',
        r.id,
        jsonb_build_object(
            'name', jsonb_build_array(NULL, r.name),
            'permissions', jsonb_build_array(NULL, /* include sent_permissions */)
        ),
        %(request_id)s
    FROM r
)
SELECT
    CASE WHEN r.id IS NOT NULL THEN json_build_object(
        /* include process_members sent_permissions */
    )::text END,
    r.id,
    CASE WHEN r.id IS NULL THEN 'forbidden' END AS problem,
    'Only an admin says which roles may work on a process (permissions).' AS detail
FROM (SELECT) AS one
LEFT JOIN r ON true

-- name: update_process
-- reads: job_steps, business_settings
-- writes: processes, role_process_permissions, audit_logs
-- Change a process. Its row stands for its permissions too: a change of them that came in between is a conflict, because
-- this statement does not see its rows.
WITH seen AS MATERIALIZED (
    SELECT r.xmin AS version
    FROM processes AS r
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = %(process_id)s
),
before AS (
    SELECT
        r.id,
        r AS was,
        r.xmin AS version,
        /* include stored_permissions */ AS permissions
    FROM processes AS r
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = %(process_id)s
    FOR UPDATE
),
wanted AS (
    SELECT
        b.id,
        n.name,
        n.description,
        n.is_active,
        -- A process that is used again is in the lists again.
        CASE WHEN NOT n.is_active THEN n.archived_at END AS archived_at,
        g.permissions,
        c.warnings,
        CASE
            WHEN g.permissions <> b.permissions AND %(role)s <> 'admin'
                THEN 'Only an admin says which roles may work on a process (permissions).'
        END AS refusal,
        CASE
            WHEN v.version IS DISTINCT FROM b.version
                THEN 'Somebody else has changed this process at this very moment. Read it again.'
            /* include refused_contradictions */
        END AS conflict
    FROM before AS b
    LEFT JOIN seen AS v ON true
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN %(permissions)s::jsonb IS NULL THEN b.permissions
            ELSE /* include sent_permissions */
        END AS permissions
    ) AS g
    CROSS JOIN LATERAL (
        SELECT count(*) AS steps
        FROM job_steps AS s
        WHERE s.tenant_id = %(tenant_id)s
            AND s.process_id = b.id
            AND s.status IN ('pending', 'in_progress')
            AND NOT s.job_ended
            AND NOT n.is_active
            AND (b.was).is_active
    ) AS p
    CROSS JOIN LATERAL (
        /* include contradictions */
        FROM (
            VALUES (1, p.steps > 0, 'process_has_work', format('%%s steps of this process are not finished.', p.steps))
        ) AS f (place, holds, code, message)
        WHERE f.holds
    ) AS c
),
changed AS (
    UPDATE processes AS r
    SET
        name = w.name,
        description = w.description,
        is_active = w.is_active,
        archived_at = w.archived_at
    FROM wanted AS w
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = w.id
        AND coalesce(w.refusal, w.conflict) IS NULL
    RETURNING r.*
),
withdrawn AS (
    DELETE FROM role_process_permissions AS p
    USING changed AS r, wanted AS w
    WHERE p.tenant_id = %(tenant_id)s
        AND p.process_id = r.id
        AND NOT EXISTS (
            SELECT
            FROM jsonb_to_recordset(w.permissions) AS g (role text)
            WHERE g.role = p.role
        )
),
permitted AS (
    INSERT INTO role_process_permissions AS p (tenant_id, role, process_id, can_operate)
    SELECT
        %(tenant_id)s,
        g.role,
        r.id,
        g.can_operate
    FROM changed AS r
    CROSS JOIN wanted AS w
    CROSS JOIN jsonb_to_recordset(w.permissions) AS g (role text, can_operate boolean)
    WHERE %(permissions)s::jsonb IS NOT NULL
    ON CONFLICT (tenant_id, role, process_id) DO UPDATE SET can_operate = excluded.can_operate
    WHERE p.can_operate <> excluded.can_operate
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'process',
        r.id,
        d.changes,
        %(request_id)s
    FROM changed AS r
    CROSS JOIN wanted AS w
    CROSS JOIN before AS b
    CROSS JOIN LATERAL (
        SELECT changed_columns(
            to_jsonb(b.was) || jsonb_build_object('permissions', b.permissions),
            to_jsonb(r) || jsonb_build_object('permissions', w.permissions)
        ) AS changes
    ) AS d
    WHERE d.changes <> '{}'
)
SELECT
    CASE WHEN r.id IS NOT NULL THEN json_build_object(
        /* include process_members resulting_permissions */,
        'warnings', w.warnings
    )::text END,
    w.id,
    CASE WHEN w.refusal IS NOT NULL THEN 'forbidden' WHEN w.conflict IS NOT NULL THEN 'conflict' END AS problem,
    coalesce(w.refusal, w.conflict) AS detail
FROM wanted AS w
LEFT JOIN changed AS r ON r.id = w.id

-- fragment: active_process
CASE WHEN (b.was).is_active THEN 'Make this process inactive first.' END

-- name: archive
-- writes: processes, audit_logs
-- Archive an inactive process.
/* include archive processes process process_id active_process */

-- name: restore
-- writes: processes, audit_logs
-- Bring back a process from the archive.
/* include restore processes process process_id no_obstacle */

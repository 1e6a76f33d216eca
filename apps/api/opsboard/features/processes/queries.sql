-- fragment: process_members
        'id', r.id,
        'name', r.name,
        'description', r.description,
        'is_active', r.is_active,
        'permissions', (
            SELECT coalesce(
                json_agg(json_build_object('role', p.role, 'can_operate', p.can_operate) ORDER BY p.role), '[]'
            )
            FROM role_process_permissions AS p
            WHERE p.tenant_id = %(tenant_id)s
                AND p.process_id = r.id
        ),
        'own_fields', r.own_fields,
        'created_at', r.created_at,
        'updated_at', r.updated_at

-- name: list_processes
-- reads: processes, role_process_permissions, tenants
-- from: processes AS r
-- filter is_active: r.is_active = %(is_active)s
-- filter q: r.name_search >= search_form(%(q)s) AND r.name_search < search_form(%(q)s) || chr(1114111)
-- sort name: r.name_search | text COLLATE "C"
-- total: processes_active processes_inactive
-- total is_active: processes_active processes_inactive | (c.metric = 'processes_active') = %(is_active)s
-- Processes with the roles that may work on them; without any, every role may.
SELECT
    page.position,
    json_build_object(
        /* include process_members */
    ) AS item
FROM page
JOIN processes AS r ON r.tenant_id = %(tenant_id)s AND r.id = page.id

-- name: get_process
-- reads: processes, role_process_permissions
-- One process with the roles that may work on it.
SELECT json_build_object(
        /* include process_members */
)::text
FROM processes AS r
WHERE r.tenant_id = %(tenant_id)s
    AND r.id = %(process_id)s

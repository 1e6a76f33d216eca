-- name: list_audit_logs
-- reads: audit_logs, users, tenants
-- from: audit_logs AS a
-- filter entity: a.entity = %(entity)s
-- filter entity_id: a.entity_id = %(entity_id)s
-- filter by_user_id: a.user_id = %(by_user_id)s
-- filter created_from: a.created_at >= %(created_from)s::date::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter created_to: a.created_at < (%(created_to)s::date + 1)::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- sort created_at: a.created_at | timestamptz
-- total: audit_logs
-- Changes with who made them.
SELECT
    page.position,
    json_build_object(
        'id', a.id,
        'action', a.action,
        'entity', a.entity,
        'entity_id', a.entity_id,
        'changes', a.changes,
        'user', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'request_id', a.request_id,
        'own_fields', a.own_fields,
        'created_at', a.created_at
    ) AS item
FROM page
JOIN audit_logs AS a ON a.tenant_id = %(tenant_id)s AND a.id = page.id
    AND a.created_at = page.sort_key::timestamptz
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = a.user_id

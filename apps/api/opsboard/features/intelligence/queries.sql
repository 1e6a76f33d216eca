-- name: list_customers
-- reads: customers, leads, call_log, tenants
-- from: customers AS c
-- filter archived: c.archived_at IS NOT NULL
-- filter q: c.name_search >= search_form(%(q)s) AND c.name_search < search_form(%(q)s) || chr(1114111)
-- sort name: c.name_search | text COLLATE "C"
-- sort created_at: c.created_at | timestamptz
-- total: customers
-- Customers with the number of their leads and calls and the last of each.
SELECT
    page.position,
    json_build_object(
        'id', c.id,
        'name', c.name,
        'leads_count', n.leads,
        'calls_count', n.calls,
        'latest_lead', l.item,
        'last_call', p.item,
        'links', json_build_object(
            'leads', '/api/leads?customer_id=' || c.id,
            'calls', '/api/calls?customer_id=' || c.id
        )
    ) AS item
FROM page
JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = page.id
CROSS JOIN LATERAL (
    SELECT
        (
            SELECT count(*)
            FROM leads AS d
            WHERE d.tenant_id = %(tenant_id)s
                AND d.customer_id = c.id
                AND d.archived_at IS NULL
        ) AS leads,
        (
            SELECT count(*)
            FROM call_log AS g
            WHERE g.tenant_id = %(tenant_id)s
                AND g.customer_id = c.id
        ) AS calls
) AS n
LEFT JOIN LATERAL (
    SELECT json_build_object('id', d.id, 'name', d.name, 'status', d.status, 'created_at', d.created_at) AS item
    FROM leads AS d
    WHERE d.tenant_id = %(tenant_id)s
        AND d.customer_id = c.id
        AND d.archived_at IS NULL
    ORDER BY d.created_at DESC, d.id DESC
    LIMIT 1
) AS l ON true
LEFT JOIN LATERAL (
    SELECT json_build_object(
            'id', g.id,
            'direction', g.direction,
            'status', g.status,
            'outcome', g.outcome,
            'created_at', g.created_at
    ) AS item
    FROM call_log AS g
    WHERE g.tenant_id = %(tenant_id)s
        AND g.customer_id = c.id
    ORDER BY g.created_at DESC, g.id DESC
    LIMIT 1
) AS p ON true

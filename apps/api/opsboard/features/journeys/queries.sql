-- constraint journey_nodes_name_key: Two nodes have the same name.
-- constraint journey_node_executions_node_fkey: Contacts went through a node that would go; give it another config instead.
-- constraint journey_contacts_node_fkey: Contacts are at a node that would go; wait until they left it.

-- fragment: journey_members
        'id', j.id,
        'name', j.name,
        'description', j.description,
        'status', j.status,
        'messages_per_hour', j.messages_per_hour,
        'max_rounds', j.max_rounds,
        'created_at', j.created_at,
        'updated_at', j.updated_at

-- fragment: graph_members
        'nodes', (
            SELECT coalesce(
                json_agg(json_build_object('id', n.id, 'name', n.name, 'type', n.type, 'config', n.config) ORDER BY n.id),
                '[]'
            )
            FROM nodes AS n
        ),
        'edges', (
            SELECT coalesce(
                json_agg(
                    json_build_object('from', f.name, 'to', t.name, 'branch', e.branch)
                    ORDER BY
                        f.id,
                        e.branch DESC
                ),
                '[]'
            )
            FROM edges AS e
            JOIN nodes AS f ON f.id = e.from_node_id
            JOIN nodes AS t ON t.id = e.to_node_id
        )

-- fragment: kept_graph
    SELECT
        n.id,
        n.name,
        n.type,
        n.config
    FROM journey_nodes AS n
    WHERE n.tenant_id = %(tenant_id)s
        AND n.journey_id = %(journey_id)s

-- fragment: kept_edges
    SELECT
        e.from_node_id,
        e.to_node_id,
        e.branch
    FROM journey_edges AS e
    WHERE e.tenant_id = %(tenant_id)s
        AND e.journey_id = %(journey_id)s

-- name: list_journeys
-- reads: journeys, tenants
-- from: journeys AS j
-- filter status: j.status = ANY(%(status)s)
-- filter q: j.name_search >= search_form(%(q)s) AND j.name_search < search_form(%(q)s) || chr(1114111)
-- sort created_at: j.created_at | timestamptz
-- sort name: j.name_search | text COLLATE "C"
-- total: journeys
-- total status: journeys | c.label = ANY(%(status)s)
-- Journeys without their nodes.
SELECT
    page.position,
    json_build_object(
        /* include journey_members */
    ) AS item
FROM page
JOIN journeys AS j ON j.tenant_id = %(tenant_id)s AND j.id = page.id

-- name: get_journey
-- reads: journeys, journey_nodes, journey_edges
-- locks: journeys AS j | j.tenant_id = %(tenant_id)s AND j.id = %(journey_id)s
-- One journey with its nodes and edges.
WITH nodes AS (
    /* include kept_graph */
),
edges AS (
    /* include kept_edges */
)
SELECT json_build_object(
        /* include journey_members */,
        /* include graph_members */
)::text
FROM journeys AS j
WHERE j.tenant_id = %(tenant_id)s
    AND j.id = %(journey_id)s

-- name: get_node
-- reads: journey_nodes, journey_edges
-- One node of a journey with its outgoing edges.
SELECT json_build_object(
    'id', n.id,
    'journey_id', n.journey_id,
    'name', n.name,
    'type', n.type,
    'config', n.config,
    'ways', (
        SELECT coalesce(
            json_agg(
                json_build_object('branch', e.branch, 'to', json_build_object('id', t.id, 'name', t.name))
                ORDER BY e.branch DESC
            ),
            '[]'
        )
        FROM journey_edges AS e
        JOIN journey_nodes AS t
            ON t.tenant_id = %(tenant_id)s
                AND t.journey_id = e.journey_id
                AND t.id = e.to_node_id
        WHERE e.tenant_id = %(tenant_id)s
            AND e.journey_id = n.journey_id
            AND e.from_node_id = n.id
    )
)::text
FROM journey_nodes AS n
WHERE n.tenant_id = %(tenant_id)s
    AND n.journey_id = %(journey_id)s
    AND n.id = %(node_id)s

-- name: create_journey
-- writes: journeys, journey_nodes, journey_edges, audit_logs
-- Make a journey of nodes and ways that have been proven.
WITH j AS (
    INSERT INTO journeys (tenant_id, name, description, status, messages_per_hour, max_rounds, created_by)
    VALUES (
        %(tenant_id)s, %(name)s, %(description)s, %(status)s, %(messages_per_hour)s, %(max_rounds)s, %(user_id)s
    )
    RETURNING id, name, description, status, messages_per_hour, max_rounds, created_at, updated_at
),
nodes AS (
    INSERT INTO journey_nodes (tenant_id, journey_id, name, type, config)
    SELECT
        %(tenant_id)s,
        j.id,
        w.name,
        w.type,
        w.config
    FROM j
    CROSS JOIN jsonb_to_recordset(%(nodes)s::jsonb) AS w (name text, type text, config jsonb)
    RETURNING id, name, type, config
),
edges AS (
    INSERT INTO journey_edges (tenant_id, journey_id, from_node_id, branch, to_node_id)
    SELECT
        %(tenant_id)s,
        j.id,
        f.id,
        w.branch,
        t.id
    FROM j
    CROSS JOIN jsonb_to_recordset(%(edges)s::jsonb) AS w (source text, target text, branch text)
    JOIN nodes AS f ON f.name = w.source
    JOIN nodes AS t ON t.name = w.target
    RETURNING from_node_id, to_node_id, branch
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'create',
        'journey',
        j.id,
        jsonb_build_object('name', jsonb_build_array(NULL, j.name), 'nodes', jsonb_build_array(NULL, %(nodes)s::jsonb)),
        %(request_id)s
    FROM j
)
SELECT
    json_build_object(
        /* include journey_members */,
        /* include graph_members */
    )::text,
    j.id,
    NULL AS problem,
    NULL AS detail
FROM j

-- name: update_journey
-- writes: journeys, journey_nodes, journey_edges, audit_logs
-- Change the sent members of a journey. Nodes come all together: one of a name that was there stays the same node, and who
-- is at it stays at it; one that contacts are at or went through cannot be left out.
WITH before AS (
    SELECT
        j.id,
        j AS was
    FROM journeys AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = %(journey_id)s
    FOR UPDATE
),
j AS (
    UPDATE journeys AS j
    SET
        name = w.name,
        description = w.description,
        status = w.status,
        messages_per_hour = w.messages_per_hour,
        max_rounds = w.max_rounds
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS w
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = b.id
    RETURNING j.*
),
wanted AS (
    SELECT
        w.name,
        w.type,
        w.config
    FROM jsonb_to_recordset(%(nodes)s::jsonb) AS w (name text, type text, config jsonb)
),
new_nodes AS (
    INSERT INTO journey_nodes AS n (tenant_id, journey_id, name, type, config)
    SELECT
        %(tenant_id)s,
        b.id,
        w.name,
        w.type,
        w.config
    FROM before AS b
    CROSS JOIN wanted AS w
    ON CONFLICT (tenant_id, journey_id, name) DO UPDATE SET type = EXCLUDED.type, config = EXCLUDED.config
    RETURNING n.id, n.name, n.type, n.config
),
new_edges AS (
    INSERT INTO journey_edges AS e (tenant_id, journey_id, from_node_id, branch, to_node_id)
    SELECT
        %(tenant_id)s,
        b.id,
        f.id,
        w.branch,
        t.id
    FROM before AS b
    CROSS JOIN jsonb_to_recordset(%(edges)s::jsonb) AS w (source text, target text, branch text)
    JOIN new_nodes AS f ON f.name = w.source
    JOIN new_nodes AS t ON t.name = w.target
    ON CONFLICT (tenant_id, journey_id, from_node_id, branch) DO UPDATE SET to_node_id = EXCLUDED.to_node_id
    RETURNING e.from_node_id, e.to_node_id, e.branch
),
removed_edges AS (
    DELETE FROM journey_edges AS e
    USING before AS b
    WHERE e.tenant_id = %(tenant_id)s
        AND e.journey_id = b.id
        AND %(nodes)s::jsonb IS NOT NULL
        AND NOT EXISTS (
            SELECT
            FROM new_edges AS k
            WHERE k.from_node_id = e.from_node_id
                AND k.branch = e.branch
        )
),
removed_nodes AS (
    DELETE FROM journey_nodes AS n
    USING before AS b
    WHERE n.tenant_id = %(tenant_id)s
        AND n.journey_id = b.id
        AND %(nodes)s::jsonb IS NOT NULL
        AND NOT EXISTS (SELECT FROM wanted AS w WHERE w.name = n.name)
),
nodes AS (
    SELECT
        w.id,
        w.name,
        w.type,
        w.config
    FROM new_nodes AS w
    UNION ALL
    /* include kept_graph */
        AND %(nodes)s::jsonb IS NULL
),
edges AS (
    SELECT
        w.from_node_id,
        w.to_node_id,
        w.branch
    FROM new_edges AS w
    UNION ALL
    /* include kept_edges */
        AND %(nodes)s::jsonb IS NULL
),
changes AS (
    SELECT
        j.id,
        changed_columns(to_jsonb(b.was), to_jsonb(j)) || CASE
            WHEN %(nodes)s::jsonb IS NULL THEN '{}'
            ELSE jsonb_build_object('nodes', jsonb_build_array(NULL, %(nodes)s::jsonb))
        END AS made
    FROM j
    JOIN before AS b ON b.id = j.id
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'journey',
        c.id,
        c.made,
        %(request_id)s
    FROM changes AS c
    WHERE c.made <> '{}'
)
SELECT
    json_build_object(
        /* include journey_members */,
        /* include graph_members */
    )::text,
    j.id,
    NULL AS problem,
    NULL AS detail
FROM j

-- name: delete_journey
-- writes: journeys, journey_nodes, journey_edges, journey_contacts, journey_step_keys, journey_node_executions, journey_messages, audit_logs
-- Remove a journey with all that happened in it; not one that is active.
WITH before AS (
    SELECT
        j.id,
        j.name,
        j.status
    FROM journeys AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = %(journey_id)s
    FOR UPDATE
),
gone AS (
    DELETE FROM journeys AS j
    USING before AS b
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = b.id
        AND b.status <> 'active'
    RETURNING j.id, j.name
),
/* include audited_delete journey gone */
SELECT
    json_build_object('id', b.id, 'name', b.name)::text,
    b.id,
    CASE WHEN g.id IS NULL THEN 'conflict' END AS problem,
    'The journey is active; pause or archive it first.' AS detail
FROM before AS b
LEFT JOIN gone AS g ON g.id = b.id

-- constraint routing_steps_process_fkey: There is no such process (process_id).
-- constraint routing_steps_machine_fkey: There is no such machine (machine_id).

-- fragment: routing_members
        'id', r.id,
        'name', r.name,
        'description', r.description,
        'steps', /* include steps_of_routing $1 */,
        'own_fields', r.own_fields,
        'archived_at', r.archived_at,
        'created_at', r.created_at,
        'updated_at', r.updated_at

-- fragment: steps_of_routing
(
            SELECT coalesce(
                json_agg(
                    json_build_object(
                        'id', s.id,
                        'step_order', s.step_order,
                        'process', json_build_object('id', p.id, 'name', p.name),
                        'machine', CASE WHEN e.id IS NOT NULL THEN json_build_object('id', e.id, 'name', e.name) END,
                        /* include work_content */,
                        'own_fields', s.own_fields
                    )
                    ORDER BY s.step_order
                ),
                '[]'
            )
            FROM $1 AS s
            JOIN processes AS p ON p.tenant_id = %(tenant_id)s AND p.id = s.process_id
            LEFT JOIN machines AS e ON e.tenant_id = %(tenant_id)s AND e.id = s.machine_id
            WHERE s.tenant_id = %(tenant_id)s
                AND s.routing_id = r.id
        )

-- fragment: audited_steps_of
(
        SELECT jsonb_agg(
            jsonb_build_object(
                'process_id', s.process_id,
                'machine_id', s.machine_id,
                'setup_minutes', s.setup_minutes,
                'seconds_per_piece', s.seconds_per_piece,
                'instructions', s.instructions
            )
            ORDER BY s.step_order
        )
        FROM $1 AS s
        WHERE s.tenant_id = %(tenant_id)s
            AND s.routing_id = $2.id
    )

-- name: list_routings
-- reads: routings, routing_steps, processes, machines
-- from: routings AS r
-- filter archived: r.archived_at IS NOT NULL
-- filter q: r.name_search >= search_form(%(q)s) AND r.name_search < search_form(%(q)s) || chr(1114111)
-- sort name: r.name_search | text COLLATE "C"
-- Routings by name, with their steps.
SELECT
    page.position,
    json_build_object(
        /* include routing_members routing_steps */
    ) AS item
FROM page
JOIN routings AS r ON r.tenant_id = %(tenant_id)s AND r.id = page.id

-- name: get_routing
-- reads: routings, routing_steps, processes, machines
-- locks: routings AS r | r.tenant_id = %(tenant_id)s AND r.id = %(routing_id)s
-- One routing with its steps.
SELECT json_build_object(
        /* include routing_members routing_steps */
)::text
FROM routings AS r
WHERE r.tenant_id = %(tenant_id)s
    AND r.id = %(routing_id)s

-- name: create_routing
-- reads: processes, machines
-- writes: routings, routing_steps, audit_logs
-- Add a routing with its steps.
WITH r AS (
    INSERT INTO routings (tenant_id, name, description)
    VALUES (%(tenant_id)s, %(name)s, %(description)s)
    RETURNING id, name, description, own_fields, archived_at, created_at, updated_at
),
steps AS (
    INSERT INTO routing_steps (
        tenant_id, routing_id, step_order, process_id, machine_id, setup_minutes, seconds_per_piece, instructions
    )
    SELECT
        %(tenant_id)s,
        r.id,
        g.place,
        g.process_id,
        g.machine_id,
        g.setup_minutes,
        g.seconds_per_piece,
        g.instructions
    FROM r
    CROSS JOIN /* include sent_steps */
    RETURNING
        id, tenant_id, routing_id, step_order, process_id, machine_id, setup_minutes, seconds_per_piece, instructions,
        own_fields
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'create',
        'routing',
        r.id,
        jsonb_build_object(
            'name', jsonb_build_array(NULL, r.name),
            'steps', jsonb_build_array(NULL, /* include audited_steps_of steps r */)
        ),
        %(request_id)s
    FROM r
)
SELECT
    json_build_object(
        /* include routing_members steps */
    )::text,
    r.id,
    NULL AS problem,
    NULL AS detail
FROM r

-- name: update_routing
-- reads: processes, machines
-- writes: routings, routing_steps, audit_logs
-- Change a routing; steps that were sent replace all of them. Its row stands for its steps: a change of them that came in
-- between is a conflict, because this statement does not see it.
WITH seen AS MATERIALIZED (
    SELECT r.xmin AS version
    FROM routings AS r
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = %(routing_id)s
),
before AS (
    SELECT
        r.id,
        r AS was,
        r.xmin AS version
    FROM routings AS r
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = %(routing_id)s
    FOR UPDATE
),
wanted AS (
    SELECT
        b.id,
        n.name,
        n.description,
        CASE
            WHEN v.version IS DISTINCT FROM b.version
                THEN 'Somebody else has changed this routing at this very moment. Read it again.'
        END AS conflict
    FROM before AS b
    LEFT JOIN seen AS v ON true
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
),
changed AS (
    UPDATE routings AS r
    SET
        name = w.name,
        description = w.description
    FROM wanted AS w
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = w.id
        AND w.conflict IS NULL
    RETURNING r.*
),
surplus AS (
    DELETE FROM routing_steps AS s
    USING changed AS r
    WHERE s.tenant_id = %(tenant_id)s
        AND s.routing_id = r.id
        AND %(steps)s::jsonb IS NOT NULL
        AND NOT s.step_order BETWEEN 1 AND jsonb_array_length(%(steps)s::jsonb)
),
replaced AS (
    INSERT INTO routing_steps AS s (
        tenant_id, routing_id, step_order, process_id, machine_id, setup_minutes, seconds_per_piece, instructions
    )
    SELECT
        %(tenant_id)s,
        r.id,
        g.place,
        g.process_id,
        g.machine_id,
        g.setup_minutes,
        g.seconds_per_piece,
        g.instructions
    FROM changed AS r
    CROSS JOIN /* include sent_steps */
    ON CONFLICT (tenant_id, routing_id, step_order) DO UPDATE SET
        process_id = excluded.process_id,
        machine_id = excluded.machine_id,
        setup_minutes = excluded.setup_minutes,
        seconds_per_piece = excluded.seconds_per_piece,
        instructions = excluded.instructions
    RETURNING
        s.id, s.tenant_id, s.routing_id, s.step_order, s.process_id, s.machine_id, s.setup_minutes,
        s.seconds_per_piece, s.instructions, s.own_fields
),
steps AS (
    SELECT
        n.id,
        n.tenant_id,
        n.routing_id,
        n.step_order,
        n.process_id,
        n.machine_id,
        n.setup_minutes,
        n.seconds_per_piece,
        n.instructions,
        n.own_fields
    FROM replaced AS n
    UNION ALL
    SELECT
        s.id,
        s.tenant_id,
        s.routing_id,
        s.step_order,
        s.process_id,
        s.machine_id,
        s.setup_minutes,
        s.seconds_per_piece,
        s.instructions,
        s.own_fields
    FROM routing_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.routing_id = %(routing_id)s
        AND %(steps)s::jsonb IS NULL
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'routing',
        r.id,
        d.changes,
        %(request_id)s
    FROM changed AS r
    CROSS JOIN before AS b
    CROSS JOIN LATERAL (
        SELECT changed_columns(
            to_jsonb(b.was) || jsonb_build_object('steps', /* include audited_steps_of routing_steps r */),
            to_jsonb(r) || jsonb_build_object('steps', /* include audited_steps_of steps r */)
        ) AS changes
    ) AS d
    WHERE d.changes <> '{}'
)
SELECT
    CASE WHEN r.id IS NOT NULL THEN json_build_object(
        /* include routing_members steps */
    )::text END,
    w.id,
    CASE WHEN w.conflict IS NOT NULL THEN 'conflict' END AS problem,
    w.conflict AS detail
FROM wanted AS w
LEFT JOIN changed AS r ON r.id = w.id

-- name: remove_routing
-- writes: routings, audit_logs, routing_steps
-- Remove a routing with its steps; jobs that were made from it keep theirs.
WITH gone AS (
    DELETE FROM routings AS r
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = %(routing_id)s
    RETURNING r.id, r.name
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'delete',
        'routing',
        g.id,
        jsonb_build_object(
            'name', jsonb_build_array(g.name, NULL),
            'steps', jsonb_build_array(/* include audited_steps_of routing_steps g */, NULL)
        ),
        %(request_id)s
    FROM gone AS g
)
SELECT
    json_build_object('id', g.id, 'name', g.name)::text,
    g.id,
    NULL AS problem,
    NULL AS detail
FROM gone AS g

-- name: archive
-- writes: routings, audit_logs
-- Archive a routing.
/* include archive routings routing routing_id no_obstacle */

-- name: restore
-- writes: routings, audit_logs
-- Bring back a routing from the archive.
/* include restore routings routing routing_id no_obstacle */

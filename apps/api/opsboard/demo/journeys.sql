-- name: add_journeys
-- writes: journeys, journey_nodes, journey_edges
-- One journey that runs and one that is still being thought about.
WITH made AS (
    INSERT INTO journeys (tenant_id, name, description, status, messages_per_hour, created_by, created_at, updated_at)
    SELECT
        %(tenant_id)s,
        v.name,
        v.description,
        v.status,
        v.cap,
        %(planner)s,
        %(moment)s::timestamptz - interval '30 days',
        %(moment)s::timestamptz - interval '30 days'
    FROM (
        VALUES
        (1, 'After the delivery', 'Thanks, and a week later the question how it went.', 'active', 2),
        (2, 'Quiet customers', 'Who has not ordered for a while.', 'draft', NULL::integer)
    ) AS v (place, name, description, status, cap)
    ORDER BY v.place
    RETURNING id
),
nodes AS (
    INSERT INTO journey_nodes (tenant_id, journey_id, name, type, config, created_at, updated_at)
    SELECT
        %(tenant_id)s,
        m.id,
        v.name,
        v.type,
        v.config::jsonb,
        %(moment)s::timestamptz - interval '30 days',
        %(moment)s::timestamptz - interval '30 days'
    FROM made AS m
    CROSS JOIN (
        VALUES
        (1, 'start', 'start', '{}'),
        (2, 'write', 'message', '{"channel": "email", "subject": "Your order", "body": "Thank you. How did it go?"}'),
        (3, 'a week', 'wait', '{"seconds": 604800}'),
        (4, 'twice?', 'condition', '{"field": "round", "operator": "at_least", "value": 2}'),
        (5, 'tell', 'action', '{"role": "manager", "title": "Asked twice how it went"}'),
        (6, 'exit', 'exit', '{}')
    ) AS v (place, name, type, config)
    ORDER BY
        m.id,
        v.place
    RETURNING id, journey_id, name
)
INSERT INTO journey_edges (tenant_id, journey_id, from_node_id, branch, to_node_id, created_at)
SELECT
    %(tenant_id)s,
    f.journey_id,
    f.id,
    v.branch,
    t.id,
    %(moment)s::timestamptz - interval '30 days'
FROM (
    VALUES
    ('start', 'next', 'write'), ('write', 'next', 'a week'), ('a week', 'next', 'twice?'), ('twice?', 'yes', 'tell'),
    ('twice?', 'no', 'write'), ('tell', 'next', 'exit')
) AS v (source, branch, target)
JOIN nodes AS f ON f.name = v.source
JOIN nodes AS t ON t.name = v.target AND t.journey_id = f.journey_id

-- name: add_journey_contacts
-- reads: customers, journeys, journey_nodes
-- writes: journey_contacts, journey_step_keys, journey_node_executions, journey_messages
-- A customer enters every twelve hours; where they are follows from how long they have been in it.
WITH entered AS (
    SELECT
        k.id AS customer_id,
        k.email,
        j.id AS journey_id,
        k.place / 2 AS days,
        %(moment)s::timestamptz - k.place * interval '12 hours' - interval '5 minutes' AS at
    FROM (
        SELECT
            c.id,
            c.email,
            row_number() OVER (ORDER BY c.id) AS place
        FROM customers AS c
        WHERE c.tenant_id = %(tenant_id)s
            AND c.email IS NOT NULL
        ORDER BY c.id
        LIMIT 36
    ) AS k
    JOIN journeys AS j ON j.tenant_id = %(tenant_id)s AND j.status = 'active'
),
contacts AS (
    INSERT INTO journey_contacts (
        tenant_id, journey_id, customer_id, status, node_id, round, due_at, steps, finished_at, created_at, updated_at
    )
    SELECT
        %(tenant_id)s,
        e.journey_id,
        e.customer_id,
        CASE WHEN e.days >= 14 THEN 'completed' ELSE 'active' END,
        n.id,
        CASE WHEN e.days >= 7 THEN 2 ELSE 1 END,
        e.at + CASE WHEN e.days >= 7 THEN 14 ELSE 7 END * interval '1 day' + interval '10 seconds',
        CASE WHEN e.days >= 14 THEN 9 WHEN e.days >= 7 THEN 6 ELSE 3 END,
        CASE WHEN e.days >= 14 THEN e.at + interval '14 days 9 seconds' END,
        e.at,
        e.at + CASE WHEN e.days >= 14 THEN 14 WHEN e.days >= 7 THEN 7 ELSE 0 END * interval '1 day'
    FROM entered AS e
    JOIN journey_nodes AS n
        ON n.tenant_id = %(tenant_id)s
            AND n.journey_id = e.journey_id
            AND n.name = CASE WHEN e.days >= 14 THEN 'exit' ELSE 'twice?' END
    ORDER BY e.customer_id
    RETURNING id, journey_id, customer_id
),
steps AS (
    SELECT
        c.id AS contact_id,
        c.journey_id,
        n.id AS node_id,
        n.type,
        v.round,
        v.branch,
        e.email,
        e.at + v.days * interval '1 day' + v.place * interval '1 second' AS at
    FROM contacts AS c
    JOIN entered AS e ON e.customer_id = c.customer_id
    JOIN (
        VALUES
        (1, 'start', 1, 'next', 0), (2, 'write', 1, 'next', 0), (3, 'a week', 1, 'next', 0), (4, 'twice?', 1, 'no', 7),
        (5, 'write', 2, 'next', 7), (6, 'a week', 2, 'next', 7), (7, 'twice?', 2, 'yes', 14), (8, 'tell', 2, 'next', 14),
        (9, 'exit', 2, NULL, 14)
    ) AS v (place, name, round, branch, days) ON v.days <= e.days
    JOIN journey_nodes AS n ON n.tenant_id = %(tenant_id)s AND n.journey_id = c.journey_id AND n.name = v.name
),
keys AS (
    INSERT INTO journey_step_keys (tenant_id, journey_contact_id, node_id, round, created_at)
    SELECT
        %(tenant_id)s,
        s.contact_id,
        s.node_id,
        s.round,
        s.at
    FROM steps AS s
),
executions AS (
    INSERT INTO journey_node_executions (
        tenant_id, journey_id, journey_contact_id, node_id, round, outcome, branch, executed_at, created_at
    )
    SELECT
        %(tenant_id)s,
        s.journey_id,
        s.contact_id,
        s.node_id,
        s.round,
        'executed',
        s.branch,
        s.at,
        s.at
    FROM steps AS s
    ORDER BY
        s.at,
        s.contact_id
)
INSERT INTO journey_messages (
    tenant_id, journey_contact_id, node_id, round, channel, recipient, subject, body, sent_at, created_at
)
SELECT
    %(tenant_id)s,
    s.contact_id,
    s.node_id,
    s.round,
    'email',
    s.email,
    'Your order',
    'Thank you. How did it go?',
    CASE WHEN s.at < %(moment)s::timestamptz - interval '1 day' THEN s.at + interval '40 seconds' END,
    s.at
FROM steps AS s
WHERE s.type = 'message'
ORDER BY
    s.at,
    s.contact_id

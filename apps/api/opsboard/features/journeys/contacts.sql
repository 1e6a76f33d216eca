-- fragment: contact_members
        'id', c.id,
        'journey', json_build_object('id', j.id, 'name', j.name),
        'customer', json_build_object('id', k.id, 'name', k.name),
        'status', c.status,
        'node', json_build_object('id', n.id, 'name', n.name, 'type', n.type),
        'round', c.round,
        'due_at', c.due_at,
        'failure', c.failure,
        'finished_at', c.finished_at,
        'created_at', c.created_at,
        'updated_at', c.updated_at

-- fragment: contact_surroundings
JOIN journeys AS j ON j.tenant_id = %(tenant_id)s AND j.id = c.journey_id
JOIN customers AS k ON k.tenant_id = %(tenant_id)s AND k.id = c.customer_id
JOIN journey_nodes AS n ON n.tenant_id = %(tenant_id)s AND n.journey_id = c.journey_id AND n.id = c.node_id

-- fragment: execution_members
        'id', e.id,
        'journey_id', e.journey_id,
        'contact_id', e.journey_contact_id,
        'node', json_build_object('id', n.id, 'name', n.name, 'type', n.type),
        'round', e.round,
        'outcome', e.outcome,
        'branch', e.branch,
        'detail', e.detail,
        'executed_at', e.executed_at,
        'created_at', e.created_at

-- name: list_contacts
-- reads: journey_contacts, journeys, customers, journey_nodes, tenants
-- from: journey_contacts AS c
-- filter journey_id: c.journey_id = %(journey_id)s
-- filter status: c.status = ANY(%(status)s)
-- filter customer_id: c.customer_id = %(customer_id)s
-- sort created_at: c.created_at | timestamptz
-- sort due_at: c.due_at | timestamptz
-- total: journey_contacts_by_label
-- total status: journey_contacts_by_label | c.label = ANY(%(status)s)
-- total journey_id: journey_contacts | c.day = '-infinity' AND c.subject = %(journey_id)s
-- total journey_id,status: journey_contacts | c.day = '-infinity' AND c.subject = %(journey_id)s AND c.label = ANY(%(status)s)
-- The contacts of a journey, each with its node and since when.
SELECT
    page.position,
    json_build_object(
        /* include contact_members */
    ) AS item
FROM page
JOIN journey_contacts AS c ON c.tenant_id = %(tenant_id)s AND c.id = page.id
/* include contact_surroundings */

-- name: get_contact
-- reads: journey_contacts, journeys, customers, journey_nodes, journey_node_executions
-- One contact of a journey with its last two executions.
SELECT json_build_object(
        /* include contact_members */,
        'current', r.executions -> 0,
        'previous', r.executions -> 1
)::text
FROM journey_contacts AS c
/* include contact_surroundings */
CROSS JOIN LATERAL (
    SELECT json_agg(x.document ORDER BY x.created_at DESC, x.id DESC) AS executions
    FROM (
        SELECT
            e.id,
            e.created_at,
            json_build_object(
        /* include execution_members */
            ) AS document
        FROM journey_node_executions AS e
        JOIN journey_nodes AS n ON n.tenant_id = %(tenant_id)s AND n.id = e.node_id
        WHERE e.tenant_id = %(tenant_id)s
            AND e.journey_contact_id = c.id
        ORDER BY
            e.created_at DESC,
            e.id DESC
        LIMIT 2
    ) AS x
) AS r
WHERE c.tenant_id = %(tenant_id)s
    AND c.id = %(contact_id)s

-- name: list_executions
-- reads: journey_node_executions, journey_nodes, tenants
-- from: journey_node_executions AS e
-- filter journey_id: e.journey_id = %(journey_id)s
-- filter contact_id: e.journey_contact_id = %(contact_id)s
-- filter node_id: e.node_id = %(node_id)s
-- sort created_at: e.created_at | timestamptz
-- sort executed_at: e.executed_at | timestamptz | e.executed_at IS NOT NULL
-- total: journey_node_executions_by_label
-- total journey_id: journey_node_executions | c.day = '-infinity' AND c.subject = %(journey_id)s
-- Executions with contact and time; for one contact: its history.
SELECT
    page.position,
    json_build_object(
        /* include execution_members */
    ) AS item
FROM page
JOIN journey_node_executions AS e ON e.tenant_id = %(tenant_id)s AND e.id = page.id
JOIN journey_nodes AS n ON n.tenant_id = %(tenant_id)s AND n.id = e.node_id

-- fragment: message_members
        'id', m.id,
        'contact_id', m.journey_contact_id,
        'node_id', m.node_id,
        'round', m.round,
        'channel', m.channel,
        'recipient', CASE WHEN /* include sees_addresses */ THEN m.recipient END,
        'subject', m.subject,
        'body', m.body,
        'sent_at', m.sent_at,
        'created_at', m.created_at

-- name: list_messages
-- reads: journey_messages, tenants
-- from: journey_messages AS m
-- filter contact_id: m.journey_contact_id = %(contact_id)s
-- filter unsent: m.sent_at IS NULL
-- sort created_at: m.created_at | timestamptz
-- total: journey_messages
-- Messages that journeys want sent.
SELECT
    page.position,
    json_build_object(
        /* include message_members */
    ) AS item
FROM page
JOIN journey_messages AS m ON m.tenant_id = %(tenant_id)s AND m.id = page.id

-- name: mark_sent
-- writes: journey_messages, audit_logs
-- A message was sent; told again, nothing changes.
WITH before AS (
    SELECT
        m.id,
        m.sent_at
    FROM journey_messages AS m
    WHERE m.tenant_id = %(tenant_id)s
        AND m.id = %(message_id)s
    FOR UPDATE
),
m AS (
    UPDATE journey_messages AS m
    SET sent_at = coalesce(b.sent_at, now())
    FROM before AS b
    WHERE m.tenant_id = %(tenant_id)s
        AND m.id = b.id
    RETURNING m.*
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'journey_message',
        m.id,
        jsonb_build_object('sent_at', jsonb_build_array(NULL, m.sent_at)),
        %(request_id)s
    FROM m
    JOIN before AS b ON b.id = m.id
    WHERE b.sent_at IS NULL
)
SELECT
    json_build_object(
        /* include message_members */
    )::text,
    m.id,
    NULL AS problem,
    NULL AS detail
FROM m

-- name: add_contacts
-- reads: journeys, journey_nodes, customers
-- writes: journey_contacts, audit_logs
-- Let customers enter a journey at its start; customers already in it keep their place.
WITH entered AS (
    SELECT
        j.id,
        n.id AS node_id
    FROM journeys AS j
    JOIN journey_nodes AS n ON n.tenant_id = %(tenant_id)s AND n.journey_id = j.id AND n.type = 'start'
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = %(journey_id)s
),
known AS (
    SELECT k.id
    FROM customers AS k
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = ANY(%(customer_ids)s::bigint[])
),
added AS (
    INSERT INTO journey_contacts AS c (tenant_id, journey_id, customer_id, node_id)
    SELECT
        %(tenant_id)s,
        e.id,
        k.id,
        e.node_id
    FROM entered AS e
    CROSS JOIN known AS k
    ORDER BY k.id
    ON CONFLICT (tenant_id, journey_id, customer_id) DO NOTHING
    RETURNING c.id, c.customer_id
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'journey',
        e.id,
        jsonb_build_object('contacts', jsonb_build_array(NULL, (SELECT count(*) FROM added))),
        %(request_id)s
    FROM entered AS e
    WHERE EXISTS (SELECT FROM added)
)
SELECT
    json_build_object(
        'items', (
            SELECT coalesce(
                json_agg(
                    json_build_object(
                        'customer_id', w.id,
                        'outcome',
                        CASE WHEN a.id IS NOT NULL THEN 'added' WHEN k.id IS NOT NULL THEN 'there' ELSE 'unknown' END,
                        'contact_id', a.id
                    )
                    ORDER BY w.place
                ),
                '[]'
            )
            FROM unnest(%(customer_ids)s::bigint[]) WITH ORDINALITY AS w (id, place)
            LEFT JOIN known AS k ON k.id = w.id
            LEFT JOIN added AS a ON a.customer_id = w.id
        ),
        'added', (SELECT count(*) FROM added)
    )::text,
    e.id,
    NULL AS problem,
    NULL AS detail
FROM entered AS e

-- name: change_contacts
-- reads: journeys
-- writes: journey_contacts, audit_logs
-- Give many contacts of a journey another status at once, and say for each what came of it.
WITH asked AS (
    SELECT j.id
    FROM journeys AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = %(journey_id)s
),
before AS (
    SELECT
        c.id,
        c.status
    FROM journey_contacts AS c
    WHERE c.tenant_id = %(tenant_id)s
        AND c.journey_id = %(journey_id)s
        AND c.id = ANY(%(contact_ids)s::bigint[])
    ORDER BY c.id
    FOR UPDATE
),
changed AS (
    UPDATE journey_contacts AS c
    SET
        status = %(wanted_status)s,
        finished_at = CASE WHEN %(wanted_status)s = 'removed' THEN now() END
    FROM before AS b
    WHERE c.tenant_id = %(tenant_id)s
        AND c.id = b.id
        AND b.status IN ('active', 'paused')
        AND b.status <> %(wanted_status)s
    RETURNING c.id
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'journey_contact',
        b.id,
        jsonb_build_object('status', jsonb_build_array(b.status, %(wanted_status)s)),
        %(request_id)s
    FROM changed AS a
    JOIN before AS b ON b.id = a.id
)
SELECT
    json_build_object(
        'items', (
            SELECT coalesce(
                json_agg(
                    json_build_object(
                        'contact_id', w.id,
                        'outcome',
                        CASE
                            WHEN b.id IS NULL THEN 'unknown'
                            WHEN a.id IS NOT NULL THEN 'changed'
                            WHEN b.status = %(wanted_status)s THEN 'unchanged'
                            ELSE 'finished'
                        END,
                        'status', CASE WHEN a.id IS NOT NULL THEN %(wanted_status)s ELSE b.status END
                    )
                    ORDER BY w.place
                ),
                '[]'
            )
            FROM unnest(%(contact_ids)s::bigint[]) WITH ORDINALITY AS w (id, place)
            LEFT JOIN before AS b ON b.id = w.id
            LEFT JOIN changed AS a ON a.id = w.id
        ),
        'changed', (SELECT count(*) FROM changed)
    )::text,
    s.id,
    NULL AS problem,
    NULL AS detail
FROM asked AS s

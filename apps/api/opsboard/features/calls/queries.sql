-- constraint call_log_customer_fkey: There is no such customer (customer_id).
-- constraint call_log_lead_fkey: There is no such lead (lead_id).
-- constraint call_log_contact_fkey: There is no such contact (contact_id).

-- fragment: call_members
        'id', p.id,
        'direction', p.direction,
        'status', p.status,
        'customer', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.name) END,
        'lead', CASE WHEN l.id IS NOT NULL THEN json_build_object('id', l.id, 'name', l.name) END,
        'contact', CASE WHEN k.id IS NOT NULL THEN json_build_object('id', k.id, 'name', k.name) END,
        'user', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'from_number', CASE WHEN /* include sees_addresses */ OR p.user_id = %(user_id)s THEN p.from_number END,
        'to_number', CASE WHEN /* include sees_addresses */ OR p.user_id = %(user_id)s THEN p.to_number END,
        'topic', p.topic,
        'outcome', p.outcome,
        'duration_seconds', p.duration_seconds,
        'waited_seconds', p.waited_seconds,
        'rating', p.rating,
        'started_at', p.started_at,
        'own_fields', CASE WHEN /* include sees_addresses */ OR p.user_id = %(user_id)s THEN p.own_fields END,
        'created_at', p.created_at,
        'updated_at', p.updated_at

-- fragment: call_surroundings
LEFT JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = p.customer_id
LEFT JOIN leads AS l ON l.tenant_id = %(tenant_id)s AND l.id = p.lead_id
LEFT JOIN contacts AS k ON k.tenant_id = %(tenant_id)s AND k.id = p.contact_id
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = p.user_id

-- name: list_calls
-- reads: call_log, customers, leads, contacts, users, tenants
-- from: call_log AS p
-- filter status: p.status = ANY(%(status)s)
-- filter customer_id: p.customer_id = %(customer_id)s
-- filter lead_id: p.lead_id = %(lead_id)s
-- filter contact_id: p.contact_id = %(contact_id)s
-- filter by_user_id: p.user_id = %(by_user_id)s
-- filter created_from: p.created_at >= %(created_from)s::date::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter created_to: p.created_at < (%(created_to)s::date + 1)::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- sort created_at: p.created_at | timestamptz
-- total: call_log
-- total status: call_log | c.label = ANY(%(status)s)
-- Calls with customer, lead, contact and who spoke.
SELECT
    page.position,
    json_build_object(
        /* include call_members */
    ) AS item
FROM page
JOIN call_log AS p ON p.tenant_id = %(tenant_id)s AND p.id = page.id
/* include call_surroundings */

-- name: get_call
-- reads: call_log, customers, leads, contacts, users
-- locks: call_log AS l | l.tenant_id = %(tenant_id)s AND l.id = %(call_id)s
-- One call with its notes.
SELECT json_build_object(
        /* include call_members */,
        'notes', p.notes
)::text
FROM call_log AS p
/* include call_surroundings */
WHERE p.tenant_id = %(tenant_id)s
    AND p.id = %(call_id)s

-- name: create_call
-- reads: customers, leads, contacts, users
-- writes: call_log, audit_logs
-- Note a call that the caller has made or taken.
WITH p AS (
    INSERT INTO call_log (
        tenant_id, customer_id, lead_id, contact_id, user_id, direction, status, from_number, to_number, topic, outcome,
        notes, duration_seconds, waited_seconds, rating, started_at
    )
    VALUES (
        %(tenant_id)s,
        %(customer_id)s,
        %(lead_id)s,
        %(contact_id)s,
        %(user_id)s,
        %(direction)s,
        %(status)s,
        %(from_number)s,
        %(to_number)s,
        %(topic)s,
        %(outcome)s,
        %(notes)s,
        %(duration_seconds)s,
        %(waited_seconds)s,
        %(rating)s,
        coalesce(%(started_at)s::timestamptz, now() - %(duration_seconds)s::integer * interval '1 second')
    )
    RETURNING *
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'create',
        'call',
        p.id,
        jsonb_build_object('status', jsonb_build_array(NULL, p.status), 'outcome', jsonb_build_array(NULL, p.outcome)),
        %(request_id)s
    FROM p
)
SELECT
    json_build_object(
        /* include call_members */,
        'notes', p.notes
    )::text,
    p.id,
    NULL AS problem,
    NULL AS detail
FROM p
/* include call_surroundings */

-- name: update_call
-- reads: customers, leads, contacts, users
-- writes: call_log, audit_logs
-- Say how a call went on: its status, how long it took, what came of it.
WITH before AS (
    SELECT
        p.id,
        p AS was
    FROM call_log AS p
    WHERE p.tenant_id = %(tenant_id)s
        AND p.id = %(call_id)s
    FOR UPDATE
),
changed AS (
    UPDATE call_log AS p
    SET
        status = n.status,
        topic = n.topic,
        outcome = n.outcome,
        notes = n.notes,
        duration_seconds = n.duration_seconds,
        waited_seconds = n.waited_seconds,
        rating = n.rating
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    WHERE p.tenant_id = %(tenant_id)s
        AND p.id = b.id
    RETURNING p.*
),
/* include audited_update call */
SELECT
    json_build_object(
        /* include call_members */,
        'notes', p.notes
    )::text,
    p.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS p
/* include call_surroundings */

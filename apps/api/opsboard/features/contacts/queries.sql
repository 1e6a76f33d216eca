-- constraint contacts_customer_fkey: There is no such customer (customer_id).

-- fragment: contact_members
        'id', k.id,
        'name', k.name,
        'email', CASE WHEN /* include sees_addresses */ THEN k.email END,
        'phone', CASE WHEN /* include sees_addresses */ THEN k.phone END,
        'customer', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.name) END,
        'own_fields', CASE WHEN /* include sees_addresses */ THEN k.own_fields END,
        'archived_at', k.archived_at,
        'created_at', k.created_at,
        'updated_at', k.updated_at

-- name: list_contacts
-- reads: contacts, customers, tenants
-- from: contacts AS k
-- filter archived: k.archived_at IS NOT NULL
-- filter customer_id: k.customer_id = %(customer_id)s
-- filter q: k.id IN (/* include ids_by_beginning contacts name_search */ UNION ALL /* include ids_by_words contacts */ UNION ALL /* include ids_by_address contacts */ UNION ALL /* include ids_by_last_digits contacts */)
-- sort created_at: k.created_at | timestamptz
-- sort name: k.name_search | text COLLATE "C"
-- total: contacts
-- Contacts with their customer; a search finds the beginning of a name, an e-mail address or a phone number.
SELECT
    page.position,
    json_build_object(
        /* include contact_members */
    ) AS item
FROM page
JOIN contacts AS k ON k.tenant_id = %(tenant_id)s AND k.id = page.id
LEFT JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = k.customer_id

-- name: get_contact
-- reads: contacts, customers, conversations
-- locks: contacts AS k | k.tenant_id = %(tenant_id)s AND k.id = %(contact_id)s
-- One contact with its conversations.
SELECT json_build_object(
        /* include contact_members */,
        'conversations', (
            SELECT coalesce(
                json_agg(
                    json_build_object(
                        'id', v.id,
                        'channel', v.channel,
                        'status', v.status,
                        'link', '/api/conversations/' || v.id
                    )
                    ORDER BY v.channel
                ),
                '[]'
            )
            FROM conversations AS v
            WHERE v.tenant_id = %(tenant_id)s
                AND v.contact_id = k.id
        )
)::text
FROM contacts AS k
LEFT JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = k.customer_id
WHERE k.tenant_id = %(tenant_id)s
    AND k.id = %(contact_id)s

-- name: create_contact
-- reads: customers
-- writes: contacts, audit_logs
-- Add a contact.
WITH k AS (
    INSERT INTO contacts (tenant_id, customer_id, name, email, phone)
    VALUES (%(tenant_id)s, %(customer_id)s, %(name)s, %(email)s, %(phone)s)
    RETURNING id, customer_id, name, email, phone, own_fields, archived_at, created_at, updated_at
),
/* include audited_create contact k name */
SELECT
    json_build_object(
        /* include contact_members */
    )::text,
    k.id,
    NULL AS problem,
    NULL AS detail
FROM k
LEFT JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = k.customer_id

-- name: update_contact
-- reads: customers
-- writes: contacts, audit_logs
-- Change some columns of a contact.
WITH before AS (
    SELECT
        k.id,
        k AS was
    FROM contacts AS k
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = %(contact_id)s
    FOR UPDATE
),
changed AS (
    UPDATE contacts AS k
    SET
        customer_id = n.customer_id,
        name = n.name,
        email = n.email,
        phone = n.phone
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    WHERE k.tenant_id = %(tenant_id)s
        AND k.id = b.id
    RETURNING k.*
),
/* include audited_update contact */
SELECT
    json_build_object(
        /* include contact_members */
    )::text,
    k.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS k
LEFT JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = k.customer_id

-- name: anonymise
-- writes: audit_logs, customers, contacts, leads, users, jobs, job_steps, machines, processes, campaigns, campaign_recipients, suppressions, call_log, messages, notifications, documents, journeys, journey_messages, journey_node_executions, response_approvals, approval_history, approval_queue, auto_responses, workflows, workflow_execution_monitoring, workflow_alerts, business_settings, merges, sessions, api_tokens
-- Remove the name and contact data of a contact from everything the business has.
/* include anonymise contacts contact name contact_id */

-- name: archive
-- writes: contacts, audit_logs
-- Archive a contact.
/* include archive contacts contact contact_id no_obstacle */

-- fragment: merged_contact
/* include merged_record contacts */

-- name: restore
-- reads: merges
-- writes: contacts, audit_logs
-- Bring back a contact from the archive.
/* include restore contacts contact contact_id merged_contact */

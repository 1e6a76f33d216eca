-- fragment: customer_members
        'id', c.id,
        'name', c.name,
        'email', CASE WHEN /* include sees_addresses */ THEN c.email END,
        'phone', CASE WHEN /* include sees_addresses */ THEN c.phone END,
        'address', CASE WHEN /* include sees_addresses */ THEN c.address END,
        'own_fields', CASE WHEN /* include sees_addresses */ THEN c.own_fields END,
        'archived_at', c.archived_at,
        'created_at', c.created_at,
        'updated_at', c.updated_at

-- name: list_customers
-- reads: customers, tenants
-- from: customers AS c
-- filter archived: c.archived_at IS NOT NULL
-- filter q: c.id IN (/* include ids_by_beginning customers name_search */ UNION ALL /* include ids_by_words customers */ UNION ALL /* include ids_by_address customers */ UNION ALL /* include ids_by_last_digits customers */)
-- sort name: c.name_search | text COLLATE "C"
-- sort created_at: c.created_at | timestamptz
-- sort updated_at: c.updated_at | timestamptz
-- total: customers
-- Customers; a search finds the beginning of a name, an e-mail address or a phone number.
SELECT
    page.position,
    json_build_object(
        /* include customer_members */
    ) AS item
FROM page
JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = page.id

-- name: get_customer
-- reads: customers, jobs
-- locks: customers AS c | c.tenant_id = %(tenant_id)s AND c.id = %(customer_id)s
-- One customer with the number of their jobs and the newest of them.
SELECT json_build_object(
        /* include customer_members */,
        'jobs', json_build_object(
            'total', (
                SELECT count(*)
                FROM jobs AS j
                WHERE j.tenant_id = %(tenant_id)s
                    AND j.customer_id = c.id
                    AND j.archived_at IS NULL
            ),
            'recent', (
                SELECT coalesce(
                    json_agg(
                        json_build_object('id', r.id, 'job_number', r.job_number, 'title', r.title, 'status', r.status)
                        ORDER BY r.created_at DESC, r.id DESC
                    ),
                    '[]'
                )
                FROM (
                    SELECT
                        j.id,
                        j.job_number,
                        j.title,
                        j.status,
                        j.created_at
                    FROM jobs AS j
                    WHERE j.tenant_id = %(tenant_id)s
                        AND j.customer_id = c.id
                        AND j.archived_at IS NULL
                    ORDER BY j.created_at DESC, j.id DESC
                    LIMIT 10
                ) AS r
            ),
            'link', '/api/jobs?customer_id=' || c.id
        )
)::text
FROM customers AS c
WHERE c.tenant_id = %(tenant_id)s
    AND c.id = %(customer_id)s

-- name: create_customer
-- writes: customers, audit_logs
-- Add a customer.
WITH c AS (
    INSERT INTO customers (tenant_id, name, email, phone, address)
    VALUES (%(tenant_id)s, %(name)s, %(email)s, %(phone)s, %(address)s)
    RETURNING id, name, email, phone, address, own_fields, archived_at, created_at, updated_at
),
/* include audited_create customer c name */
SELECT
    json_build_object(
        /* include customer_members */
    )::text,
    c.id,
    NULL AS problem,
    NULL AS detail
FROM c

-- name: update_customer
-- writes: customers, audit_logs
-- Change some columns of a customer.
WITH before AS (
    SELECT
        c.id,
        c AS was
    FROM customers AS c
    WHERE c.tenant_id = %(tenant_id)s
        AND c.id = %(customer_id)s
    FOR UPDATE
),
changed AS (
    UPDATE customers AS c
    SET
        name = n.name,
        email = n.email,
        phone = n.phone,
        address = n.address
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    WHERE c.tenant_id = %(tenant_id)s
        AND c.id = b.id
    RETURNING c.*
),
/* include audited_update customer */
SELECT
    json_build_object(
        /* include customer_members */
    )::text,
    c.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS c

-- name: anonymise
-- writes: audit_logs, customers, contacts, leads, users, jobs, job_steps, machines, processes, campaigns, campaign_recipients, suppressions, call_log, messages, notifications, documents, journeys, journey_messages, journey_node_executions, response_approvals, approval_history, approval_queue, auto_responses, workflows, workflow_execution_monitoring, workflow_alerts, business_settings, merges, sessions, api_tokens
-- Remove the name and contact data of a customer from everything the business has.
/* include anonymise customers customer name customer_id */

-- name: archive
-- writes: customers, audit_logs
-- Archive a customer.
/* include archive customers customer customer_id no_obstacle */

-- fragment: merged_customer
/* include merged_record customers */

-- name: restore
-- reads: merges
-- writes: customers, audit_logs
-- Bring back a customer from the archive.
/* include restore customers customer customer_id merged_customer */

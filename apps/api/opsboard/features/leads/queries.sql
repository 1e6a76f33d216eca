-- constraint leads_customer_fkey: There is no such customer (customer_id).
-- constraint leads_assigned_user_fkey: There is no such user (assigned_user_id).

-- fragment: is_own_lead
-- Assigned to the caller, or claimed by them and the claim has not run out.
l.assigned_user_id = %(user_id)s OR l.claimed_by = %(user_id)s AND l.claimable_at > now()

-- fragment: lead_members
        'id', l.id,
        'name', l.name,
        'email', CASE WHEN /* include sees_addresses */ OR /* include is_own_lead */ THEN l.email END,
        'phone', CASE WHEN /* include sees_addresses */ OR /* include is_own_lead */ THEN l.phone END,
        'source', l.source,
        'category', l.category,
        'status', l.status,
        'is_processed', l.is_processed,
        'customer', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.name) END,
        'assigned_user', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'claimed_by', CASE WHEN m.id IS NOT NULL THEN json_build_object('id', m.id, 'name', m.full_name) END,
        'claimed_until', CASE WHEN m.id IS NOT NULL THEN l.claimable_at END,
        'notes', l.notes,
        'scraped_at', l.scraped_at,
        'processed_at', l.processed_at,
        'closed_at', l.closed_at,
        'own_fields', CASE WHEN /* include sees_addresses */ OR /* include is_own_lead */ THEN l.own_fields END,
        'archived_at', l.archived_at,
        'created_at', l.created_at,
        'updated_at', l.updated_at

-- fragment: lead_surroundings
LEFT JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = l.customer_id
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = l.assigned_user_id
LEFT JOIN users AS m ON m.tenant_id = %(tenant_id)s AND m.id = l.claimed_by

-- name: list_leads
-- reads: leads, customers, users, tenants
-- from: leads AS l
-- filter archived: l.archived_at IS NOT NULL
-- filter status: l.status = ANY(%(status)s)
-- filter category: l.category = %(category)s /* custom plan */
-- filter source: l.source = %(source)s
-- filter customer_id: l.customer_id = %(customer_id)s
-- filter assigned_user_id: l.assigned_user_id = %(assigned_user_id)s
-- filter mine: l.assigned_user_id = %(user_id)s
-- filter q: l.id IN (/* include ids_by_beginning leads name_search */ UNION ALL /* include ids_by_words leads */ UNION ALL /* include ids_by_address leads */ UNION ALL /* include ids_by_last_digits leads */)
-- filter scraped_from: l.scraped_at >= %(scraped_from)s::date::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter scraped_to: l.scraped_at < (%(scraped_to)s::date + 1)::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter created_today: l.created_at >= (SELECT today::timestamp AT TIME ZONE time_zone FROM clock) AND l.created_at < (SELECT (today + 1)::timestamp AT TIME ZONE time_zone FROM clock)
-- sort created_at: l.created_at | timestamptz
-- sort updated_at: l.updated_at | timestamptz
-- sort scraped_at: l.scraped_at | timestamptz
-- sort name: l.name_search | text COLLATE "C"
-- total: leads
-- total status: leads | c.label = ANY(%(status)s)
-- total created_today: leads_by_day | c.day = (SELECT today FROM clock)
-- total created_today,status: leads_by_day | c.day = (SELECT today FROM clock) AND c.label = ANY(%(status)s)
-- Leads; a search finds the beginning of a name, an e-mail address or a phone number.
SELECT
    page.position,
    json_build_object(
        /* include lead_members */
    ) AS item,
    -- The end of a claim hides the address again from who had claimed the lead.
    CASE WHEN l.claimable_at > now() THEN l.claimable_at END AS changes_at
FROM page
JOIN leads AS l ON l.tenant_id = %(tenant_id)s AND l.id = page.id
/* include lead_surroundings */

-- name: get_lead
-- reads: leads, customers, users
-- locks: leads AS l | l.tenant_id = %(tenant_id)s AND l.id = %(lead_id)s
-- One lead.
SELECT json_build_object(
        /* include lead_members */
)::text
FROM leads AS l
/* include lead_surroundings */
WHERE l.tenant_id = %(tenant_id)s
    AND l.id = %(lead_id)s

-- name: list_timeline
-- reads: lead_status_history, leads, users
-- from: lead_status_history AS h
-- within: leads AS w | w.id = %(lead_id)s
-- filter lead_id: h.lead_id = %(lead_id)s
-- sort created_at: h.created_at | timestamptz
-- Each change of a lead's status, and who made it.
SELECT
    page.position,
    json_build_object(
        'id', h.id,
        'from_status', h.from_status,
        'to_status', h.to_status,
        'changed_by', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'created_at', h.created_at
    ) AS item
FROM page
JOIN lead_status_history AS h ON h.tenant_id = %(tenant_id)s AND h.id = page.id
    AND h.created_at = page.sort_key::timestamptz
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = h.changed_by

-- name: create_lead
-- reads: customers, users
-- writes: leads, lead_status_history, audit_logs
-- Enter a lead; only the name is needed.
WITH l AS (
    INSERT INTO leads (
        tenant_id, name, email, phone, source, category, status, customer_id, assigned_user_id, notes, scraped_at,
        processed_at, closed_at
    )
    SELECT
        %(tenant_id)s,
        %(name)s,
        %(email)s,
        %(phone)s,
        %(source)s,
        %(category)s,
        %(status)s,
        %(customer_id)s,
        %(assigned_user_id)s,
        %(notes)s,
        coalesce(%(scraped_at)s::timestamptz, now()),
        CASE WHEN %(status)s <> 'unprocessed' THEN now() END,
        CASE WHEN %(status)s IN ('won', 'lost') THEN now() END
    WHERE /* include is_active_assignee */
    RETURNING
        id, name, email, phone, source, category, status, is_processed, customer_id, assigned_user_id, claimed_by,
        claimable_at, notes, scraped_at, processed_at, closed_at, own_fields, archived_at, created_at, updated_at
),
noted AS (
    INSERT INTO lead_status_history (tenant_id, lead_id, to_status, changed_by)
    SELECT
        %(tenant_id)s,
        l.id,
        l.status,
        %(user_id)s
    FROM l
),
/* include audited_create lead l name */
SELECT
    CASE WHEN l.id IS NOT NULL THEN json_build_object(
        /* include lead_members */
    )::text END,
    l.id,
    CASE WHEN l.id IS NULL THEN 'conflict' END AS problem,
    CASE WHEN l.id IS NULL THEN 'This person is inactive and is given no work (assigned_user_id).' END AS detail
FROM (SELECT) AS one
LEFT JOIN l ON true
/* include lead_surroundings */

-- name: update_lead
-- reads: customers, users
-- writes: leads, lead_status_history, audit_logs
-- Change some columns of a lead; a change of its status is noted on its timeline, and its times and its claim follow.
-- An operator works on leads of their own, claimed by them or of nobody, and gives them to nobody else.
WITH before AS (
    SELECT
        l.id,
        l AS was
    FROM leads AS l
    WHERE l.tenant_id = %(tenant_id)s
        AND l.id = %(lead_id)s
    FOR UPDATE
),
wanted AS (
    SELECT
        b.id,
        n.name,
        n.email,
        n.phone,
        n.source,
        n.category,
        n.status,
        n.customer_id,
        n.assigned_user_id,
        n.notes,
        b.was,
        CASE
            WHEN %(role)s <> 'operator' THEN NULL
            WHEN (b.was).assigned_user_id <> %(user_id)s THEN 'This lead is assigned to somebody else.'
            WHEN (b.was).claimed_by <> %(user_id)s AND (b.was).claimable_at > now()
                THEN 'This lead is claimed by somebody else.'
            WHEN n.assigned_user_id <> %(user_id)s THEN 'Only a manager assigns a lead to somebody else.'
        END AS refusal,
        CASE
            WHEN n.assigned_user_id IS DISTINCT FROM (b.was).assigned_user_id AND NOT q.is_active
                THEN 'This person is inactive and is given no work (assigned_user_id).'
        END AS conflict
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    LEFT JOIN users AS q ON q.tenant_id = %(tenant_id)s AND q.id = n.assigned_user_id
),
changed AS (
    UPDATE leads AS l
    SET
        name = n.name,
        email = n.email,
        phone = n.phone,
        source = n.source,
        category = n.category,
        status = n.status,
        customer_id = n.customer_id,
        assigned_user_id = n.assigned_user_id,
        notes = n.notes,
        processed_at = CASE WHEN n.status <> 'unprocessed' THEN coalesce((n.was).processed_at, now()) END,
        closed_at = CASE WHEN n.status IN ('won', 'lost') THEN coalesce((n.was).closed_at, now()) END,
        -- A processed lead is unassigned; one that returns to the queue may be claimed at once.
        claimed_by = CASE WHEN n.status = 'unprocessed' THEN (n.was).claimed_by END,
        claimable_at = CASE
            WHEN n.status = 'unprocessed' AND (n.was).status <> 'unprocessed' THEN now()
            ELSE (n.was).claimable_at
        END
    FROM wanted AS n
    WHERE l.tenant_id = %(tenant_id)s
        AND l.id = n.id
        AND coalesce(n.refusal, n.conflict) IS NULL
    RETURNING l.*
),
noted AS (
    INSERT INTO lead_status_history (tenant_id, lead_id, from_status, to_status, changed_by)
    SELECT
        %(tenant_id)s,
        a.id,
        (n.was).status,
        a.status,
        %(user_id)s
    FROM changed AS a
    JOIN wanted AS n ON n.id = a.id
    WHERE a.status <> (n.was).status
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'lead',
        a.id,
        changed_columns(to_jsonb(n.was), to_jsonb(a)),
        %(request_id)s
    FROM changed AS a
    JOIN wanted AS n ON n.id = a.id
    WHERE changed_columns(to_jsonb(n.was), to_jsonb(a)) <> '{}'
),
shown AS (
    SELECT
        l.id,
        json_build_object(
        /* include lead_members */
        )::text AS document
    FROM changed AS l
/* include lead_surroundings */
)
SELECT
    d.document,
    w.id,
    CASE WHEN w.refusal IS NOT NULL THEN 'forbidden' WHEN w.conflict IS NOT NULL THEN 'conflict' END AS problem,
    coalesce(w.refusal, w.conflict) AS detail
FROM wanted AS w
LEFT JOIN shown AS d ON d.id = w.id

-- name: claim_leads
-- reads: customers, users
-- writes: leads, audit_logs
-- Take the next unprocessed leads of the queue for a while. Several may ask at once: what one has locked the others
-- pass over, and nobody waits; a claim that ends unprocessed is open to all again.
WITH next AS MATERIALIZED (
    SELECT l.id
    FROM leads AS l
    WHERE l.tenant_id = %(tenant_id)s
        AND l.is_processed = false
        AND l.claimable_at <= now()
        AND l.archived_at IS NULL
    ORDER BY
        l.claimable_at,
        l.id
    LIMIT %(count)s
    FOR UPDATE SKIP LOCKED
),
taken AS (
    UPDATE leads AS l
    SET
        claimed_by = %(user_id)s,
        claimable_at = now() + %(minutes)s * interval '1 minute'
    FROM next AS n
    WHERE l.tenant_id = %(tenant_id)s
        AND l.id = n.id
    RETURNING l.*
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'claim',
        'lead',
        t.id,
        jsonb_build_object('claimed_until', jsonb_build_array(NULL, t.claimable_at)),
        %(request_id)s
    FROM taken AS t
)
SELECT
    json_build_object('items', coalesce(json_agg(json_build_object(
        /* include lead_members */
    ) ORDER BY l.id), '[]'))::text,
    NULL AS id,
    NULL AS problem,
    NULL AS detail
FROM taken AS l
/* include lead_surroundings */

-- name: anonymise
-- writes: audit_logs, customers, contacts, leads, users, jobs, job_steps, machines, processes, campaigns, campaign_recipients, suppressions, call_log, messages, notifications, documents, journeys, journey_messages, journey_node_executions, response_approvals, approval_history, approval_queue, auto_responses, workflows, workflow_execution_monitoring, workflow_alerts, business_settings, merges, sessions, api_tokens
-- Remove the name and contact data of a lead from everything the business has.
/* include anonymise leads lead name lead_id */

-- name: archive
-- writes: leads, audit_logs
-- Archive a lead.
/* include archive leads lead lead_id no_obstacle */

-- fragment: merged_lead
/* include merged_record leads */

-- name: restore
-- reads: merges
-- writes: leads, audit_logs
-- Bring back a lead from the archive.
/* include restore leads lead lead_id merged_lead */

-- fragment: user_members
        'id', u.id,
        'email', u.email,
        'full_name', u.full_name,
        'role', u.role,
        'is_active', u.is_active,
        'is_service', u.is_service,
        'has_password', u.password_hash IS NOT NULL,
        'password_link', CASE WHEN k.id IS NOT NULL THEN json_build_object(
            'id', k.id,
            'kind', k.kind,
            'created_at', k.created_at,
            'expires_at', k.expires_at
        ) END,
        'work_left', CASE WHEN NOT u.is_active THEN json_build_object(
            'steps', w.steps,
            'leads', w.leads,
            'approvals', w.approvals,
            'links', /* include work_links */
        ) END,
        'own_fields', u.own_fields,
        'archived_at', u.archived_at,
        'created_at', u.created_at,
        'updated_at', u.updated_at

-- fragment: work_links
json_build_object(
                'steps', '/api/job-steps?waiting=true&assigned_user_id=' || u.id,
                'leads', '/api/leads?status=unprocessed,new,contacted,qualified&assigned_user_id=' || u.id,
                'approvals', '/api/workflow-approvals/pending?assigned_user_id=' || u.id
            )

-- fragment: open_link
LEFT JOIN password_links AS k ON k.tenant_id = %(tenant_id)s AND k.user_id = u.id AND k.used_at IS NULL
    AND k.revoked_at IS NULL

-- fragment: work_counts
        (
            SELECT count(*)
            FROM job_steps AS s
            WHERE s.tenant_id = %(tenant_id)s
                AND s.assigned_user_id = u.id
                AND s.status IN ('pending', 'in_progress')
                AND NOT s.job_ended
        ) AS steps,
        (
            SELECT count(*)
            FROM leads AS l
            WHERE l.tenant_id = %(tenant_id)s
                AND l.assigned_user_id = u.id
                AND l.status NOT IN ('won', 'lost')
                AND l.archived_at IS NULL
        ) AS leads,
        (
            SELECT count(*)
            FROM approval_queue AS q
            JOIN response_approvals AS a ON a.tenant_id = %(tenant_id)s AND a.id = q.approval_id
            WHERE q.tenant_id = %(tenant_id)s
                AND q.assigned_user_id = u.id
                AND a.status = 'pending'
        ) AS approvals

-- fragment: work_left
-- Work still assigned to inactive users.
LEFT JOIN LATERAL (
    SELECT
        /* include work_counts */
    WHERE NOT u.is_active
) AS w ON true

-- fragment: locked_user
-- One change of a business's people at a time. Rows are locked to see their newest state: of two admins who would take
-- the role from each other, the second finds the first one no admin any more.
business AS MATERIALIZED (
    SELECT t.id
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
    FOR NO KEY UPDATE
),
before AS (
    SELECT
        u.id,
        u AS was
    FROM business AS z
    JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = %(wanted_id)s
    FOR UPDATE OF u
),
-- Users who could sign in and appoint an admin again.
other_admins AS (
    SELECT o.id
    FROM before AS b
    JOIN users AS o ON o.tenant_id = %(tenant_id)s AND o.id <> b.id
    WHERE (b.was).role = 'admin'
        AND o.role = 'admin'
        AND o.is_active
        AND o.password_hash IS NOT NULL
    FOR NO KEY UPDATE OF o
)

-- fragment: audited_user
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'user',
        a.id,
        changed_columns(to_jsonb(b.was) - 'password_hash', to_jsonb(a) - 'password_hash'),
        %(request_id)s
    FROM changed AS a
    JOIN before AS b ON b.id = a.id
    WHERE changed_columns(to_jsonb(b.was), to_jsonb(a)) <> '{}'
)

-- fragment: is_last_admin
(b.was).role = 'admin'
                AND (b.was).is_active
                AND (b.was).password_hash IS NOT NULL
                AND NOT EXISTS (SELECT FROM other_admins AS o)

-- name: list_users
-- reads: users, password_links, job_steps, leads, approval_queue, response_approvals, tenants
-- from: users AS u
-- filter archived: u.archived_at IS NOT NULL
-- filter role_filter: u.role = %(role_filter)s
-- filter is_active: u.is_active = %(is_active)s
-- filter q: u.id IN (/* include ids_by_beginning users full_name_search */ UNION ALL /* include ids_by_words users */)
-- sort full_name: u.full_name_search | text COLLATE "C"
-- sort created_at: u.created_at | timestamptz
-- total: users_active users_blocked
-- total role_filter: users_active users_blocked | c.label = %(role_filter)s
-- total is_active: users_active users_blocked | (c.metric = 'users_active') = %(is_active)s
-- total role_filter,is_active: users_active users_blocked | c.label = %(role_filter)s AND (c.metric = 'users_active') = %(is_active)s
-- Users by name.
SELECT
    page.position,
    json_build_object(
        /* include user_members */,
        'load', json_build_object('pending', o.pending, 'in_progress', o.in_progress)
    ) AS item
FROM page
JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = page.id
/* include open_link */
/* include work_left */
LEFT JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE s.status = 'pending') AS pending,
        count(*) FILTER (WHERE s.status = 'in_progress') AS in_progress
    FROM job_steps AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.assigned_user_id = u.id
        AND s.status IN ('pending', 'in_progress')
        AND NOT s.job_ended
) AS o ON true

-- name: get_user
-- reads: users, password_links, job_steps, leads, approval_queue, response_approvals
-- locks: tenants AS t JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = %(wanted_id)s | t.id = %(tenant_id)s
-- One user.
SELECT json_build_object(
        /* include user_members */
)::text
FROM users AS u
/* include open_link */
/* include work_left */
WHERE u.tenant_id = %(tenant_id)s
    AND u.id = %(wanted_id)s

-- name: get_work
-- reads: users, job_steps, leads, approval_queue, response_approvals
-- Unfinished work assigned to a person, active or not.
SELECT json_build_object(
    'user_id', u.id,
    'steps', w.steps,
    'leads', w.leads,
    'approvals', w.approvals,
    'links', /* include work_links */
)::text
FROM users AS u
CROSS JOIN LATERAL (
    SELECT
        /* include work_counts */
) AS w
WHERE u.tenant_id = %(tenant_id)s
    AND u.id = %(wanted_id)s

-- name: create_user
-- writes: users, password_links, audit_logs, deliveries
-- Add a person with their invitation, or a service account, which needs none; a conflict when the address is taken.
WITH u AS (
    INSERT INTO users (tenant_id, email, full_name, role, is_service)
    VALUES (%(tenant_id)s, %(email)s, %(full_name)s, %(new_role)s, %(is_service)s)
    ON CONFLICT (tenant_id, email_search) WHERE NOT is_duplicate DO NOTHING
    RETURNING id, email, full_name, role, is_active, is_service, password_hash, own_fields, archived_at, created_at, updated_at
),
k AS (
    INSERT INTO password_links (tenant_id, user_id, kind, created_by, expires_at)
    SELECT
        %(tenant_id)s,
        u.id,
        'invitation',
        %(user_id)s,
        date_trunc('second', now(), 'UTC') + %(expires_in_days)s * interval '24 hours'
    FROM u
    WHERE NOT u.is_service
    RETURNING id, kind, created_at, expires_at
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'create',
        'user',
        u.id,
        jsonb_build_object(
            'email', jsonb_build_array(NULL, u.email),
            'full_name', jsonb_build_array(NULL, u.full_name),
            'role', jsonb_build_array(NULL, u.role),
            'is_service', jsonb_build_array(NULL, u.is_service)
        ),
        %(request_id)s
    FROM u
),
/* include mailed_link */
SELECT
    CASE WHEN u.id IS NOT NULL THEN json_build_object(
        /* include user_members */
    )::text END,
    u.id,
    CASE WHEN u.id IS NULL THEN 'conflict' END AS problem,
    'There is a user with this e-mail address already.' AS detail
FROM (SELECT) AS one
LEFT JOIN u ON true
LEFT JOIN k ON true
LEFT JOIN (SELECT 0 AS steps, 0 AS leads, 0 AS approvals) AS w ON true

-- name: update_user
-- reads: tenants, password_links, job_steps, leads, approval_queue, response_approvals
-- writes: users, audit_logs, revocations, password_links
-- Change a user. A new role, or being deactivated, ends their tokens on every worker. Nobody shuts themselves out, and a
-- business keeps an admin.
WITH /* include locked_user */,
wanted AS (
    SELECT
        b.id,
        n.full_name,
        n.role,
        n.is_active,
        -- A person who is active again is in the lists again.
        CASE WHEN NOT n.is_active THEN n.archived_at END AS archived_at,
        CASE
            WHEN n.role = (b.was).role AND n.is_active = (b.was).is_active THEN NULL
            WHEN b.id = %(user_id)s THEN 'You cannot change your own role or deactivate yourself.'
            WHEN
                /* include is_last_admin */
                THEN 'This is the last admin who can sign in; make somebody else an admin first.'
        END AS refusal
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
),
changed AS (
    UPDATE users AS u
    SET
        full_name = n.full_name,
        role = n.role,
        is_active = n.is_active,
        archived_at = n.archived_at
    FROM wanted AS n
    WHERE u.tenant_id = %(tenant_id)s
        AND u.id = n.id
        AND n.refusal IS NULL
    RETURNING u.*
),
/* include audited_user */
SELECT
    CASE WHEN u.id IS NOT NULL THEN json_build_object(
        /* include user_members */
    )::text END,
    n.id,
    CASE WHEN u.id IS NULL THEN 'conflict' END AS problem,
    n.refusal AS detail
FROM wanted AS n
LEFT JOIN changed AS u ON u.id = n.id
/* include open_link */ AND u.is_active
/* include work_left */

-- name: hand_over
-- reads: tenants, response_approvals
-- writes: job_steps, leads, approval_queue, users, audit_logs, revocations, password_links
-- Give everything that a person has and that is not finished to another one, or to nobody, and deactivate them if that
-- is asked for. Everything or nothing.
WITH /* include locked_user */,
receiver AS (
    SELECT r.id
    FROM before AS b
    JOIN users AS r ON r.tenant_id = %(tenant_id)s AND r.id = %(to_user_id)s
    WHERE r.id <> b.id
        AND r.is_active
        AND NOT r.is_service
    FOR SHARE OF r
),
wanted AS (
    SELECT
        b.id,
        b.was,
        CASE
            WHEN %(to_user_id)s::bigint IS NOT NULL AND NOT EXISTS (SELECT FROM receiver AS r)
                THEN 'There is no other active person with this id (to_user_id).'
            WHEN NOT %(deactivate)s OR NOT (b.was).is_active THEN NULL
            WHEN b.id = %(user_id)s THEN 'You cannot deactivate yourself.'
            WHEN
                /* include is_last_admin */
                THEN 'This is the last admin who can sign in; make somebody else an admin first.'
        END AS refusal
    FROM before AS b
),
held_steps AS (
    SELECT
        s.id,
        s AS was
    FROM wanted AS n
    JOIN job_steps AS s ON s.tenant_id = %(tenant_id)s AND s.assigned_user_id = n.id
    WHERE n.refusal IS NULL
        AND s.status IN ('pending', 'in_progress')
        AND NOT s.job_ended
    ORDER BY s.id
    FOR UPDATE OF s
),
held_leads AS (
    SELECT
        l.id,
        l AS was
    FROM wanted AS n
    JOIN leads AS l ON l.tenant_id = %(tenant_id)s AND l.assigned_user_id = n.id
    WHERE n.refusal IS NULL
        AND l.status NOT IN ('won', 'lost')
        AND l.archived_at IS NULL
    ORDER BY l.id
    FOR UPDATE OF l
),
held_approvals AS (
    SELECT
        q.approval_id AS id,
        q AS was
    FROM wanted AS n
    JOIN approval_queue AS q ON q.tenant_id = %(tenant_id)s AND q.assigned_user_id = n.id
    JOIN response_approvals AS a ON a.tenant_id = %(tenant_id)s AND a.id = q.approval_id
    WHERE n.refusal IS NULL
        AND a.status = 'pending'
    ORDER BY q.approval_id
    FOR UPDATE OF q
),
steps AS (
    UPDATE job_steps AS s
    SET assigned_user_id = %(to_user_id)s
    FROM held_steps AS h
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = h.id
    RETURNING 'job_step' AS entity, s.id, changed_columns(to_jsonb(h.was), to_jsonb(s)) AS changes
),
handed_leads AS (
    UPDATE leads AS l
    SET assigned_user_id = %(to_user_id)s
    FROM held_leads AS h
    WHERE l.tenant_id = %(tenant_id)s
        AND l.id = h.id
    RETURNING 'lead' AS entity, l.id, changed_columns(to_jsonb(h.was), to_jsonb(l)) AS changes
),
approvals AS (
    UPDATE approval_queue AS q
    SET assigned_user_id = %(to_user_id)s
    FROM held_approvals AS h
    WHERE q.tenant_id = %(tenant_id)s
        AND q.approval_id = h.id
    RETURNING 'response_approval' AS entity, q.approval_id AS id, changed_columns(to_jsonb(h.was), to_jsonb(q)) AS changes
),
deactivated AS (
    UPDATE users AS u
    SET is_active = false
    FROM wanted AS n
    WHERE u.tenant_id = %(tenant_id)s
        AND u.id = n.id
        AND n.refusal IS NULL
        AND u.is_active
        AND %(deactivate)s
    RETURNING
        'user' AS entity,
        u.id,
        changed_columns(to_jsonb(n.was) - 'password_hash', to_jsonb(u) - 'password_hash') AS changes
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        c.entity,
        c.id,
        c.changes,
        %(request_id)s
    FROM (
        SELECT s.entity, s.id, s.changes FROM steps AS s
        UNION ALL
        SELECT l.entity, l.id, l.changes FROM handed_leads AS l
        UNION ALL
        SELECT q.entity, q.id, q.changes FROM approvals AS q
        UNION ALL
        SELECT u.entity, u.id, u.changes FROM deactivated AS u
    ) AS c
)
SELECT
    json_build_object(
        'user_id', n.id,
        'to_user_id', %(to_user_id)s::bigint,
        'is_active', (n.was).is_active AND NOT EXISTS (SELECT FROM deactivated AS d),
        'steps', (SELECT count(*) FROM steps AS s),
        'leads', (SELECT count(*) FROM handed_leads AS l),
        'approvals', (SELECT count(*) FROM approvals AS q)
    )::text,
    n.id,
    CASE WHEN n.refusal IS NOT NULL THEN 'conflict' END AS problem,
    n.refusal AS detail
FROM wanted AS n

-- name: anonymise
-- writes: audit_logs, customers, contacts, leads, users, jobs, job_steps, machines, processes, campaigns, campaign_recipients, suppressions, call_log, messages, notifications, documents, journeys, journey_messages, journey_node_executions, response_approvals, approval_history, approval_queue, auto_responses, workflows, workflow_execution_monitoring, workflow_alerts, business_settings, merges, sessions, api_tokens
-- Remove the name and contact data of a user from everything the business has.
/* include anonymise users user full_name wanted_id */

-- fragment: active_person
CASE WHEN (b.was).is_active THEN 'Deactivate this person first.' END

-- name: archive
-- writes: users, audit_logs
-- Archive an inactive person.
/* include archive users user wanted_id active_person */

-- name: restore
-- writes: users, audit_logs
-- Bring back an person from the archive.
/* include restore users user wanted_id no_obstacle */

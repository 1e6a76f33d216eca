-- fragment: user_members
        'id', u.id,
        'email', u.email,
        'full_name', u.full_name,
        'role', u.role,
        'is_active', u.is_active,
        'work_left', CASE WHEN NOT u.is_active THEN json_build_object(
            'steps', w.steps,
            'leads', w.leads,
            'approvals', w.approvals,
            'links', json_build_object(
                'steps', '/api/job-steps?waiting=true&assigned_user_id=' || u.id,
                'leads', '/api/leads?status=unprocessed,new,contacted,qualified&assigned_user_id=' || u.id,
                'approvals', '/api/workflow-approvals/pending?assigned_user_id=' || u.id
            )
        ) END,
        'created_at', u.created_at,
        'updated_at', u.updated_at

-- fragment: work_left
-- What is still assigned to somebody who is inactive.
LEFT JOIN LATERAL (
    SELECT
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
        ) AS leads,
        (
            SELECT count(*)
            FROM approval_queue AS q
            JOIN response_approvals AS a ON a.tenant_id = %(tenant_id)s AND a.id = q.approval_id
            WHERE q.tenant_id = %(tenant_id)s
                AND q.assigned_user_id = u.id
                AND a.status = 'pending'
        ) AS approvals
    WHERE NOT u.is_active
) AS w ON true

-- name: list_users
-- reads: users, job_steps, leads, approval_queue, response_approvals, tenants
-- from: users AS u
-- filter role_filter: u.role = %(role_filter)s
-- filter is_active: u.is_active = %(is_active)s
-- filter q: u.full_name_search >= search_form(%(q)s) AND u.full_name_search < search_form(%(q)s) || chr(1114111)
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
        /* include user_members */
    ) AS item
FROM page
JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = page.id
/* include work_left */

-- name: get_user
-- reads: users, job_steps, leads, approval_queue, response_approvals
-- locks: users AS u | u.tenant_id = %(tenant_id)s AND u.id = %(wanted_id)s
-- One user.
SELECT json_build_object(
        /* include user_members */
)::text
FROM users AS u
/* include work_left */
WHERE u.tenant_id = %(tenant_id)s
    AND u.id = %(wanted_id)s

-- name: update_user
-- reads: job_steps, leads, approval_queue, response_approvals
-- writes: users, audit_logs, revocations
-- Change a user. A new role, or being blocked, ends their tokens on every worker. Nobody shuts themselves out.
WITH before AS (
    SELECT
        u.id,
        u AS was
    FROM users AS u
    WHERE u.tenant_id = %(tenant_id)s
        AND u.id = %(wanted_id)s
    FOR UPDATE
),
changed AS (
    UPDATE users AS u
    SET
        full_name = n.full_name,
        role = n.role,
        is_active = n.is_active
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    WHERE u.tenant_id = %(tenant_id)s
        AND u.id = b.id
        AND (b.id <> %(user_id)s OR (n.role = (b.was).role AND n.is_active = (b.was).is_active))
    RETURNING u.*
),
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
SELECT
    CASE WHEN u.id IS NOT NULL THEN json_build_object(
        /* include user_members */
    )::text END,
    b.id,
    CASE WHEN u.id IS NULL THEN 'conflict' END AS problem,
    CASE WHEN u.id IS NULL THEN 'You cannot change your own role or block yourself.' END AS detail
FROM before AS b
LEFT JOIN changed AS u ON u.id = b.id
/* include work_left */

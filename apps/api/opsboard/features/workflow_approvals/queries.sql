-- constraint response_approvals_lead_fkey: There is no such lead (lead_id).
-- constraint approval_queue_assigned_user_fkey: There is no such user (assigned_user_id).

-- fragment: approval_members
        'id', a.id,
        'subject', a.subject,
        'response', a.response,
        'status', a.status,
        'lead', CASE WHEN l.id IS NOT NULL THEN json_build_object('id', l.id, 'name', l.name) END,
        'requested_by', CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'name', r.full_name) END,
        'decided_by', CASE WHEN d.id IS NOT NULL THEN json_build_object('id', d.id, 'name', d.full_name) END,
        'decided_at', a.decided_at,
        'own_fields', a.own_fields,
        'created_at', a.created_at,
        'updated_at', a.updated_at

-- fragment: approval_surroundings
LEFT JOIN leads AS l ON l.tenant_id = %(tenant_id)s AND l.id = a.lead_id
LEFT JOIN users AS r ON r.tenant_id = %(tenant_id)s AND r.id = a.requested_by
LEFT JOIN users AS d ON d.tenant_id = %(tenant_id)s AND d.id = a.decided_by

-- fragment: queue_members
            'status', q.status,
            'priority', q.priority,
            'assigned_user', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
            'due_at', q.due_at,
            'entered_at', q.entered_at,
            'left_at', q.left_at,
            'is_overdue', q.status = 'waiting' AND coalesce(q.due_at < now(), false),
            'own_fields', q.own_fields

-- fragment: history_members
        'id', h.id,
        'action', h.action,
        'from_status', h.from_status,
        'to_status', h.to_status,
        'acted_by', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'comment', h.comment,
        'own_fields', h.own_fields,
        'created_at', h.created_at

-- fragment: next_action
        CASE
            WHEN a.status = 'changes_requested' THEN 'resubmit'
            WHEN a.status <> 'pending' THEN NULL
            WHEN q.due_at < now() THEN 'escalate'
            WHEN q.assigned_user_id IS NULL THEN 'assign'
            ELSE 'decide'
        END

-- fragment: auto_response_members
        'id', o.id,
        'lead', json_build_object('id', l.id, 'name', l.name),
        'approval_id', o.approval_id,
        'channel', o.channel,
        'subject', o.subject,
        'response', o.response,
        'status', o.status,
        'sent_at', o.sent_at,
        'created_at', o.created_at,
        'updated_at', o.updated_at

-- name: list_approvals
-- reads: response_approvals, leads, users, tenants
-- from: response_approvals AS a
-- filter status: a.status = ANY(%(status)s)
-- filter lead_id: a.lead_id = %(lead_id)s
-- filter decided_today: a.decided_at >= (SELECT today::timestamp AT TIME ZONE time_zone FROM clock) AND a.decided_at < (SELECT (today + 1)::timestamp AT TIME ZONE time_zone FROM clock)
-- sort created_at: a.created_at | timestamptz
-- sort decided_at: a.decided_at | timestamptz | a.decided_at IS NOT NULL
-- total: response_approvals
-- total status: response_approvals | c.label = ANY(%(status)s)
-- total decided_today: response_approvals_by_day | c.day = (SELECT today FROM clock)
-- total decided_today,status: response_approvals_by_day | c.day = (SELECT today FROM clock) AND c.label = ANY(%(status)s)
-- Requests for approval with their lead, who asked and who decided.
SELECT
    page.position,
    json_build_object(
        /* include approval_members */
    ) AS item
FROM page
JOIN response_approvals AS a ON a.tenant_id = %(tenant_id)s AND a.id = page.id
/* include approval_surroundings */

-- name: list_pending
-- reads: response_approvals, approval_queue, leads, users, tenants
-- from: response_approvals AS a
-- filter pending: a.status = 'pending'
-- filter assigned_user_id: a.id IN (SELECT k.approval_id FROM approval_queue AS k WHERE k.tenant_id = %(tenant_id)s AND k.assigned_user_id = %(assigned_user_id)s)
-- sort created_at: a.created_at | timestamptz
-- total pending: response_approvals | c.label = 'pending'
-- Requests that wait for a decision, with their place in the queue, their age and what to do next.
SELECT
    page.position,
    json_build_object(
        /* include approval_members */,
        -- Whole hours, so that two answers within one are the same bytes.
        'age_hours', floor(extract(epoch FROM now() - a.created_at) / 3600)::bigint,
        'next_action', /* include next_action */,
        'queue_entry', CASE WHEN q.approval_id IS NOT NULL THEN json_build_object(
            /* include queue_members */
        ) END
    ) AS item,
    -- The end of the hour of its age, or when it falls due.
    least(
        a.created_at + (floor(extract(epoch FROM now() - a.created_at) / 3600) + 1) * interval '1 hour',
        CASE WHEN q.due_at > now() THEN q.due_at END
    ) AS changes_at
FROM page
JOIN response_approvals AS a ON a.tenant_id = %(tenant_id)s AND a.id = page.id
LEFT JOIN approval_queue AS q ON q.tenant_id = %(tenant_id)s AND q.approval_id = a.id
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = q.assigned_user_id
/* include approval_surroundings */

-- name: get_approval
-- reads: response_approvals, approval_queue, approval_history, leads, users
-- locks: response_approvals AS a | a.tenant_id = %(tenant_id)s AND a.id = %(approval_id)s
-- One request with its lead, its place in the queue and its whole history: each in a select of its own, so that the
-- rows of one never multiply those of another.
SELECT json_build_object(
        /* include approval_members */,
        'next_action', (
            SELECT /* include next_action */
            FROM (SELECT) AS one
            LEFT JOIN approval_queue AS q ON q.tenant_id = %(tenant_id)s AND q.approval_id = a.id
        ),
        'queue_entry', (
            SELECT json_build_object(
            /* include queue_members */
            )
            FROM approval_queue AS q
            LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = q.assigned_user_id
            WHERE q.tenant_id = %(tenant_id)s
                AND q.approval_id = a.id
        ),
        'history', (
            SELECT coalesce(
                json_agg(
                    json_build_object(
                        /* include history_members */
                    )
                    ORDER BY h.created_at, h.id
                ),
                '[]'
            )
            FROM approval_history AS h
            LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = h.acted_by
            WHERE h.tenant_id = %(tenant_id)s
                AND h.approval_request_id = a.id
        )
)::text
FROM response_approvals AS a
/* include approval_surroundings */
WHERE a.tenant_id = %(tenant_id)s
    AND a.id = %(approval_id)s

-- name: list_history
-- reads: approval_history, response_approvals, users
-- from: approval_history AS h
-- within: response_approvals AS w | w.id = %(approval_id)s
-- filter approval_id: h.approval_request_id = %(approval_id)s
-- sort created_at: h.created_at | timestamptz
-- The history of a request.
SELECT
    page.position,
    json_build_object(
        /* include history_members */
    ) AS item
FROM page
JOIN approval_history AS h ON h.tenant_id = %(tenant_id)s AND h.id = page.id
    AND h.created_at = page.sort_key::timestamptz
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = h.acted_by

-- name: create_approval
-- reads: leads, users
-- writes: response_approvals, approval_queue, approval_history, audit_logs
-- Ask for approval: the request, its place in the queue and the first line of its history.
WITH a AS (
    INSERT INTO response_approvals (tenant_id, lead_id, subject, response, requested_by)
    SELECT
        %(tenant_id)s,
        %(lead_id)s,
        %(subject)s,
        %(response)s,
        %(user_id)s
    WHERE /* include is_active_assignee */
    RETURNING
        id, lead_id, subject, response, status, requested_by, decided_by, decided_at, own_fields, created_at, updated_at
),
queued AS (
    INSERT INTO approval_queue (tenant_id, approval_id, priority, assigned_user_id, due_at)
    SELECT
        %(tenant_id)s,
        a.id,
        %(priority)s,
        %(assigned_user_id)s,
        %(due_at)s::timestamptz
    FROM a
),
noted AS (
    INSERT INTO approval_history (tenant_id, approval_request_id, action, to_status, acted_by)
    SELECT
        %(tenant_id)s,
        a.id,
        'request',
        a.status,
        %(user_id)s
    FROM a
),
/* include audited_create response_approval a subject */
SELECT
    CASE WHEN a.id IS NOT NULL THEN json_build_object(
        /* include approval_members */
    )::text END,
    a.id,
    CASE WHEN a.id IS NULL THEN 'conflict' END AS problem,
    CASE WHEN a.id IS NULL THEN 'This person is inactive and is given no work (assigned_user_id).' END AS detail
FROM (SELECT) AS one
LEFT JOIN a ON true
/* include approval_surroundings */

-- name: decide_approval
-- reads: leads, users
-- writes: response_approvals, approval_queue, approval_history, auto_responses, audit_logs
-- Decide on a request that waits: its status, its place in the queue, its history and, when it is approved, the answer
-- to the lead change together. Of two who decide at once the second waits for the first and is told who it was.
WITH before AS (
    SELECT
        a.id,
        a.status,
        a.decided_by,
        a.decided_at
    FROM response_approvals AS a
    WHERE a.tenant_id = %(tenant_id)s
        AND a.id = %(approval_id)s
    FOR UPDATE
),
changed AS (
    UPDATE response_approvals AS a
    SET
        status = %(status)s,
        decided_by = %(user_id)s,
        decided_at = clock_timestamp()
    FROM before AS b
    WHERE a.tenant_id = %(tenant_id)s
        AND a.id = b.id
        AND b.status = 'pending'
    RETURNING a.*
),
left_queue AS (
    UPDATE approval_queue AS q
    SET
        status = 'done',
        left_at = c.decided_at
    FROM changed AS c
    WHERE q.tenant_id = %(tenant_id)s
        AND q.approval_id = c.id
),
noted AS (
    INSERT INTO approval_history (
        tenant_id, approval_request_id, action, from_status, to_status, acted_by, comment, created_at
    )
    SELECT
        %(tenant_id)s,
        c.id,
        %(decision)s,
        'pending',
        c.status,
        %(user_id)s,
        %(comment)s,
        c.decided_at
    FROM changed AS c
),
answered AS (
    INSERT INTO auto_responses (tenant_id, lead_id, approval_id, subject, response)
    SELECT
        %(tenant_id)s,
        c.lead_id,
        c.id,
        c.subject,
        c.response
    FROM changed AS c
    WHERE c.status = 'approved'
        AND c.lead_id IS NOT NULL
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        %(decision)s,
        'response_approval',
        c.id,
        jsonb_build_object('status', jsonb_build_array('pending', c.status)),
        %(request_id)s
    FROM changed AS c
),
shown AS (
    SELECT
        a.id,
        json_build_object(
        /* include approval_members */
        )::text AS document
    FROM changed AS a
/* include approval_surroundings */
)
SELECT
    s.document,
    b.id,
    CASE WHEN s.id IS NULL THEN 'conflict' END AS problem,
    CASE WHEN s.id IS NULL THEN
        format(
            'Decided already: %%s by %%s at %%s.',
            replace(b.status, '_', ' '),
            coalesce(w.full_name, 'an import'),
            to_char(b.decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
        )
    END AS detail
FROM before AS b
LEFT JOIN shown AS s ON s.id = b.id
LEFT JOIN users AS w ON w.tenant_id = %(tenant_id)s AND w.id = b.decided_by

-- name: resubmit_approval
-- reads: leads, users
-- writes: response_approvals, approval_queue, approval_history, audit_logs
-- Send in again, changed, what was returned for changes; it waits in the queue as a new request does.
WITH before AS (
    SELECT
        a.id,
        a AS was
    FROM response_approvals AS a
    WHERE a.tenant_id = %(tenant_id)s
        AND a.id = %(approval_id)s
    FOR UPDATE
),
changed AS (
    UPDATE response_approvals AS a
    SET
        subject = n.subject,
        response = n.response,
        status = 'pending',
        decided_by = NULL,
        decided_at = NULL
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    WHERE a.tenant_id = %(tenant_id)s
        AND a.id = b.id
        AND (b.was).status = 'changes_requested'
    RETURNING a.*
),
queued AS (
    UPDATE approval_queue AS q
    SET
        status = 'waiting',
        entered_at = c.updated_at,
        left_at = NULL
    FROM changed AS c
    WHERE q.tenant_id = %(tenant_id)s
        AND q.approval_id = c.id
),
noted AS (
    INSERT INTO approval_history (
        tenant_id, approval_request_id, action, from_status, to_status, acted_by, created_at
    )
    SELECT
        %(tenant_id)s,
        c.id,
        'resubmit',
        'changes_requested',
        'pending',
        %(user_id)s,
        c.updated_at
    FROM changed AS c
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'resubmit',
        'response_approval',
        c.id,
        changed_columns(to_jsonb(b.was), to_jsonb(c)),
        %(request_id)s
    FROM changed AS c
    JOIN before AS b ON b.id = c.id
),
shown AS (
    SELECT
        a.id,
        json_build_object(
        /* include approval_members */
        )::text AS document
    FROM changed AS a
/* include approval_surroundings */
)
SELECT
    s.document,
    b.id,
    CASE WHEN s.id IS NULL THEN 'conflict' END AS problem,
    CASE WHEN s.id IS NULL THEN 'Nobody has asked for changes of this request.' END AS detail
FROM before AS b
LEFT JOIN shown AS s ON s.id = b.id

-- name: list_auto_responses
-- reads: auto_responses, leads
-- from: auto_responses AS o
-- filter status: o.status = ANY(%(status)s)
-- filter lead_id: o.lead_id = %(lead_id)s
-- sort created_at: o.created_at | timestamptz
-- Answers that went out to leads or are about to.
SELECT
    page.position,
    json_build_object(
        /* include auto_response_members */
    ) AS item
FROM page
JOIN auto_responses AS o ON o.tenant_id = %(tenant_id)s AND o.id = page.id
JOIN leads AS l ON l.tenant_id = %(tenant_id)s AND l.id = o.lead_id

-- name: end_auto_response
-- reads: leads
-- writes: auto_responses, audit_logs
-- Say what became of an answer. One that failed may be tried again; one that is out or was cancelled stays so, and to
-- say the same again changes nothing.
WITH before AS (
    SELECT
        o.id,
        o.status,
        o AS was
    FROM auto_responses AS o
    WHERE o.tenant_id = %(tenant_id)s
        AND o.id = %(response_id)s
    FOR UPDATE
),
changed AS (
    UPDATE auto_responses AS o
    SET
        status = %(became)s,
        sent_at = CASE WHEN %(became)s = 'sent' THEN clock_timestamp() END
    FROM before AS b
    WHERE o.tenant_id = %(tenant_id)s
        AND o.id = b.id
        AND b.status IN ('queued', 'failed')
        AND b.status <> %(became)s
    RETURNING o.*
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'auto_response',
        c.id,
        changed_columns(to_jsonb(b.was), to_jsonb(c)),
        %(request_id)s
    FROM changed AS c
    JOIN before AS b ON b.id = c.id
),
shown AS (
    SELECT
        o.id,
        json_build_object(
        /* include auto_response_members */
        )::text AS document
    FROM before AS b
    LEFT JOIN changed AS c ON c.id = b.id
    CROSS JOIN LATERAL jsonb_populate_record(b.was, coalesce(to_jsonb(c), '{}')) AS o
    JOIN leads AS l ON l.tenant_id = %(tenant_id)s AND l.id = o.lead_id
    WHERE o.status = %(became)s
)
SELECT
    s.document,
    b.id,
    CASE WHEN s.id IS NULL THEN 'conflict' END AS problem,
    CASE WHEN s.id IS NULL THEN format('The answer is %%s already.', b.status) END AS detail
FROM before AS b
LEFT JOIN shown AS s ON s.id = b.id

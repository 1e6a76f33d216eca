-- fragment: status_link_members
        'id', l.id,
        'job_id', l.job_id,
        'created_by', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'created_at', l.created_at,
        'expires_at', l.expires_at,
        'revoked_at', l.revoked_at,
        'is_active', l.revoked_at IS NULL AND l.expires_at > now()

-- name: list_status_links
-- reads: job_status_links, jobs, users
-- from: job_status_links AS l
-- within: jobs AS w | w.id = %(job_id)s
-- filter job_id: l.job_id = %(job_id)s
-- sort created_at: l.created_at | timestamptz
-- The links to a job's status, never their tokens.
SELECT
    page.position,
    json_build_object(
        /* include status_link_members */
    ) AS item,
    CASE WHEN l.expires_at > now() THEN l.expires_at END AS changes_at
FROM page
JOIN job_status_links AS l ON l.tenant_id = %(tenant_id)s AND l.id = page.id
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = l.created_by

-- name: get_status_link
-- reads: job_status_links, users
-- locks: job_status_links AS l | l.tenant_id = %(tenant_id)s AND l.id = %(link_id)s
-- One link to a job's status, without its token.
SELECT json_build_object(
        /* include status_link_members */
)::text
FROM job_status_links AS l
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = l.created_by
WHERE l.tenant_id = %(tenant_id)s
    AND l.job_id = %(job_id)s
    AND l.id = %(link_id)s

-- name: create_status_link
-- reads: jobs, users
-- writes: job_status_links, audit_logs
-- Make a link to a job's status; it ends by itself after so many days.
WITH l AS (
    INSERT INTO job_status_links (tenant_id, job_id, created_by, expires_at)
    SELECT
        %(tenant_id)s,
        j.id,
        %(user_id)s,
        date_trunc('second', now(), 'UTC') + %(expires_in_days)s * interval '24 hours'
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = %(job_id)s
    RETURNING id, job_id, created_by, created_at, expires_at, revoked_at
),
/* include audited_create job_status_link l job_id */
SELECT
    json_build_object(
        /* include status_link_members */
    )::text,
    l.id,
    NULL AS problem,
    NULL AS detail
FROM l
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = l.created_by

-- name: revoke_status_link
-- reads: users
-- writes: job_status_links, audit_logs
-- End a link before its time; one that was ended before stays as it is.
WITH before AS (
    SELECT
        l.id,
        l AS was
    FROM job_status_links AS l
    WHERE l.tenant_id = %(tenant_id)s
        AND l.job_id = %(job_id)s
        AND l.id = %(link_id)s
    FOR UPDATE
),
changed AS (
    UPDATE job_status_links AS l
    SET revoked_at = coalesce((b.was).revoked_at, now())
    FROM before AS b
    WHERE l.tenant_id = %(tenant_id)s
        AND l.id = b.id
    RETURNING l.*
),
/* include audited_update job_status_link */
SELECT
    json_build_object(
        /* include status_link_members */
    )::text,
    l.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS l
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = l.created_by

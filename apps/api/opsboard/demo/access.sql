-- name: add_access
-- writes: users, password_links
-- A program that has an account, and somebody who was invited and has not set a password yet.
WITH added AS (
    INSERT INTO users (tenant_id, email, full_name, role, is_service, created_at, updated_at)
    SELECT
        %(tenant_id)s,
        p.local_part || '@' || %(slug)s || '.example',
        p.full_name,
        p.role,
        p.is_service,
        %(moment)s,
        %(moment)s
    FROM (
        VALUES
        ('label.printer', 'Label printer', 'operator', true),
        ('robin.vale', 'Robin Vale', 'manager', false)
    ) AS p (local_part, full_name, role, is_service)
    RETURNING id, is_service
)
INSERT INTO password_links (tenant_id, user_id, kind, created_by, created_at, expires_at)
SELECT
    %(tenant_id)s,
    a.id,
    'invitation',
    %(planner)s,
    %(moment)s,
    %(moment)s + interval '7 days'
FROM added AS a
WHERE NOT a.is_service

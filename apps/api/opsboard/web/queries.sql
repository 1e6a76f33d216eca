-- name: note_export
-- writes: audit_logs
-- Who asked for a copy of a list: which, how filtered, in which form.
INSERT INTO audit_logs (tenant_id, user_id, action, entity, changes, request_id)
VALUES (%(tenant_id)s, %(user_id)s, 'export', %(exported)s, %(export)s::jsonb, %(request_id)s)
RETURNING id

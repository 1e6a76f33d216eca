-- name: note_export
-- writes: audit_logs
-- The audit entry of an export: the list, its filters and its format.
INSERT INTO audit_logs (tenant_id, user_id, action, entity, changes, request_id)
VALUES (%(tenant_id)s, %(user_id)s, 'export', %(exported)s, %(export)s::jsonb, %(request_id)s)
RETURNING id

-- name: take_key
-- writes: idempotency_keys
-- Begin a write that is done once for its key. Waits for another with the same key to end; gives no row when that one
-- has kept its answer. Not an error: the server's log would get the statement with the caller's data in it.
INSERT INTO idempotency_keys (tenant_id, user_id, key, fingerprint)
VALUES (%(tenant_id)s, %(user_id)s, %(idempotency_key)s, %(fingerprint)s)
ON CONFLICT DO NOTHING
RETURNING key

-- name: keep_answer
-- writes: idempotency_keys
-- Keep the answer of the write that was begun with the key, in its transaction.
UPDATE idempotency_keys AS k
SET
    status = %(answer_status)s,
    body = %(answer_body)s,
    location = %(answer_location)s,
    media_type = %(answer_type)s
WHERE k.tenant_id = %(tenant_id)s
    AND k.user_id = %(user_id)s
    AND k.key = %(idempotency_key)s
RETURNING k.key

-- name: kept_answer
-- reads: idempotency_keys
-- The answer that was given for the key.
SELECT
    k.fingerprint,
    k.status,
    k.body,
    k.location,
    k.media_type
FROM idempotency_keys AS k
WHERE k.tenant_id = %(tenant_id)s
    AND k.user_id = %(user_id)s
    AND k.key = %(idempotency_key)s

-- name: keep_refusal
-- writes: idempotency_keys
-- Keep the answer of a write that the database refused and that has therefore left nothing behind.
INSERT INTO idempotency_keys (tenant_id, user_id, key, fingerprint, status, body, media_type)
VALUES (
    %(tenant_id)s,
    %(user_id)s,
    %(idempotency_key)s,
    %(fingerprint)s,
    %(answer_status)s,
    %(answer_body)s,
    %(answer_type)s
)
ON CONFLICT DO NOTHING
RETURNING key

"""Many rows of what all areas share: permissions, keys of writes, changes, orders, ended tokens, sign-ins, counts."""

from __future__ import annotations

LARGE_LEDGERS = """
INSERT INTO role_process_permissions (tenant_id, role, process_id, can_operate)
SELECT r.tenant_id, 'manager', r.id, false
FROM processes AS r WHERE length(r.name) = 32;

INSERT INTO idempotency_keys (tenant_id, user_id, key, fingerprint, body, created_at)
SELECT u.tenant_id, u.id, 'large ' || n, 'f', repeat('x', 300), now() - n * interval '1 minute'
FROM users AS u CROSS JOIN generate_series(1, 1500) AS n
WHERE u.full_name LIKE '%% admin';

INSERT INTO revocations (tenant_id, user_id, token_id, expires_at, xid)
SELECT u.tenant_id, u.id, 'large ' || n, now() + interval '1 day', n::text::xid8
FROM users AS u CROSS JOIN generate_series(1, 500) AS n
WHERE u.full_name LIKE '%% operator';

INSERT INTO api_tokens (tenant_id, user_id, name, scopes, hint, token_hash, expires_at, created_at)
SELECT u.tenant_id, u.id, 'large', ARRAY['read'], 'large ' || u.id || '/' || n, repeat('x', 64), to_timestamp(4e9),
    now() - n * interval '1 minute'
FROM users AS u CROSS JOIN generate_series(1, 10) AS n;

INSERT INTO saved_views (tenant_id, user_id, area, name, is_shared)
SELECT u.tenant_id, u.id, 'customers', 'large ' || n, true
FROM users AS u CROSS JOIN generate_series(1, 1000) AS n
WHERE u.full_name LIKE '%% admin';

INSERT INTO merges (tenant_id, kind, kept_id, merged_id, merged_by, created_at)
SELECT
    u.tenant_id, (ARRAY['customers', 'contacts', 'leads'])[1 + n %% 3], n, n + 1, u.id,
    now() - n * interval '1 minute'
FROM users AS u CROSS JOIN generate_series(1, 3000) AS n
WHERE u.full_name LIKE '%% admin';

INSERT INTO sign_in_attempts (key, failures, ends_at)
SELECT 'large ' || n, 1, now() + (n - 20) * interval '1 minute'
FROM generate_series(1, 2000) AS n;

INSERT INTO job_status_links (tenant_id, job_id, created_by, expires_at, created_at)
SELECT j.tenant_id, j.id, j.created_by, to_timestamp(4e9), now() - j.id * interval '1 minute'
FROM jobs AS j CROSS JOIN generate_series(1, 3) AS n
WHERE j.id %% 3 = 0;

INSERT INTO changes (tenant_id, table_name, xid) SELECT %(beta)s, 'jobs', n::text::xid8
FROM generate_series(1, 500) AS n;

INSERT INTO cache_clears (prefix, xid) SELECT 'large', n::text::xid8
FROM generate_series(1, 500) AS n;
"""
# After the counts were folded; they add nothing to them.
NOT_FOLDED = """
-- Each active webhook gets a delivery of each write: with thousands of them a write takes a second and more.
UPDATE webhooks AS w SET is_active = false WHERE w.id %% 700 > 3;

INSERT INTO search_pending (tenant_id, source, row_ids)
SELECT %(alpha)s, 'jobs', ARRAY[min(j.id)] FROM jobs AS j WHERE j.tenant_id = %(alpha)s;

INSERT INTO rollup_deltas (tenant_id, n, source, label)
SELECT CASE WHEN n %% 5000 = 0 THEN %(alpha)s ELSE %(beta)s END, 0, 'customers', ''
FROM generate_series(1, 5000) AS n;
"""

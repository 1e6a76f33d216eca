"""Many jobs, people, conversations and journeys, for the tests on a large seed."""

from __future__ import annotations

# The second business has as many jobs: they must not be read for the first. Its small tables are smaller, for of two
# equal halves of a small table Postgres rightly reads both.
LARGE_SHOP = """
INSERT INTO customers (tenant_id, name, email, phone)
SELECT t, 'customer ' || md5(n::text), md5(n::text) || '@example.com', '555' || n
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO jobs (
    tenant_id, job_number, title, customer_id, status, priority, due_date, created_at, started_at, completed_at
)
SELECT
    t, 'L-' || n, 'large ' || n,
    c.ids[1 + n %% 500],
    s.status, (ARRAY['low', 'normal', 'normal', 'normal', 'normal', 'normal', 'high', 'urgent'])[1 + n %% 8],
    CASE WHEN n %% 10 > 0 THEN (now() AT TIME ZONE 'UTC')::date - 700 + (n %% 730) END,
    now() - n * interval '30 minutes',
    CASE WHEN s.status <> 'draft' THEN now() - n * interval '29 minutes' END,
    CASE WHEN s.status = 'completed' THEN now() - n * interval '20 minutes' END
FROM generate_series(1, %(jobs)s) AS n
CROSS JOIN (SELECT tenant_id AS t, array_agg(id ORDER BY id) AS ids FROM customers GROUP BY tenant_id) AS c
CROSS JOIN LATERAL (SELECT CASE n %% 50
    WHEN 0 THEN 'draft' WHEN 1 THEN 'active' WHEN 2 THEN 'active' WHEN 3 THEN 'on_hold' WHEN 4 THEN 'cancelled'
    ELSE 'completed' END AS status) AS s;

INSERT INTO job_steps (
    tenant_id, job_id, step_order, process_id, machine_id, assigned_user_id, status, started_at, completed_at,
    created_at
)
SELECT
    j.tenant_id, j.id, k,
    (SELECT min(id) FROM processes WHERE tenant_id = j.tenant_id) + (j.id + k) %% 4,
    (SELECT min(id) FROM machines WHERE tenant_id = j.tenant_id) + (j.id + k) %% 11,
    (SELECT min(id) FROM users WHERE tenant_id = j.tenant_id) + (j.id + k) %% 11,
    CASE
        WHEN j.status = 'completed' THEN 'completed' WHEN j.status = 'active' AND k = 1 THEN 'in_progress'
        ELSE 'pending'
    END,
    j.started_at, j.completed_at, j.created_at
FROM jobs AS j CROSS JOIN generate_series(1, 2) AS k
WHERE j.title LIKE 'large %%';

INSERT INTO work_records (
    tenant_id, step_id, user_id, machine_id, started_at, ended_at, quantity_good, quantity_rejected, reject_reason,
    created_at, is_forgotten
)
SELECT
    s.tenant_id, s.id, (SELECT min(id) FROM users WHERE tenant_id = s.tenant_id) + s.id %% 11, s.machine_id,
    s.created_at, CASE WHEN s.status = 'completed' THEN s.created_at + interval '20 minutes' END,
    (s.status = 'completed')::integer, (s.status = 'completed' AND s.id %% 30 = 0)::integer,
    CASE WHEN s.status = 'completed' AND s.id %% 30 = 0 THEN 'reason ' || s.id %% 7 END, s.created_at,
    s.status = 'completed' AND s.id %% 400 = 0
FROM job_steps AS s JOIN jobs AS j ON j.tenant_id = s.tenant_id AND j.id = s.job_id
WHERE j.title LIKE 'large %%' AND s.status <> 'pending';

INSERT INTO saved_views (tenant_id, user_id, area, name)
SELECT %(alpha)s, (SELECT min(id) FROM users WHERE tenant_id = %(alpha)s),
    (ARRAY['jobs', 'leads', 'customers'])[1 + n %% 3], md5(n::text)
FROM generate_series(1, 300) AS n;

INSERT INTO machine_stops (tenant_id, machine_id, reason, started_at, ended_at, created_at)
SELECT
    s.tenant_id, s.machine_id, 'reason ' || s.id %% 7, s.created_at, s.created_at + interval '20 minutes', s.created_at
FROM job_steps AS s JOIN jobs AS j ON j.tenant_id = s.tenant_id AND j.id = s.job_id
WHERE j.title LIKE 'large %%' AND s.step_order = 1;

INSERT INTO problems (tenant_id, step_id, machine_id, kind, description, status, holds_step, reported_by, created_at)
SELECT
    s.tenant_id, s.id, s.machine_id, (ARRAY['material', 'tool', 'quality'])[1 + s.id %% 3], 'p',
    CASE WHEN s.id %% 50 > 1 THEN 'closed' WHEN s.id %% 50 = 1 THEN 'answered' ELSE 'open' END, s.id %% 40 = 0,
    (SELECT min(id) FROM users WHERE tenant_id = s.tenant_id) + s.id %% 11, s.created_at
FROM job_steps AS s JOIN jobs AS j ON j.tenant_id = s.tenant_id AND j.id = s.job_id
WHERE j.title LIKE 'large %%' AND s.step_order = 1;

INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, created_at)
SELECT j.tenant_id, (SELECT min(id) FROM users WHERE tenant_id = j.tenant_id) + j.id %% 11, 'update',
    (ARRAY['job', 'customer', 'machine'])[1 + j.id %% 3], j.id, j.created_at
FROM jobs AS j WHERE j.title LIKE 'large %%';

INSERT INTO notifications (tenant_id, user_id, kind, title, read_at, created_at)
SELECT j.tenant_id, (SELECT min(id) FROM users WHERE tenant_id = j.tenant_id) + j.id %% 11, 'job', 'n',
    CASE WHEN j.id %% 20 > 0 THEN now() END, j.created_at
FROM jobs AS j WHERE j.title LIKE 'large %%';

INSERT INTO users (tenant_id, email, full_name, role, is_active)
SELECT
    t, md5(n::text) || '@large.example', md5(n::text),
    (ARRAY['operator', 'operator', 'operator', 'manager', 'admin'])[1 + n %% 5], n %% 9 > 0
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO contacts (tenant_id, customer_id, name, phone, created_at)
SELECT c.tenant_id, c.id, md5(c.id::text), '557' || c.id, now() - c.id * interval '1 minute'
FROM customers AS c CROSS JOIN generate_series(1, 2) AS n
WHERE c.name LIKE 'customer %%';

INSERT INTO conversations (tenant_id, contact_id, status, last_message_at)
SELECT k.tenant_id, k.id, CASE WHEN k.id %% 20 = 0 THEN 'closed' ELSE 'open' END, k.created_at
FROM contacts AS k WHERE k.phone LIKE '557%%';

INSERT INTO messages (tenant_id, conversation_id, direction, body, to_number, sent_by, created_at)
SELECT v.tenant_id, v.id, CASE n %% 3 WHEN 0 THEN 'out' ELSE 'in' END, 'm', '558 ' || v.id %% 500,
    (SELECT min(id) FROM users WHERE tenant_id = v.tenant_id) + v.id %% 11, now() - v.id * n * interval '3 minutes'
FROM conversations AS v CROSS JOIN generate_series(1, 3) AS n;

INSERT INTO call_log (tenant_id, customer_id, lead_id, contact_id, user_id, status, created_at)
SELECT
    j.tenant_id, j.customer_id, (SELECT min(id) FROM leads WHERE tenant_id = j.tenant_id) + j.id %% 29,
    k.ids[1 + j.id %% 900],
    (SELECT min(id) FROM users WHERE tenant_id = j.tenant_id) + j.id %% 11,
    CASE j.id %% 20 WHEN 0 THEN 'missed' WHEN 1 THEN 'busy' WHEN 2 THEN 'failed' ELSE 'completed' END, j.created_at
FROM jobs AS j
JOIN (SELECT tenant_id, array_agg(id) AS ids FROM contacts GROUP BY tenant_id) AS k ON k.tenant_id = j.tenant_id
WHERE j.title LIKE 'large %%';

INSERT INTO documents (tenant_id, user_id, document_type, title, file_name, uploaded_at)
SELECT j.tenant_id, (SELECT min(id) FROM users WHERE tenant_id = j.tenant_id) + j.id %% 11,
    (ARRAY['drawing', 'drawing', 'photo', 'photo', 'report', 'quote', 'contract', 'other', 'invoice'])[1 + j.id %% 9],
    'd', 'f', j.created_at
FROM jobs AS j WHERE j.title LIKE 'large %%';

INSERT INTO machines (tenant_id, name, status)
SELECT t, md5(n::text), CASE n %% 20 WHEN 0 THEN 'maintenance' WHEN 1 THEN 'inactive' ELSE 'active' END
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO processes (tenant_id, name, is_active)
SELECT t, md5(n::text), n %% 10 > 0
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO routings (tenant_id, name)
SELECT t, md5(n::text)
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO routing_steps (tenant_id, routing_id, step_order, process_id)
SELECT r.tenant_id, r.id, n, (SELECT min(id) FROM processes WHERE tenant_id = r.tenant_id) + (r.id + n) %% 4
FROM routings AS r CROSS JOIN generate_series(4, 6) AS n
WHERE length(r.name) = 32;

INSERT INTO reasons (tenant_id, kind, name)
SELECT t, (ARRAY['reject', 'reject', 'stop', 'hold'])[1 + n %% 4], md5(n::text)
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO working_hours (tenant_id, machine_id, weekday, starts_at, ends_at)
SELECT m.tenant_id, m.id, 1 + n %% 7, make_time(n / 7 * 3, 0, 0), make_time(n / 7 * 3 + 2, 0, 0)
FROM machines AS m CROSS JOIN generate_series(0, 27) AS n
WHERE NOT EXISTS (SELECT FROM working_hours AS w WHERE w.tenant_id = m.tenant_id AND w.machine_id = m.id);

INSERT INTO holidays (tenant_id, name, first_day)
SELECT t, md5(n::text), '2001-01-01'::date - n
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO journeys (tenant_id, name, status, created_at)
SELECT
    t, md5(n::text), (ARRAY['archived', 'archived', 'paused', 'draft', 'active'])[1 + n %% 5],
    now() - n * interval '1 hour'
FROM generate_series(1, 2000) AS n CROSS JOIN unnest(ARRAY[%(alpha)s, %(beta)s]) AS t
WHERE t = %(alpha)s OR n <= 500;

INSERT INTO journey_nodes (tenant_id, journey_id, name, type, config)
SELECT j.tenant_id, j.id, v.name, v.type, '{"body": "b", "channel": "email"}'
FROM journeys AS j CROSS JOIN (VALUES ('start', 'start'), ('hello', 'message'), ('exit', 'exit')) AS v (name, type)
WHERE length(j.name) = 32;

INSERT INTO journey_edges (tenant_id, journey_id, from_node_id, to_node_id)
SELECT f.tenant_id, f.journey_id, f.id, t.id
FROM journey_nodes AS f
JOIN journey_nodes AS t
    ON t.journey_id = f.journey_id AND (f.name, t.name) IN (('start', 'hello'), ('hello', 'exit'));

-- In the seeded journeys, and three in each of the others; few are due, most have been through.
INSERT INTO journey_contacts (tenant_id, journey_id, customer_id, node_id, status, due_at, created_at)
SELECT n.tenant_id, n.journey_id, k.id, n.id,
    (ARRAY['active', 'completed', 'completed', 'completed', 'failed', 'paused'])[1 + k.id %% 6],
    now() + (k.id %% 90 - 1) * interval '1 hour', now() - (k.id %% 9000) * interval '10 minutes'
FROM journey_nodes AS n
JOIN customers AS k
    ON k.tenant_id = n.tenant_id AND (n.name = 'rest' OR n.name = 'hello' AND k.id %% 600 = n.journey_id %% 600)
-- Totals of these lists are counted, and of a table that is mostly its own Postgres rightly reads all.
WHERE n.tenant_id = %(alpha)s OR k.id %% 16 = 0
ON CONFLICT DO NOTHING;

INSERT INTO journey_step_keys (tenant_id, journey_contact_id, node_id, round, created_at)
SELECT c.tenant_id, c.id, c.node_id, r, c.created_at + r * interval '1 minute'
FROM journey_contacts AS c CROSS JOIN generate_series(2, 4) AS r;

INSERT INTO journey_node_executions (
    tenant_id, journey_id, journey_contact_id, node_id, round, outcome, branch, executed_at, created_at
)
SELECT k.tenant_id, n.journey_id, k.journey_contact_id, k.node_id, k.round, 'executed', 'next',
    CASE WHEN k.journey_contact_id %% 50 > 0 THEN k.created_at END, k.created_at
FROM journey_step_keys AS k JOIN journey_nodes AS n ON n.id = k.node_id
WHERE k.round > 1;

INSERT INTO journey_messages (
    tenant_id, journey_contact_id, node_id, round, channel, recipient, body, sent_at, created_at
)
SELECT k.tenant_id, k.journey_contact_id, k.node_id, k.round, 'email', 'r', 'b',
    CASE WHEN k.journey_contact_id %% 50 > 0 THEN now() END, k.created_at
FROM journey_step_keys AS k
WHERE k.round > 1;
"""

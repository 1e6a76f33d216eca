"""Two small businesses that look alike, each with a word of its own in every text it owns."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass

import psycopg2

from opsboard.auth.passwords import hash_password
from tests.contract.tables import NOT_WRITTEN, TABLES
from tests.rows import fill, not_written_by
from tests.seed_sales import SEED_SALES

PASSWORD = "correct horse battery"
CANARIES = {"alpha": "canaryalpha", "beta": "canarybeta"}
ROLES = ("admin", "manager", "operator")
# Seconds since 1970: in the year 2096.
LINKS_EXPIRE = 4_000_000_000
_hash = hash_password(PASSWORD)
# Tables that are empty or written by triggers; a new one gets rows made from its columns.
UNSEEDED = {*NOT_WRITTEN, "tenants", "revocations"}

# One statement per table; %(word)s is the business's canary. Numbers are chosen so that no two counts are equal.
SEED = """
INSERT INTO users (tenant_id, email, full_name, role, password_hash, external_id)
SELECT %(tenant)s, r || '@' || %(slug)s || '.example', %(word)s || ' ' || r, r, %(hash)s, %(word)s || r
FROM unnest(ARRAY['admin', 'manager', 'operator']) AS r;

INSERT INTO users (tenant_id, email, full_name, role, is_active)
SELECT %(tenant)s, 'w' || n || '@' || %(slug)s || '.example', %(word)s || ' worker ' || n, 'operator', n %% 4 > 0
FROM generate_series(1, 8) AS n;

INSERT INTO customers (tenant_id, name, email, phone, address, external_id)
SELECT
    %(tenant)s, %(word)s || ' customer ' || n, 'c' || n || '@' || %(word)s || '.example',
    '555-01' || lpad(n::text, 2, '0'), %(word)s || ' street', %(word)s || n
FROM generate_series(1, 12) AS n;

INSERT INTO processes (tenant_id, name, description, is_active, external_id)
SELECT %(tenant)s, %(word)s || ' process ' || n, %(word)s, n < 5, %(word)s || n
FROM generate_series(1, 5) AS n;

INSERT INTO role_process_permissions (tenant_id, role, process_id)
SELECT %(tenant)s, 'manager', min(id)
FROM processes
WHERE tenant_id = %(tenant)s;

INSERT INTO machines (tenant_id, name, status, location, external_id)
SELECT
    %(tenant)s, %(word)s || ' machine ' || n,
    CASE WHEN n > 8 THEN 'inactive' WHEN n > 6 THEN 'maintenance' ELSE 'active' END, %(word)s, %(word)s || n
FROM generate_series(1, 11) AS n;

INSERT INTO routings (tenant_id, name, description, external_id)
SELECT %(tenant)s, %(word)s || ' routing ' || n, %(word)s, %(word)s || n
FROM generate_series(1, 5) AS n;

INSERT INTO routing_steps (
    tenant_id, routing_id, step_order, process_id, machine_id, setup_minutes, seconds_per_piece, instructions
)
SELECT
    %(tenant)s, r.id, n,
    (SELECT id FROM processes WHERE tenant_id = %(tenant)s ORDER BY id OFFSET n %% 4 LIMIT 1),
    CASE WHEN n > 1 THEN (SELECT min(id) FROM machines WHERE tenant_id = %(tenant)s) END,
    n * 10, n * 45, %(word)s || ' instructions ' || n
FROM routings AS r
CROSS JOIN generate_series(1, 3) AS n
WHERE r.tenant_id = %(tenant)s;

INSERT INTO reasons (tenant_id, kind, name, description, external_id)
SELECT %(tenant)s, (ARRAY['reject', 'stop', 'hold'])[1 + n %% 3], %(word)s || ' reason ' || n, %(word)s, %(word)s || n
FROM generate_series(1, 7) AS n;

INSERT INTO jobs (
    tenant_id, job_number, title, description, customer_id, status, priority, quantity, due_date, started_at,
    completed_at, created_by, external_id, created_at
)
SELECT
    %(tenant)s, upper(%(word)s) || '-' || lpad(n::text, 4, '0'), %(word)s || ' job ' || n, %(word)s,
    (SELECT id FROM customers WHERE tenant_id = %(tenant)s ORDER BY id OFFSET n %% 12 LIMIT 1),
    s.status, (ARRAY['low', 'normal', 'high', 'urgent'])[1 + n %% 4], n,
    CASE WHEN n %% 7 > 0 THEN (now() AT TIME ZONE 'UTC')::date + (n %% 9 - 4) END,
    CASE WHEN s.status IN ('active', 'completed') THEN now() - n * interval '1 hour' END,
    CASE WHEN s.status = 'completed' THEN now() - n * interval '30 minutes' END,
    (SELECT min(id) FROM users WHERE tenant_id = %(tenant)s), %(word)s || n, now() - n * interval '1 day'
FROM generate_series(1, 90) AS n
CROSS JOIN LATERAL (SELECT CASE
    WHEN n <= 6 THEN 'draft' WHEN n <= 30 THEN 'active' WHEN n <= 38 THEN 'on_hold'
    WHEN n <= 85 THEN 'completed' ELSE 'cancelled'
END AS status) AS s;

INSERT INTO job_steps (
    tenant_id, job_id, step_order, process_id, machine_id, assigned_user_id, status, started_at, completed_at,
    setup_minutes, seconds_per_piece, instructions, external_id
)
SELECT
    %(tenant)s, j.id, n,
    (SELECT id FROM processes WHERE tenant_id = %(tenant)s ORDER BY id OFFSET (j.quantity + n) %% 4 LIMIT 1),
    (SELECT id FROM machines WHERE tenant_id = %(tenant)s ORDER BY id OFFSET (j.quantity + n) %% 11 LIMIT 1),
    (SELECT id FROM users WHERE tenant_id = %(tenant)s ORDER BY id OFFSET (j.quantity + n) %% 4 LIMIT 1),
    s.status,
    CASE WHEN s.status <> 'pending' THEN now() - interval '2 hours' END,
    CASE WHEN s.status = 'completed' THEN now() - j.quantity * interval '20 minutes' END,
    n * 10, CASE WHEN n > 1 THEN n * 45 END, CASE WHEN n > 2 THEN %(word)s END, %(word)s || j.id || '/' || n
FROM jobs AS j
CROSS JOIN generate_series(1, 3) AS n
CROSS JOIN LATERAL (SELECT CASE
    WHEN j.status = 'completed' OR n < (j.quantity %% 3) THEN 'completed'
    WHEN n = (j.quantity %% 3) THEN 'in_progress' ELSE 'pending'
END AS status) AS s
WHERE j.tenant_id = %(tenant)s;

INSERT INTO work_records (
    tenant_id, step_id, user_id, machine_id, started_at, ended_at, quantity_good, quantity_rejected, reject_reason,
    note, corrected_by, correction, external_id
)
SELECT
    %(tenant)s, s.id, u.id, s.machine_id, now() - n * interval '1 hour',
    CASE WHEN n > 1 THEN now() - n * interval '50 minutes' END, (n > 1)::integer * n, (n > 3)::integer * n,
    CASE WHEN n > 3 THEN %(word)s || ' reason 3' END, %(word)s, CASE WHEN n > 5 THEN u.id END,
    CASE WHEN n > 5 THEN %(word)s || ' counted again' END, %(word)s || n
FROM generate_series(1, 7) AS n
CROSS JOIN LATERAL (
    SELECT id, machine_id FROM job_steps WHERE tenant_id = %(tenant)s ORDER BY id OFFSET n %% 3 LIMIT 1
) AS s
CROSS JOIN LATERAL (SELECT id FROM users WHERE tenant_id = %(tenant)s ORDER BY id OFFSET n %% 3 LIMIT 1) AS u;

INSERT INTO machine_stops (
    tenant_id, machine_id, reason, note, started_at, ended_at, reported_by, ended_by, external_id
)
SELECT
    %(tenant)s, m.id, %(word)s || ' reason 1', %(word)s, now() - n * interval '3 hours',
    CASE WHEN n > 1 THEN now() - n * interval '170 minutes' END, u.id, CASE WHEN n > 1 THEN u.id END, %(word)s || n
FROM generate_series(1, 5) AS n
CROSS JOIN LATERAL (
    SELECT id FROM machines WHERE tenant_id = %(tenant)s AND status = 'maintenance' ORDER BY id OFFSET n %% 2 LIMIT 1
) AS m
CROSS JOIN LATERAL (SELECT id FROM users WHERE tenant_id = %(tenant)s ORDER BY id OFFSET n %% 3 LIMIT 1) AS u;

-- All hours of every day, so that nothing is planned otherwise than without them.
INSERT INTO working_hours (tenant_id, machine_id, weekday, starts_at, ends_at, external_id)
SELECT %(tenant)s, max(m.id), n, '00:00', '24:00', %(word)s || n
FROM machines AS m CROSS JOIN generate_series(1, 7) AS n
WHERE m.tenant_id = %(tenant)s
GROUP BY n ORDER BY n;

INSERT INTO holidays (tenant_id, name, first_day, last_day, external_id)
SELECT
    %(tenant)s, %(word)s || ' holiday ' || n, '2001-01-01'::date + 7 * n, CASE WHEN n = 2 THEN '2001-01-16'::date END,
    %(word)s || n
FROM generate_series(1, 4) AS n;

INSERT INTO problems (
    tenant_id, step_id, machine_id, kind, description, status, answer, reported_by, answered_by, answered_at, closed_by,
    closed_at, external_id, created_at
)
SELECT
    %(tenant)s, s.id, s.machine_id, (ARRAY['material', 'tool', 'quality'])[1 + n %% 3], %(word)s || ' sheets too thin',
    t.status, CASE WHEN t.status <> 'open' THEN %(word)s || ' answer' END, u.id,
    CASE WHEN t.status <> 'open' THEN u.id END, CASE WHEN t.status <> 'open' THEN now() END,
    CASE WHEN t.status = 'closed' THEN u.id END, CASE WHEN t.status = 'closed' THEN now() END,
    %(word)s || n, now() - n * interval '1 hour'
FROM generate_series(1, 7) AS n
CROSS JOIN LATERAL (SELECT (ARRAY['open', 'answered', 'closed'])[1 + n %% 3] AS status) AS t
CROSS JOIN LATERAL (
    SELECT id, machine_id FROM job_steps WHERE tenant_id = %(tenant)s ORDER BY id OFFSET n %% 3 LIMIT 1
) AS s
CROSS JOIN LATERAL (SELECT id FROM users WHERE tenant_id = %(tenant)s ORDER BY id OFFSET n %% 3 LIMIT 1) AS u;

INSERT INTO job_status_links (tenant_id, job_id, created_by, expires_at, revoked_at)
SELECT
    %(tenant)s, j.id, j.created_by, to_timestamp(4000000000) + (n - 1) * interval '1 day',
    CASE WHEN n = 3 THEN now() END
FROM (SELECT id, created_by FROM jobs WHERE tenant_id = %(tenant)s ORDER BY id LIMIT 2) AS j
CROSS JOIN generate_series(1, 3) AS n
ORDER BY j.id, n;

INSERT INTO journeys (tenant_id, name, description, status, messages_per_hour, created_by)
SELECT
    %(tenant)s, %(word)s || ' journey ' || n, %(word)s,
    (ARRAY['active', 'paused', 'archived', 'draft'])[n], CASE WHEN n = 1 THEN 3 END,
    (SELECT min(id) FROM users WHERE tenant_id = %(tenant)s)
FROM generate_series(1, 4) AS n;

INSERT INTO journey_nodes (tenant_id, journey_id, name, type, config)
SELECT %(tenant)s, j.id, v.name, v.type, replace(v.config, 'WORD', %(word)s)::jsonb
FROM journeys AS j
CROSS JOIN (VALUES
    ('start', 'start', '{}'), ('welcome', 'message', '{"channel": "email", "subject": "WORD", "body": "WORD hello"}'),
    ('rest', 'wait', '{"seconds": 86400}'),
    ('three times', 'condition', '{"field": "round", "operator": "at_least", "value": 3}'),
    ('tell', 'action', '{"role": "manager", "title": "WORD went through"}'), ('exit', 'exit', '{}')
) AS v (name, type, config)
WHERE j.tenant_id = %(tenant)s;

INSERT INTO journey_edges (tenant_id, journey_id, from_node_id, branch, to_node_id)
SELECT %(tenant)s, f.journey_id, f.id, v.branch, t.id
FROM (VALUES
    ('start', 'next', 'welcome'), ('welcome', 'next', 'rest'), ('rest', 'next', 'three times'),
    ('three times', 'yes', 'tell'), ('three times', 'no', 'welcome'), ('tell', 'next', 'exit')
) AS v (source, branch, target)
JOIN journey_nodes AS f ON f.name = v.source
JOIN journey_nodes AS t ON t.name = v.target AND t.journey_id = f.journey_id
WHERE f.tenant_id = %(tenant)s;

INSERT INTO sessions (tenant_id, user_id, token_id, token_version, device, address, expires_at, ends_at)
SELECT %(tenant)s, id, %(word)s || n, 1, %(word)s || ' device', '10.0.0.' || n, to_timestamp(4e9), to_timestamp(4e9)
FROM users
CROSS JOIN generate_series(1, 2) AS n
WHERE tenant_id = %(tenant)s AND role = 'admin';

INSERT INTO saved_views (tenant_id, user_id, area, name, query, is_shared)
SELECT %(tenant)s, id, 'jobs', %(word)s || ' view ' || n, 'status=active', n = 1
FROM users
CROSS JOIN generate_series(1, 2) AS n
WHERE tenant_id = %(tenant)s AND role = 'admin';

INSERT INTO api_tokens (tenant_id, user_id, name, scopes, hint, token_hash, created_by, expires_at)
SELECT
    %(tenant)s, id, %(word)s || ' token ' || n, ARRAY['read'], 'opsb_' || %(tenant)s || '_' || n,
    repeat(n::text, 64), id, to_timestamp(4e9)
FROM users
CROSS JOIN generate_series(1, 2) AS n
WHERE tenant_id = %(tenant)s AND role = 'admin';

-- No write of the tests is an event for them: those that want events register webhooks of their own.
INSERT INTO webhooks (tenant_id, url, description, events, secret_id, created_by)
SELECT
    %(tenant)s, 'https://receiver' || n || '.example/' || %(word)s, %(word)s || ' webhook', ARRAY['board.digest'],
    'key_' || %(word)s || n, min(id)
FROM users
CROSS JOIN generate_series(1, 2) AS n
WHERE tenant_id = %(tenant)s
GROUP BY n
ORDER BY n;

INSERT INTO deliveries (
    tenant_id, webhook_id, event_id, event_type, subject, body, status, attempts, due_at, last_error, attempt_log,
    finished_at
)
SELECT
    %(tenant)s, CASE WHEN n < 4 THEN w.id END, 'evt_' || %(word)s || n, 'job.updated', 'job/' || n,
    '{"data": {"title": "' || %(word)s || '"}}', (ARRAY['waiting', 'failed', 'delivered', 'delivered'])[n], n,
    to_timestamp(4e9), CASE WHEN n < 3 THEN %(word)s END,
    jsonb_build_array(jsonb_build_object(
        'at', now(), 'milliseconds', n, 'status', 500, 'error', %(word)s, 'response', %(word)s
    )),
    CASE WHEN n > 1 THEN now() END
FROM (SELECT min(id) AS id FROM webhooks WHERE tenant_id = %(tenant)s) AS w
CROSS JOIN generate_series(1, 4) AS n;

INSERT INTO password_links (tenant_id, user_id, kind, created_by, expires_at)
SELECT %(tenant)s, max(id), 'invitation', min(id), to_timestamp(4000000000)
FROM users
WHERE tenant_id = %(tenant)s;

-- The first contact of each journey is at its start; the second has been welcomed and rests.
INSERT INTO journey_contacts (tenant_id, journey_id, customer_id, node_id, status, steps, due_at)
SELECT
    %(tenant)s, j.id, k.id, n.id,
    CASE WHEN k.place > 5 THEN 'paused' ELSE 'active' END, CASE WHEN k.place = 1 THEN 0 ELSE 2 END,
    CASE WHEN k.place = 1 THEN now() ELSE now() + interval '1 day' END
FROM journeys AS j
CROSS JOIN (
    SELECT id, row_number() OVER (ORDER BY id) AS place FROM customers WHERE tenant_id = %(tenant)s
) AS k
JOIN journey_nodes AS n
    ON n.journey_id = j.id AND n.name = CASE WHEN k.place = 1 THEN 'start' ELSE 'three times' END
WHERE j.tenant_id = %(tenant)s AND k.place <= 6
ORDER BY j.id, k.place;

INSERT INTO journey_step_keys (tenant_id, journey_contact_id, node_id, round)
SELECT %(tenant)s, c.id, n.id, 1
FROM journey_contacts AS c
JOIN journey_nodes AS n ON n.journey_id = c.journey_id AND n.name IN ('start', 'welcome', 'rest')
WHERE c.tenant_id = %(tenant)s AND c.steps > 0
ORDER BY c.id, n.id;

INSERT INTO journey_node_executions (
    tenant_id, journey_id, journey_contact_id, node_id, round, outcome, branch, executed_at, created_at
)
SELECT %(tenant)s, n.journey_id, k.journey_contact_id, k.node_id, 1, 'executed', 'next', s.at, s.at
FROM journey_step_keys AS k
JOIN journey_nodes AS n ON n.id = k.node_id
-- Not all at one moment, that lists have an order; within the hour, that none is a month ago.
CROSS JOIN LATERAL (
    SELECT now() - interval '30 minutes' + (k.journey_contact_id * 7 + k.node_id) * interval '1 second' AS at
) AS s
WHERE k.tenant_id = %(tenant)s;

INSERT INTO journey_messages (tenant_id, journey_contact_id, node_id, round, channel, recipient, subject, body, sent_at)
SELECT
    %(tenant)s, k.journey_contact_id, k.node_id, 1, 'email', 'c@' || %(word)s || '.example', %(word)s, %(word)s,
    CASE WHEN k.journey_contact_id %% 2 = 0 THEN now() END
FROM journey_step_keys AS k
JOIN journey_nodes AS n ON n.id = k.node_id
WHERE k.tenant_id = %(tenant)s AND n.type = 'message';

INSERT INTO notifications (tenant_id, user_id, kind, title, body, read_at)
SELECT %(tenant)s, u.id, 'job', %(word)s || ' note ' || n, %(word)s, CASE WHEN n %% 3 = 0 THEN now() END
FROM users AS u
CROSS JOIN generate_series(1, 5) AS n
WHERE u.tenant_id = %(tenant)s;

INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
SELECT
    %(tenant)s, j.created_by, 'update', 'job', j.id,
    jsonb_build_object('title', jsonb_build_array(%(word)s, j.title)), %(word)s
FROM jobs AS j
WHERE j.tenant_id = %(tenant)s AND j.quantity <= 20;

INSERT INTO idempotency_keys (tenant_id, user_id, key, fingerprint, status, body, media_type)
SELECT %(tenant)s, min(id), %(word)s, %(word)s, 200, %(word)s, 'text/plain'
FROM users
WHERE tenant_id = %(tenant)s;
INSERT INTO documents (tenant_id, user_id, document_type, title, file_name, size_bytes, uploaded_at)
SELECT
    %(tenant)s, (SELECT min(id) + n %% 3 FROM users WHERE tenant_id = %(tenant)s),
    (ARRAY['contract', 'drawing', 'drawing', 'invoice', 'photo', 'quote', 'report', 'other'])[1 + n %% 8],
    %(word)s || ' document ' || n, %(word)s || n || '.pdf', n * 1000, now() - n * interval '3 days'
FROM generate_series(1, 40) AS n;
-- The first one with content, which lies in the store of the tests.
UPDATE documents
SET sha256 = %(content_sha256)s, size_bytes = %(content_size)s, content_stored_at = uploaded_at
WHERE tenant_id = %(tenant)s AND id = (SELECT min(id) FROM documents WHERE tenant_id = %(tenant)s);

INSERT INTO contacts (tenant_id, customer_id, name, email, phone, external_id, created_at)
SELECT
    %(tenant)s, CASE WHEN n %% 3 > 0 THEN (SELECT min(id) + n %% 12 FROM customers WHERE tenant_id = %(tenant)s) END,
    %(word)s || ' contact ' || n, 'k' || n || '@' || %(word)s || '.example', '555-03' || lpad(n::text, 2, '0'),
    %(word)s || n, now() - n * interval '1 day'
FROM generate_series(1, 14) AS n;

INSERT INTO conversations (tenant_id, contact_id, channel, status, last_message_at)
SELECT
    %(tenant)s, k.id, c.channel, CASE WHEN k.id %% 4 = 0 THEN 'closed' ELSE 'open' END, k.created_at
FROM contacts AS k
CROSS JOIN unnest(ARRAY['whatsapp', 'email']) AS c (channel)
WHERE k.tenant_id = %(tenant)s;

INSERT INTO messages (tenant_id, conversation_id, direction, body, from_number, to_number, created_at)
SELECT
    %(tenant)s, v.id, CASE n %% 3 WHEN 0 THEN 'out' ELSE 'in' END, %(word)s || ' message ' || n,
    '555 1', '555 ' || v.id %% 5, now() - n * interval '1 hour'
FROM conversations AS v
CROSS JOIN generate_series(1, 7) AS n
WHERE v.tenant_id = %(tenant)s;

INSERT INTO conversation_reads (tenant_id, conversation_id, read_count)
SELECT %(tenant)s, v.id, v.id %% 5
FROM conversations AS v
WHERE v.tenant_id = %(tenant)s AND v.channel = 'whatsapp';

INSERT INTO call_log (
    tenant_id, customer_id, lead_id, contact_id, user_id, direction, status, to_number, topic, outcome, notes,
    duration_seconds, external_id, created_at
)
SELECT
    %(tenant)s, (SELECT min(id) + n %% 12 FROM customers WHERE tenant_id = %(tenant)s),
    CASE WHEN n %% 5 = 0 THEN (SELECT min(id) FROM leads WHERE tenant_id = %(tenant)s) END,
    (SELECT min(id) + n %% 14 FROM contacts WHERE tenant_id = %(tenant)s),
    (SELECT min(id) + n %% 3 FROM users WHERE tenant_id = %(tenant)s),
    CASE WHEN n %% 3 = 0 THEN 'in' ELSE 'out' END,
    (ARRAY['completed', 'completed', 'missed', 'busy', 'in_progress', 'failed'])[1 + n %% 6],
    '555 ' || n, %(word)s || ' topic', %(word)s || ' outcome', %(word)s, n * 10, %(word)s || n,
    now() - n * interval '1 day'
FROM generate_series(1, 53) AS n;

INSERT INTO business_settings (
    tenant_id, locale, currency, opens_at, closes_at, auto_reply, auto_reply_text, options
)
VALUES (%(tenant)s, 'en', 'EUR', '07:00', '16:30', true, %(word)s, jsonb_build_object('note', %(word)s));

UPDATE users
SET active_document_id = (SELECT min(id) FROM documents WHERE tenant_id = %(tenant)s)
WHERE tenant_id = %(tenant)s AND role = 'manager';
"""


@dataclass(frozen=True)
class Business:
    """One seeded tenant: its id, slug and the word all its texts carry."""

    id: int
    slug: str
    canary: str

    def email(self, role: str) -> str:
        return f"{role}@{self.slug}.example"


def content(word: str) -> bytes:
    """The stored content of a business's first document."""
    return f"the content of {word}".encode()


def content_of(word: str) -> dict[str, object]:
    found = content(word)
    return {"content_sha256": hashlib.sha256(found).hexdigest(), "content_size": len(found)}


def seed(superuser_url: str) -> tuple[Business, Business]:
    """Fill an empty database with the two businesses; alpha lives in UTC, beta in Kiritimati, 14 hours ahead."""
    with closing(psycopg2.connect(superuser_url)) as connection, connection, connection.cursor() as cursor:
        made = []
        # Unequal ids everywhere: what leaks by an id taken for another's must be seen.
        for (slug, word), zone in zip(CANARIES.items(), ("UTC", "Pacific/Kiritimati"), strict=True):
            cursor.execute(
                "INSERT INTO tenants (slug, name, time_zone) VALUES (%s, %s, %s) RETURNING id",
                (slug, f"{word} works", zone),
            )
            (tenant,) = cursor.fetchone() or (0,)
            cursor.execute(
                SEED + SEED_SALES,
                {"tenant": tenant, "slug": slug, "word": word, "hash": _hash, **content_of(word)},
            )
            for table in not_written_by(SEED + SEED_SALES, TABLES):
                if table not in UNSEEDED:
                    fill(cursor, table, tenant, word, 7)
            made.append(Business(tenant, slug, word))
    return made[0], made[1]

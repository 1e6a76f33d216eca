-- name: add_settings
-- writes: business_settings
-- The settings of the business.
INSERT INTO business_settings (
    tenant_id, locale, currency, contact_email, contact_phone, whatsapp_number, opens_at, closes_at, auto_reply,
    auto_reply_text, options, created_at, updated_at
)
VALUES (
    %(tenant_id)s,
    %(language)s,
    %(currency)s,
    'office@' || %(slug)s || '.example',
    %(phone)s || '100',
    %(phone)s || '200',
    '07:00',
    '17:00',
    true,
    'Thank you for your message. We answer on the next working day.',
    '{}',
    pg_temp.clock(0),
    pg_temp.clock(0)
)

-- name: add_contacts
-- writes: contacts
-- reads: customers
-- One person at each customer.
INSERT INTO contacts (tenant_id, customer_id, name, email, phone, created_at, updated_at)
SELECT
    %(tenant_id)s,
    c.id,
    (%(given_names)s::text[])[1 + c.id %% cardinality(%(given_names)s::text[])] || ' '
    || (%(surnames)s::text[])[1 + (c.id * 7) %% cardinality(%(surnames)s::text[])],
    'contact' || c.id || '@customer.example',
    c.phone,
    c.created_at,
    c.created_at
FROM customers AS c
WHERE c.tenant_id = %(tenant_id)s
ORDER BY c.id

-- name: add_conversations
-- writes: conversations
-- reads: contacts
-- Two of three contacts write; the older ones are closed.
INSERT INTO conversations (tenant_id, contact_id, channel, status, last_message_at, created_at, updated_at)
SELECT
    %(tenant_id)s,
    k.id,
    (ARRAY['whatsapp', 'whatsapp', 'sms', 'email'])[1 + k.id %% 4],
    CASE WHEN k.id %% 5 = 0 THEN 'closed' ELSE 'open' END,
    t.last_message_at,
    t.last_message_at - interval '9 hours',
    t.last_message_at
FROM contacts AS k
CROSS JOIN LATERAL (
    SELECT greatest(pg_temp.clock(%(last_day)s - (k.id * 13) %% 90 - 0.5), k.created_at + interval '9 hours')
) AS t (last_message_at)
WHERE k.tenant_id = %(tenant_id)s
    AND k.id %% 3 > 0
ORDER BY k.id

-- name: add_messages
-- writes: messages
-- reads: conversations, contacts, users
-- The messages: four to six in alternation, the last one received.
INSERT INTO messages (tenant_id, conversation_id, direction, body, from_number, to_number, sent_by, created_at)
SELECT
    %(tenant_id)s,
    v.id,
    d.direction,
    (%(sentences)s::jsonb -> d.direction) ->> ((v.id * 3 + n) %% 6)::integer,
    CASE d.direction WHEN 'in' THEN k.phone ELSE %(phone)s || '200' END,
    CASE d.direction WHEN 'out' THEN k.phone ELSE %(phone)s || '200' END,
    CASE d.direction WHEN 'out' THEN (%(planners)s::bigint[])[1 + v.id %% cardinality(%(planners)s::bigint[])] END,
    v.last_message_at - n * interval '90 minutes'
FROM conversations AS v
JOIN contacts AS k ON k.tenant_id = %(tenant_id)s AND k.id = v.contact_id
CROSS JOIN LATERAL generate_series(0, 3 + v.id %% 3) AS n
CROSS JOIN LATERAL (SELECT CASE n %% 2 WHEN 0 THEN 'in' ELSE 'out' END AS direction) AS d
WHERE v.tenant_id = %(tenant_id)s
ORDER BY
    v.id,
    n DESC

-- name: mark_read
-- writes: conversation_reads
-- reads: conversations, messages
-- Most conversations have been read; of every seventh the last message has not.
INSERT INTO conversation_reads (tenant_id, conversation_id, read_count, read_at, created_at)
SELECT
    %(tenant_id)s,
    v.id,
    count(*) - CASE WHEN v.id %% 7 = 0 THEN 1 ELSE 0 END,
    v.last_message_at + interval '1 hour',
    v.last_message_at + interval '1 hour'
FROM conversations AS v
JOIN messages AS m ON m.tenant_id = %(tenant_id)s AND m.conversation_id = v.id AND m.direction = 'in'
WHERE v.tenant_id = %(tenant_id)s
GROUP BY
    v.id,
    v.last_message_at
ORDER BY v.id

-- name: add_calls
-- writes: call_log
-- reads: contacts, users
-- One to four calls with each contact; some were missed.
INSERT INTO call_log (
    tenant_id, customer_id, contact_id, user_id, direction, status, from_number, to_number, topic, outcome,
    duration_seconds, started_at, created_at, updated_at
)
SELECT
    %(tenant_id)s,
    k.customer_id,
    k.id,
    (%(planners)s::bigint[])[1 + (k.id + n) %% cardinality(%(planners)s::bigint[])],
    CASE WHEN (k.id + n) %% 3 = 0 THEN 'in' ELSE 'out' END,
    s.status,
    CASE WHEN (k.id + n) %% 3 = 0 THEN k.phone ELSE %(phone)s || '100' END,
    CASE WHEN (k.id + n) %% 3 = 0 THEN %(phone)s || '100' ELSE k.phone END,
    (ARRAY['New order', 'Delivery date', 'Drawing', 'Invoice', 'Complaint'])[1 + (k.id * 3 + n) %% 5],
    CASE WHEN s.status = 'completed'
        THEN (ARRAY['Will order', 'Calls back', 'Answered', 'Sends a drawing'])[1 + (k.id + n * 5) %% 4]
    END,
    CASE WHEN s.status = 'completed' THEN 30 + (k.id * 17 + n * 71) %% 600 ELSE 0 END,
    t.began,
    t.began,
    t.began
FROM contacts AS k
CROSS JOIN LATERAL generate_series(1, 1 + k.id %% 4) AS n
CROSS JOIN LATERAL (
    SELECT (ARRAY['completed', 'missed', 'completed', 'busy', 'completed', 'completed', 'failed', 'completed'])[
        1 + (k.id * 5 + n * 3) %% 8
    ] AS status
) AS s
CROSS JOIN LATERAL (
    SELECT greatest(pg_temp.clock(%(last_day)s - (k.id * 29 + n * 41) %% 300 - 0.4), k.created_at + interval '1 hour')
) AS t (began)
WHERE k.tenant_id = %(tenant_id)s
ORDER BY
    t.began,
    k.id,
    n

-- name: add_documents
-- writes: documents
-- reads: jobs
-- Papers of the newest jobs.
INSERT INTO documents (
    tenant_id, user_id, document_type, title, file_name, media_type, size_bytes, uploaded_at, created_at, updated_at
)
SELECT
    %(tenant_id)s,
    j.created_by,
    d.document_type,
    initcap(d.document_type) || ' ' || j.job_number,
    lower(j.job_number) || '-' || d.document_type || '.pdf',
    'application/pdf',
    20000 + (j.id * 7919) %% 900000,
    j.created_at,
    j.created_at,
    j.created_at
FROM (
    SELECT
        n.id,
        n.job_number,
        n.created_by,
        n.created_at
    FROM jobs AS n
    WHERE n.tenant_id = %(tenant_id)s
    ORDER BY
        n.created_at DESC,
        n.id DESC
    LIMIT 2000
) AS j
CROSS JOIN LATERAL (
    SELECT (ARRAY['drawing', 'quote', 'drawing', 'invoice', 'contract', 'photo', 'report'])[1 + j.id %% 7] AS document_type
) AS d
ORDER BY
    j.created_at,
    j.id

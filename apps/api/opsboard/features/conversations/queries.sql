-- constraint conversations_contact_fkey: There is no such contact (contact_id).
-- constraint conversations_contact_channel_key: There is a conversation with this contact on this channel already.

-- fragment: conversation_members
        'id', v.id,
        'channel', v.channel,
        'status', v.status,
        'contact', json_build_object('id', k.id, 'name', k.name),
        'unread', greatest(coalesce(u.received, 0) - coalesce(r.read_count, 0), 0),
        'last_message_at', v.last_message_at,
        'created_at', v.created_at

-- fragment: conversation_surroundings
JOIN contacts AS k ON k.tenant_id = %(tenant_id)s AND k.id = v.contact_id
LEFT JOIN conversation_reads AS r ON r.tenant_id = %(tenant_id)s AND r.conversation_id = v.id

-- fragment: message_members
        'id', m.id,
        'conversation_id', m.conversation_id,
        'direction', m.direction,
        'body', m.body,
        'from_number', CASE WHEN /* include sees_addresses */ THEN m.from_number END,
        'to_number', CASE WHEN /* include sees_addresses */ THEN m.to_number END,
        'sent_by', CASE WHEN s.id IS NOT NULL THEN json_build_object('id', s.id, 'name', s.full_name) END,
        'created_at', m.created_at

-- name: list_conversations
-- reads: conversations, contacts, conversation_reads, messages, tenants
-- from: conversations AS v
-- filter status: v.status = %(status)s
-- filter contact_id: v.contact_id = %(contact_id)s
-- sort last_message_at: v.last_message_at | timestamptz
-- total: conversations
-- total status: conversations | c.label = %(status)s
-- Conversations with their contact, how many messages nobody has read and the last one.
SELECT
    page.position,
    json_build_object(
        /* include conversation_members */,
        'last_message', l.message
    ) AS item
FROM page
JOIN conversations AS v ON v.tenant_id = %(tenant_id)s AND v.id = page.id
/* include conversation_surroundings */
-- Once for the whole page, and kept: what is not folded yet has no index for a conversation.
LEFT JOIN (
    WITH counts AS MATERIALIZED (
        SELECT
            c.subject,
            c.n
        FROM rollup_counts(%(tenant_id)s, ARRAY['messages']) AS c
        WHERE c.day = '-infinity'
            AND c.subject = ANY(ARRAY(SELECT p.id FROM page AS p))
            AND c.label = 'in'
    )
    SELECT
        c.subject,
        sum(c.n)::bigint AS received
    FROM counts AS c
    GROUP BY c.subject
) AS u ON u.subject = v.id
LEFT JOIN LATERAL (
    SELECT json_build_object('direction', m.direction, 'body', left(m.body, 100), 'created_at', m.created_at) AS message
    FROM messages AS m
    WHERE m.tenant_id = %(tenant_id)s
        AND m.conversation_id = v.id
    ORDER BY m.created_at DESC, m.id DESC
    LIMIT 1
) AS l ON true

-- name: get_conversation
-- reads: conversations, contacts, conversation_reads, messages, tenants
-- One conversation, with the link to its messages.
SELECT json_build_object(
        /* include conversation_members */,
        'link', '/api/conversations/' || v.id || '/messages'
)::text
FROM conversations AS v
/* include conversation_surroundings */
CROSS JOIN (
    SELECT sum(c.n)::bigint AS received
    FROM rollup_counts(%(tenant_id)s, ARRAY['messages']) AS c
    WHERE c.day = '-infinity'
        AND c.subject = %(conversation_id)s
        AND c.label = 'in'
) AS u
WHERE v.tenant_id = %(tenant_id)s
    AND v.id = %(conversation_id)s

-- name: list_messages
-- reads: messages, conversations, users, tenants
-- from: messages AS m
-- within: conversations AS w | w.id = %(conversation_id)s
-- filter conversation_id: m.conversation_id = %(conversation_id)s
-- sort created_at: m.created_at | timestamptz
-- total conversation_id: messages | c.day = '-infinity' AND c.subject = %(conversation_id)s
-- The messages of a conversation.
SELECT
    page.position,
    json_build_object(
        /* include message_members */
    ) AS item
FROM page
JOIN messages AS m ON m.tenant_id = %(tenant_id)s AND m.id = page.id
    AND m.created_at = page.sort_key::timestamptz
LEFT JOIN users AS s ON s.tenant_id = %(tenant_id)s AND s.id = m.sent_by

-- name: list_all_messages
-- reads: messages, users
-- from: messages AS m
-- filter to_number: m.to_number = %(to_number)s AND %(role)s <> 'operator'
-- sort created_at: m.created_at | timestamptz
-- The messages of all conversations.
SELECT
    page.position,
    json_build_object(
        /* include message_members */
    ) AS item
FROM page
JOIN messages AS m ON m.tenant_id = %(tenant_id)s AND m.id = page.id
    AND m.created_at = page.sort_key::timestamptz
LEFT JOIN users AS s ON s.tenant_id = %(tenant_id)s AND s.id = m.sent_by

-- name: get_message
-- reads: messages, users
-- One message.
SELECT json_build_object(
        /* include message_members */
)::text
FROM messages AS m
LEFT JOIN users AS s ON s.tenant_id = %(tenant_id)s AND s.id = m.sent_by
WHERE m.tenant_id = %(tenant_id)s
    AND m.id = %(message_id)s

-- name: create_conversation
-- reads: contacts
-- writes: conversations, audit_logs
-- Begin a conversation with a contact.
WITH v AS (
    INSERT INTO conversations (tenant_id, contact_id, channel)
    VALUES (%(tenant_id)s, %(contact_id)s, %(channel)s)
    RETURNING id, contact_id, channel, status, last_message_at, created_at
),
/* include audited_create conversation v channel */
SELECT
    CASE WHEN k.id IS NOT NULL THEN json_build_object(
        'id', v.id,
        'channel', v.channel,
        'status', v.status,
        'contact', json_build_object('id', k.id, 'name', k.name),
        'unread', 0,
        'last_message_at', v.last_message_at,
        'created_at', v.created_at,
        'link', '/api/conversations/' || v.id || '/messages'
    )::text END,
    v.id,
    NULL AS problem,
    NULL AS detail
FROM v
LEFT JOIN contacts AS k ON k.tenant_id = %(tenant_id)s AND k.id = v.contact_id

-- name: add_message
-- reads: contacts, business_settings, users
-- writes: messages, conversations, audit_logs
-- Add a message to a conversation. Nobody waits for others who write to it: of several at once one sets its time.
WITH m AS (
    INSERT INTO messages (tenant_id, conversation_id, direction, body, from_number, to_number, sent_by)
    SELECT
        %(tenant_id)s,
        v.id,
        %(direction)s,
        %(body)s,
        CASE %(direction)s WHEN 'in' THEN k.phone ELSE b.whatsapp_number END,
        CASE %(direction)s WHEN 'in' THEN b.whatsapp_number ELSE k.phone END,
        CASE %(direction)s WHEN 'out' THEN %(user_id)s END
    FROM conversations AS v
    JOIN contacts AS k ON k.tenant_id = %(tenant_id)s AND k.id = v.contact_id
    LEFT JOIN business_settings AS b ON b.tenant_id = %(tenant_id)s
    WHERE v.tenant_id = %(tenant_id)s
        AND v.id = %(conversation_id)s
    RETURNING id, conversation_id, direction, body, from_number, to_number, sent_by, created_at
),
free AS (
    SELECT v.id
    FROM conversations AS v
    WHERE v.tenant_id = %(tenant_id)s
        AND v.id = %(conversation_id)s
    FOR NO KEY UPDATE SKIP LOCKED
),
moved AS (
    UPDATE conversations AS v
    SET last_message_at = greatest(v.last_message_at, m.created_at)
    FROM free AS f
    CROSS JOIN m
    WHERE v.tenant_id = %(tenant_id)s
        AND v.id = f.id
),
/* include audited_create message m conversation_id */
SELECT
    json_build_object(
        /* include message_members */
    )::text,
    m.id,
    NULL AS problem,
    NULL AS detail
FROM m
LEFT JOIN users AS s ON s.tenant_id = %(tenant_id)s AND s.id = m.sent_by

-- name: mark_read
-- reads: messages, conversations, tenants
-- writes: conversation_reads
-- Mark what has been received until now read; what comes at this moment stays unread.
WITH received AS (
    SELECT
        v.id,
        coalesce(c.n, 0) AS n
    FROM conversations AS v
    CROSS JOIN (
        SELECT sum(c.n)::bigint AS n
        FROM rollup_counts(%(tenant_id)s, ARRAY['messages']) AS c
        WHERE c.day = '-infinity'
            AND c.subject = %(conversation_id)s
            AND c.label = 'in'
    ) AS c
    WHERE v.tenant_id = %(tenant_id)s
        AND v.id = %(conversation_id)s
),
marked AS (
    INSERT INTO conversation_reads AS r (tenant_id, conversation_id, read_count, read_by)
    SELECT
        %(tenant_id)s,
        c.id,
        c.n,
        %(user_id)s
    FROM received AS c
    ON CONFLICT (tenant_id, conversation_id) DO UPDATE SET
        -- Another reader may have seen more.
        read_count = greatest(r.read_count, excluded.read_count),
        read_by = excluded.read_by,
        read_at = now()
    RETURNING r.conversation_id, r.read_count, r.read_at
)
SELECT
    json_build_object('id', m.conversation_id, 'read', m.read_count, 'read_at', m.read_at)::text,
    m.conversation_id,
    NULL AS problem,
    NULL AS detail
FROM marked AS m

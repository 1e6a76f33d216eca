-- fragment: suppression_members
        'id', s.id,
        'channel', s.channel,
        'address', s.address,
        'reason', s.reason,
        'note', s.note,
        'campaign', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.name) END,
        'created_by', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'own_fields', s.own_fields,
        'created_at', s.created_at

-- fragment: suppression_joins
LEFT JOIN campaigns AS c ON c.tenant_id = %(tenant_id)s AND c.id = s.campaign_id
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = s.created_by

-- name: list_suppressions
-- reads: suppressions, campaigns, users
-- from: suppressions AS s
-- filter channel: s.channel = %(channel)s
-- filter reason: s.reason = ANY(%(reason)s) /* custom plan */
-- filter q: s.id IN (SELECT a.id FROM suppressions AS a WHERE a.tenant_id = %(tenant_id)s AND a.address_search >= address_form(%(q)s) AND a.address_search < address_form(%(q)s) || chr(1114111) UNION SELECT p.id FROM suppressions AS p WHERE p.tenant_id = %(tenant_id)s AND p.address_search >= nullif(phone_form(%(q)s), '') AND p.address_search < phone_form(%(q)s) || ':')
-- sort created_at: s.created_at | timestamptz
-- sort address: s.address_search | text COLLATE "C"
-- The suppression list; a search finds the beginning of an address or a phone number.
SELECT
    page.position,
    json_build_object(
        /* include suppression_members */
    ) AS item
FROM page
JOIN suppressions AS s ON s.tenant_id = %(tenant_id)s AND s.id = page.id
/* include suppression_joins */

-- name: get_suppression
-- reads: suppressions, campaigns, users
-- locks: suppressions AS s | s.tenant_id = %(tenant_id)s AND s.id = %(suppression_id)s
-- One entry of the suppression list.
SELECT json_build_object(
        /* include suppression_members */
)::text
FROM suppressions AS s
/* include suppression_joins */
WHERE s.tenant_id = %(tenant_id)s
    AND s.id = %(suppression_id)s

-- name: add_suppression
-- reads: campaigns, users
-- writes: suppressions, audit_logs
-- Add an address; a conflict when it is on the list of the channel already, in any spelling.
WITH s AS (
    INSERT INTO suppressions (tenant_id, channel, address, reason, note, created_by)
    VALUES (%(tenant_id)s, %(channel)s, %(address)s, %(reason)s, %(note)s, %(user_id)s)
    ON CONFLICT (tenant_id, channel, address_search) DO NOTHING
    RETURNING id, channel, address, reason, note, campaign_id, created_by, own_fields, created_at
),
/* include audited_create suppression s address */
SELECT
    CASE WHEN s.id IS NOT NULL THEN json_build_object(
        /* include suppression_members */
    )::text END,
    s.id,
    CASE WHEN s.id IS NULL THEN 'conflict' END AS problem,
    'The address is on the suppression list of this channel already.' AS detail
FROM (SELECT) AS one
LEFT JOIN s ON true
/* include suppression_joins */

-- name: remove_suppression
-- writes: suppressions, audit_logs
-- Remove an address from the list.
WITH gone AS (
    DELETE FROM suppressions AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = %(suppression_id)s
    RETURNING s.id, s.channel, s.address, s.reason
),
/* include audited_delete suppression gone */
SELECT
    json_build_object('id', g.id, 'channel', g.channel, 'address', g.address)::text,
    g.id,
    NULL AS problem,
    NULL AS detail
FROM gone AS g

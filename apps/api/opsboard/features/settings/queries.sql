-- fragment: settings_members
        'business', json_build_object('id', t.id, 'slug', t.slug, 'name', t.name, 'time_zone', t.time_zone),
        'locale', coalesce(b.locale, 'en'),
        'currency', coalesce(b.currency, 'EUR'),
        'contact_email', b.contact_email,
        'contact_phone', b.contact_phone,
        'whatsapp_number', b.whatsapp_number,
        'opens_at', to_char(coalesce(b.opens_at, '08:00'), 'HH24:MI'),
        'closes_at', to_char(coalesce(b.closes_at, '17:00'), 'HH24:MI'),
        'auto_reply', coalesce(b.auto_reply, false),
        'auto_reply_text', b.auto_reply_text,
        'contradictions', coalesce(b.contradictions, 'warn'),
        'options', coalesce(b.options, '{}'),
        'updated_at', b.updated_at

-- name: get_settings
-- reads: business_settings, tenants
-- locks: tenants AS t | t.id = %(tenant_id)s
-- The business with its settings; defaults where it has said nothing yet.
SELECT json_build_object(
        /* include settings_members */
)::text
FROM tenants AS t
LEFT JOIN business_settings AS b ON b.tenant_id = %(tenant_id)s
WHERE t.id = %(tenant_id)s

-- name: put_settings
-- reads: tenants
-- writes: business_settings, audit_logs
-- Replace the settings of the business. It is locked first: its settings may have no row yet that could be.
WITH business AS MATERIALIZED (
    SELECT t.id
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
    FOR NO KEY UPDATE
),
before AS (
    SELECT s AS was
    FROM business_settings AS s
    WHERE s.tenant_id = %(tenant_id)s
        AND EXISTS (SELECT FROM business)
    FOR UPDATE
),
b AS (
    INSERT INTO business_settings AS s (
        tenant_id, locale, currency, contact_email, contact_phone, whatsapp_number, opens_at, closes_at, auto_reply,
        auto_reply_text, contradictions, options
    )
    SELECT
        %(tenant_id)s,
        %(locale)s,
        %(currency)s,
        %(contact_email)s,
        %(contact_phone)s,
        %(whatsapp_number)s,
        %(opens_at)s::time,
        %(closes_at)s::time,
        %(auto_reply)s,
        %(auto_reply_text)s,
        %(contradictions)s,
        %(options)s::jsonb
    -- The old row is read before it is replaced.
    FROM (SELECT count(*) AS looked FROM before) AS l
    ON CONFLICT (tenant_id) DO UPDATE SET
        locale = excluded.locale,
        currency = excluded.currency,
        contact_email = excluded.contact_email,
        contact_phone = excluded.contact_phone,
        whatsapp_number = excluded.whatsapp_number,
        opens_at = excluded.opens_at,
        closes_at = excluded.closes_at,
        auto_reply = excluded.auto_reply,
        auto_reply_text = excluded.auto_reply_text,
        contradictions = excluded.contradictions,
        options = excluded.options
    RETURNING s.*
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        CASE WHEN c.was IS NULL THEN 'create' ELSE 'update' END,
        'business_settings',
        b.tenant_id,
        d.changes,
        %(request_id)s
    FROM b
    LEFT JOIN before AS c ON true
    CROSS JOIN LATERAL (
        SELECT changed_columns(coalesce(to_jsonb(c.was), '{}'), to_jsonb(b) - 'tenant_id' - 'created_at') AS changes
    ) AS d
    WHERE d.changes <> '{}'
)
SELECT
    json_build_object(
        /* include settings_members */
    )::text,
    b.tenant_id,
    NULL AS problem,
    NULL AS detail
FROM b
JOIN tenants AS t ON t.id = %(tenant_id)s

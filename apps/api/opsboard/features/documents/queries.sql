-- fragment: document_members
        'id', d.id,
        'document_type', d.document_type,
        'title', d.title,
        'file_name', d.file_name,
        'media_type', d.media_type,
        'size_bytes', d.size_bytes,
        'sha256', d.sha256,
        'content_stored_at', d.content_stored_at,
        'user', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'uploaded_at', d.uploaded_at,
        'updated_at', d.updated_at

-- name: list_documents
-- reads: documents, users, tenants
-- from: documents AS d
-- filter document_type: d.document_type = %(document_type)s
-- filter by_user_id: d.user_id = %(by_user_id)s
-- filter uploaded_from: d.uploaded_at >= %(uploaded_from)s::date::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- filter uploaded_to: d.uploaded_at < (%(uploaded_to)s::date + 1)::timestamp AT TIME ZONE (SELECT time_zone FROM clock)
-- sort uploaded_at: d.uploaded_at | timestamptz
-- total: documents
-- total document_type: documents | c.label = %(document_type)s
-- total uploaded_from: documents_by_day | c.day >= %(uploaded_from)s
-- total uploaded_to: documents_by_day | c.day <= %(uploaded_to)s
-- total uploaded_from,uploaded_to: documents_by_day | c.day >= %(uploaded_from)s AND c.day <= %(uploaded_to)s
-- total document_type,uploaded_from,uploaded_to: documents_by_day | c.label = %(document_type)s AND c.day >= %(uploaded_from)s AND c.day <= %(uploaded_to)s
-- Documents with who uploaded them.
SELECT
    page.position,
    json_build_object(
        /* include document_members */
    ) AS item
FROM page
JOIN documents AS d ON d.tenant_id = %(tenant_id)s AND d.id = page.id
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = d.user_id

-- name: get_document
-- reads: documents, users
-- One document, and the people who work with it.
SELECT json_build_object(
        /* include document_members */,
        'active_for', (
            SELECT coalesce(
                json_agg(json_build_object('id', r.id, 'name', r.full_name) ORDER BY r.full_name_search, r.id),
                '[]'
            )
            FROM users AS r
            WHERE r.tenant_id = %(tenant_id)s
                AND r.active_document_id = d.id
        )
)::text
FROM documents AS d
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = d.user_id
WHERE d.tenant_id = %(tenant_id)s
    AND d.id = %(document_id)s

-- name: list_people
-- reads: users, documents, tenants
-- from: users AS r
-- filter archived: r.archived_at IS NOT NULL
-- filter is_active: r.is_active = %(is_active)s
-- filter q: r.full_name_search >= lower(%(q)s) AND r.full_name_search < lower(%(q)s) || chr(1114111)
-- sort full_name: r.full_name_search | text COLLATE "C"
-- total: users_active users_blocked
-- total is_active: users_active users_blocked | (c.metric = 'users_active') = %(is_active)s
-- People by name, each with how many documents they uploaded, the latest of them, and the one they work with.
SELECT
    page.position,
    json_build_object(
        'id', r.id,
        'full_name', r.full_name,
        'is_active', r.is_active,
        'documents', coalesce(t.documents, 0),
        'latest', n.latest,
        'active_document', CASE WHEN a.id IS NOT NULL THEN json_build_object(
            'id', a.id, 'title', a.title, 'document_type', a.document_type, 'uploaded_at', a.uploaded_at
        ) END
    ) AS item
FROM page
JOIN users AS r ON r.tenant_id = %(tenant_id)s AND r.id = page.id
LEFT JOIN documents AS a ON a.tenant_id = %(tenant_id)s AND a.id = r.active_document_id
LEFT JOIN LATERAL (
    SELECT count(*) AS documents
    FROM documents AS d
    WHERE d.tenant_id = %(tenant_id)s
        AND d.user_id = r.id
) AS t ON true
LEFT JOIN LATERAL (
    SELECT json_build_object(
            'id', d.id, 'title', d.title, 'document_type', d.document_type, 'uploaded_at', d.uploaded_at
        ) AS latest
    FROM documents AS d
    WHERE d.tenant_id = %(tenant_id)s
        AND d.user_id = r.id
    ORDER BY
        d.uploaded_at DESC,
        d.id DESC
    LIMIT 1
) AS n ON true

-- name: analytics
-- reads: documents, tenants
-- The number of documents of each type, in all and by month of the business's time zone.
WITH clock AS (
    SELECT date_trunc('month', coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date)::timestamp) AS month
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
),
types AS (
    SELECT
        v.position,
        v.document_type
    FROM (
        VALUES
        (1, 'contract'),
        (2, 'drawing'),
        (3, 'invoice'),
        (4, 'photo'),
        (5, 'quote'),
        (6, 'report'),
        (7, 'other')
    ) AS v (position, document_type)
),
months AS (
    SELECT m.month
    FROM clock AS k
    CROSS JOIN generate_series(k.month - (%(months)s - 1) * interval '1 month', k.month, interval '1 month') AS m (month)
),
counts AS MATERIALIZED (
    SELECT
        date_trunc('month', c.day::timestamp) AS month,
        c.label AS document_type,
        sum(c.n)::bigint AS n
    FROM rollup_counts(%(tenant_id)s, ARRAY['documents_by_day']) AS c
    WHERE c.day >= (SELECT min(m.month)::date FROM months AS m)
    GROUP BY 1, 2
),
totals AS MATERIALIZED (
    SELECT
        c.label AS document_type,
        sum(c.n)::bigint AS n
    FROM rollup_counts(%(tenant_id)s, ARRAY['documents']) AS c
    GROUP BY c.label
),
of_types AS (
    SELECT
        v.position,
        v.document_type,
        coalesce(c.n, 0) AS n
    FROM types AS v
    LEFT JOIN totals AS c ON c.document_type = v.document_type
),
of_months AS (
    SELECT
        m.month,
        coalesce(sum(c.n), 0)::bigint AS n,
        json_object_agg(v.document_type, coalesce(c.n, 0) ORDER BY v.position) AS types
    FROM months AS m
    CROSS JOIN types AS v
    LEFT JOIN counts AS c ON c.month = m.month AND c.document_type = v.document_type
    GROUP BY m.month
)
SELECT json_build_object(
    'total', (SELECT sum(n) FROM of_types),
    'types', (
        SELECT json_agg(
            json_build_object(
                'document_type', o.document_type,
                'count', o.n,
                'link', '/api/documents?document_type=' || o.document_type
            )
            ORDER BY o.position
        )
        FROM of_types AS o
    ),
    'months', (
        SELECT json_agg(
            json_build_object(
                'month', to_char(o.month, 'YYYY-MM'),
                'count', o.n,
                'types', o.types,
                'link', '/api/documents?uploaded_from=' || to_char(o.month, 'YYYY-MM-DD')
                || '&uploaded_to=' || to_char(o.month + interval '1 month - 1 day', 'YYYY-MM-DD')
            )
            ORDER BY o.month
        )
        FROM of_months AS o
    )
)::text

-- name: create_document
-- reads: users
-- writes: documents, audit_logs
-- Note a document that the caller has uploaded.
WITH d AS (
    INSERT INTO documents (tenant_id, user_id, document_type, title, file_name, media_type, size_bytes, sha256)
    VALUES (
        %(tenant_id)s,
        %(user_id)s,
        %(document_type)s,
        %(title)s,
        %(file_name)s,
        %(media_type)s,
        %(size_bytes)s,
        %(sha256)s
    )
    RETURNING
        id, user_id, document_type, title, file_name, media_type, size_bytes, sha256, content_stored_at, uploaded_at,
        updated_at
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'create',
        'document',
        d.id,
        jsonb_build_object('title', jsonb_build_array(NULL, d.title), 'document_type', jsonb_build_array(NULL, d.document_type)),
        %(request_id)s
    FROM d
)
SELECT
    json_build_object(
        /* include document_members */
    )::text,
    d.id,
    NULL AS problem,
    NULL AS detail
FROM d
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = d.user_id

-- name: activate_document
-- reads: documents
-- writes: users, audit_logs
-- Make a document the one the caller works with.
WITH before AS (
    SELECT
        u.id,
        u.active_document_id,
        d.id AS document_id
    FROM users AS u
    JOIN documents AS d ON d.tenant_id = %(tenant_id)s AND d.id = %(document_id)s
    WHERE u.tenant_id = %(tenant_id)s
        AND u.id = %(user_id)s
    FOR UPDATE OF u
),
changed AS (
    UPDATE users AS u
    SET active_document_id = b.document_id
    FROM before AS b
    WHERE u.tenant_id = %(tenant_id)s
        AND u.id = b.id
        AND u.active_document_id IS DISTINCT FROM b.document_id
    RETURNING u.id
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'user',
        c.id,
        jsonb_build_object('active_document_id', jsonb_build_array(b.active_document_id, b.document_id)),
        %(request_id)s
    FROM changed AS c
    JOIN before AS b ON b.id = c.id
)
SELECT
    json_build_object('id', b.document_id, 'user_id', b.id)::text,
    b.document_id,
    NULL AS problem,
    NULL AS detail
FROM before AS b

-- name: get_content
-- reads: documents
-- locks: documents AS d | d.tenant_id = %(tenant_id)s AND d.id = %(document_id)s
-- The content's metadata of one document, stored or not. Operators may change it for their own documents only.
SELECT
    CASE WHEN d.content_stored_at IS NOT NULL THEN d.sha256 END AS stored_sha256,
    d.sha256,
    d.size_bytes,
    d.media_type,
    d.file_name,
    %(role)s <> 'operator' OR d.user_id IS NOT DISTINCT FROM %(user_id)s AS may_change
FROM documents AS d
WHERE d.tenant_id = %(tenant_id)s
    AND d.id = %(document_id)s

-- name: put_content
-- reads: documents, users
-- writes: documents, audit_logs
-- Name the content of a document, which has been stored before.
WITH before AS (
    SELECT
        d.id,
        d AS was
    FROM documents AS d
    WHERE d.tenant_id = %(tenant_id)s
        AND d.id = %(document_id)s
        AND (%(role)s <> 'operator' OR d.user_id IS NOT DISTINCT FROM %(user_id)s)
    FOR UPDATE
),
changed AS (
    UPDATE documents AS d
    SET
        sha256 = %(sha256)s,
        size_bytes = %(size_bytes)s,
        media_type = coalesce(%(media_type)s, d.media_type),
        content_stored_at = now()
    FROM before AS b
    WHERE d.tenant_id = %(tenant_id)s
        AND d.id = b.id
    RETURNING d.*
),
/* include audited_update document */
SELECT
    json_build_object(
        /* include document_members */
    )::text,
    d.id,
    NULL AS problem,
    NULL AS detail
FROM changed AS d
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = d.user_id

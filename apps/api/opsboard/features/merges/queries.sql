-- fragment: merge_pair
-- Both records of $1, locked in the order of their ids, and what is in the way.
locked AS MATERIALIZED (
    SELECT
        r.id,
        r AS was
    FROM $1 AS r
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id IN (%(kept_id)s, %(merged_id)s)
    ORDER BY r.id
    FOR UPDATE
),
wanted AS (
    SELECT
        k.id AS kept_id,
        o.id AS merged_id,
        k.was AS kept,
        o.was AS merged,
        CASE
            WHEN k.id = o.id THEN 'A record is not merged into itself.'
            WHEN coalesce((k.was).anonymised_at, (o.was).anonymised_at) IS NOT NULL
                THEN 'A record that has been anonymised is not merged.'
            WHEN coalesce((k.was).archived_at, (o.was).archived_at) IS NOT NULL
                THEN 'One of the two is archived; restore it first.'
        END AS conflict
    FROM locked AS k
    JOIN locked AS o ON o.id = %(merged_id)s
    WHERE k.id = %(kept_id)s
)

-- fragment: move
-- Rows of $1 that refer to the merged record by $2 refer to the one that is kept.
moved_$1 AS (
    UPDATE $1 AS r
    SET $2 = w.kept_id
    FROM wanted AS w
    WHERE r.tenant_id = %(tenant_id)s
        AND r.$2 = w.merged_id
        AND w.conflict IS NULL
    RETURNING r.id
)

-- fragment: move_unless_there
-- The same; one stays where the kept record has a row of the same $3.
moved_$1 AS (
    UPDATE $1 AS r
    SET $2 = w.kept_id
    FROM wanted AS w
    WHERE r.tenant_id = %(tenant_id)s
        AND r.$2 = w.merged_id
        AND w.conflict IS NULL
        AND NOT EXISTS (
            SELECT
            FROM $1 AS q
            WHERE q.tenant_id = %(tenant_id)s
                AND q.$2 = w.kept_id
                AND q.$3 = r.$3
        )
    RETURNING r.id
)

-- fragment: ids_moved
(SELECT coalesce(jsonb_agg(m.id ORDER BY m.id), '[]') FROM moved_$1 AS m)

-- fragment: merge_ended
-- The merged record is archived, and the merge is noted with all that it takes to undo it.
merged AS (
    UPDATE $1 AS r
    SET archived_at = now()
    FROM wanted AS w
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = w.merged_id
        AND w.conflict IS NULL
    RETURNING r.id, r.archived_at
),
g AS (
    INSERT INTO merges (tenant_id, kind, kept_id, merged_id, merged_by, moved, taken)
    SELECT
        %(tenant_id)s,
        '$1',
        w.kept_id,
        w.merged_id,
        %(user_id)s,
        m.moved,
        changed_columns(to_jsonb(w.kept), to_jsonb(c)) - 'updated_at'
    FROM kept AS c
    JOIN wanted AS w ON w.kept_id = c.id
    CROSS JOIN moved AS m
    RETURNING id, kind, kept_id, merged_id, merged_by, moved, taken, undone_at, undone_by, created_at
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'merge',
        '$2',
        g.kept_id,
        g.taken || jsonb_build_object('merged_id', jsonb_build_array(NULL, g.merged_id)),
        %(request_id)s
    FROM g
    UNION ALL
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'archive',
        '$2',
        m.id,
        jsonb_build_object('archived_at', jsonb_build_array(NULL, m.archived_at)),
        %(request_id)s
    FROM merged AS m
)
SELECT
    CASE WHEN g.id IS NOT NULL THEN json_build_object(
        /* include merge_members */
    )::text END,
    g.id,
    CASE WHEN w.conflict IS NOT NULL THEN 'conflict' END AS problem,
    w.conflict AS detail
FROM wanted AS w
LEFT JOIN g ON true
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = g.merged_by
LEFT JOIN kept AS k ON k.id = g.kept_id
LEFT JOIN $1 AS o ON o.tenant_id = %(tenant_id)s AND o.id = g.merged_id

-- fragment: merge_members
        'id', g.id,
        'kind', g.kind,
        'kept', json_build_object('id', g.kept_id, 'name', k.name),
        'merged', json_build_object('id', g.merged_id, 'name', o.name),
        'merged_by', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'moved', /* include moved_counts */,
        'undo_until', g.created_at + interval '30 days',
        'undone_at', g.undone_at,
        'created_at', g.created_at

-- fragment: moved_counts
(
            SELECT coalesce(jsonb_object_agg(e.key, jsonb_array_length(e.value)), '{}')
            FROM jsonb_each(g.moved) AS e
            WHERE e.value <> '[]'
        )

-- fragment: undo_pair
-- A merge of $1, locked with both records, and what is in the way of undoing it.
before AS MATERIALIZED (
    SELECT
        g.id,
        g.kept_id,
        g.merged_id,
        g.moved,
        g.taken,
        g.undone_at,
        g.created_at
    FROM merges AS g
    WHERE g.tenant_id = %(tenant_id)s
        AND g.id = %(merge_id)s
        AND g.kind = '$1'
    FOR UPDATE
),
locked AS MATERIALIZED (
    SELECT
        r.id,
        r AS was
    FROM before AS b
    JOIN $1 AS r ON r.tenant_id = %(tenant_id)s AND r.id IN (b.kept_id, b.merged_id)
    ORDER BY r.id
    FOR UPDATE OF r
),
wanted AS (
    SELECT
        b.id,
        b.kept_id,
        b.merged_id,
        b.moved,
        b.taken,
        k.was AS kept,
        o.was AS merged,
        CASE
            WHEN b.undone_at IS NOT NULL THEN 'This merge has been undone.'
            WHEN b.created_at < now() - interval '30 days' THEN 'A merge can be undone for 30 days.'
            WHEN coalesce((k.was).anonymised_at, (o.was).anonymised_at) IS NOT NULL
                THEN 'A record of this merge has been anonymised.'
            WHEN (k.was).archived_at IS NOT NULL
                THEN 'The record that was kept is archived; restore it, or undo its own merge, first.'
        END AS conflict
    FROM before AS b
    JOIN locked AS k ON k.id = b.kept_id
    JOIN locked AS o ON o.id = b.merged_id
)

-- fragment: move_back
-- Rows of $1 that the merge moved and that still refer to the kept record by $2.
moved_$1 AS (
    UPDATE $1 AS r
    SET $2 = w.merged_id
    FROM wanted AS w
    WHERE r.tenant_id = %(tenant_id)s
        AND r.$2 = w.kept_id
        AND r.id = ANY(ARRAY(SELECT m.value::bigint FROM jsonb_array_elements_text(w.moved -> '$1') AS m))
        AND w.conflict IS NULL
    RETURNING r.id
)

-- fragment: taken_back
-- Values that were taken from the merged record, and are still so, become what they were before.
(
            SELECT coalesce(jsonb_object_agg(e.key, e.value -> 0), '{}')
            FROM jsonb_each(w.taken) AS e
            WHERE to_jsonb(w.kept) -> e.key IS NOT DISTINCT FROM e.value -> 1
        )

-- fragment: undo_ended
merged AS (
    UPDATE $1 AS r
    SET archived_at = NULL
    FROM wanted AS w
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = w.merged_id
        AND w.conflict IS NULL
    RETURNING r.id, r.archived_at
),
g AS (
    UPDATE merges AS g
    SET
        undone_at = now(),
        undone_by = %(user_id)s
    FROM wanted AS w
    WHERE g.tenant_id = %(tenant_id)s
        AND g.id = w.id
        AND w.conflict IS NULL
    RETURNING g.*
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'unmerge',
        '$2',
        w.kept_id,
        (changed_columns(to_jsonb(w.kept), to_jsonb(c)) - 'updated_at')
        || jsonb_build_object('merged_id', jsonb_build_array(w.merged_id, NULL)),
        %(request_id)s
    FROM wanted AS w
    JOIN kept AS c ON c.id = w.kept_id
    UNION ALL
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'restore',
        '$2',
        m.id,
        jsonb_build_object('archived_at', jsonb_build_array((w.merged).archived_at, NULL)),
        %(request_id)s
    FROM wanted AS w
    JOIN merged AS m ON m.id = w.merged_id
)
SELECT
    CASE WHEN g.id IS NOT NULL THEN json_build_object(
        /* include merge_members */
    )::text END,
    g.id,
    CASE WHEN w.conflict IS NOT NULL THEN 'conflict' END AS problem,
    w.conflict AS detail
FROM wanted AS w
LEFT JOIN g ON true
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = g.merged_by
LEFT JOIN kept AS k ON k.id = g.kept_id
LEFT JOIN $1 AS o ON o.tenant_id = %(tenant_id)s AND o.id = g.merged_id

-- name: list_merges
-- reads: merges, users, customers, contacts, leads
-- from: merges AS g
-- filter kind: g.kind = %(kind)s
-- filter kept_id: g.kept_id = %(kept_id)s
-- filter merged_id: g.merged_id = %(merged_id)s
-- sort created_at: g.created_at | timestamptz
-- Merges, with how many rows of each table they moved.
SELECT
    page.position,
    json_build_object(
        /* include merge_members */
    ) AS item
FROM page
JOIN merges AS g ON g.tenant_id = %(tenant_id)s AND g.id = page.id
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = g.merged_by
LEFT JOIN LATERAL (/* include name_of_record kept_id */) AS k ON true
LEFT JOIN LATERAL (/* include name_of_record merged_id */) AS o ON true

-- name: get_merge
-- reads: merges, users, customers, contacts, leads
-- One merge.
SELECT json_build_object(
        /* include merge_members */
)::text
FROM merges AS g
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = g.merged_by
LEFT JOIN LATERAL (/* include name_of_record kept_id */) AS k ON true
LEFT JOIN LATERAL (/* include name_of_record merged_id */) AS o ON true
WHERE g.tenant_id = %(tenant_id)s
    AND g.id = %(merge_id)s

-- fragment: name_of_record
SELECT c.name FROM customers AS c WHERE g.kind = 'customers' AND c.tenant_id = %(tenant_id)s AND c.id = g.$1
    UNION ALL
    SELECT n.name FROM contacts AS n WHERE g.kind = 'contacts' AND n.tenant_id = %(tenant_id)s AND n.id = g.$1
    UNION ALL
    SELECT l.name FROM leads AS l WHERE g.kind = 'leads' AND l.tenant_id = %(tenant_id)s AND l.id = g.$1

-- fragment: suggestions
-- Records of $1 and those that are likely the same: of one e-mail address, of telephone numbers with the same last nine
-- digits, or of one name. So many are looked at from an id on; with record_id that one alone.
/* custom plan */
WITH examined AS MATERIALIZED (
    SELECT
        r.id,
        r.name_search,
        r.email_search,
        r.phone
    FROM $1 AS r
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id > coalesce(%(record_id)s::bigint - 1, %(after_id)s)
        AND r.id <= coalesce(%(record_id)s, 9223372036854775807)
        AND r.archived_at IS NULL
        AND r.anonymised_at IS NULL
    ORDER BY r.id
    LIMIT 1000
),
found AS MATERIALIZED (
    SELECT
        e.id,
        s.other_id,
        array_agg(DISTINCT s.reason ORDER BY s.reason) AS reasons
    FROM examined AS e
    CROSS JOIN LATERAL (
        (
            SELECT
                n.id AS other_id,
                'name' AS reason
            FROM $1 AS n
            WHERE n.tenant_id = %(tenant_id)s
                AND n.name_search = e.name_search
                AND n.name_search <> ''
            LIMIT 20
        )
        UNION ALL
        (
            SELECT
                m.id,
                'email'
            FROM $1 AS m
            WHERE m.tenant_id = %(tenant_id)s
                AND m.email_search = e.email_search
                AND m.email_search <> ''
            LIMIT 20
        )
        UNION ALL
        (
            SELECT
                w.row_id,
                'phone'
            FROM (SELECT '~' || left(reverse(phone_form(e.phone)), 9) AS digits) AS d
            JOIN search_words AS w ON w.tenant_id = %(tenant_id)s
                AND w.source = '$1'
                AND w.is_address = true
                AND w.word >= d.digits
                AND w.word < d.digits || chr(1114111)
            WHERE length(d.digits) > 7
            LIMIT 20
        )
        UNION ALL
        -- Words that are not written yet.
        (
            SELECT
                f.row_id,
                'phone'
            FROM unfolded_words_of_$1(%(tenant_id)s) AS f
            WHERE f.is_address
                AND length(phone_form(e.phone)) > 6
                AND starts_with(f.word, '~' || left(reverse(phone_form(e.phone)), 9))
            LIMIT 20
        )
    ) AS s
    WHERE s.other_id <> e.id
        AND (%(record_id)s::bigint IS NOT NULL OR s.other_id > e.id)
    GROUP BY e.id, s.other_id
)
SELECT json_build_object(
        'items', coalesce(
            (
                SELECT json_agg(
                    json_build_object('record', /* include suggested_members r $2 */, 'duplicates', f.duplicates)
                    ORDER BY r.id
                )
                FROM (
                    SELECT
                        f.id,
                        json_agg(
                            json_build_object(
                                'record', /* include suggested_members r $2 */,
                                'reasons', f.reasons
                            )
                            ORDER BY cardinality(f.reasons) DESC, r.id
                        ) AS duplicates
                    FROM found AS f
                    JOIN $1 AS r ON r.tenant_id = %(tenant_id)s AND r.id = f.other_id
                    WHERE r.archived_at IS NULL
                        AND r.anonymised_at IS NULL
                    GROUP BY f.id
                ) AS f
                JOIN $1 AS r ON r.tenant_id = %(tenant_id)s AND r.id = f.id
            ),
            '[]'
        ),
        'next_id', (SELECT CASE WHEN count(*) = 1000 THEN max(e.id) END FROM examined AS e)
)::text

-- fragment: suggested_members
json_build_object(
                                    'id', $1.id,
                                    'name', $1.name,
                                    'email', $1.email,
                                    'phone', $1.phone,
                                    'more', $1.$2,
                                    'created_at', $1.created_at
                                )

-- name: suggest_customers
-- reads: customers
-- Suggest which customers are the same.
/* include suggestions customers address */

-- name: merge_customers
-- reads: users
-- writes: merges, customers, jobs, contacts, leads, call_log, journey_contacts, audit_logs
-- Merge one customer into another one.
WITH /* include merge_pair customers */,
/* include move jobs customer_id */,
/* include move contacts customer_id */,
/* include move leads customer_id */,
/* include move call_log customer_id */,
/* include move_unless_there journey_contacts customer_id journey_id */,
kept AS (
    UPDATE customers AS r
    SET
        name = n.name,
        email = n.email,
        phone = n.phone,
        address = n.address
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_object_agg(t.name, to_jsonb(w.merged) -> t.name), '{}') AS taken
        FROM unnest(%(take)s::text[]) AS t (name)
    ) AS t
    CROSS JOIN LATERAL jsonb_populate_record(w.kept, t.taken) AS n
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = w.kept_id
        AND w.conflict IS NULL
    RETURNING r.*
),
moved AS (
    SELECT jsonb_build_object(
            'jobs', /* include ids_moved jobs */,
            'contacts', /* include ids_moved contacts */,
            'leads', /* include ids_moved leads */,
            'call_log', /* include ids_moved call_log */,
            'journey_contacts', /* include ids_moved journey_contacts */
        ) AS moved
),
/* include merge_ended customers customer */

-- name: undo_customers
-- reads: users
-- writes: merges, customers, jobs, contacts, leads, call_log, journey_contacts, audit_logs
-- Undo a merge of customers.
WITH /* include undo_pair customers */,
/* include move_back jobs customer_id */,
/* include move_back contacts customer_id */,
/* include move_back leads customer_id */,
/* include move_back call_log customer_id */,
/* include move_back journey_contacts customer_id */,
kept AS (
    UPDATE customers AS r
    SET
        name = n.name,
        email = n.email,
        phone = n.phone,
        address = n.address
    FROM wanted AS w
    CROSS JOIN LATERAL jsonb_populate_record(w.kept, /* include taken_back */) AS n
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = w.kept_id
        AND w.conflict IS NULL
    RETURNING r.*
),
/* include undo_ended customers customer */

-- name: suggest_contacts
-- reads: contacts
-- Suggest which contacts are the same.
/* include suggestions contacts customer_id */

-- name: merge_contacts
-- reads: users
-- writes: merges, contacts, conversations, call_log, audit_logs
-- Merge one contact into another one.
WITH /* include merge_pair contacts */,
/* include move_unless_there conversations contact_id channel */,
/* include move call_log contact_id */,
kept AS (
    UPDATE contacts AS r
    SET
        name = n.name,
        email = n.email,
        phone = n.phone,
        customer_id = n.customer_id
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_object_agg(t.name, to_jsonb(w.merged) -> t.name), '{}') AS taken
        FROM unnest(%(take)s::text[]) AS t (name)
    ) AS t
    CROSS JOIN LATERAL jsonb_populate_record(w.kept, t.taken) AS n
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = w.kept_id
        AND w.conflict IS NULL
    RETURNING r.*
),
moved AS (
    SELECT jsonb_build_object(
            'conversations', /* include ids_moved conversations */,
            'call_log', /* include ids_moved call_log */
        ) AS moved
),
/* include merge_ended contacts contact */

-- name: undo_contacts
-- reads: users
-- writes: merges, contacts, conversations, call_log, audit_logs
-- Undo a merge of contacts.
WITH /* include undo_pair contacts */,
/* include move_back conversations contact_id */,
/* include move_back call_log contact_id */,
kept AS (
    UPDATE contacts AS r
    SET
        name = n.name,
        email = n.email,
        phone = n.phone,
        customer_id = n.customer_id
    FROM wanted AS w
    CROSS JOIN LATERAL jsonb_populate_record(w.kept, /* include taken_back */) AS n
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = w.kept_id
        AND w.conflict IS NULL
    RETURNING r.*
),
/* include undo_ended contacts contact */

-- name: suggest_leads
-- reads: leads
-- Suggest which leads are the same.
/* include suggestions leads status */

-- name: merge_leads
-- reads: users
-- writes: merges, leads, auto_responses, call_log, campaign_recipients, response_approvals, audit_logs
-- Merge one lead into another one.
WITH /* include merge_pair leads */,
/* include move auto_responses lead_id */,
/* include move call_log lead_id */,
/* include move campaign_recipients lead_id */,
/* include move response_approvals lead_id */,
kept AS (
    UPDATE leads AS r
    SET
        name = n.name,
        email = n.email,
        phone = n.phone,
        customer_id = n.customer_id,
        source = n.source,
        category = n.category,
        notes = n.notes
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_object_agg(t.name, to_jsonb(w.merged) -> t.name), '{}') AS taken
        FROM unnest(%(take)s::text[]) AS t (name)
    ) AS t
    CROSS JOIN LATERAL jsonb_populate_record(w.kept, t.taken) AS n
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = w.kept_id
        AND w.conflict IS NULL
    RETURNING r.*
),
moved AS (
    SELECT jsonb_build_object(
            'auto_responses', /* include ids_moved auto_responses */,
            'call_log', /* include ids_moved call_log */,
            'campaign_recipients', /* include ids_moved campaign_recipients */,
            'response_approvals', /* include ids_moved response_approvals */
        ) AS moved
),
/* include merge_ended leads lead */

-- name: undo_leads
-- reads: users
-- writes: merges, leads, auto_responses, call_log, campaign_recipients, response_approvals, audit_logs
-- Undo a merge of leads.
WITH /* include undo_pair leads */,
/* include move_back auto_responses lead_id */,
/* include move_back call_log lead_id */,
/* include move_back campaign_recipients lead_id */,
/* include move_back response_approvals lead_id */,
kept AS (
    UPDATE leads AS r
    SET
        name = n.name,
        email = n.email,
        phone = n.phone,
        customer_id = n.customer_id,
        source = n.source,
        category = n.category,
        notes = n.notes
    FROM wanted AS w
    CROSS JOIN LATERAL jsonb_populate_record(w.kept, /* include taken_back */) AS n
    WHERE r.tenant_id = %(tenant_id)s
        AND r.id = w.kept_id
        AND w.conflict IS NULL
    RETURNING r.*
),
/* include undo_ended leads lead */

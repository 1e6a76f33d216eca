-- fragment: audited_create
-- A new $1, which is the row of $2, is noted with what its column $3 says.
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'create',
        '$1',
        $2.id,
        jsonb_build_object('$3', jsonb_build_array(NULL, $2.$3)),
        %(request_id)s
    FROM $2
)

-- fragment: audited_update
-- The rows that are otherwise than before are noted; $1 is what they are.
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        '$1',
        a.id,
        changed_columns(to_jsonb(b.was), to_jsonb(a)),
        %(request_id)s
    FROM changed AS a
    JOIN before AS b ON b.id = a.id
    WHERE changed_columns(to_jsonb(b.was), to_jsonb(a)) <> '{}'
)

-- fragment: is_active_assignee
-- Work is given to somebody who is active, or to nobody; a person who does not exist fails by the foreign key.
NOT EXISTS (
    SELECT
    FROM users AS q
    WHERE q.tenant_id = %(tenant_id)s
        AND q.id = %(assigned_user_id)s
        AND NOT q.is_active
)

-- fragment: sees_addresses
-- How people can be reached (e-mail addresses, phone numbers, streets) is for those who manage; see web/visibility.py.
%(role)s <> 'operator'

-- fragment: bulk_given
given AS (
    SELECT
        g.id,
        g.position,
        row_number() OVER (PARTITION BY g.id ORDER BY g.position) > 1 AS again
    FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS g (id, position)
)

-- fragment: bulk_before
-- Of those that were found, locked in the order of their ids.
before AS (
    SELECT
        f.id,
        f.was
    FROM found AS f
    WHERE (f.was).status <> %(patch)s::jsonb ->> 'status'
)

-- fragment: bulk_results
results AS (
    SELECT
        g.position,
        g.id,
        CASE
            WHEN g.again THEN 'duplicate'
            WHEN f.id IS NULL THEN 'not_found'
            WHEN coalesce(w.refusal, w.conflict) IS NOT NULL THEN 'refused'
            WHEN a.id IS NOT NULL THEN 'updated'
            ELSE 'unchanged'
        END AS result,
        coalesce(w.refusal, w.conflict) AS reason,
        CASE WHEN a.id IS NOT NULL AND NOT g.again THEN w.warnings END AS warnings
    FROM given AS g
    LEFT JOIN found AS f ON f.id = g.id
    LEFT JOIN wanted AS w ON w.id = g.id AND NOT g.again
    LEFT JOIN changed AS a ON a.id = g.id
)

-- fragment: bulk_answer
SELECT
    json_build_object(
        'updated', count(*) FILTER (WHERE r.result = 'updated'),
        'unchanged', count(*) FILTER (WHERE r.result = 'unchanged'),
        'refused', count(*) FILTER (WHERE r.result = 'refused'),
        'not_found', count(*) FILTER (WHERE r.result = 'not_found'),
        'duplicate', count(*) FILTER (WHERE r.result = 'duplicate'),
        'results', json_agg(
            json_build_object(
                'id', r.id, 'result', r.result, 'reason', r.reason, 'warnings', coalesce(r.warnings, '[]')
            )
            ORDER BY r.position
        )
    )::text,
    NULL::bigint AS id,
    NULL AS problem,
    NULL AS detail
FROM results AS r

-- fragment: contradictions
-- The rows of (place, holds, code, message) that hold: the warnings of a write, and their messages joined.
SELECT
    coalesce(json_agg(json_build_object('code', f.code, 'message', f.message) ORDER BY f.place), '[]') AS warnings,
    string_agg(f.message, ' ' ORDER BY f.place) AS message

-- fragment: refused_contradictions
-- Where the business refuses states that contradict each other, the warnings (c) are what is in the way.
WHEN
    c.message IS NOT NULL
    AND EXISTS (
        SELECT
        FROM business_settings AS q
        WHERE q.tenant_id = %(tenant_id)s
            AND q.contradictions = 'refuse'
    )
    THEN c.message

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

-- fragment: audited_delete
-- The rows of $2, which are gone, are noted with what their columns said; $1 is what they were.
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'delete',
        '$1',
        g.id,
        (
            SELECT jsonb_object_agg(c.name, jsonb_build_array(c.was, NULL))
            FROM jsonb_each(to_jsonb(g) - 'id') AS c (name, was)
        ),
        %(request_id)s
    FROM $2 AS g
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
-- Contact details (e-mail addresses, phone numbers, streets) are for those who manage; see web/visibility.py.
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
        f.was,
        %(patch)s::jsonb AS patch
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
-- If the business refuses states that contradict each other, the warnings (c) are what is in the way.
WHEN
    c.message IS NOT NULL
    AND EXISTS (
        SELECT
        FROM business_settings AS q
        WHERE q.tenant_id = %(tenant_id)s
            AND q.contradictions = 'refuse'
    )
    THEN c.message

-- fragment: problem_that_holds
-- The oldest problem that keeps the step $1 from being begun.
SELECT
        i.id,
        i.kind,
        i.description
    FROM problems AS i
    WHERE i.tenant_id = %(tenant_id)s
        AND i.step_id = $1.id
        AND i.holds_step
        AND i.status <> 'closed'
    ORDER BY i.id
    LIMIT 1

-- fragment: step_changed
-- Each step changes as the patch beside it says. With $1 true, operators change only steps of their own or of nobody.
-- Each step as it is and as it is to be, beside what it belongs to. A step that was open knows from its own locked row
-- whether its job has ended.
proposed AS (
    SELECT
        n.id,
        n.status,
        n.machine_id,
        n.assigned_user_id,
        n.quantity_done,
        n.quantity_rejected,
        n.setup_minutes,
        n.seconds_per_piece,
        n.instructions,
        b.was,
        j.status AS job_status,
        j.quantity,
        e.name AS machine,
        e.status AS machine_status,
        r.name AS process,
        r.is_active AS is_process_active,
        CASE
            WHEN (b.was).status IN ('pending', 'in_progress') THEN (b.was).job_ended
            ELSE j.status IN ('completed', 'cancelled')
        END AS is_job_ended,
        -- Work begins; what was in progress already has begun.
        n.status IN ('in_progress', 'completed') AND n.status <> (b.was).status
        AND (b.was).status <> 'in_progress' AS is_start,
        (b.was).status IN ('completed', 'skipped') AND n.status IN ('pending', 'in_progress') AS is_reopened,
        n.assigned_user_id IS DISTINCT FROM (b.was).assigned_user_id AND NOT u.is_active AS is_for_inactive
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, b.patch) AS n
    JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = (b.was).job_id
    LEFT JOIN processes AS r ON r.tenant_id = %(tenant_id)s AND r.id = (b.was).process_id
    LEFT JOIN machines AS e ON e.tenant_id = %(tenant_id)s AND e.id = n.machine_id
    LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = n.assigned_user_id
),
-- Steps of the same job that do not fit; of those that change with it, as they will be.
siblings AS (
    SELECT
        p.id,
        bool_or(o.step_order < (p.was).step_order AND o.status IN ('pending', 'in_progress')) AS has_open_before,
        bool_or(o.step_order > (p.was).step_order AND o.status IN ('in_progress', 'completed')) AS has_begun_after
    FROM proposed AS p
    CROSS JOIN LATERAL (
        SELECT
            s.step_order,
            coalesce(k.status, s.status) AS status
        FROM job_steps AS s
        LEFT JOIN proposed AS k ON k.id = s.id
        WHERE s.tenant_id = %(tenant_id)s
            AND s.job_id = (p.was).job_id
            AND s.id <> p.id
    ) AS o
    WHERE p.is_start OR p.is_reopened
    GROUP BY p.id
),
wanted AS (
    SELECT
        p.id,
        p.status,
        p.machine_id,
        p.assigned_user_id,
        p.quantity_done,
        p.quantity_rejected,
        p.setup_minutes,
        p.seconds_per_piece,
        p.instructions,
        (p.was).started_at AS old_started_at,
        (p.was).completed_at AS old_completed_at,
        c.warnings,
        CASE
            WHEN %(role)s = 'admin' THEN NULL
            WHEN
                EXISTS (
                    SELECT
                    FROM role_process_permissions AS m
                    WHERE m.tenant_id = %(tenant_id)s
                        AND m.process_id = (p.was).process_id
                )
                AND NOT EXISTS (
                    SELECT
                    FROM role_process_permissions AS m
                    WHERE m.tenant_id = %(tenant_id)s
                        AND m.process_id = (p.was).process_id
                        AND m.role = %(role)s
                        AND m.can_operate
                )
                THEN 'Your role may not work on this process.'
            WHEN
                %(role)s = 'operator'
                AND (p.setup_minutes, p.seconds_per_piece, p.instructions)
                IS DISTINCT FROM ((p.was).setup_minutes, (p.was).seconds_per_piece, (p.was).instructions)
                THEN 'Only a manager changes the times and instructions of a step.'
            WHEN $1 AND %(role)s = 'operator' AND (p.was).assigned_user_id <> %(user_id)s
                THEN 'This step is assigned to somebody else.'
            WHEN $1 AND %(role)s = 'operator' AND p.assigned_user_id <> %(user_id)s
                THEN 'Only a manager assigns a step to somebody else.'
            WHEN $1 AND %(role)s = 'operator' AND (p.was).assigned_user_id IS NOT NULL AND p.assigned_user_id IS NULL
                THEN 'Only a manager takes a step away from somebody.'
        END AS refusal,
        CASE
            WHEN p.is_start AND p.is_job_ended
                THEN format('The job of this step is %%s; none of its steps can be started.', p.job_status)
            WHEN p.is_for_inactive THEN 'This person is inactive and is given no work (assigned_user_id).'
            /* include refused_contradictions */
        END AS conflict
    FROM proposed AS p
    LEFT JOIN siblings AS o ON o.id = p.id
    LEFT JOIN LATERAL (/* include problem_that_holds p */) AS h ON true
    CROSS JOIN LATERAL (
        /* include contradictions */
        FROM (
            VALUES
            (
                1, p.is_start AND p.job_status IN ('draft', 'on_hold'), 'job_not_active',
                format('The job is %%s, and work on it starts.', replace(p.job_status, '_', ' '))
            ),
            (
                2, p.is_start AND o.has_open_before, 'step_out_of_order',
                'A step before this one is not finished.'
            ),
            (
                3, p.is_reopened AND o.has_begun_after, 'step_out_of_order',
                'A step after this one has been started already.'
            ),
            (
                4, p.is_reopened AND p.is_job_ended, 'job_ended',
                format('The job is %%s, and this step is open again.', p.job_status)
            ),
            (
                5, p.quantity_done > p.quantity AND p.quantity_done <> (p.was).quantity_done,
                'more_done_than_ordered',
                format('%%s pieces are done of %%s ordered.', p.quantity_done, p.quantity)
            ),
            (
                6,
                p.quantity_rejected > p.quantity_done
                AND (p.quantity_rejected, p.quantity_done) <> ((p.was).quantity_rejected, (p.was).quantity_done),
                'more_rejected_than_done',
                format('%%s pieces are rejected of %%s done.', p.quantity_rejected, p.quantity_done)
            ),
            (
                7,
                p.machine_status <> 'active' AND p.status IN ('in_progress', 'completed')
                AND (p.is_start OR p.machine_id IS DISTINCT FROM (p.was).machine_id)
                OR p.machine_status = 'inactive' AND p.status = 'pending'
                AND p.machine_id IS DISTINCT FROM (p.was).machine_id,
                'machine_not_active',
                format(
                    'The machine %%s is %%s.',
                    p.machine, CASE p.machine_status WHEN 'maintenance' THEN 'in maintenance' ELSE 'inactive' END
                )
            ),
            (
                8, p.is_start AND NOT p.is_process_active, 'process_inactive',
                format('The process %%s is inactive.', p.process)
            ),
            (9, p.is_start AND h.id IS NOT NULL, 'step_held', 'A problem that is not closed holds this step.')
        ) AS f (place, holds, code, message)
        WHERE f.holds
    ) AS c
),
changed AS (
    UPDATE job_steps AS s
    SET
        status = w.status,
        machine_id = w.machine_id,
        assigned_user_id = w.assigned_user_id,
        quantity_done = w.quantity_done,
        quantity_rejected = w.quantity_rejected,
        setup_minutes = w.setup_minutes,
        seconds_per_piece = w.seconds_per_piece,
        instructions = w.instructions,
        started_at = CASE
            WHEN w.status IN ('in_progress', 'completed') THEN coalesce(w.old_started_at, now())
            WHEN w.status = 'pending' THEN NULL
            ELSE w.old_started_at
        END,
        completed_at = CASE WHEN w.status = 'completed' THEN coalesce(w.old_completed_at, now()) END
    FROM wanted AS w
    WHERE s.tenant_id = %(tenant_id)s
        AND s.id = w.id
        AND w.refusal IS NULL
        AND w.conflict IS NULL
    RETURNING s.*
),
/* include audited_update job_step */

-- fragment: last_backup
-- The backups recorded by `opsboard backup`: time and bytes.
(
    SELECT json_build_object(
        'at', split_part(o.told, ' ', 1),
        'age_seconds', round(extract(epoch FROM clock_timestamp() - split_part(o.told, ' ', 1)::timestamptz)),
        'bytes', nullif(split_part(o.told, ' ', 2), '')::bigint
    )
    FROM (
        SELECT substring(c.entry FROM '^opsboard[.]last_backup=(.*)$') AS told
        FROM pg_db_role_setting AS s
        JOIN pg_database AS d ON d.oid = s.setdatabase
        CROSS JOIN LATERAL unnest(s.setconfig) AS c (entry)
        WHERE d.datname = current_database()
            AND s.setrole = 0
    ) AS o
    WHERE o.told IS NOT NULL
)

-- fragment: can_count_businesses
-- Counts of every business take as long as what is not folded is long, so that they are left out while that is much.
coalesce(unfolded_deltas() <= 10000, false)

-- fragment: transaction_ids_used
-- The share of 2^31 that the age of transaction ids or of multixacts has reached.
SELECT round(greatest(age(d.datfrozenxid), mxid_age(d.datminmxid)) / 2147483648.0, 4)
FROM pg_database AS d
WHERE d.datname = current_database()

-- fragment: anonymise
-- A row of $1 ($2 in the audit log), which $3 names and $4 finds. Nothing of it is left that anonymise_at_once() knows of.
WITH before AS (
    SELECT
        b.id,
        CASE
            WHEN b.anonymised_at IS NOT NULL THEN 'This record has been anonymised.'
            WHEN to_jsonb(b) ->> 'is_active' = 'true' THEN 'Deactivate this person first.'
            WHEN b.$3 <> %(name)s THEN 'This record has another name.'
        END AS refusal
    FROM $1 AS b
    WHERE b.tenant_id = %(tenant_id)s
        AND b.id = %($4)s
    FOR UPDATE
),
done AS MATERIALIZED (
    SELECT
        b.id,
        b.refusal,
        CASE WHEN b.refusal IS NULL THEN anonymise_at_once('$1', '$2', b.id) END AS is_done
    FROM before AS b
),
-- Records that were merged into it are of the same person.
merged_before AS (
    WITH RECURSIVE chain AS (
        SELECT d.id
        FROM done AS d
        WHERE d.is_done
        UNION
        SELECT g.merged_id
        FROM chain AS c
        JOIN merges AS g ON g.tenant_id = %(tenant_id)s AND g.kind = '$1' AND g.kept_id = c.id AND g.undone_at IS NULL
    )
    SELECT c.id
    FROM chain AS c
    WHERE c.id <> %($4)s
),
done_before AS MATERIALIZED (
    SELECT
        m.id,
        anonymise_at_once('$1', '$2', m.id) AS is_done
    FROM merged_before AS m
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'anonymise',
        '$2',
        d.id,
        '{}',
        %(request_id)s
    FROM (
        SELECT
            o.id,
            o.is_done
        FROM done AS o
        UNION ALL
        SELECT
            m.id,
            m.is_done
        FROM done_before AS m
    ) AS d
    WHERE d.is_done
)
SELECT
    CASE WHEN d.is_done THEN json_build_object('id', d.id, 'anonymised_at', now())::text END,
    d.id,
    CASE WHEN d.refusal IS NOT NULL THEN 'conflict' END AS problem,
    d.refusal AS detail
FROM done AS d

-- fragment: sent_steps
ROWS FROM (
        jsonb_to_recordset(%(steps)s::jsonb) AS (
            process_id bigint,
            machine_id bigint,
            assigned_user_id bigint,
            setup_minutes integer,
            seconds_per_piece integer,
            instructions text
        )
    ) WITH ORDINALITY AS g (
        process_id, machine_id, assigned_user_id, setup_minutes, seconds_per_piece, instructions, place
    )

-- fragment: sent_columns
g.process_id,
        g.machine_id,
        g.assigned_user_id,
        g.setup_minutes,
        g.seconds_per_piece,
        g.instructions

-- fragment: given_to_inactive
WHEN
                EXISTS (
                    SELECT
                    FROM jsonb_to_recordset(%(steps)s::jsonb) AS g (assigned_user_id bigint)
                    JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = g.assigned_user_id
                    WHERE NOT u.is_active
                )
                THEN 'Somebody who is inactive is given no work (assigned_user_id).'

-- fragment: work_content
        'setup_minutes', s.setup_minutes,
        'seconds_per_piece', s.seconds_per_piece,
        'instructions', s.instructions

-- fragment: step_columns
$1.id,
        $1.tenant_id,
        $1.job_id,
        $1.step_order,
        $1.status,
        $1.process_id,
        $1.machine_id,
        $1.assigned_user_id,
        $1.setup_minutes,
        $1.seconds_per_piece,
        $1.instructions,
        $1.planned_start,
        $1.planned_end,
        $1.started_at,
        $1.completed_at,
        $1.quantity_done,
        $1.quantity_rejected

-- fragment: steps_of_job
(
            SELECT coalesce(
                json_agg(
                    json_build_object(
                        'id', s.id,
                        'step_order', s.step_order,
                        'status', s.status,
                        'process', CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'name', r.name) END,
                        'machine', CASE WHEN e.id IS NOT NULL THEN json_build_object('id', e.id, 'name', e.name) END,
                        'assigned_user',
                        CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
                        /* include work_content */,
                        'planned_start', s.planned_start,
                        'planned_end', s.planned_end,
                        'started_at', s.started_at,
                        'completed_at', s.completed_at,
                        'quantity_done', s.quantity_done,
                        'quantity_rejected', s.quantity_rejected
                    )
                    ORDER BY s.step_order
                ),
                '[]'
            )
            FROM $1 AS s
            LEFT JOIN processes AS r ON r.tenant_id = %(tenant_id)s AND r.id = s.process_id
            LEFT JOIN machines AS e ON e.tenant_id = %(tenant_id)s AND e.id = s.machine_id
            LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = s.assigned_user_id
            WHERE s.tenant_id = %(tenant_id)s
                AND s.job_id = j.id
        )

-- fragment: no_obstacle
NULL::text

-- fragment: archive
-- The row of $1 ($2 in the audit log) that $3 finds is archived, unless $4 says what has to be done first.
/* include archivable $1 $3 $4 */,
changed AS (
    UPDATE $1 AS a
    SET archived_at = now()
    FROM wanted AS w
    WHERE a.tenant_id = %(tenant_id)s
        AND a.id = w.id
        AND (w.was).archived_at IS NULL
        AND w.conflict IS NULL
    RETURNING a.*
),
/* include archived archive $2 */

-- fragment: restore
-- The row of $1 ($2 in the audit log) that $3 finds is archived no more, unless $4 says what has to be done first.
/* include archivable $1 $3 $4 */,
changed AS (
    UPDATE $1 AS a
    SET archived_at = NULL
    FROM wanted AS w
    WHERE a.tenant_id = %(tenant_id)s
        AND a.id = w.id
        AND (w.was).archived_at IS NOT NULL
        AND w.conflict IS NULL
    RETURNING a.*
),
/* include archived restore $2 */

-- fragment: archivable
WITH before AS (
    SELECT
        b.id,
        b AS was
    FROM $1 AS b
    WHERE b.tenant_id = %(tenant_id)s
        AND b.id = %($2)s
    FOR UPDATE
),
wanted AS (
    SELECT
        b.id,
        b.was,
        /* include $3 */ AS conflict
    FROM before AS b
)

-- fragment: archived
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        '$1',
        '$2',
        a.id,
        jsonb_build_object('archived_at', jsonb_build_array((w.was).archived_at, a.archived_at)),
        %(request_id)s
    FROM changed AS a
    JOIN wanted AS w ON w.id = a.id
)
SELECT
    json_build_object(
        'id', w.id,
        'archived_at', CASE WHEN a.id IS NULL THEN (w.was).archived_at ELSE a.archived_at END
    )::text,
    w.id,
    CASE WHEN w.conflict IS NOT NULL THEN 'conflict' END AS problem,
    w.conflict AS detail
FROM wanted AS w
LEFT JOIN changed AS a ON a.id = w.id

-- fragment: ids_by_words
-- Records of the table $1 with all the words asked for: those whose words are written, and those that are pending.
SELECT w.row_id
FROM search_words AS w
WHERE w.tenant_id = %(tenant_id)s
    AND w.source = '$1'
    AND w.is_address = ANY(ARRAY[false, %(role)s <> 'operator'])
    AND w.word >= (asked_terms(%(q)s))[1]
    AND w.word < (asked_terms(%(q)s))[1] || chr(1114111)
    AND CASE WHEN %(role)s = 'operator' THEN split_part(w.words, E'\n', 1) ELSE w.words END
        ~ ALL((SELECT term_patterns(asked_terms(%(q)s)))::text[])
    AND w.row_id <> ALL(ARRAY(SELECT u.id FROM unfolded_rows(%(tenant_id)s, '$1') AS u))
UNION ALL
SELECT f.row_id
FROM unfolded_words_of_$1(%(tenant_id)s) AS f
CROSS JOIN LATERAL unnest(term_forms((SELECT (asked_terms(%(q)s))[1]))) AS t (form)
WHERE f.is_address = ANY(ARRAY[false, %(role)s <> 'operator'])
    AND f.word >= t.form
    AND f.word < t.form || chr(1114111)
    AND CASE WHEN %(role)s = 'operator' THEN split_part(f.words, E'\n', 1) ELSE f.words END
        ~ ALL((SELECT term_patterns(asked_terms(%(q)s)))::text[])

-- fragment: ids_by_last_digits
-- Records of the table $1 whose telephone number ends with the digits asked for, and that have the other words.
SELECT w.row_id
FROM search_words AS w
WHERE w.tenant_id = %(tenant_id)s
    AND w.source = '$1'
    AND w.is_address = ANY(ARRAY[false, %(role)s <> 'operator'])
    AND w.word >= (term_forms((asked_terms(%(q)s))[1]))[2]
    AND w.word < (term_forms((asked_terms(%(q)s))[1]))[2] || chr(1114111)
    AND CASE WHEN %(role)s = 'operator' THEN split_part(w.words, E'\n', 1) ELSE w.words END
        ~ ALL((SELECT term_patterns(asked_terms(%(q)s)))::text[])
    AND w.row_id <> ALL(ARRAY(SELECT u.id FROM unfolded_rows(%(tenant_id)s, '$1') AS u))

-- fragment: ids_by_address
-- Records of the table $1 whose e-mail address or telephone number begins with what is asked for.
SELECT e.id
FROM $1 AS e
WHERE e.tenant_id = %(tenant_id)s
    AND %(role)s <> 'operator'
    AND e.email_search >= search_form(%(q)s)
    AND e.email_search < search_form(%(q)s) || chr(1114111)
UNION ALL
SELECT p.id
FROM $1 AS p
WHERE p.tenant_id = %(tenant_id)s
    AND %(role)s <> 'operator'
    AND p.phone_search >= nullif(phone_form(%(q)s), '')
    AND p.phone_search < phone_form(%(q)s) || ':'

-- fragment: ids_by_beginning
-- Records of the table $1 whose column $2 begins with what is asked for, where their words may not say so: what is archived
-- has none.
SELECT n.id
FROM $1 AS n
WHERE n.tenant_id = %(tenant_id)s
    AND n.$2 >= search_form(%(q)s)
    AND n.$2 < search_form(%(q)s) || chr(1114111)
    AND (SELECT words_may_lack(%(q)s))
UNION ALL
SELECT o.id
FROM $1 AS o
WHERE o.tenant_id = %(tenant_id)s
    AND o.archived_at IS NOT NULL
    AND o.$2 >= search_form(%(q)s)
    AND o.$2 < search_form(%(q)s) || chr(1114111)

-- fragment: mailed_link
-- The link k of a person is also sent by mail, if mail is sent at all. Only its id waits in the outbox.
mailed AS (
    INSERT INTO deliveries (tenant_id, event_id, event_type, subject, body)
    SELECT
        %(tenant_id)s,
        'evt_' || gen_random_uuid(),
        'letter.' || k.kind,
        'password_link/' || k.id,
        json_build_object('link_id', k.id)::text
    FROM k
    WHERE %(by_mail)s
)

-- fragment: merged_record
-- Everything that referred to a merged record of $1 refers to the kept one. After 30 days this cannot be undone.
CASE
            WHEN EXISTS (
                SELECT
                FROM merges AS g
                WHERE g.tenant_id = %(tenant_id)s
                    AND g.kind = '$1'
                    AND g.merged_id = b.id
                    AND g.undone_at IS NULL
                    AND g.created_at >= now() - interval '30 days'
            )
                THEN 'This record was merged into another one; undo the merge.'
        END

-- fragment: job_stats
-- Jobs by status, of `counts`.
job_stats AS (
    SELECT
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'jobs'), 0)::bigint AS total,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'jobs' AND c.label = 'draft'), 0)::bigint AS draft,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'jobs' AND c.label = 'active'), 0)::bigint AS active,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'jobs' AND c.label = 'on_hold'), 0)::bigint AS on_hold,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'jobs' AND c.label = 'completed'), 0)::bigint AS completed,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'jobs' AND c.label = 'cancelled'), 0)::bigint AS cancelled
    FROM counts AS c
)

-- fragment: due_stats
-- Open jobs by the day they are due, of `counts` and `clock`.
due_stats AS (
    SELECT
        coalesce(sum(c.n) FILTER (WHERE c.day < d.today), 0)::bigint AS overdue,
        coalesce(sum(c.n) FILTER (WHERE c.day = d.today), 0)::bigint AS due_today
    FROM clock AS d
    LEFT JOIN counts AS c ON c.metric = 'open_jobs'
)

-- fragment: lead_stats
-- Leads of `counts_of_today`.
lead_stats AS (
    SELECT
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'leads'), 0)::bigint AS total,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'leads' AND c.label = 'unprocessed'), 0)::bigint AS unprocessed,
        coalesce(
            sum(c.n) FILTER (WHERE c.metric = 'leads' AND c.label IN ('new', 'contacted', 'qualified')), 0
        )::bigint AS in_progress,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'leads_by_day'), 0)::bigint AS new_today
    FROM counts_of_today AS c
)

-- fragment: approval_stats
-- Approvals of `counts_of_today`.
approval_stats AS (
    SELECT
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'response_approvals' AND c.label = 'pending'), 0)::bigint AS pending,
        coalesce(
            sum(c.n) FILTER (WHERE c.metric = 'response_approvals' AND c.label = 'changes_requested'), 0
        )::bigint AS changes_requested,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'response_approvals_by_day'), 0)::bigint AS decided_today,
        (
            SELECT min(a.created_at)
            FROM response_approvals AS a
            WHERE a.tenant_id = %(tenant_id)s
                AND a.status = 'pending'
        ) AS oldest_pending_at
    FROM counts_of_today AS c
)

-- fragment: machine_stop
-- Since when and why the machine $1 stands still. A scalar subquery: only a join that surely has one row is left out of the plan of those who do not ask for it.
LEFT JOIN LATERAL (
    SELECT (
        SELECT json_build_object('id', k.id, 'since', k.started_at, 'reason', coalesce(x.name, k.reason))
        FROM machine_stops AS k
        LEFT JOIN reasons AS x ON x.tenant_id = %(tenant_id)s AND x.id = k.reason_id
        WHERE k.tenant_id = %(tenant_id)s
            AND k.machine_id = $1
            AND k.ended_at IS NULL
    ) AS stop
) AS o ON true

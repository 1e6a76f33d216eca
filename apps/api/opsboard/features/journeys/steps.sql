-- A step: the node a contact is at is executed, and the contact moves on. Both queries below do just this, for one
-- contact that somebody names and for many that are due; `running` and `locked` say for whom.
--
-- Why it happens once: the contact's row is locked, and journey_contacts.steps, which rises with every step, must be
-- what the snapshot of this statement shows. A caller that waited for the lock while another took the step sees another
-- number and does nothing. So all that is read here (keys, messages of the last hour, executions) is what it was when
-- the lock was got, and the cap on messages holds. The key of journey_step_keys is the second lock on the same door.
--
-- No condition here is on the created_at of journey_node_executions, which is cut by it: PostgreSQL 18.4 crashed when a
-- statement both waited for a row and left out partitions. Ids of one contact's executions are in their order, too.

-- fragment: step
ready AS MATERIALIZED (
    SELECT
        l.id,
        l.journey_id,
        l.customer_id,
        l.node_id,
        l.round,
        l.due_at,
        r.max_rounds,
        coalesce(r.messages_per_hour, %(messages_per_hour)s) AS cap,
        n.type,
        n.config,
        -- Read after the lock was got: of one contact, times follow the order of its steps.
        clock_timestamp() AS at
    FROM locked AS l
    JOIN running AS r ON r.id = l.journey_id
    JOIN journeys AS j ON j.tenant_id = %(tenant_id)s AND j.id = r.id AND j.updated_at = r.updated_at
    JOIN journey_contacts AS c ON c.tenant_id = %(tenant_id)s AND c.id = l.id AND c.steps = l.steps
    JOIN journey_nodes AS n ON n.tenant_id = %(tenant_id)s AND n.journey_id = l.journey_id AND n.id = l.node_id
),
-- All that is known of each, in one place: joined again for each thing that is written, a batch would cost its square.
judged AS MATERIALIZED (
    SELECT
        r.id,
        r.journey_id,
        r.node_id,
        r.round,
        r.max_rounds,
        r.type,
        r.config,
        r.at,
        w.customer,
        w.recipient,
        w.suppressed,
        w.free_at,
        CASE
            WHEN r.due_at > r.at THEN 'waiting'
            WHEN w.looped THEN 'stopped'
            WHEN r.type = 'message' AND coalesce(w.recipient, '') = '' THEN 'skipped'
            WHEN r.type = 'message' AND w.suppressed IS NOT NULL THEN 'skipped'
            WHEN r.type = 'message' AND w.free_at IS NOT NULL THEN 'deferred'
            ELSE 'executed'
        END AS outcome,
        CASE
            WHEN r.type = 'exit' THEN NULL
            WHEN r.type <> 'condition' THEN 'next'
            WHEN
                coalesce(
                    CASE r.config ->> 'operator'
                        WHEN 'is_set' THEN coalesce(w.value, '') <> ''
                        WHEN 'is_not_set' THEN coalesce(w.value, '') = ''
                        WHEN 'equals' THEN search_form(w.value) = search_form(r.config ->> 'value')
                        WHEN 'begins_with' THEN starts_with(search_form(w.value), search_form(r.config ->> 'value'))
                        WHEN 'at_least' THEN r.round >= (r.config ->> 'value')::integer
                    END,
                    false
                )
                THEN 'yes'
            ELSE 'no'
        END AS branch
    FROM ready AS r
    CROSS JOIN LATERAL (
        SELECT
            k.name AS customer,
            CASE r.config ->> 'channel' WHEN 'email' THEN k.email WHEN 'phone' THEN k.phone END AS recipient,
            CASE r.config ->> 'field'
                WHEN 'name' THEN k.name
                WHEN 'email' THEN k.email
                WHEN 'phone' THEN k.phone
                WHEN 'address' THEN k.address
            END AS value,
            (
                SELECT s.reason
                FROM suppressions AS s
                WHERE s.tenant_id = %(tenant_id)s
                    AND s.channel = r.config ->> 'channel'
                    AND s.address_search = recipient_form(
                        CASE r.config ->> 'channel' WHEN 'email' THEN k.email WHEN 'phone' THEN k.phone END
                    )
            ) AS suppressed,
            -- Three times within the window: this would be the fourth.
            (
                SELECT count(*) = 3 AND min(x.created_at) > r.at - make_interval(secs => %(loop_window)s)
                FROM (
                    SELECT e.created_at
                    FROM journey_node_executions AS e
                    WHERE e.tenant_id = %(tenant_id)s
                        AND e.node_id = r.node_id
                        AND e.journey_contact_id = r.id
                    ORDER BY
                        e.created_at DESC,
                        e.id DESC
                    LIMIT 3
                ) AS x
            ) AS looped,
            -- When the cap is reached: the moment the oldest of the messages it counts is an hour old.
            (
                SELECT m.created_at + interval '1 hour'
                FROM journey_messages AS m
                WHERE m.tenant_id = %(tenant_id)s
                    AND m.journey_contact_id = r.id
                    AND m.created_at > r.at - interval '1 hour'
                ORDER BY
                    m.created_at DESC,
                    m.id DESC
                LIMIT 1
                OFFSET r.cap - 1
            ) AS free_at
        FROM customers AS k
        WHERE k.tenant_id = %(tenant_id)s
            AND k.id = r.customer_id
    ) AS w
),
keyed AS (
    INSERT INTO journey_step_keys AS k (tenant_id, journey_contact_id, node_id, round, created_at)
    SELECT
        %(tenant_id)s,
        v.id,
        v.node_id,
        v.round,
        v.at
    FROM judged AS v
    WHERE v.outcome IN ('executed', 'skipped')
    ON CONFLICT (tenant_id, journey_contact_id, node_id, round) DO NOTHING
    RETURNING k.journey_contact_id AS id
),
made AS (
    INSERT INTO journey_node_executions AS e (
        tenant_id, journey_id, journey_contact_id, node_id, round, outcome, branch, detail, executed_at, created_at
    )
    SELECT
        %(tenant_id)s,
        v.journey_id,
        v.id,
        v.node_id,
        v.round,
        v.outcome,
        v.branch,
        CASE
            WHEN v.outcome <> 'skipped' THEN NULL
            WHEN v.suppressed IS NOT NULL THEN 'The customer''s ' || (v.config ->> 'channel')
                || ' is on the suppression list (' || v.suppressed || ').'
            ELSE 'The customer has no ' || (v.config ->> 'channel') || '.'
        END,
        CASE WHEN v.outcome = 'executed' THEN v.at END,
        v.at
    FROM judged AS v
    JOIN keyed AS k ON k.id = v.id
    RETURNING
        e.id, e.journey_id, e.journey_contact_id, e.node_id, e.round, e.outcome, e.branch, e.detail, e.executed_at,
        e.created_at
),
messages AS (
    INSERT INTO journey_messages (
        tenant_id, journey_contact_id, node_id, round, channel, recipient, subject, body, created_at
    )
    SELECT
        %(tenant_id)s,
        v.id,
        v.node_id,
        v.round,
        v.config ->> 'channel',
        v.recipient,
        v.config ->> 'subject',
        v.config ->> 'body',
        v.at
    FROM judged AS v
    JOIN keyed AS k ON k.id = v.id
    WHERE v.type = 'message'
        AND v.outcome = 'executed'
),
notified AS (
    INSERT INTO notifications (tenant_id, user_id, kind, title, body, link)
    SELECT
        %(tenant_id)s,
        u.id,
        'journey',
        v.config ->> 'title',
        v.customer,
        '/api/journeys/contacts/' || v.id
    FROM judged AS v
    JOIN keyed AS k ON k.id = v.id
    JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.role = v.config ->> 'role' AND u.is_active
    WHERE v.type = 'action'
        AND v.outcome = 'executed'
),
onward AS (
    SELECT
        v.id,
        v.type,
        v.at,
        v.outcome,
        t.to_node_id,
        CASE
            WHEN v.outcome = 'stopped' THEN 'loop'
            WHEN v.outcome = 'deferred' OR v.type = 'exit' THEN NULL
            WHEN t.to_node_id IS NULL THEN 'lost'
            WHEN g.round > v.max_rounds THEN 'rounds'
        END AS failure,
        CASE WHEN t.to_node_id IS NULL OR g.round > v.max_rounds THEN v.round ELSE g.round END AS round,
        CASE
            WHEN v.outcome = 'deferred' THEN v.free_at
            WHEN v.type = 'wait' THEN v.at + make_interval(secs => (v.config ->> 'seconds')::integer)
            ELSE v.at
        END AS due_at
    FROM judged AS v
    LEFT JOIN journey_edges AS t
        ON t.tenant_id = %(tenant_id)s
            AND t.journey_id = v.journey_id
            AND t.from_node_id = v.node_id
            AND t.branch = v.branch
            AND v.outcome IN ('executed', 'skipped')
    -- A contact that returns to a node of this round begins the next round.
    CROSS JOIN LATERAL (
        SELECT
            v.round + (
                t.to_node_id = v.node_id
                OR EXISTS (
                    SELECT
                    FROM journey_step_keys AS b
                    WHERE b.tenant_id = %(tenant_id)s
                        AND b.journey_contact_id = v.id
                        AND b.node_id = t.to_node_id
                        AND b.round = v.round
                )
            )::integer AS round
    ) AS g
    WHERE v.outcome <> 'waiting'
),
moved AS (
    UPDATE journey_contacts AS c
    SET
        status = CASE
            WHEN o.failure IS NOT NULL THEN 'failed'
            WHEN o.type = 'exit' THEN 'completed'
            ELSE c.status
        END,
        failure = o.failure,
        finished_at = CASE WHEN o.failure IS NOT NULL OR o.type = 'exit' THEN o.at END,
        node_id = CASE WHEN o.failure IS NULL THEN coalesce(o.to_node_id, c.node_id) ELSE c.node_id END,
        round = o.round,
        due_at = o.due_at,
        steps = c.steps + 1
    FROM onward AS o
    WHERE c.tenant_id = %(tenant_id)s
        AND c.id = o.id
    RETURNING
        c.id, c.journey_id, c.customer_id, c.status, c.node_id, c.round, c.due_at, c.failure, c.finished_at, c.created_at,
        c.updated_at
)

-- fragment: execution_members
        'id', e.id,
        'journey_id', e.journey_id,
        'contact_id', e.journey_contact_id,
        'node', json_build_object('id', n.id, 'name', n.name, 'type', n.type),
        'round', e.round,
        'outcome', e.outcome,
        'branch', e.branch,
        'detail', e.detail,
        'executed_at', e.executed_at,
        'created_at', e.created_at

-- name: run_due
-- reads: journeys, journey_nodes, journey_edges, customers, suppressions, users
-- writes: journey_contacts, journey_step_keys, journey_node_executions, journey_messages, notifications
-- One step for each of at most so many contacts that are due, leaving alone those that another runner is at. How many
-- were taken up, and what came of them.
WITH running AS MATERIALIZED (
    SELECT
        j.id,
        j.messages_per_hour,
        j.max_rounds,
        j.updated_at
    FROM journeys AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.status = 'active'
        AND EXISTS (
            SELECT
            FROM journey_contacts AS d
            WHERE d.tenant_id = %(tenant_id)s
                AND d.journey_id = j.id
                AND d.status = 'active'
                AND d.due_at <= now()
        )
    -- Once somebody was told that a journey is paused, nobody takes a step in it.
    FOR SHARE OF j
),
locked AS MATERIALIZED (
    SELECT
        d.id,
        d.journey_id,
        d.customer_id,
        d.node_id,
        d.round,
        d.due_at,
        d.steps
    FROM running AS r
    CROSS JOIN LATERAL (
        SELECT
            c.id,
            c.journey_id,
            c.customer_id,
            c.node_id,
            c.round,
            c.due_at,
            c.steps
        FROM journey_contacts AS c
        WHERE c.tenant_id = %(tenant_id)s
            AND c.journey_id = r.id
            AND c.status = 'active'
            AND c.due_at <= now()
        ORDER BY
            c.due_at,
            c.id
        LIMIT %(most)s
        FOR UPDATE SKIP LOCKED
    ) AS d
    LIMIT %(most)s
),
/* include step */
SELECT
    (SELECT count(*) FROM locked) AS taken,
    (SELECT count(*) FROM made) AS executed,
    (SELECT count(*) FROM onward AS o WHERE o.outcome = 'deferred') AS deferred,
    (SELECT count(*) FROM moved AS m WHERE m.status = 'completed') AS completed,
    (SELECT count(*) FROM moved AS m WHERE m.status = 'failed') AS failed

-- name: execute_node
-- reads: journeys, journey_nodes, journey_edges, customers, suppressions, users
-- writes: journey_contacts, journey_step_keys, journey_node_executions, journey_messages, notifications, audit_logs
-- Execute the node a contact is at and show what was done now and what before. Asked again, or by two at once, it is
-- done once, and all are shown the same.
WITH running AS MATERIALIZED (
    SELECT
        j.id,
        j.messages_per_hour,
        j.max_rounds,
        j.updated_at
    FROM journeys AS j
    WHERE j.tenant_id = %(tenant_id)s
        AND j.id = %(journey_id)s
        AND j.status = 'active'
    FOR SHARE OF j
),
locked AS MATERIALIZED (
    SELECT
        c.id,
        c.journey_id,
        c.customer_id,
        c.node_id,
        c.round,
        c.due_at,
        c.steps
    FROM journey_contacts AS c
    WHERE c.tenant_id = %(tenant_id)s
        AND c.journey_id = %(journey_id)s
        AND c.id = %(contact_id)s
        AND c.node_id = %(node_id)s
        AND c.round = coalesce(%(round)s::integer, c.round)
        AND c.status = 'active'
    FOR UPDATE
),
/* include step */,
asked AS (
    SELECT
        c.id,
        c.journey_id,
        c.customer_id,
        c.status,
        c.node_id,
        c.round,
        c.due_at,
        c.failure,
        c.finished_at,
        c.created_at,
        c.updated_at,
        j.name AS journey,
        j.status AS journey_status
    FROM journey_contacts AS c
    JOIN journeys AS j ON j.tenant_id = %(tenant_id)s AND j.id = c.journey_id
    JOIN journey_nodes AS n ON n.tenant_id = %(tenant_id)s AND n.journey_id = c.journey_id AND n.id = %(node_id)s
    WHERE c.tenant_id = %(tenant_id)s
        AND c.journey_id = %(journey_id)s
        AND c.id = %(contact_id)s
),
recorded AS (
    SELECT
        e.id,
        e.journey_id,
        e.journey_contact_id,
        e.node_id,
        e.round,
        e.outcome,
        e.branch,
        e.detail,
        e.executed_at,
        e.created_at
    FROM asked AS a
    JOIN journey_node_executions AS e
        ON e.tenant_id = %(tenant_id)s
            AND e.node_id = %(node_id)s
            AND e.journey_contact_id = a.id
            -- Without a round: the present one of who is at this node, the last one of who is past it.
            AND e.round = coalesce(%(round)s::integer, CASE WHEN a.node_id = %(node_id)s THEN a.round ELSE e.round END)
    ORDER BY
        e.created_at DESC,
        e.id DESC
    LIMIT 1
),
shown AS (
    SELECT
        'repeated' AS outcome,
        e.id,
        e.journey_id,
        e.journey_contact_id,
        e.node_id,
        e.round,
        e.outcome AS result,
        e.branch,
        e.detail,
        e.executed_at,
        e.created_at
    FROM recorded AS e
    WHERE NOT EXISTS (SELECT FROM made)
    UNION ALL
    SELECT
        e.outcome,
        e.id,
        e.journey_id,
        e.journey_contact_id,
        e.node_id,
        e.round,
        e.outcome AS result,
        e.branch,
        e.detail,
        e.executed_at,
        e.created_at
    FROM made AS e
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'execute',
        'journey_contact',
        e.journey_contact_id,
        jsonb_build_object('node_id', jsonb_build_array(NULL, e.node_id), 'round', jsonb_build_array(NULL, e.round)),
        %(request_id)s
    FROM made AS e
),
verdict AS (
    SELECT coalesce((SELECT s.outcome FROM shown AS s), (SELECT v.outcome FROM judged AS v)) AS outcome
),
contact AS (
    SELECT
        m.id,
        m.status,
        m.node_id,
        m.round,
        m.due_at,
        m.failure,
        m.finished_at,
        m.updated_at
    FROM moved AS m
    UNION ALL
    SELECT
        a.id,
        a.status,
        a.node_id,
        a.round,
        a.due_at,
        a.failure,
        a.finished_at,
        a.updated_at
    FROM asked AS a
    WHERE NOT EXISTS (SELECT FROM moved)
)
SELECT
    json_build_object(
        'outcome', o.outcome,
        'contact', json_build_object(
            'id', c.id,
            'journey', json_build_object('id', a.journey_id, 'name', a.journey),
            'customer', json_build_object('id', k.id, 'name', k.name),
            'status', c.status,
            'node', json_build_object('id', h.id, 'name', h.name, 'type', h.type),
            'round', c.round,
            'due_at', c.due_at,
            'failure', c.failure,
            'finished_at', c.finished_at,
            'created_at', a.created_at,
            'updated_at', c.updated_at
        ),
        'current', (
            SELECT json_build_object(
        /* include execution_members */
            )
            FROM (
                SELECT
                    s.id, s.journey_id, s.journey_contact_id, s.node_id, s.round, s.result AS outcome, s.branch, s.detail,
                    s.executed_at, s.created_at
                FROM shown AS s
            ) AS e
            JOIN journey_nodes AS n ON n.tenant_id = %(tenant_id)s AND n.id = e.node_id
        ),
        'previous', (
            SELECT json_build_object(
        /* include execution_members */
            )
            FROM journey_node_executions AS e
            JOIN journey_nodes AS n ON n.tenant_id = %(tenant_id)s AND n.id = e.node_id
            WHERE e.tenant_id = %(tenant_id)s
                AND e.journey_contact_id = a.id
                AND e.id < coalesce((SELECT s.id FROM shown AS s), 9223372036854775807)
            ORDER BY
                e.created_at DESC,
                e.id DESC
            LIMIT 1
        )
    )::text,
    a.id,
    CASE
        WHEN o.outcome IS NOT NULL THEN NULL
        -- It looked due, and the lock showed that somebody else had been faster.
        WHEN
            a.journey_status = 'active' AND a.status = 'active' AND a.node_id = %(node_id)s
            AND a.round = coalesce(%(round)s::integer, a.round)
            THEN 'stale'
        ELSE 'conflict'
    END AS problem,
    CASE
        WHEN a.journey_status <> 'active' THEN 'The journey is ' || a.journey_status || '.'
        WHEN a.status <> 'active' THEN 'The contact is ' || a.status || '.'
        WHEN a.node_id <> %(node_id)s THEN 'The contact is at ' || h.name || ', not at this node.'
        ELSE 'The contact is in round ' || a.round || '.'
    END AS detail
FROM asked AS a
CROSS JOIN verdict AS o
JOIN contact AS c ON c.id = a.id
JOIN customers AS k ON k.tenant_id = %(tenant_id)s AND k.id = a.customer_id
JOIN journey_nodes AS h ON h.tenant_id = %(tenant_id)s AND h.journey_id = a.journey_id AND h.id = c.node_id

-- name: list_businesses
-- reads:
-- Whose journeys there may be; ids only.
SELECT array_agg(b.id) FROM businesses_of_journeys() AS b (id)

-- fragment: execution_members
        'id', x.id,
        'workflow', json_build_object('id', w.id, 'name', w.name),
        'status', x.status,
        'step', x.step,
        'error', x.error,
        'started_at', x.started_at,
        'finished_at', x.finished_at,
        'own_fields', x.own_fields,
        'updated_at', x.updated_at

-- fragment: alert_members
        'id', a.id,
        'workflow', json_build_object('id', w.id, 'name', w.name),
        'execution_id', a.execution_id,
        'severity', a.severity,
        'message', a.message,
        'status', a.status,
        'acknowledged_by', CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.full_name) END,
        'acknowledged_at', a.acknowledged_at,
        'created_at', a.created_at

-- name: list_history
-- reads: workflow_execution_monitoring, workflows, tenants
-- from: workflow_execution_monitoring AS x
-- filter workflow_id: x.workflow_id = %(workflow_id)s
-- filter status: x.status = ANY(%(status)s)
-- sort started_at: x.started_at | timestamptz
-- total: workflow_execution_monitoring_by_label
-- total status: workflow_execution_monitoring_by_label | c.label = ANY(%(status)s)
-- total workflow_id: workflow_execution_monitoring | c.day = '-infinity' AND c.subject = %(workflow_id)s
-- total workflow_id,status: workflow_execution_monitoring | c.day = '-infinity' AND c.subject = %(workflow_id)s AND c.label = ANY(%(status)s)
-- Executions of workflows, those that run and those that ended.
SELECT
    page.position,
    json_build_object(
        /* include execution_members */
    ) AS item
FROM page
JOIN workflow_execution_monitoring AS x ON x.tenant_id = %(tenant_id)s AND x.id = page.id
    AND x.started_at = page.sort_key::timestamptz
JOIN workflows AS w ON w.tenant_id = %(tenant_id)s AND w.id = x.workflow_id

-- name: list_active
-- reads: workflow_execution_monitoring, workflows, tenants
-- from: workflow_execution_monitoring AS x
-- filter active: x.status = 'running'
-- sort started_at: x.started_at | timestamptz
-- total active: workflow_execution_monitoring_by_label | c.label = 'running'
-- Executions that run.
SELECT
    page.position,
    json_build_object(
        /* include execution_members */,
        -- Whole hours, so that two answers within one are the same bytes.
        'running_hours', floor(extract(epoch FROM now() - x.started_at) / 3600)::bigint
    ) AS item,
    x.started_at + (floor(extract(epoch FROM now() - x.started_at) / 3600) + 1) * interval '1 hour' AS changes_at
FROM page
JOIN workflow_execution_monitoring AS x ON x.tenant_id = %(tenant_id)s AND x.id = page.id
    AND x.started_at = page.sort_key::timestamptz
JOIN workflows AS w ON w.tenant_id = %(tenant_id)s AND w.id = x.workflow_id

-- name: list_workflows
-- reads: workflows
-- from: workflows AS w
-- sort created_at: w.created_at | timestamptz
-- Workflows that are watched.
SELECT
    page.position,
    json_build_object(
        'id', w.id,
        'name', w.name,
        'description', w.description,
        'is_active', w.is_active,
        'own_fields', w.own_fields,
        'created_at', w.created_at,
        'updated_at', w.updated_at
    ) AS item
FROM page
JOIN workflows AS w ON w.tenant_id = %(tenant_id)s AND w.id = page.id

-- name: list_alerts
-- reads: workflow_alerts, workflows, users
-- from: workflow_alerts AS a
-- filter open: a.status = 'open'
-- filter acknowledged: a.status = 'acknowledged'
-- filter workflow_id: a.workflow_id = %(workflow_id)s
-- sort created_at: a.created_at | timestamptz
-- Alerts of workflows and who has acknowledged them.
SELECT
    page.position,
    json_build_object(
        /* include alert_members */
    ) AS item
FROM page
JOIN workflow_alerts AS a ON a.tenant_id = %(tenant_id)s AND a.id = page.id
JOIN workflows AS w ON w.tenant_id = %(tenant_id)s AND w.id = a.workflow_id
LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = a.acknowledged_by

-- name: begin_execution
-- writes: workflows, workflow_execution_monitoring, audit_logs
-- Note that a workflow has begun to run; one that is not known yet becomes known by its name.
WITH w AS (
    INSERT INTO workflows AS k (tenant_id, name)
    VALUES (%(tenant_id)s, %(workflow)s)
    ON CONFLICT (tenant_id, name) DO UPDATE SET is_active = true
    RETURNING k.id, k.name
),
x AS (
    INSERT INTO workflow_execution_monitoring (tenant_id, workflow_id, step)
    SELECT
        %(tenant_id)s,
        w.id,
        %(step)s
    FROM w
    RETURNING id, workflow_id, status, step, error, started_at, finished_at, own_fields, updated_at
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'begin',
        'workflow_execution',
        x.id,
        jsonb_build_object('workflow', jsonb_build_array(NULL, %(workflow)s::text)),
        %(request_id)s
    FROM x
)
SELECT
    json_build_object(
        /* include execution_members */
    )::text,
    x.id,
    NULL AS problem,
    NULL AS detail
FROM x
JOIN w ON w.id = x.workflow_id

-- name: update_execution
-- reads: workflows
-- writes: workflow_execution_monitoring, workflow_alerts, audit_logs
-- Update the state of an execution; a failed one raises an alert. What has ended stays as it is.
WITH before AS (
    SELECT
        x.id,
        x.started_at,
        x AS was
    FROM workflow_execution_monitoring AS x
    WHERE x.tenant_id = %(tenant_id)s
        AND x.id = %(execution_id)s
    FOR UPDATE
),
changed AS (
    UPDATE workflow_execution_monitoring AS x
    SET
        status = n.status,
        step = n.step,
        error = n.error,
        finished_at = CASE WHEN n.status <> 'running' THEN clock_timestamp() END
    FROM before AS b
    CROSS JOIN LATERAL jsonb_populate_record(b.was, %(patch)s::jsonb) AS n
    WHERE x.tenant_id = %(tenant_id)s
        AND x.id = b.id
        AND x.started_at = b.started_at
        AND (b.was).status = 'running'
    RETURNING x.*
),
raised AS (
    INSERT INTO workflow_alerts (tenant_id, workflow_id, execution_id, severity, message)
    SELECT
        %(tenant_id)s,
        c.workflow_id,
        c.id,
        'critical',
        coalesce(nullif(c.error, ''), 'The execution failed.')
    FROM changed AS c
    WHERE c.status = 'failed'
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'update',
        'workflow_execution',
        c.id,
        changed_columns(to_jsonb(b.was), to_jsonb(c)),
        %(request_id)s
    FROM changed AS c
    JOIN before AS b ON b.id = c.id
    WHERE changed_columns(to_jsonb(b.was), to_jsonb(c)) <> '{}'
),
shown AS (
    SELECT
        x.id,
        json_build_object(
        /* include execution_members */
        )::text AS document
    FROM changed AS x
    JOIN workflows AS w ON w.tenant_id = %(tenant_id)s AND w.id = x.workflow_id
)
SELECT
    s.document,
    b.id,
    CASE WHEN s.id IS NULL THEN 'conflict' END AS problem,
    CASE WHEN s.id IS NULL THEN format('This execution has ended: %%s.', (b.was).status) END AS detail
FROM before AS b
LEFT JOIN shown AS s ON s.id = b.id

-- name: acknowledge_alert
-- reads: workflows, users
-- writes: workflow_alerts, audit_logs
-- Say that somebody has seen an alert. Who comes second is told who was first.
WITH before AS (
    SELECT
        a.id,
        a.status,
        a.acknowledged_by,
        a.acknowledged_at
    FROM workflow_alerts AS a
    WHERE a.tenant_id = %(tenant_id)s
        AND a.id = %(alert_id)s
    FOR UPDATE
),
changed AS (
    UPDATE workflow_alerts AS a
    SET
        status = 'acknowledged',
        acknowledged_by = %(user_id)s,
        acknowledged_at = clock_timestamp()
    FROM before AS b
    WHERE a.tenant_id = %(tenant_id)s
        AND a.id = b.id
        AND b.status = 'open'
    RETURNING a.*
),
audited AS (
    INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
    SELECT
        %(tenant_id)s,
        %(user_id)s,
        'acknowledge',
        'workflow_alert',
        c.id,
        jsonb_build_object('status', jsonb_build_array('open', c.status)),
        %(request_id)s
    FROM changed AS c
),
shown AS (
    SELECT
        a.id,
        json_build_object(
        /* include alert_members */
        )::text AS document
    FROM changed AS a
    JOIN workflows AS w ON w.tenant_id = %(tenant_id)s AND w.id = a.workflow_id
    LEFT JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = a.acknowledged_by
)
SELECT
    s.document,
    b.id,
    CASE WHEN s.id IS NULL THEN 'conflict' END AS problem,
    CASE WHEN s.id IS NULL THEN
        format(
            'Acknowledged already by %%s at %%s.',
            coalesce(f.full_name, 'an import'),
            to_char(b.acknowledged_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
        )
    END AS detail
FROM before AS b
LEFT JOIN shown AS s ON s.id = b.id
LEFT JOIN users AS f ON f.tenant_id = %(tenant_id)s AND f.id = b.acknowledged_by

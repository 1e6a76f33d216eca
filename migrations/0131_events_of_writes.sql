-- depends: 0130_webhooks
-- An entry that a request writes into the audit log is an event for webhooks, in the same transaction.
--
-- The audit log has each change once, with what was before. So one trigger covers all areas, and an
-- area that writes its audit entry cannot forget the event. Entries of the command line and of imports have no request:
-- old records that are brought in are no news. Of one thing, events have the order of its changes: a writer has the lock
-- of its row when the event gets its id.

-- The columns of a thing that events show. No names, addresses or notes of people: receivers ask the API for them.
CREATE FUNCTION event_data(told_entity text, told_id bigint, of_tenant bigint) RETURNS jsonb
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE told_entity
        WHEN 'job' THEN (
            SELECT jsonb_build_object(
                'id', j.id, 'job_number', j.job_number, 'title', j.title, 'status', j.status, 'priority', j.priority,
                'quantity', j.quantity, 'due_date', j.due_date, 'customer_id', j.customer_id,
                'started_at', j.started_at, 'completed_at', j.completed_at, 'external_id', j.external_id
            )
            FROM public.jobs AS j
            WHERE j.tenant_id = of_tenant
                AND j.id = told_id
        )
        WHEN 'job_step' THEN (
            SELECT jsonb_build_object(
                'id', s.id, 'job_id', s.job_id, 'step_order', s.step_order, 'status', s.status,
                'process_id', s.process_id, 'machine_id', s.machine_id, 'assigned_user_id', s.assigned_user_id,
                'quantity_done', s.quantity_done, 'quantity_rejected', s.quantity_rejected,
                'started_at', s.started_at, 'completed_at', s.completed_at, 'external_id', s.external_id
            )
            FROM public.job_steps AS s
            WHERE s.tenant_id = of_tenant
                AND s.id = told_id
        )
        WHEN 'lead' THEN (
            SELECT jsonb_build_object(
                'id', l.id, 'status', l.status, 'source', l.source, 'category', l.category,
                'customer_id', l.customer_id, 'assigned_user_id', l.assigned_user_id, 'claimed_by', l.claimed_by,
                'processed_at', l.processed_at, 'closed_at', l.closed_at, 'external_id', l.external_id
            )
            FROM public.leads AS l
            WHERE l.tenant_id = of_tenant
                AND l.id = told_id
        )
        WHEN 'response_approval' THEN (
            SELECT jsonb_build_object(
                'id', a.id, 'status', a.status, 'lead_id', a.lead_id, 'requested_by', a.requested_by,
                'decided_by', a.decided_by, 'decided_at', a.decided_at, 'external_id', a.external_id
            )
            FROM public.response_approvals AS a
            WHERE a.tenant_id = of_tenant
                AND a.id = told_id
        )
        WHEN 'machine_stop' THEN (
            SELECT jsonb_build_object(
                'id', k.id, 'machine_id', k.machine_id, 'reason', k.reason, 'started_at', k.started_at,
                'ended_at', k.ended_at, 'reported_by', k.reported_by, 'ended_by', k.ended_by,
                'external_id', k.external_id
            )
            FROM public.machine_stops AS k
            WHERE k.tenant_id = of_tenant
                AND k.id = told_id
        )
    END
$$;

CREATE FUNCTION publish_audited() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    of_tenant constant bigint := nullif(current_setting('app.tenant_id', true), '')::bigint;
BEGIN
    -- All that a writer pays where nobody listens.
    IF NOT EXISTS (SELECT FROM public.webhooks AS w WHERE w.tenant_id = of_tenant AND w.is_active) THEN
        RETURN NULL;
    END IF;
    INSERT INTO public.deliveries (tenant_id, webhook_id, event_id, event_type, subject, body)
    WITH told AS MATERIALIZED (
        SELECT
            r.id,
            'evt_' || gen_random_uuid() AS event_id,
            n.noun || '.' || CASE
                WHEN r.entity = 'machine_stop' THEN CASE r.action WHEN 'create' THEN 'started' ELSE 'ended' END
                WHEN r.action = 'create' THEN 'created'
                WHEN r.action = 'delete' THEN 'removed'
                WHEN r.action = 'claim' THEN 'claimed'
                WHEN r.action = 'archive' THEN 'archived'
                WHEN r.action = 'restore' THEN 'restored'
                WHEN r.changes ? 'status' THEN 'status_changed'
                ELSE 'updated'
            END AS event_type,
            n.noun || '/' || r.entity_id AS subject,
            r.entity_id,
            r.user_id,
            r.request_id,
            r.changes,
            d.data
        FROM written AS r
        JOIN (
            VALUES
            ('job', 'job'),
            ('job_step', 'job_step'),
            ('lead', 'lead'),
            ('response_approval', 'approval'),
            ('machine_stop', 'machine_stop')
        ) AS n (entity, noun) ON n.entity = r.entity
        CROSS JOIN LATERAL (SELECT public.event_data(r.entity, r.entity_id, of_tenant) AS data) AS d
        WHERE r.tenant_id = of_tenant
            AND r.entity_id IS NOT NULL
            AND r.request_id IS NOT NULL
    )
    SELECT
        of_tenant,
        w.id,
        t.event_id,
        t.event_type,
        t.subject,
        json_build_object(
            'type', t.event_type,
            'id', t.event_id,
            'timestamp', now(),
            'data', coalesce(t.data, jsonb_build_object('id', t.entity_id)),
            'changes', (
                SELECT coalesce(jsonb_object_agg(c.key, c.value), '{}')
                FROM jsonb_each(t.changes) AS c
                WHERE t.data ? c.key
            ),
            'user_id', t.user_id,
            'request_id', t.request_id
        )::text
    FROM told AS t
    JOIN public.webhooks AS w ON w.tenant_id = of_tenant
    WHERE w.is_active
        AND (w.events = '{}' OR t.event_type = ANY(w.events))
    ORDER BY t.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER audit_logs_publish AFTER INSERT ON audit_logs
REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION publish_audited();

-- name: get_job_status
-- reads: job_status_links, jobs, job_steps, processes, tenants, business_settings
-- The job behind a link, as a customer may see it; null if the link was revoked. Runs for the business of the link.
SELECT CASE WHEN l.revoked_at IS NULL THEN json_build_object(
        'business_name', t.name,
        'job_number', j.job_number,
        'title', j.title,
        'status', CASE j.status WHEN 'draft' THEN 'planned' WHEN 'active' THEN 'in_progress' ELSE j.status END,
        'due_date', j.due_date,
        -- Open jobs are measured against today, completed ones against the day they were completed.
        'days_late', CASE WHEN j.status <> 'cancelled' THEN greatest(
            0,
            CASE
                WHEN j.status = 'completed' THEN (j.completed_at AT TIME ZONE t.time_zone)::date
                ELSE coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date)
            END - j.due_date
        ) ELSE 0 END,
        'progress', json_build_object(
            'steps', p.steps,
            'done', p.done,
            'current', CASE WHEN j.status = 'active' THEN p.current END
        ),
        'completed_at', j.completed_at,
        'as_of', greatest(j.updated_at, p.updated_at),
        'contact', json_build_object(
            'email', b.contact_email,
            'phone', b.contact_phone,
            'whatsapp', b.whatsapp_number
        )
    )::text END
FROM job_status_links AS l
JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = l.job_id
JOIN tenants AS t ON t.id = l.tenant_id
LEFT JOIN business_settings AS b ON b.tenant_id = %(tenant_id)s
LEFT JOIN LATERAL (
    SELECT
        count(*) AS steps,
        count(*) FILTER (WHERE s.status IN ('completed', 'skipped')) AS done,
        (array_agg(r.name ORDER BY s.step_order) FILTER (WHERE s.status = 'in_progress'))[1] AS current,
        max(s.updated_at) AS updated_at
    FROM job_steps AS s
    LEFT JOIN processes AS r ON r.tenant_id = %(tenant_id)s AND r.id = s.process_id
    WHERE s.tenant_id = %(tenant_id)s
        AND s.job_id = j.id
) AS p ON true
WHERE l.tenant_id = %(tenant_id)s
    AND l.id = %(link_id)s
    AND l.expires_at = to_timestamp(%(expires_at)s)

-- name: get_traveller
-- reads: jobs, customers, job_steps, processes, machines, users, tenants
-- A job and its steps in their order, as its traveller says them.
SELECT json_build_object(
        'id', j.id,
        'business', t.name,
        'job_number', j.job_number,
        'title', j.title,
        'description', j.description,
        'status', j.status,
        'priority', j.priority,
        'quantity', j.quantity,
        'due_date', j.due_date,
        'customer', c.name,
        'steps', /* include steps_of_job job_steps */
)::text
FROM jobs AS j
JOIN tenants AS t ON t.id = %(tenant_id)s
LEFT JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = j.customer_id
WHERE j.tenant_id = %(tenant_id)s
    AND j.id = %(job_id)s

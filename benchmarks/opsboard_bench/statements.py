"""The statements that writers are measured with, and those that count in other ways than the service does."""

from __future__ import annotations

BIND = "SELECT set_config('app.tenant_id', '1', true) \\;"
# pgbench scripts; the first business of the demo has the ids from 1.
SINGLE = {
    "UPDATE of a job's status": f"""\\set id random(1, :jobs)
\\set s random(1, 5)
{BIND} UPDATE jobs SET status = (ARRAY['draft', 'active', 'on_hold', 'completed', 'cancelled'])[:s], \
completed_at = CASE WHEN :s = 4 THEN now() END WHERE tenant_id = 1 AND id = :id;
""",
    "UPDATE of a job's quantity": f"""\\set id random(1, :jobs)
{BIND} UPDATE jobs SET quantity = 1 + (quantity + 1) % 100 WHERE tenant_id = 1 AND id = :id;
""",
    "UPDATE of a step's status": f"""\\set id random(1, :jobs)
\\set s random(1, 4)
{BIND} UPDATE job_steps SET status = (ARRAY['pending', 'in_progress', 'completed', 'skipped'])[:s], \
completed_at = CASE WHEN :s = 3 THEN now() END WHERE tenant_id = 1 AND id = :id;
""",
    "INSERT of a job": f"""{BIND} INSERT INTO jobs (tenant_id, job_number, title, status, due_date) \
VALUES (1, gen_random_uuid()::text, 'bench', 'active', current_date + 7);
""",
}
BULK = {
    "UPDATE of jobs' status": """UPDATE jobs
SET status = CASE status WHEN 'draft' THEN 'active' ELSE 'draft' END WHERE tenant_id = 1 AND id <= %(rows)s""",
    "UPDATE of jobs' quantity": """UPDATE jobs SET quantity = quantity + 1
WHERE tenant_id = 1 AND id <= %(rows)s""",
    "INSERT of jobs": """INSERT INTO jobs (tenant_id, job_number, title, status, due_date, created_at)
SELECT 1, 'B' || n, 'bulk', 'active', current_date + n %% 50, now() - n * interval '1 minute'
FROM generate_series(1, %(rows)s) AS n""",
    "UPDATE of steps' status": """UPDATE job_steps SET status = 'skipped'
WHERE tenant_id = 1 AND id <= %(rows)s""",
    "INSERT of customers": """INSERT INTO customers (tenant_id, name)
SELECT 1, 'bulk' FROM generate_series(1, %(rows)s)""",
    "INSERT of audit entries": """INSERT INTO audit_logs (tenant_id, action, entity)
SELECT 1, 'bulk', 'job' FROM generate_series(1, %(rows)s)""",
    "DELETE of jobs with their steps": """DELETE FROM jobs
WHERE tenant_id = 1 AND id <= %(rows)s""",
    "DELETE of steps": """DELETE FROM job_steps WHERE tenant_id = 1 AND id <= %(rows)s""",
}

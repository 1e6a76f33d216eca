"""The dashboard's numbers in the ways they are usually made: counted in one statement, in four, or kept in a view."""

from __future__ import annotations

CLOCK = """clock AS (
    SELECT (now() AT TIME ZONE t.time_zone)::date AS today
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
)"""
JOB_COUNTS = """
    count(*) AS total,
    count(*) FILTER (WHERE j.status = 'draft') AS draft,
    count(*) FILTER (WHERE j.status = 'active') AS active,
    count(*) FILTER (WHERE j.status = 'on_hold') AS on_hold,
    count(*) FILTER (WHERE j.status = 'completed') AS completed,
    count(*) FILTER (WHERE j.status = 'cancelled') AS cancelled"""
JOBS = f"""SELECT {JOB_COUNTS}
FROM jobs AS j
WHERE j.tenant_id = %(tenant_id)s"""
# By the index of open jobs' due days, not by reading all jobs.
DUE = """SELECT
    count(*) FILTER (WHERE j.due_date < c.today) AS overdue,
    count(*) FILTER (WHERE j.due_date = c.today) AS due_today
FROM clock AS c
JOIN jobs AS j ON j.tenant_id = %(tenant_id)s
    AND j.status IN ('draft', 'active', 'on_hold')
    AND j.due_date <= c.today"""
TASKS = """SELECT
    count(*) FILTER (WHERE s.status = 'pending') AS pending,
    count(*) FILTER (WHERE s.status = 'in_progress') AS in_progress,
    count(*) FILTER (WHERE s.completed_at >= current_date) AS completed_today
FROM job_steps AS s
WHERE s.tenant_id = %(tenant_id)s
    AND s.assigned_user_id = %(user_id)s"""
MACHINES = """SELECT count(*) AS total, count(*) FILTER (WHERE m.status = 'active') AS active
FROM machines AS m
WHERE m.tenant_id = %(tenant_id)s"""
USERS = """SELECT count(*) AS total, count(*) FILTER (WHERE u.is_active) AS active
FROM users AS u
WHERE u.tenant_id = %(tenant_id)s"""

ONE_STATEMENT = (
    f"""WITH {CLOCK},
job_stats AS ({JOBS}),
due_stats AS ({DUE}),
task_stats AS ({TASKS}),
machine_stats AS ({MACHINES}),
user_stats AS ({USERS})
SELECT json_build_object(
    'jobs', row_to_json(j), 'due', row_to_json(d), 'tasks', row_to_json(t), 'machines', row_to_json(m),
    'users', row_to_json(u)
)::text
FROM job_stats AS j, due_stats AS d, task_stats AS t, machine_stats AS m, user_stats AS u""",
)
FOUR_STATEMENTS = (
    f"WITH {CLOCK}, job_stats AS ({JOBS}), due_stats AS ({DUE}) SELECT * FROM job_stats, due_stats",
    TASKS,
    MACHINES,
    USERS,
)
MAKE_VIEW = f"""CREATE MATERIALIZED VIEW bench_stats AS
SELECT j.tenant_id, {JOB_COUNTS},
    count(*) FILTER (WHERE j.status IN ('draft', 'active', 'on_hold') AND j.due_date < current_date) AS overdue,
    count(*) FILTER (WHERE j.status IN ('draft', 'active', 'on_hold') AND j.due_date = current_date) AS due_today
FROM jobs AS j
GROUP BY j.tenant_id;
CREATE UNIQUE INDEX idx_bench_stats_tenant ON bench_stats (tenant_id);
GRANT SELECT ON bench_stats TO opsboard_app"""
READ_VIEW = ("SELECT row_to_json(v)::text FROM bench_stats AS v WHERE v.tenant_id = %(tenant_id)s",)
REFRESH_VIEW = "REFRESH MATERIALIZED VIEW CONCURRENTLY bench_stats"
BY_MONTH = (
    """SELECT date_trunc('month', j.created_at AT TIME ZONE t.time_zone) AS month, count(*), count(j.completed_at)
FROM tenants AS t
JOIN jobs AS j ON j.tenant_id = t.id
WHERE t.id = %(tenant_id)s
    AND j.tenant_id = %(tenant_id)s
    AND j.created_at >= now() - interval '12 months'
GROUP BY 1""",
)
BY_STATUS = ("SELECT j.status, count(*) FROM jobs AS j WHERE j.tenant_id = %(tenant_id)s GROUP BY j.status",)

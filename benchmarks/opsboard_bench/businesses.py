"""Shops of any size, made as fast as Postgres takes rows: without indexes, triggers and foreign keys in the way."""

from __future__ import annotations

from collections.abc import Callable

from opsboard.auth.passwords import hash_password
from opsboard.db.embedded import SUPERUSER, Cluster
from opsboard.db.session import Cursor, connected, transaction
from opsboard.demo.bulk import unhindered
from opsboard.demo.catalogue import PASSWORD
from opsboard.demo.statements import sql
from opsboard_bench.environment import Report, migrated
from opsboard_bench.session import EMAIL

PEOPLE, MACHINES = 30, 40  # of each of the two businesses
STEPS_OF = 4  # one step for so many jobs, unless told otherwise
BUSINESS = """
INSERT INTO tenants (id, slug, name, time_zone, created_at) OVERRIDING SYSTEM VALUE
SELECT n, 'shop-' || n, 'Shop ' || n, 'Europe/Berlin', now() - interval '400 days' FROM generate_series(1, 2) AS n;
INSERT INTO users (id, tenant_id, email, full_name, role, password_hash) OVERRIDING SYSTEM VALUE
SELECT n, 1 + (n - 1) / %(people)s, CASE n WHEN 1 THEN %(email)s ELSE 'person-' || n || '@shop.example' END,
    'Person ' || n, CASE n WHEN 1 THEN 'admin' WHEN 2 THEN 'manager' ELSE 'operator' END, %(password_hash)s
FROM generate_series(1, 2 * %(people)s) AS n;
INSERT INTO machines (tenant_id, name, status)
SELECT 1 + n %% 2, 'Machine ' || n, (ARRAY['active', 'active', 'maintenance', 'inactive'])[1 + n / 2 %% 4]
FROM generate_series(1, 2 * %(machines)s) AS n
"""
# Old ones are done, the newest tenth is being worked on; either business has half of all, at any age.
JOBS = """
INSERT INTO jobs (
    id, tenant_id, job_number, title, status, quantity, due_date, started_at, completed_at, created_at, updated_at
)
OVERRIDING SYSTEM VALUE
SELECT n, 1 + n %% 2, 'J-' || lpad(n::text, 8, '0'), 'Job ' || n, s.status, 1 + (n / 2 %% 50)::integer,
    (c.created + interval '30 days')::date, c.created + interval '1 day',
    CASE s.status WHEN 'completed' THEN least(c.created + interval '20 days', now()) END, c.created, c.created
FROM generate_series(%(first)s, %(last)s) AS n
CROSS JOIN LATERAL (SELECT now() - interval '400 days' * (1 - n / %(jobs)s::float8) AS created) AS c
CROSS JOIN LATERAL (SELECT (CASE
    WHEN n / 2 %% 20 = 0 THEN 'cancelled'
    WHEN n <= 0.9 * %(jobs)s THEN 'completed'
    ELSE (ARRAY['draft', 'active', 'active', 'on_hold'])[1 + n / 2 %% 4]
END) AS status) AS s
"""
STEPS = """
INSERT INTO job_steps (
    tenant_id, job_id, step_order, status, assigned_user_id, started_at, completed_at, created_at, updated_at
)
SELECT j.tenant_id, j.id, 1,
    CASE j.status WHEN 'completed' THEN 'completed' WHEN 'active' THEN 'in_progress' ELSE 'pending' END,
    1 + (j.tenant_id - 1) * %(people)s + j.id / 16 %% %(people)s, j.started_at, j.completed_at,
    j.created_at, j.updated_at
FROM jobs AS j
WHERE j.id / 2 %% %(of)s = 0
"""
BATCH = 1_000_000


def make_business(
    cluster: Cluster,
    database: str,
    jobs: int,
    report: Report,
    steps_of: int = STEPS_OF,
    fill: Callable[[Cursor], object] | None = None,
) -> None:
    """Two businesses with half of the jobs each; counted by rebuild_rollups, as after every load of this kind.

    `fill` adds other rows before they are counted.
    """
    migrated(cluster, database)
    business = {
        "people": PEOPLE, "machines": MACHINES, "jobs": jobs, "email": EMAIL, "of": steps_of,
        "password_hash": hash_password(PASSWORD),
    }  # fmt: skip
    with connected(cluster.url(SUPERUSER, database), "bench") as connection:
        with transaction(connection) as cursor:
            cursor.execute("SET LOCAL timezone = 'UTC'")
            with unhindered(cursor, quiet):
                cursor.execute("TRUNCATE jobs, job_steps, work_records, problems, job_status_links")
                cursor.execute(BUSINESS, business)
                for first in range(1, jobs + 1, BATCH):
                    cursor.execute(JOBS, {**business, "first": first, "last": min(first + BATCH - 1, jobs)})
                    if jobs > BATCH:
                        report(f"sizes: {min(first + BATCH - 1, jobs):,} of {jobs:,} jobs")
                cursor.execute(STEPS, business)
                report(f"sizes: indexes of {jobs:,} jobs")
            if fill:
                fill(cursor)
            cursor.execute(sql.analyse.sql)
        cursor = connection.cursor()
        cursor.execute("SELECT rebuild_rollups(t.id) FROM tenants AS t")
        cursor.execute(sql.tidy.sql)
        cursor.execute("CHECKPOINT")


def quiet(step: str, done: int, of: int) -> None:
    """Nobody asked."""

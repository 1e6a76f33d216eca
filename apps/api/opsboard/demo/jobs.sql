-- name: plan_jobs
-- writes: pg_temp
-- What happens to each job of a batch, drawn once so that jobs and steps tell one story: after a wait its steps follow
-- each other until it ends, unless it is stopped; what lies after this moment has not happened yet.
TRUNCATE demo_plan;

WITH numbered AS MATERIALIZED (
    SELECT
        %(job_base)s + n AS id,
        d.day
        + (n - d.first_job + pg_temp.chance(%(job_base)s + n, 'created')) / (d.last_job - d.first_job + 1) AS created
    FROM demo_days AS d
    CROSS JOIN LATERAL generate_series(greatest(d.first_job, %(first)s), least(d.last_job, %(last)s)) AS n
),
drawn AS MATERIALIZED (
    SELECT
        n.id,
        n.created,
        floor(%(products)s * pg_temp.chance(n.id, 'product'))::integer AS product,
        -- In days: a few weeks for most, most of a year for some.
        5 + 280 * pg_temp.chance(n.id, 'length') ^ 2 AS length,
        0.7 * pg_temp.chance(n.id, 'wait') ^ 2 AS wait,
        pg_temp.chance(n.id, 'stop') AS stop,
        pg_temp.chance(n.id, 'late') AS late
    FROM numbered AS n
),
timed AS MATERIALIZED (
    SELECT
        d.*,
        p.steps,
        d.created + d.length * d.wait AS begun,
        d.length * (1 - d.wait) AS span,
        d.created + d.length AS ended,
        (%(last_day)s + 1 - d.created - d.length * d.wait) / (d.length * (1 - d.wait)) AS time_over
    FROM drawn AS d
    JOIN demo_products AS p ON p.product = d.product
),
decided AS MATERIALIZED (
    SELECT
        t.*,
        CASE
            WHEN t.stop < 0.04 THEN 'cancelled'
            WHEN t.time_over >= 1 THEN 'completed'
            WHEN t.time_over <= 0 THEN 'draft'
            WHEN t.stop < 0.28 THEN 'on_hold'
            ELSE 'active'
        END AS status
    FROM timed AS t
),
-- Of its steps this many are over, the part of the next one behind the point.
progressed AS MATERIALIZED (
    SELECT
        d.*,
        d.steps * greatest(0, least(1, d.time_over)) * CASE
            WHEN d.status IN ('cancelled', 'on_hold') THEN 0.9 * pg_temp.chance(d.id, 'stopped')
            ELSE 1
        END AS progress
    FROM decided AS d
),
counted AS MATERIALIZED (
    SELECT
        g.*,
        floor(g.progress)::integer AS done,
        0.5 + 0.4 * pg_temp.chance(g.id, 'queue') AS queue
    FROM progressed AS g
),
followed AS MATERIALIZED (
    SELECT
        c.*,
        -- The first step does not queue: work begins with it.
        c.status = 'active' AND (c.done = 0 OR c.progress - c.done > c.queue) AS is_running
    FROM counted AS c
)
INSERT INTO demo_plan
SELECT
    f.id,
    f.product,
    f.steps,
    %(step_base)s + sum(f.steps) OVER (ORDER BY f.id) - f.steps,
    f.status,
    1 + floor(250 * pg_temp.chance(f.id, 'quantity') ^ 3)::integer,
    f.created,
    CASE WHEN f.is_running OR f.done > 0 THEN f.begun END,
    f.span,
    f.queue,
    CASE
        WHEN f.is_running AND f.done > 0 THEN f.begun + f.span * (f.done + f.queue) / f.steps
        WHEN f.is_running THEN f.begun
        WHEN f.done > 0 THEN f.begun + f.span * f.done / f.steps
        ELSE f.created
    END,
    CASE
        WHEN pg_temp.chance(f.id, 'undated') < 0.03 THEN NULL
        WHEN f.late >= 0.14 THEN ceil(f.ended + 9 * pg_temp.chance(f.id, 'early'))
        WHEN f.status = 'completed' THEN greatest(floor(f.created), floor(f.ended - 8 * f.wait))
        ELSE greatest(floor(f.created), %(last_day)s - floor(21 * pg_temp.chance(f.id, 'overdue') ^ 2))
    END::integer,
    f.done,
    f.is_running
FROM followed AS f

-- name: add_jobs
-- writes: jobs
-- The jobs of a batch. Ids are given, so that the steps know them.
INSERT INTO jobs (
    id, tenant_id, job_number, title, customer_id, status, priority, quantity, due_date, started_at, completed_at,
    created_by, created_at, updated_at
)
OVERRIDING SYSTEM VALUE
SELECT
    p.id,
    %(tenant_id)s,
    -- As the service numbers jobs, so that the next one follows on.
    'J-' || lpad(
        (p.id - %(job_base)s)::text, greatest(6, length((p.id - %(job_base)s)::text)), '0'
    ),
    r.name
    || ', ' || r.treatments[1 + floor(cardinality(r.treatments) * pg_temp.chance(p.id, 'treatment'))::integer]
    || ', ' || r.sizes[1 + floor(cardinality(r.sizes) * pg_temp.chance(p.id, 'size'))::integer],
    -- A few customers order most.
    %(first_customer)s + floor(%(customers)s * pg_temp.chance(p.id, 'customer') ^ 2)::bigint,
    p.status,
    (ARRAY['low', 'normal', 'high', 'urgent'])[width_bucket(
        pg_temp.chance(p.id, 'priority'), ARRAY[0, 0.15, 0.75, 0.95]
    )],
    p.quantity,
    %(today)s::date + (p.due_day - %(last_day)s),
    pg_temp.clock(p.begun),
    CASE WHEN p.status = 'completed' THEN pg_temp.clock(p.begun + p.span) END,
    (%(planners)s)[1 + floor(cardinality(%(planners)s) * pg_temp.chance(p.id, 'planner'))::integer],
    pg_temp.clock(p.created),
    pg_temp.clock(p.touched)
FROM demo_plan AS p
JOIN demo_products AS r ON r.product = p.product
ORDER BY p.id

-- name: add_steps
-- writes: job_steps
-- The steps of a batch: those before `done` are over, the next may be running, the others wait.
WITH outlined AS MATERIALIZED (
    SELECT
        p.first_step + r.step_order AS id,
        p.id AS job_id,
        r.step_order,
        r.process_id,
        r.machine_ids[
            1 + floor(cardinality(r.machine_ids) * pg_temp.chance(p.first_step + r.step_order, 'machine'))::integer
        ] AS machine_id,
        -- Nobody is asked to do what may never be done.
        CASE
            WHEN p.status <> 'draft' AND (p.status <> 'on_hold' OR r.step_order <= p.done + 2)
                THEN r.assignee_ids[
                    1 + floor(cardinality(r.assignee_ids) * pg_temp.chance(p.first_step + r.step_order, 'who'))::integer
                ]
        END AS assigned_user_id,
        CASE
            WHEN
                r.step_order <= p.done AND r.step_order > 1 AND r.step_order < p.steps
                AND pg_temp.chance(p.first_step + r.step_order, 'skipped') < 0.02
                THEN 'skipped'
            WHEN r.step_order <= p.done THEN 'completed'
            WHEN p.is_running AND r.step_order = p.done + 1 THEN 'in_progress'
            WHEN p.status = 'cancelled' THEN 'skipped'
            ELSE 'pending'
        END AS status,
        CASE
            WHEN p.status <> 'draft' THEN p.created + (p.due_day + 1 - p.created) * (r.step_order - 1) / p.steps
        END AS planned_begun,
        CASE
            WHEN p.status <> 'draft' THEN p.created + (p.due_day + 1 - p.created) * r.step_order / p.steps
        END AS planned_ended,
        p.begun + p.span * (r.step_order - 1 + CASE WHEN r.step_order > 1 THEN p.queue ELSE 0 END) / p.steps AS begun,
        p.begun + p.span * r.step_order / p.steps AS ended,
        p.created,
        p.quantity,
        p.status IN ('completed', 'cancelled') AS has_job_ended,
        CASE
            WHEN pg_temp.chance(p.first_step + r.step_order, 'scrap') < 0.06 THEN least(p.quantity, 1 + p.quantity / 20)
            ELSE 0
        END AS scrap
    FROM demo_plan AS p
    JOIN demo_routes AS r ON r.product = p.product
)
INSERT INTO job_steps (
    id, tenant_id, job_id, step_order, process_id, machine_id, assigned_user_id, status, planned_start, planned_end,
    started_at, completed_at, quantity_done, quantity_rejected, created_at, updated_at, job_ended
)
OVERRIDING SYSTEM VALUE
SELECT
    o.id,
    %(tenant_id)s,
    o.job_id,
    o.step_order,
    o.process_id,
    o.machine_id,
    o.assigned_user_id,
    o.status,
    pg_temp.clock(o.planned_begun),
    pg_temp.clock(o.planned_ended),
    CASE WHEN o.status IN ('completed', 'in_progress') THEN pg_temp.clock(o.begun) END,
    CASE WHEN o.status = 'completed' THEN pg_temp.clock(o.ended) END,
    CASE o.status
        WHEN 'completed' THEN o.quantity - o.scrap
        WHEN 'in_progress' THEN floor(o.quantity * pg_temp.chance(o.id, 'part done'))::integer
        ELSE 0
    END,
    CASE o.status WHEN 'completed' THEN o.scrap ELSE 0 END,
    pg_temp.clock(o.created),
    CASE o.status
        WHEN 'completed' THEN pg_temp.clock(o.ended)
        WHEN 'in_progress' THEN pg_temp.clock(o.begun)
        ELSE pg_temp.clock(o.created)
    END,
    -- The trigger that says so is away while rows are loaded.
    o.has_job_ended AND o.status IN ('pending', 'in_progress')
FROM outlined AS o
ORDER BY o.id

-- name: last_step
-- reads: pg_temp
-- The last step id given away by this batch.
SELECT max(p.first_step + p.steps)
FROM demo_plan AS p

-- name: continue_job_numbers
-- reads: jobs
-- The service numbers jobs after those that are there.
SELECT advance_job_numbers(%(tenant_id)s)

-- name: continue_ids
-- writes: jobs, job_steps
-- Ids go on after those that were given.
ALTER TABLE jobs ALTER COLUMN id RESTART WITH %(next_job)s;
ALTER TABLE job_steps ALTER COLUMN id RESTART WITH %(next_step)s

-- name: plan_jobs
-- writes: pg_temp
-- The course of each job of a batch, drawn once so that jobs and steps agree: after a wait its steps follow
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
        p.is_coated,
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
        -- Jobs are late for a reason: the coating line is full, or material came late and work began late.
        t.late < 0.09 + CASE WHEN t.is_coated THEN 0.1 ELSE 0 END + CASE WHEN t.wait > 0.35 THEN 0.08 ELSE 0 END
        AS is_late,
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
        0.82 + 0.13 * pg_temp.chance(g.id, 'queue') AS queue,
        %(step_base)s + sum(g.steps) OVER (ORDER BY g.id) - g.steps AS first_step
    FROM progressed AS g
),
-- Active jobs stand before the machine of their next step in the order they came.
standing AS MATERIALIZED (
    SELECT
        c.id,
        m.machine_id,
        coalesce(q.waiting, 0) + row_number() OVER (PARTITION BY m.machine_id ORDER BY c.id) AS place
    FROM counted AS c
    JOIN demo_routes AS r ON r.product = c.product AND r.step_order = c.done + 1
    CROSS JOIN LATERAL (
        SELECT r.machine_ids[
            1 + floor(
                cardinality(r.machine_ids) * pg_temp.chance((c.first_step + r.step_order)::bigint, 'machine')
            )::integer
        ] AS machine_id
    ) AS m
    LEFT JOIN demo_queues AS q ON q.machine_id = m.machine_id
    WHERE c.status = 'active'
),
queued AS (
    INSERT INTO demo_queues (machine_id, waiting)
    SELECT
        s.machine_id,
        max(s.place)
    FROM standing AS s
    GROUP BY s.machine_id
    ON CONFLICT (machine_id) DO UPDATE SET waiting = EXCLUDED.waiting
),
-- A machine has one job at a time, none while it is down.
followed AS MATERIALIZED (
    SELECT
        c.*,
        s.place,
        coalesce(s.place = 1 AND s.machine_id <> ALL(%(stopped)s), false) AS is_running,
        CASE
            WHEN c.status = 'on_hold' THEN (ARRAY[
                'On hold: the customer is changing the drawing.',
                'On hold: waiting for material.',
                'On hold: the customer has not released it.'
            ])[1 + floor(3 * pg_temp.chance(c.id, 'cause'))::integer]
            WHEN NOT c.is_late OR c.status IN ('cancelled', 'draft') THEN NULL
            WHEN s.machine_id = ANY(%(stopped)s) THEN 'Late: the machine is down.'
            WHEN c.is_coated AND pg_temp.chance(c.id, 'cause') < 0.6 THEN 'Late: it waited for the coating line.'
            WHEN c.wait > 0.35 THEN 'Late: the material came late.'
            ELSE (ARRAY[
                'Late: parts were rejected and made again.',
                'Late: the drawing was changed after the start.',
                'Late: urgent jobs went first.'
            ])[1 + floor(3 * pg_temp.chance(c.id, 'cause'))::integer]
        END AS cause
    FROM counted AS c
    LEFT JOIN standing AS s ON s.id = c.id
)
INSERT INTO demo_plan
SELECT
    f.id,
    f.product,
    f.steps,
    f.first_step,
    f.status,
    1 + floor(250 * pg_temp.chance(f.id, 'quantity') ^ 3)::integer,
    f.created,
    -- A job on a machine for its first step began in this shift.
    CASE WHEN f.done > 0 THEN f.begun WHEN f.is_running THEN %(last_day)s + 0.2 + 0.6 * pg_temp.chance(f.id, 'shift') END,
    f.span,
    f.queue,
    CASE
        WHEN f.is_running THEN greatest(
            f.begun + f.span * f.done / f.steps, %(last_day)s + 0.2 + 0.6 * pg_temp.chance(f.id, 'shift')
        )
        WHEN f.done > 0 THEN f.begun + f.span * f.done / f.steps
        ELSE f.created
    END,
    pg_temp.workday(CASE
        WHEN pg_temp.chance(f.id, 'undated') < 0.03 THEN NULL
        WHEN NOT f.is_late THEN ceil(f.ended + 9 * pg_temp.chance(f.id, 'early'))
        WHEN f.status = 'completed' THEN greatest(floor(f.created), floor(f.ended - 8 * f.wait))
        -- Most by days, a few by months.
        ELSE greatest(floor(f.created), %(last_day)s - floor(-16 * ln(1 - 0.998 * pg_temp.chance(f.id, 'overdue'))))
    END)::integer,
    f.done,
    f.place,
    f.is_running,
    f.cause
FROM followed AS f

-- name: add_jobs
-- writes: jobs
-- The jobs of a batch. Ids are given, so that the steps know them.
WITH placed AS MATERIALIZED (
    SELECT
        p.*,
        CASE WHEN p.status = 'completed' THEN p.begun + p.span END AS ended
    FROM demo_plan AS p
),
worked AS MATERIALIZED (
    SELECT
        p.*,
        pg_temp.at_work(p.begun) AS begun_at,
        pg_temp.at_work(p.ended) AS ended_at,
        greatest(p.created, pg_temp.at_work(p.touched)) AS touched_at
    FROM placed AS p
)
INSERT INTO jobs (
    id, tenant_id, job_number, title, description, customer_id, status, priority, quantity, due_date, started_at, completed_at,
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
    p.cause,
    -- A few customers order most.
    %(first_customer)s + floor(%(customers)s * pg_temp.chance(p.id, 'customer') ^ 2)::bigint,
    p.status,
    (ARRAY['low', 'normal', 'high', 'urgent'])[width_bucket(
        pg_temp.chance(p.id, 'priority'), ARRAY[0, 0.15, 0.75, 0.95]
    )],
    p.quantity,
    %(today)s::date + (p.due_day - %(last_day)s),
    pg_temp.clock(p.begun_at),
    pg_temp.clock(p.ended_at),
    (%(planners)s)[1 + floor(cardinality(%(planners)s) * pg_temp.chance(p.id, 'planner'))::integer],
    pg_temp.clock(p.created),
    pg_temp.clock(p.touched_at)
FROM worked AS p
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
        -- Somebody is asked to do what comes next at a machine, and nobody what is weeks away.
        CASE
            WHEN r.step_order <= p.done
                THEN r.assignee_ids[
                    1 + floor(cardinality(r.assignee_ids) * pg_temp.chance(p.first_step + r.step_order, 'who'))::integer
                ]
            WHEN r.step_order = p.done + 1 AND p.place <= 9
                THEN r.assignee_ids[
                    1 + (
                        r.machine_ids[
                            1 + floor(
                                cardinality(r.machine_ids) * pg_temp.chance(p.first_step + r.step_order, 'machine')
                            )::integer
                        ] + p.place
                    ) %% cardinality(r.assignee_ids)
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
        CASE
            WHEN p.is_running AND r.step_order = p.done + 1 THEN p.touched
            ELSE p.begun + p.span * (r.step_order - 1 + CASE WHEN r.step_order > 1 THEN p.queue ELSE 0 END) / p.steps
        END AS begun,
        p.begun + p.span * r.step_order / p.steps AS ended,
        p.created,
        p.quantity,
        p.status IN ('completed', 'cancelled') AS has_job_ended,
        CASE
            WHEN
                pg_temp.chance(p.first_step + r.step_order, 'scrap') < 0.06
                OR (p.cause LIKE '%%rejected%%' AND r.step_order = 1)
                THEN least(p.quantity, 1 + p.quantity / 20)
            ELSE 0
        END AS scrap
    FROM demo_plan AS p
    JOIN demo_routes AS r ON r.product = p.product
),
worked AS MATERIALIZED (
    SELECT
        o.*,
        pg_temp.at_work(o.planned_begun) AS planned_begun_at,
        pg_temp.at_work(o.planned_ended) AS planned_ended_at,
        pg_temp.at_work(o.begun) AS begun_at,
        pg_temp.at_work(o.ended) AS ended_at
    FROM outlined AS o
)
INSERT INTO job_steps (
    id, tenant_id, job_id, step_order, process_id, machine_id, assigned_user_id, status, setup_minutes, seconds_per_piece,
    planned_start, planned_end, started_at, completed_at, quantity_done, quantity_rejected, created_at, updated_at,
    job_ended
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
    t.setup_minutes,
    t.seconds_per_piece,
    pg_temp.clock(o.planned_begun_at),
    pg_temp.clock(o.planned_ended_at),
    CASE WHEN o.status IN ('completed', 'in_progress') THEN pg_temp.clock(o.begun_at) END,
    CASE WHEN o.status = 'completed' THEN pg_temp.clock(o.ended_at) END,
    CASE o.status
        WHEN 'completed' THEN o.quantity - o.scrap
        WHEN 'in_progress' THEN floor(o.quantity * pg_temp.chance(o.id, 'part done'))::integer
        ELSE 0
    END,
    CASE o.status WHEN 'completed' THEN o.scrap ELSE 0 END,
    pg_temp.clock(o.created),
    CASE o.status
        WHEN 'completed' THEN pg_temp.clock(o.ended_at)
        WHEN 'in_progress' THEN pg_temp.clock(o.begun_at)
        ELSE pg_temp.clock(o.created)
    END,
    -- The trigger that says so is away while rows are loaded.
    o.has_job_ended AND o.status IN ('pending', 'in_progress')
FROM worked AS o
-- Those of the routings, which are the same wherever a process is.
LEFT JOIN (
    SELECT
        r.process_id,
        max(r.setup_minutes) AS setup_minutes,
        max(r.seconds_per_piece) AS seconds_per_piece
    FROM routing_steps AS r
    WHERE r.tenant_id = %(tenant_id)s
    GROUP BY r.process_id
) AS t ON t.process_id = o.process_id
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

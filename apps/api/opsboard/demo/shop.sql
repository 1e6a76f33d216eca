-- name: take_turns
-- writes: pg_locks
-- Until the transaction ends, nobody else generates; without a limit, because the other one may take a minute.
SELECT pg_advisory_xact_lock(1869640546, 2)

-- name: find_business
-- reads: tenants
-- The business of a slug; row security shows it to a caller that names it.
SELECT set_config('app.tenant_slug', %(slug)s, true);
SELECT t.id
FROM tenants AS t
WHERE t.slug = %(slug)s

-- name: count_tenants
-- reads: tenants
-- The number of all businesses, for which row security must not bind the owner.
SET LOCAL lock_timeout = '10s';
ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY;
SELECT count(*)
FROM tenants

-- name: bind_owner_again
-- writes: tenants
-- As the migrations have it. The lock stays, so nobody adds a business now.
ALTER TABLE tenants FORCE ROW LEVEL SECURITY

-- name: begin_ids
-- writes: tenants, users, processes, machines, routings, routing_steps, reasons, working_hours, holidays, customers, jobs, job_steps, work_records, machine_stops, problems, job_status_links, notifications, audit_logs, journeys, journey_nodes, journey_contacts, journey_node_executions, journey_messages, webhooks, deliveries
-- Ids begin at 1, whatever was tried and undone before. A table emptied in the same transaction is written
-- without the write-ahead log where wal_level is minimal, as in the embedded server.
TRUNCATE jobs, job_steps, work_records, problems, job_status_links;
ALTER TABLE tenants ALTER COLUMN id RESTART WITH 1;
ALTER TABLE users ALTER COLUMN id RESTART WITH 1;
ALTER TABLE processes ALTER COLUMN id RESTART WITH 1;
ALTER TABLE machines ALTER COLUMN id RESTART WITH 1;
ALTER TABLE routings ALTER COLUMN id RESTART WITH 1;
ALTER TABLE routing_steps ALTER COLUMN id RESTART WITH 1;
ALTER TABLE reasons ALTER COLUMN id RESTART WITH 1;
ALTER TABLE working_hours ALTER COLUMN id RESTART WITH 1;
ALTER TABLE holidays ALTER COLUMN id RESTART WITH 1;
ALTER TABLE customers ALTER COLUMN id RESTART WITH 1;
ALTER TABLE notifications ALTER COLUMN id RESTART WITH 1;
ALTER TABLE audit_logs ALTER COLUMN id RESTART WITH 1;
ALTER TABLE contacts ALTER COLUMN id RESTART WITH 1;
ALTER TABLE conversations ALTER COLUMN id RESTART WITH 1;
ALTER TABLE messages ALTER COLUMN id RESTART WITH 1;
ALTER TABLE call_log ALTER COLUMN id RESTART WITH 1;
ALTER TABLE documents ALTER COLUMN id RESTART WITH 1;
ALTER TABLE suppressions ALTER COLUMN id RESTART WITH 1;
ALTER TABLE work_records ALTER COLUMN id RESTART WITH 1;
ALTER TABLE machine_stops ALTER COLUMN id RESTART WITH 1;
ALTER TABLE problems ALTER COLUMN id RESTART WITH 1;
ALTER TABLE journeys ALTER COLUMN id RESTART WITH 1;
ALTER TABLE journey_nodes ALTER COLUMN id RESTART WITH 1;
ALTER TABLE journey_contacts ALTER COLUMN id RESTART WITH 1;
ALTER TABLE journey_node_executions ALTER COLUMN id RESTART WITH 1;
ALTER TABLE journey_messages ALTER COLUMN id RESTART WITH 1;
ALTER TABLE webhooks ALTER COLUMN id RESTART WITH 1;
ALTER TABLE deliveries ALTER COLUMN id RESTART WITH 1

-- name: add_tenant
-- writes: tenants
-- The business itself.
INSERT INTO tenants (slug, name, time_zone, created_at)
VALUES (%(slug)s, %(name)s, %(time_zone)s, pg_temp.clock(0))
RETURNING id

-- name: add_users
-- writes: users
-- Everybody who works there; three of them sign in.
INSERT INTO users (tenant_id, email, full_name, role, is_active, password_hash, created_at, updated_at)
SELECT
    %(tenant_id)s,
    r.email,
    r.full_name,
    r.role,
    r.is_active,
    CASE WHEN r.signs_in THEN %(password_hash)s END,
    pg_temp.clock(0),
    pg_temp.clock(0)
FROM jsonb_to_recordset(%(people)s::jsonb) AS r (
    email text,
    full_name text,
    role text,
    is_active boolean,
    signs_in boolean
)
RETURNING id, role

-- name: add_processes
-- writes: processes
-- The processes and machines.
INSERT INTO processes (tenant_id, name, description, created_at, updated_at)
SELECT
    %(tenant_id)s,
    r.name,
    r.description,
    pg_temp.clock(0),
    pg_temp.clock(0)
FROM jsonb_to_recordset(%(processes)s::jsonb) AS r (name text, description text)
RETURNING id, name

-- name: add_permissions
-- writes: role_process_permissions
-- The roles that may do it, if not all may.
INSERT INTO role_process_permissions (tenant_id, role, process_id, created_at)
SELECT
    %(tenant_id)s,
    r.role,
    r.process_id,
    pg_temp.clock(0)
FROM jsonb_to_recordset(%(permissions)s::jsonb) AS r (role text, process_id bigint)

-- name: add_machines
-- writes: machines
-- The machine of a step.
INSERT INTO machines (tenant_id, name, status, location, created_at, updated_at)
SELECT
    %(tenant_id)s,
    r.name,
    r.status,
    r.location,
    pg_temp.clock(0),
    pg_temp.clock(CASE r.status WHEN 'active' THEN 0 ELSE %(last_day)s - 2 END)
FROM jsonb_to_recordset(%(machines)s::jsonb) AS r (name text, status text, location text)
RETURNING id, name

-- name: add_routings
-- writes: routings
-- A routing for each product.
INSERT INTO routings (tenant_id, name, created_at, updated_at)
SELECT
    %(tenant_id)s,
    r.name,
    pg_temp.clock(0),
    pg_temp.clock(0)
FROM jsonb_array_elements_text(%(routings)s::jsonb) WITH ORDINALITY AS r (name, place)
ORDER BY r.place
RETURNING name, id

-- name: add_routing_steps
-- writes: routing_steps
-- Their steps.
INSERT INTO routing_steps (
    tenant_id, routing_id, step_order, process_id, machine_id, setup_minutes, seconds_per_piece, created_at, updated_at
)
SELECT
    %(tenant_id)s,
    r.routing_id,
    r.step_order,
    r.process_id,
    r.machine_id,
    r.setup_minutes,
    r.seconds_per_piece,
    pg_temp.clock(0),
    pg_temp.clock(0)
FROM jsonb_to_recordset(%(steps)s::jsonb) AS r (
    routing_id bigint,
    step_order integer,
    process_id bigint,
    machine_id bigint,
    setup_minutes integer,
    seconds_per_piece integer
)

-- name: add_reasons
-- writes: reasons
-- Reasons for rejects, stops and holds.
INSERT INTO reasons (tenant_id, kind, name, description, created_at, updated_at)
SELECT
    %(tenant_id)s,
    r.kind,
    r.name,
    r.description,
    pg_temp.clock(0),
    pg_temp.clock(0)
FROM jsonb_to_recordset(%(reasons)s::jsonb) AS r (kind text, name text, description text)

-- name: add_working_hours
-- writes: working_hours
-- Two shifts from Monday to Friday, one on Saturday; of one machine also the night, past midnight.
INSERT INTO working_hours (tenant_id, machine_id, weekday, starts_at, ends_at, created_at, updated_at)
SELECT
    %(tenant_id)s,
    v.machine_id,
    d.weekday,
    v.starts_at::time,
    v.ends_at::time,
    pg_temp.clock(0),
    pg_temp.clock(0)
FROM (
    VALUES
    (NULL::bigint, 6, '06:00', '14:00'),
    (NULL, 5, '14:00', '22:00'),
    (%(round_the_clock)s, 5, '06:00', '14:00'),
    (%(round_the_clock)s, 5, '14:00', '22:00'),
    (%(round_the_clock)s, 5, '22:00', '06:00')
) AS v (machine_id, days, starts_at, ends_at)
CROSS JOIN LATERAL generate_series(1, v.days) AS d (weekday)

-- name: add_holidays
-- writes: holidays
-- Of this year and the next one.
INSERT INTO holidays (tenant_id, name, first_day, last_day, created_at, updated_at)
SELECT
    %(tenant_id)s,
    v.name,
    make_date(y.year, v.month, v.first_day),
    make_date(y.year, v.month, v.last_day),
    pg_temp.clock(0),
    pg_temp.clock(0)
FROM (SELECT extract(year FROM pg_temp.clock(%(last_day)s))::integer + n AS year FROM generate_series(0, 1) AS n) AS y
CROSS JOIN (
    VALUES
    ('New Year', 1, 1, NULL::integer),
    ('Labour Day', 5, 1, NULL),
    ('Works holidays', 8, 3, 14),
    ('Christmas', 12, 24, 26)
) AS v (name, month, first_day, last_day)

-- name: add_saved_views
-- writes: saved_views
-- Views of lists that an admin shows to everybody.
INSERT INTO saved_views (tenant_id, user_id, area, name, query, is_shared, created_at, updated_at)
SELECT
    %(tenant_id)s,
    (
        SELECT min(u.id)
        FROM users AS u
        WHERE u.tenant_id = %(tenant_id)s
            AND u.role = 'admin'
    ),
    v.area,
    v.name,
    v.query,
    true,
    pg_temp.clock(0),
    pg_temp.clock(0)
FROM (
    VALUES
    ('jobs', 'Late', 'overdue=true&sort=due_date'),
    ('jobs', 'Urgent and open', 'status=active&priority=urgent'),
    ('machines', 'Out of use', 'status=maintenance,inactive'),
    ('leads', 'In progress', 'status=new,contacted,qualified')
) AS v (area, name, query)

-- name: add_customers
-- writes: customers
-- The customers: a surname, a trade and a legal form make a company name.
WITH words AS (
    SELECT
        %(surnames)s::text[] AS surnames,
        %(trades)s::text[] AS trades,
        %(legal_forms)s::text[] AS legal_forms,
        %(cities)s::text[] AS cities,
        %(streets)s::text[] AS streets
),
firms AS (
    SELECT
        k,
        w.surnames[1 + k %% cardinality(w.surnames)] AS surname,
        w.trades[1 + (k + k / cardinality(w.surnames)) %% cardinality(w.trades)] AS trade,
        w.legal_forms[1 + floor(cardinality(w.legal_forms) * pg_temp.chance(k, 'form'))::integer] AS legal_form,
        w.cities[1 + floor(cardinality(w.cities) * pg_temp.chance(k, 'city'))::integer] AS city,
        w.streets[1 + floor(cardinality(w.streets) * pg_temp.chance(k, 'street'))::integer] AS street,
        -400 * pg_temp.chance(k, 'joined') AS joined
    FROM words AS w
    CROSS JOIN generate_series(0, %(customers)s - 1) AS k
)
INSERT INTO customers (tenant_id, name, email, phone, address, created_at, updated_at)
SELECT
    %(tenant_id)s,
    f.surname || ' ' || f.trade || ' ' || f.legal_form,
    'orders@' || regexp_replace(translate(lower(f.surname), 'äöüß', 'aous'), '[^a-z]', '', 'g') || f.k || '.example',
    %(phone)s || lpad((1000 + f.k * 7 %% 9000)::text, 4, '0'),
    f.street || ' ' || (1 + floor(120 * pg_temp.chance(f.k, 'house')))::text || ', ' || f.city,
    pg_temp.clock(f.joined),
    pg_temp.clock(f.joined)
FROM firms AS f
ORDER BY f.k
RETURNING id

-- name: add_archived_customers
-- writes: customers
-- Three that are in the archive, and one that was entered twice: of the same name and number as the first one.
INSERT INTO customers (tenant_id, name, email, phone, address, archived_at, created_at, updated_at)
SELECT
    %(tenant_id)s,
    CASE WHEN v.is_again THEN upper(c.name) ELSE v.name END,
    v.email,
    CASE WHEN v.is_again THEN translate(c.phone, ' ', '-') END,
    CASE WHEN v.is_again THEN c.address END,
    CASE WHEN NOT v.is_again THEN pg_temp.clock(%(last_day)s - 30) END,
    pg_temp.clock(%(last_day)s - 90),
    pg_temp.clock(%(last_day)s - 30)
FROM (
    VALUES
    (false, 'Closed in 2019', 'office@closed.example'),
    (false, 'Moved abroad', 'office@moved.example'),
    (false, 'Was a test', NULL),
    (true, NULL, 'purchasing@again.example')
) AS v (is_again, name, email)
CROSS JOIN (
    SELECT
        k.name,
        k.phone,
        k.address
    FROM customers AS k
    WHERE k.tenant_id = %(tenant_id)s
    ORDER BY k.id
    LIMIT 1
) AS c

-- name: add_archived_machines
-- writes: machines
-- Machines that were sold.
INSERT INTO machines (tenant_id, name, status, location, archived_at, created_at, updated_at)
SELECT
    %(tenant_id)s,
    v.name,
    'inactive',
    'Sold',
    pg_temp.clock(%(last_day)s - 20),
    pg_temp.clock(0),
    pg_temp.clock(%(last_day)s - 20)
FROM (VALUES ('Laser 2 kW'), ('Lathe 0')) AS v (name)

-- name: add_routes
-- writes: pg_temp
-- Which steps a product runs through, with the machines and people of each.
WITH routes AS (
    INSERT INTO demo_routes
    SELECT r.*
    FROM jsonb_to_recordset(%(routes)s::jsonb) AS r (
        product integer,
        steps integer,
        step_order integer,
        process_id bigint,
        machine_ids bigint[],
        assignee_ids bigint[]
    )
)
INSERT INTO demo_products
SELECT p.*
FROM jsonb_to_recordset(%(products)s::jsonb) AS p (
    product integer,
    name text,
    treatments text[],
    sizes text[],
    steps integer,
    is_coated boolean
)

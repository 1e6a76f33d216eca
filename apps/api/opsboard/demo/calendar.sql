-- name: read_calendar
-- reads: pg_timezone_names
-- Today's date in a business, the moment it began, how many seconds of it are over, and how many days since Friday.
SELECT
    d.today,
    extract(epoch FROM d.today::timestamp AT TIME ZONE %(time_zone)s)::double precision AS midnight,
    extract(epoch FROM %(moment)s::timestamptz - d.today::timestamp AT TIME ZONE %(time_zone)s)::double precision AS elapsed,
    (extract(isodow FROM d.today)::integer + 1) %% 7 + 1 AS days_over
FROM (SELECT (%(moment)s::timestamptz AT TIME ZONE %(time_zone)s)::date AS today) AS d

-- name: create_calendar
-- writes: pg_temp
-- Random functions for the other statements, dropped with the session. `chance` is a number from 0 to 1, the same for a row
-- and a topic on every run. `clock` is the moment of a place on the calendar of days: 3.5 is the middle of the
-- working hours of day 3, of the two shifts from 6 to 22 o'clock; the last day is today, and of it only what is over by now.
-- `at_work` is the place of work planned for a place: the seven days from Saturday are pressed into the five from Monday, in order.
-- The last of these weeks began on day `saturday`, `days_over` days ago with today. `workday` is the day itself or, at a weekend, the Monday after it.
CREATE OR REPLACE FUNCTION pg_temp.chance(row_id bigint, topic text) RETURNS double precision
LANGUAGE sql IMMUTABLE
AS $$ SELECT (hashint8extended($1, hashtextextended($2, 0)) & 4294967295) / 4294967296.0::double precision $$;

CREATE OR REPLACE FUNCTION pg_temp.clock(place double precision) RETURNS timestamptz
LANGUAGE sql IMMUTABLE
AS $$
    SELECT to_timestamp(floor(
        %(midnight)s::double precision + CASE
            -- At night, before today's first shift, there is nothing but the night.
            WHEN floor($1) = %(last_day)s AND %(elapsed)s <= 21600
                THEN ($1 - %(last_day)s) * %(elapsed)s::double precision
            WHEN floor($1) = %(last_day)s
                THEN 21600 + ($1 - %(last_day)s) * (least(%(elapsed)s, 79200)::double precision - 21600)
            ELSE (floor($1) - %(last_day)s) * 86400 + 21600 + ($1 - floor($1)) * 57600
        END
    ))
$$;

-- Without a FROM, and called with columns only, so that they become part of the statements that call them.
CREATE OR REPLACE FUNCTION pg_temp.workday(day double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE
AS $$
    SELECT $1 + CASE $1 - %(saturday)s - 7 * floor(($1 - %(saturday)s) / 7) WHEN 0 THEN 2 WHEN 1 THEN 1 ELSE 0 END
$$;

CREATE OR REPLACE FUNCTION pg_temp.at_work(place double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE
        WHEN $1 < %(saturday)s OR $1 >= %(saturday)s + 7 OR %(days_over)s = 7
            THEN $1 * 5 / 7 + (%(saturday)s + 7 * floor(($1 - %(saturday)s) / 7)) * 2 / 7 + 2
        -- Of this week: what is to come is where it is, and its weekend is worked at.
        WHEN %(days_over)s <= 2 OR $1 >= %(last_day)s + 1 THEN $1
        ELSE %(saturday)s + 2 + ($1 - %(saturday)s) * (%(days_over)s - 2) / %(days_over)s
    END
$$

-- name: create_plan
-- writes: pg_temp
-- Room for what is drawn for a business, gone with the transaction.
DROP TABLE IF EXISTS demo_days, demo_routes, demo_products, demo_plan, demo_queues;

-- Which job numbers were made on which day: more from month to month, fewer at weekends.
CREATE TEMP TABLE demo_days ON COMMIT DROP AS
WITH weights AS (
    SELECT
        d.day,
        (1 + 0.4 * d.day / %(last_day)s) * CASE extract(isodow FROM %(today)s::date - (%(last_day)s - d.day))
            WHEN 6 THEN 0.35
            WHEN 7 THEN 0.15
            ELSE 1
        END AS weight
    FROM generate_series(0, %(last_day)s) AS d (day)
),
shares AS (
    SELECT
        w.day,
        sum(w.weight) OVER (ORDER BY w.day) / sum(w.weight) OVER () AS share
    FROM weights AS w
)
SELECT
    s.day,
    round(%(jobs)s * lag(s.share, 1, 0::numeric) OVER (ORDER BY s.day))::bigint + 1 AS first_job,
    round(%(jobs)s * s.share)::bigint AS last_job
FROM shares AS s;

CREATE TEMP TABLE demo_routes (
    product integer,
    steps integer,
    step_order integer,
    process_id bigint,
    machine_ids bigint[],
    assignee_ids bigint[]
) ON COMMIT DROP;

CREATE TEMP TABLE demo_products (
    product integer,
    name text,
    treatments text[],
    sizes text[],
    steps integer,
    -- Tells if it is coated: there is one line for it, where jobs wait.
    is_coated boolean
) ON COMMIT DROP;

-- The number of jobs of earlier batches that wait for each machine.
CREATE TEMP TABLE demo_queues (
    machine_id bigint PRIMARY KEY,
    waiting integer
) ON COMMIT DROP;

CREATE TEMP TABLE demo_plan (
    id bigint,
    product integer,
    steps integer,
    first_step bigint,
    status text,
    quantity integer,
    -- Positions on the calendar: when it was made, when work began, how long all of its steps take.
    created double precision,
    begun double precision,
    span double precision,
    -- The part of a step's time that the work lies in front of the machine.
    queue double precision,
    touched double precision,
    due_day integer,
    -- The number of steps done, the place of an active job before the machine of its next one, and whether it is on it.
    done integer,
    place integer,
    is_running boolean,
    -- Why it is late or stopped.
    cause text
) ON COMMIT DROP

-- name: bind_tenant
-- writes: settings
-- Row security binds the owner again from here on.
SELECT set_config('app.tenant_id', %(tenant_id)s::text, true)

-- depends: 0196_search_pending
-- Working hours of a business and of its machines, and holidays. Times are local times of the business. Without rows of
-- its own a machine has the hours of the business; a business without rows works at any time.

-- The minutes of a shift within the week; one of Sunday night goes on at the beginning of the week.
CREATE FUNCTION minutes_of_week(weekday integer, starts_at time, ends_at time) RETURNS int4multirange
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
AS $$
    SELECT int4multirange(
        int4range(b.first, least(e.after_last, 10080)),
        int4range(0, greatest(e.after_last - 10080, 0))
    )
    FROM (SELECT (weekday - 1) * 1440 + (extract(epoch FROM starts_at) / 60)::integer AS first) AS b
    CROSS JOIN LATERAL (
        SELECT
            (weekday - 1) * 1440 + (extract(epoch FROM ends_at) / 60)::integer
            + CASE WHEN ends_at <= starts_at THEN 1440 ELSE 0 END AS after_last
    ) AS e
$$;

CREATE TABLE working_hours (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- Null: of the business.
    machine_id bigint,
    -- From 1, Monday, to 7, Sunday: the day on which the shift begins.
    weekday integer NOT NULL CHECK (weekday >= 1 AND weekday < 8),
    starts_at time NOT NULL,
    -- Not after starts_at: on the next day.
    ends_at time NOT NULL,
    starts_minute integer NOT NULL GENERATED ALWAYS AS (
        (weekday - 1) * 1440 + (extract(epoch FROM starts_at) / 60)::integer
    ) STORED,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT working_hours_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT working_hours_machine_fkey FOREIGN KEY (tenant_id, machine_id) REFERENCES machines (tenant_id, id),
    CONSTRAINT working_hours_length CHECK (starts_at <> ends_at),
    CONSTRAINT working_hours_minutes CHECK (
        starts_at = date_trunc('minute', starts_at)
        AND ends_at = date_trunc('minute', ends_at)
        AND starts_at < '24:00'
    ),
    CONSTRAINT working_hours_overlap EXCLUDE USING gist (
        int8range(tenant_id, tenant_id, '[]') WITH &&,
        int8range(coalesce(machine_id, 0), coalesce(machine_id, 0), '[]') WITH &&,
        minutes_of_week(weekday, starts_at, ends_at) WITH &&
    )
);

ALTER TABLE working_hours ENABLE ROW LEVEL SECURITY;
ALTER TABLE working_hours FORCE ROW LEVEL SECURITY;
CREATE POLICY working_hours_isolation ON working_hours
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON working_hours TO opsboard_app;

CREATE TRIGGER working_hours_touch BEFORE UPDATE ON working_hours
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: working_hours.list_working_hours
CREATE INDEX idx_working_hours_starts_minute ON working_hours (tenant_id, starts_minute, id);
-- Serves: working_hours.list_working_hours (one machine), the foreign key of the machine
CREATE INDEX idx_working_hours_machine ON working_hours (tenant_id, machine_id, starts_minute, id);

SELECT watch_changes('working_hours');

CREATE TABLE holidays (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id bigint NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    first_day date NOT NULL,
    -- Null: the first day is the only one.
    last_day date,
    external_id text CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT holidays_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT holidays_order CHECK (last_day >= first_day),
    CONSTRAINT holidays_length CHECK (last_day - first_day < 366)
);

ALTER TABLE holidays ENABLE ROW LEVEL SECURITY;
ALTER TABLE holidays FORCE ROW LEVEL SECURITY;
CREATE POLICY holidays_isolation ON holidays
USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON holidays TO opsboard_app;

CREATE TRIGGER holidays_touch BEFORE UPDATE ON holidays
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Serves: holidays.list_holidays
CREATE INDEX idx_holidays_first_day ON holidays (tenant_id, first_day, id);

SELECT watch_changes('holidays');

-- The times from one moment to another at which a machine works (null: the business), as ranges that neither overlap nor
-- touch. A shift begins and ends when the clocks of the business show so: at a time that is skipped, as long after the
-- clock change; at one that comes twice, the second time. A holiday is from midnight to midnight, also for a shift that
-- began the day before.
CREATE FUNCTION working_times(tenant bigint, machine bigint, began timestamptz, ended timestamptz)
RETURNS tstzmultirange
LANGUAGE sql
STABLE
PARALLEL SAFE
AS $$
    SELECT
        tstzmultirange(tstzrange(began, greatest(began, ended)))
        * CASE WHEN k.has_hours THEN coalesce(s.times, '{}') ELSE '{(,)}' END
        - coalesce(f.times, '{}')
    FROM public.tenants AS t
    CROSS JOIN LATERAL (
        SELECT o.machine_id
        FROM (
            SELECT max(w.machine_id) AS machine_id
            FROM public.working_hours AS w
            WHERE w.tenant_id = tenant
                AND w.machine_id = machine
        ) AS o
    ) AS h
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT
            FROM public.working_hours AS w
            WHERE w.tenant_id = tenant
                AND (w.machine_id = h.machine_id OR (w.machine_id IS NULL AND h.machine_id IS NULL))
        ) AS has_hours
    ) AS k
    CROSS JOIN LATERAL (
        -- Without those of a day that the calendar leaves out. Two days before: the one before may be such a day.
        SELECT range_agg(tstzrange(m.starts, greatest(m.starts, m.ends))) AS times
        FROM (
            SELECT public.local_day(began, t.time_zone) + i AS day
            FROM generate_series(-2, public.local_day(ended, t.time_zone) - public.local_day(began, t.time_zone)) AS i
        ) AS d
        JOIN public.working_hours AS w
            ON w.tenant_id = tenant
            AND (w.machine_id = h.machine_id OR (w.machine_id IS NULL AND h.machine_id IS NULL))
            AND w.weekday = extract(isodow FROM d.day)
        CROSS JOIN LATERAL (
            SELECT
                (d.day + w.starts_at) AT TIME ZONE t.time_zone AS starts,
                (d.day + w.ends_at + CASE WHEN w.ends_at <= w.starts_at THEN interval '1 day' ELSE interval '0' END)
                AT TIME ZONE t.time_zone AS ends
        ) AS m
        WHERE d.day::timestamp AT TIME ZONE t.time_zone < (d.day + 1)::timestamp AT TIME ZONE t.time_zone
    ) AS s
    CROSS JOIN LATERAL (
        SELECT range_agg(
            tstzrange(
                y.first_day::timestamp AT TIME ZONE t.time_zone,
                (coalesce(y.last_day, y.first_day) + 1)::timestamp AT TIME ZONE t.time_zone
            )
        ) AS times
        FROM public.holidays AS y
        WHERE y.tenant_id = tenant
            AND y.first_day BETWEEN public.local_day(began, t.time_zone) - 366 AND public.local_day(ended, t.time_zone)
            AND coalesce(y.last_day, y.first_day) >= public.local_day(began, t.time_zone)
    ) AS f
    WHERE t.id = tenant
$$;

-- How many minutes these times are.
CREATE FUNCTION working_minutes(tenant bigint, machine bigint, began timestamptz, ended timestamptz)
RETURNS numeric
LANGUAGE sql
STABLE
PARALLEL SAFE
AS $$
    SELECT coalesce(sum(extract(epoch FROM upper(w.part) - lower(w.part))), 0) / 60
    FROM unnest(public.working_times(tenant, machine, began, ended)) AS w (part)
$$;

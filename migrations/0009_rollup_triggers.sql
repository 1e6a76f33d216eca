-- depends: 0008_rollups
-- What writers add to rollup_deltas. These triggers also note what changed, in place of those of watch_changes: one
-- function that does both costs a single-row UPDATE a third less than two.
--
-- INSERT and DELETE are counted by statement, which is what loading and clearing tables want, UPDATE by row, as in
-- 0006. No WHEN: it is parsed anew for each statement and costs more than the IF.

-- A table without rows counts nothing. It is locked against writers, so all their deltas are in sight.
CREATE FUNCTION count_nothing() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM public.hold_rollups();
    DELETE FROM public.rollup_deltas AS d WHERE d.source = TG_TABLE_NAME;
    DELETE FROM public.rollups AS r WHERE r.metric = ANY(TG_ARGV);
    INSERT INTO public.changes (tenant_id, table_name) VALUES (NULL, TG_TABLE_NAME);
    RETURN NULL;
END
$$;

-- jobs
CREATE FUNCTION count_jobs() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.rollup_deltas (tenant_id, source, label, day, began, ended, n)
    SELECT
        r.tenant_id,
        'jobs',
        r.status,
        r.due_date,
        r.created_at,
        r.completed_at,
        CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
    FROM changed_rows AS r
    GROUP BY r.tenant_id, r.status, r.due_date, r.created_at, r.completed_at;
    INSERT INTO public.changes (tenant_id, table_name)
    SELECT DISTINCT
        r.tenant_id,
        'jobs'
    FROM changed_rows AS r;
    RETURN NULL;
END
$$;

CREATE FUNCTION count_updated_job() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    note constant text := NEW.tenant_id || '/' || pg_current_xact_id()::text;
    noted text;
BEGIN
    IF current_setting('opsboard.noted_jobs', true) IS DISTINCT FROM note THEN
        INSERT INTO public.changes (tenant_id, table_name) VALUES (NEW.tenant_id, 'jobs');
        noted := set_config('opsboard.noted_jobs', note, true);
    END IF;
    -- Hardly ever: then both images as a whole, each of its business.
    IF OLD.created_at <> NEW.created_at OR OLD.tenant_id <> NEW.tenant_id THEN
        INSERT INTO public.rollup_deltas (tenant_id, source, label, day, began, ended, n)
        VALUES
        (OLD.tenant_id, 'jobs', OLD.status, OLD.due_date, OLD.created_at, OLD.completed_at, -1),
        (NEW.tenant_id, 'jobs', NEW.status, NEW.due_date, NEW.created_at, NEW.completed_at, 1);
        IF OLD.tenant_id <> NEW.tenant_id THEN
            INSERT INTO public.changes (tenant_id, table_name) VALUES (OLD.tenant_id, 'jobs');
        END IF;
    ELSIF
        OLD.status <> NEW.status
        OR OLD.due_date IS DISTINCT FROM NEW.due_date
        OR OLD.completed_at IS DISTINCT FROM NEW.completed_at
    THEN
        INSERT INTO public.rollup_deltas (tenant_id, source, label, day, ended, was_label, was_day, was_ended, n)
        VALUES
        (
            NEW.tenant_id, 'jobs', NEW.status, NEW.due_date, NEW.completed_at,
            OLD.status, OLD.due_date, OLD.completed_at, 1
        );
    END IF;
    RETURN NULL;
END
$$;

DROP TRIGGER jobs_insert ON jobs;
DROP TRIGGER jobs_delete ON jobs;
DROP TRIGGER jobs_update ON jobs;
DROP TRIGGER jobs_truncate ON jobs;
CREATE TRIGGER jobs_insert AFTER INSERT ON jobs REFERENCING NEW TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_jobs();
CREATE TRIGGER jobs_delete AFTER DELETE ON jobs REFERENCING OLD TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_jobs();
CREATE TRIGGER jobs_update AFTER UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION count_updated_job();
CREATE TRIGGER jobs_truncate AFTER TRUNCATE ON jobs
FOR EACH STATEMENT EXECUTE FUNCTION count_nothing('jobs', 'open_jobs', 'jobs_created', 'jobs_completed');

-- job_steps
CREATE FUNCTION count_job_steps() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.rollup_deltas (tenant_id, source, label, subject, ended, n)
    SELECT
        r.tenant_id,
        'job_steps',
        r.status,
        r.assigned_user_id,
        r.completed_at,
        CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
    FROM changed_rows AS r
    GROUP BY r.tenant_id, r.status, r.assigned_user_id, r.completed_at;
    INSERT INTO public.changes (tenant_id, table_name)
    SELECT DISTINCT
        r.tenant_id,
        'job_steps'
    FROM changed_rows AS r;
    RETURN NULL;
END
$$;

CREATE FUNCTION count_updated_job_step() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    note constant text := NEW.tenant_id || '/' || pg_current_xact_id()::text;
    noted text;
BEGIN
    IF current_setting('opsboard.noted_job_steps', true) IS DISTINCT FROM note THEN
        INSERT INTO public.changes (tenant_id, table_name) VALUES (NEW.tenant_id, 'job_steps');
        noted := set_config('opsboard.noted_job_steps', note, true);
    END IF;
    IF OLD.tenant_id <> NEW.tenant_id THEN
        INSERT INTO public.rollup_deltas (tenant_id, source, label, subject, ended, n)
        VALUES
        (OLD.tenant_id, 'job_steps', OLD.status, OLD.assigned_user_id, OLD.completed_at, -1),
        (NEW.tenant_id, 'job_steps', NEW.status, NEW.assigned_user_id, NEW.completed_at, 1);
        INSERT INTO public.changes (tenant_id, table_name) VALUES (OLD.tenant_id, 'job_steps');
    ELSIF
        OLD.status <> NEW.status
        OR OLD.assigned_user_id IS DISTINCT FROM NEW.assigned_user_id
        OR OLD.completed_at IS DISTINCT FROM NEW.completed_at
    THEN
        INSERT INTO public.rollup_deltas (
            tenant_id, source, label, subject, ended, was_label, was_subject, was_ended, n
        )
        VALUES
        (
            NEW.tenant_id, 'job_steps', NEW.status, NEW.assigned_user_id, NEW.completed_at,
            OLD.status, OLD.assigned_user_id, OLD.completed_at, 1
        );
    END IF;
    RETURN NULL;
END
$$;

DROP TRIGGER job_steps_insert ON job_steps;
DROP TRIGGER job_steps_delete ON job_steps;
DROP TRIGGER job_steps_update ON job_steps;
DROP TRIGGER job_steps_truncate ON job_steps;
CREATE TRIGGER job_steps_insert AFTER INSERT ON job_steps REFERENCING NEW TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_job_steps();
CREATE TRIGGER job_steps_delete AFTER DELETE ON job_steps REFERENCING OLD TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_job_steps();
CREATE TRIGGER job_steps_update AFTER UPDATE ON job_steps FOR EACH ROW EXECUTE FUNCTION count_updated_job_step();
CREATE TRIGGER job_steps_truncate AFTER TRUNCATE ON job_steps
FOR EACH STATEMENT EXECUTE FUNCTION count_nothing('steps', 'steps_completed');

-- machines
CREATE FUNCTION count_machines() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.rollup_deltas (tenant_id, source, label, n)
    SELECT
        r.tenant_id,
        'machines',
        r.status,
        CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
    FROM changed_rows AS r
    GROUP BY r.tenant_id, r.status;
    INSERT INTO public.changes (tenant_id, table_name)
    SELECT DISTINCT
        r.tenant_id,
        'machines'
    FROM changed_rows AS r;
    RETURN NULL;
END
$$;

CREATE FUNCTION count_updated_machine() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    note constant text := NEW.tenant_id || '/' || pg_current_xact_id()::text;
    noted text;
BEGIN
    IF current_setting('opsboard.noted_machines', true) IS DISTINCT FROM note THEN
        INSERT INTO public.changes (tenant_id, table_name) VALUES (NEW.tenant_id, 'machines');
        noted := set_config('opsboard.noted_machines', note, true);
    END IF;
    IF
        OLD.status <> NEW.status
        OR OLD.tenant_id <> NEW.tenant_id
    THEN
        INSERT INTO public.rollup_deltas (tenant_id, source, label, n)
        VALUES
        (OLD.tenant_id, 'machines', OLD.status, -1),
        (NEW.tenant_id, 'machines', NEW.status, 1);
        IF OLD.tenant_id <> NEW.tenant_id THEN
            INSERT INTO public.changes (tenant_id, table_name) VALUES (OLD.tenant_id, 'machines');
        END IF;
    END IF;
    RETURN NULL;
END
$$;

DROP TRIGGER machines_insert ON machines;
DROP TRIGGER machines_delete ON machines;
DROP TRIGGER machines_update ON machines;
DROP TRIGGER machines_truncate ON machines;
CREATE TRIGGER machines_insert AFTER INSERT ON machines REFERENCING NEW TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_machines();
CREATE TRIGGER machines_delete AFTER DELETE ON machines REFERENCING OLD TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_machines();
CREATE TRIGGER machines_update AFTER UPDATE ON machines FOR EACH ROW EXECUTE FUNCTION count_updated_machine();
CREATE TRIGGER machines_truncate AFTER TRUNCATE ON machines
FOR EACH STATEMENT EXECUTE FUNCTION count_nothing('machines');

-- users
CREATE FUNCTION count_users() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.rollup_deltas (tenant_id, source, label, is_active, n)
    SELECT
        r.tenant_id,
        'users',
        r.role,
        r.is_active,
        CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
    FROM changed_rows AS r
    GROUP BY r.tenant_id, r.role, r.is_active;
    INSERT INTO public.changes (tenant_id, table_name)
    SELECT DISTINCT
        r.tenant_id,
        'users'
    FROM changed_rows AS r;
    RETURN NULL;
END
$$;

CREATE FUNCTION count_updated_user() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    note constant text := NEW.tenant_id || '/' || pg_current_xact_id()::text;
    noted text;
BEGIN
    IF current_setting('opsboard.noted_users', true) IS DISTINCT FROM note THEN
        INSERT INTO public.changes (tenant_id, table_name) VALUES (NEW.tenant_id, 'users');
        noted := set_config('opsboard.noted_users', note, true);
    END IF;
    IF
        OLD.role <> NEW.role
        OR OLD.is_active <> NEW.is_active
        OR OLD.tenant_id <> NEW.tenant_id
    THEN
        INSERT INTO public.rollup_deltas (tenant_id, source, label, is_active, n)
        VALUES
        (OLD.tenant_id, 'users', OLD.role, OLD.is_active, -1),
        (NEW.tenant_id, 'users', NEW.role, NEW.is_active, 1);
        IF OLD.tenant_id <> NEW.tenant_id THEN
            INSERT INTO public.changes (tenant_id, table_name) VALUES (OLD.tenant_id, 'users');
        END IF;
    END IF;
    RETURN NULL;
END
$$;

DROP TRIGGER users_insert ON users;
DROP TRIGGER users_delete ON users;
DROP TRIGGER users_update ON users;
DROP TRIGGER users_truncate ON users;
CREATE TRIGGER users_insert AFTER INSERT ON users REFERENCING NEW TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_users();
CREATE TRIGGER users_delete AFTER DELETE ON users REFERENCING OLD TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_users();
CREATE TRIGGER users_update AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION count_updated_user();
CREATE TRIGGER users_truncate AFTER TRUNCATE ON users
FOR EACH STATEMENT EXECUTE FUNCTION count_nothing('users_active', 'users_blocked');

-- processes
CREATE FUNCTION count_processes() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.rollup_deltas (tenant_id, source, is_active, n)
    SELECT
        r.tenant_id,
        'processes',
        r.is_active,
        CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
    FROM changed_rows AS r
    GROUP BY r.tenant_id, r.is_active;
    INSERT INTO public.changes (tenant_id, table_name)
    SELECT DISTINCT
        r.tenant_id,
        'processes'
    FROM changed_rows AS r;
    RETURN NULL;
END
$$;

CREATE FUNCTION count_updated_process() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    note constant text := NEW.tenant_id || '/' || pg_current_xact_id()::text;
    noted text;
BEGIN
    IF current_setting('opsboard.noted_processes', true) IS DISTINCT FROM note THEN
        INSERT INTO public.changes (tenant_id, table_name) VALUES (NEW.tenant_id, 'processes');
        noted := set_config('opsboard.noted_processes', note, true);
    END IF;
    IF
        OLD.is_active <> NEW.is_active
        OR OLD.tenant_id <> NEW.tenant_id
    THEN
        INSERT INTO public.rollup_deltas (tenant_id, source, is_active, n)
        VALUES
        (OLD.tenant_id, 'processes', OLD.is_active, -1),
        (NEW.tenant_id, 'processes', NEW.is_active, 1);
        IF OLD.tenant_id <> NEW.tenant_id THEN
            INSERT INTO public.changes (tenant_id, table_name) VALUES (OLD.tenant_id, 'processes');
        END IF;
    END IF;
    RETURN NULL;
END
$$;

DROP TRIGGER processes_insert ON processes;
DROP TRIGGER processes_delete ON processes;
DROP TRIGGER processes_update ON processes;
DROP TRIGGER processes_truncate ON processes;
CREATE TRIGGER processes_insert AFTER INSERT ON processes REFERENCING NEW TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_processes();
CREATE TRIGGER processes_delete AFTER DELETE ON processes REFERENCING OLD TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_processes();
CREATE TRIGGER processes_update AFTER UPDATE ON processes FOR EACH ROW EXECUTE FUNCTION count_updated_process();
CREATE TRIGGER processes_truncate AFTER TRUNCATE ON processes
FOR EACH STATEMENT EXECUTE FUNCTION count_nothing('processes_active', 'processes_inactive');

-- customers
CREATE FUNCTION count_customers() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.rollup_deltas (tenant_id, source, n)
    SELECT
        r.tenant_id,
        'customers',
        CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
    FROM changed_rows AS r
    GROUP BY r.tenant_id;
    INSERT INTO public.changes (tenant_id, table_name)
    SELECT DISTINCT
        r.tenant_id,
        'customers'
    FROM changed_rows AS r;
    RETURN NULL;
END
$$;

CREATE FUNCTION count_updated_customer() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    note constant text := NEW.tenant_id || '/' || pg_current_xact_id()::text;
    noted text;
BEGIN
    IF current_setting('opsboard.noted_customers', true) IS DISTINCT FROM note THEN
        INSERT INTO public.changes (tenant_id, table_name) VALUES (NEW.tenant_id, 'customers');
        noted := set_config('opsboard.noted_customers', note, true);
    END IF;
    IF OLD.tenant_id <> NEW.tenant_id THEN
        INSERT INTO public.rollup_deltas (tenant_id, source, n)
        VALUES
        (OLD.tenant_id, 'customers', -1),
        (NEW.tenant_id, 'customers', 1);
        INSERT INTO public.changes (tenant_id, table_name) VALUES (OLD.tenant_id, 'customers');
    END IF;
    RETURN NULL;
END
$$;

DROP TRIGGER customers_insert ON customers;
DROP TRIGGER customers_delete ON customers;
DROP TRIGGER customers_update ON customers;
DROP TRIGGER customers_truncate ON customers;
CREATE TRIGGER customers_insert AFTER INSERT ON customers REFERENCING NEW TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_customers();
CREATE TRIGGER customers_delete AFTER DELETE ON customers REFERENCING OLD TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_customers();
CREATE TRIGGER customers_update AFTER UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION count_updated_customer();
CREATE TRIGGER customers_truncate AFTER TRUNCATE ON customers
FOR EACH STATEMENT EXECUTE FUNCTION count_nothing('customers');

-- audit_logs
CREATE FUNCTION count_audit_logs() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.rollup_deltas (tenant_id, source, n)
    SELECT
        r.tenant_id,
        'audit_logs',
        CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
    FROM changed_rows AS r
    GROUP BY r.tenant_id;
    INSERT INTO public.changes (tenant_id, table_name)
    SELECT DISTINCT
        r.tenant_id,
        'audit_logs'
    FROM changed_rows AS r;
    RETURN NULL;
END
$$;

CREATE FUNCTION count_updated_audit_log() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    note constant text := NEW.tenant_id || '/' || pg_current_xact_id()::text;
    noted text;
BEGIN
    IF current_setting('opsboard.noted_audit_logs', true) IS DISTINCT FROM note THEN
        INSERT INTO public.changes (tenant_id, table_name) VALUES (NEW.tenant_id, 'audit_logs');
        noted := set_config('opsboard.noted_audit_logs', note, true);
    END IF;
    IF OLD.tenant_id <> NEW.tenant_id THEN
        INSERT INTO public.rollup_deltas (tenant_id, source, n)
        VALUES
        (OLD.tenant_id, 'audit_logs', -1),
        (NEW.tenant_id, 'audit_logs', 1);
        INSERT INTO public.changes (tenant_id, table_name) VALUES (OLD.tenant_id, 'audit_logs');
    END IF;
    RETURN NULL;
END
$$;

DROP TRIGGER audit_logs_insert ON audit_logs;
DROP TRIGGER audit_logs_delete ON audit_logs;
DROP TRIGGER audit_logs_update ON audit_logs;
DROP TRIGGER audit_logs_truncate ON audit_logs;
CREATE TRIGGER audit_logs_insert AFTER INSERT ON audit_logs REFERENCING NEW TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_audit_logs();
CREATE TRIGGER audit_logs_delete AFTER DELETE ON audit_logs REFERENCING OLD TABLE AS changed_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_audit_logs();
CREATE TRIGGER audit_logs_update AFTER UPDATE ON audit_logs FOR EACH ROW EXECUTE FUNCTION count_updated_audit_log();
CREATE TRIGGER audit_logs_truncate AFTER TRUNCATE ON audit_logs
FOR EACH STATEMENT EXECUTE FUNCTION count_nothing('audit_logs');

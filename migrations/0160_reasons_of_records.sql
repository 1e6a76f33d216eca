-- depends: 0101_machine_stops
-- Work records and machine stops refer to the reasons of the business. Writers still give the word: a trigger finds its
-- reason, or adds it, so that imports and the API share one list. The word stays as it was written.
--
-- A record also has the process of its step at the time of the work, so that sums by process need no look at steps.

ALTER TABLE work_records ADD COLUMN process_id bigint;
ALTER TABLE work_records ADD COLUMN reject_reason_id bigint;
ALTER TABLE machine_stops ADD COLUMN reason_id bigint;
-- The columns are null for all rows, so nothing is to be checked; 0163 confirms it.
ALTER TABLE work_records ADD CONSTRAINT work_records_process_fkey
FOREIGN KEY (tenant_id, process_id) REFERENCES processes (tenant_id, id) NOT VALID;
ALTER TABLE work_records ADD CONSTRAINT work_records_reject_reason_fkey
FOREIGN KEY (tenant_id, reject_reason_id) REFERENCES reasons (tenant_id, id) NOT VALID;
ALTER TABLE machine_stops ADD CONSTRAINT machine_stops_reason_fkey
FOREIGN KEY (tenant_id, reason_id) REFERENCES reasons (tenant_id, id) NOT VALID;
ALTER TABLE work_records ADD CONSTRAINT work_records_length
CHECK (ended_at - started_at <= interval '7 days') NOT VALID;

-- The reason of this kind with this name; added when there is none. Null: the word has no letters.
CREATE FUNCTION reason_named(tenant bigint, of_kind text, word text, person bigint) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wording constant text := nullif(btrim(word), '');
    named bigint;
BEGIN
    SELECT r.id
    INTO named
    FROM public.reasons AS r
    WHERE r.tenant_id = tenant
        AND r.kind = of_kind
        AND r.name_search = public.search_form(wording);
    IF named IS NOT NULL OR wording IS NULL THEN
        RETURN named;
    END IF;
    INSERT INTO public.reasons (tenant_id, kind, name)
    VALUES (tenant, of_kind, wording)
    ON CONFLICT (tenant_id, kind, name_search) DO NOTHING
    RETURNING id INTO named;
    IF named IS NULL THEN
        -- Somebody else has just added it.
        SELECT r.id
        INTO named
        FROM public.reasons AS r
        WHERE r.tenant_id = tenant
            AND r.kind = of_kind
            AND r.name_search = public.search_form(wording);
        RETURN named;
    END IF;
    INSERT INTO public.audit_logs (tenant_id, user_id, action, entity, entity_id, changes)
    VALUES (
        tenant, person, 'create', 'reason', named, jsonb_build_object('name', jsonb_build_array(NULL, wording))
    );
    RETURN named;
END
$$;

CREATE FUNCTION complete_work_record() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.process_id IS NULL THEN
        NEW.process_id := (
            SELECT s.process_id
            FROM public.job_steps AS s
            WHERE s.tenant_id = NEW.tenant_id
                AND s.id = NEW.step_id
        );
    END IF;
    IF NEW.reject_reason IS NULL THEN
        NEW.reject_reason_id := NULL;
    -- Three asterisks are what anonymise() leaves of a name: the reason is the same one.
    ELSIF NEW.reject_reason_id IS NULL OR TG_OP = 'UPDATE' AND NEW.reject_reason <> OLD.reject_reason THEN
        IF NEW.reject_reason NOT LIKE '%***%' THEN
            NEW.reject_reason_id := public.reason_named(
                NEW.tenant_id, 'reject', NEW.reject_reason, coalesce(NEW.corrected_by, NEW.user_id)
            );
        END IF;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER work_records_complete BEFORE INSERT OR UPDATE ON work_records
FOR EACH ROW EXECUTE FUNCTION complete_work_record();

CREATE FUNCTION complete_machine_stop() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- As above.
    IF NEW.reason_id IS NULL OR TG_OP = 'UPDATE' AND NEW.reason <> OLD.reason THEN
        IF NEW.reason NOT LIKE '%***%' THEN
            NEW.reason_id := public.reason_named(NEW.tenant_id, 'stop', NEW.reason, NEW.reported_by);
        END IF;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER machine_stops_complete BEFORE INSERT OR UPDATE ON machine_stops
FOR EACH ROW EXECUTE FUNCTION complete_machine_stop();

-- Called by 0161: records of before, 2,000 at a time, each batch in a transaction of its own.
CREATE PROCEDURE fill_reasons_of_records()
LANGUAGE plpgsql
AS $$
DECLARE
    tenant bigint;
    reached bigint;
BEGIN
    FOR tenant IN SELECT t.id FROM public.tenants AS t ORDER BY t.id LOOP
        reached := 0;
        WHILE reached IS NOT NULL LOOP
            PERFORM pg_catalog.set_config('app.tenant_id', tenant::text, true);
            WITH batch AS (
                SELECT k.id
                FROM public.work_records AS k
                WHERE k.tenant_id = tenant
                    AND k.id > reached
                ORDER BY k.id
                LIMIT 2000
            ),
            filled AS (
                UPDATE public.work_records AS k
                SET process_id = k.process_id
                FROM batch AS b
                WHERE k.tenant_id = tenant
                    AND k.id = b.id
                    AND (k.process_id IS NULL OR k.reject_reason IS NOT NULL AND k.reject_reason_id IS NULL)
            )
            SELECT max(b.id) INTO reached FROM batch AS b;
            COMMIT;
        END LOOP;
        reached := 0;
        WHILE reached IS NOT NULL LOOP
            PERFORM pg_catalog.set_config('app.tenant_id', tenant::text, true);
            WITH batch AS (
                SELECT k.id
                FROM public.machine_stops AS k
                WHERE k.tenant_id = tenant
                    AND k.id > reached
                ORDER BY k.id
                LIMIT 2000
            ),
            filled AS (
                UPDATE public.machine_stops AS k
                SET reason_id = k.reason_id
                FROM batch AS b
                WHERE k.tenant_id = tenant
                    AND k.id = b.id
                    AND k.reason_id IS NULL
            )
            SELECT max(b.id) INTO reached FROM batch AS b;
            COMMIT;
        END LOOP;
    END LOOP;
END
$$;

REVOKE ALL ON PROCEDURE fill_reasons_of_records() FROM PUBLIC;

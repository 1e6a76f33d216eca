"""Times of the night in which clocks are put back: an hour is shown twice, and only its order tells which it was."""

from __future__ import annotations

from psycopg2 import sql

AFTER = sql.Identifier("pg_temp", "import_after")

# A time that is before an earlier one, although its clock may have shown it once more afterwards.
CREATE_AFTER = sql.SQL("""
CREATE FUNCTION {name}(moment timestamptz, earlier timestamptz, zone text, given text) RETURNS timestamptz
LANGUAGE plpgsql STABLE
AS $body$
DECLARE
    hours interval;
BEGIN
    -- A text that tells its offset from UTC means one moment only.
    IF moment < earlier AND given !~* ':[0-9.,]+ ?(z|utc|[+-][0-9:]+)$' THEN
        FOREACH hours IN ARRAY ARRAY['1 hour', '30 minutes', '2 hours', '3 hours']::interval[] LOOP
            IF moment + hours >= earlier AND (moment + hours) AT TIME ZONE zone = moment AT TIME ZONE zone THEN
                RETURN moment + hours;
            END IF;
        END LOOP;
    END IF;
    RETURN moment;
END
$body$
""").format(name=AFTER)

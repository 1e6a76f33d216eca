-- The referenced tables are in use, so this lock may wait. It comes first: a reader of the catalogue that waits for a
-- table which is then dropped fails.
LOCK TABLE tenants, machines IN ACCESS EXCLUSIVE MODE;
DROP FUNCTION IF EXISTS working_minutes(bigint, bigint, timestamptz, timestamptz);
DROP FUNCTION IF EXISTS working_times(bigint, bigint, timestamptz, timestamptz);
DROP TABLE IF EXISTS holidays;
DROP TABLE IF EXISTS working_hours;
DROP FUNCTION IF EXISTS minutes_of_week(integer, time, time);

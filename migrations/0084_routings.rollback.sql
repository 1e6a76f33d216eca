-- The referenced tables are in use, so this lock may wait. It comes first: a reader of the catalogue that waits for a
-- table which is then dropped fails.
LOCK TABLE tenants, processes, machines IN ACCESS EXCLUSIVE MODE;
DROP TABLE IF EXISTS reasons;
DROP TABLE IF EXISTS routing_steps;
DROP TABLE IF EXISTS routings;

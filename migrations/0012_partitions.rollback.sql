DROP FUNCTION IF EXISTS count_updates_by_statement(regclass, text, text, text);
DROP FUNCTION IF EXISTS watch_partitioned(regclass);
DROP FUNCTION IF EXISTS note_updated_rows();
DROP FUNCTION IF EXISTS ensure_partitions(integer);
DROP FUNCTION IF EXISTS make_partitions(regclass, date, date);
DROP FUNCTION IF EXISTS move_from_rest(regclass, text, name, text, text);
DROP FUNCTION IF EXISTS new_partition(regclass, text);
-- Its tables went with the tables they were partitions of.
DROP SCHEMA IF EXISTS partitions;
